// From an account to a cancelled booking, with @hey-api/openapi-ts. LIVE_URL names the api.
import assert from "node:assert/strict";
import { client } from "./client/client.gen.js";
import type { Problem } from "./client/index.js";
import * as api from "./client/index.js";

let token: string | undefined;
client.setConfig({ baseUrl: process.env.LIVE_URL!, auth: () => token });

/** What was answered; a problem is thrown. */
function ok<T>(answer: { data: T | undefined; error?: Problem | undefined }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.detail}`);
  return answer.data;
}

/** The problem of an answer that is none of the successes. */
function problem(answer: { error?: Problem | undefined; response?: Response }): Problem {
  assert(answer.error, `a problem was expected, not ${answer.response?.status}`);
  assert.equal(answer.error.status, answer.response?.status);
  return answer.error;
}

const step = (text: string) => console.log(`  ${text}`);

// register and log in
const email = `ada-${crypto.randomUUID()}@example.org`;
const password = "correct horse battery staple";
const account = ok(await api.register({ body: { email, password, name: "Ada Lovelace" } }));
const wrong = problem(await api.login({ body: { email, password: "not the password" } }));
assert.equal(wrong.code, "invalid_credentials");
const session = ok(await api.login({ body: { email, password } }));
token = session.access_token;
assert.equal(ok(await api.getMe()).id, account.id);
step(`registered as a ${session.role}`);

// free slots of the next week
const service = ok(await api.listServices()).data[0]!;
const date = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const query = { service_id: service.id, from: date(1), to: date(7) };
const slots = ok(await api.listSlots({ query })).days.flatMap((day) => day.slots);
const [first, second] = [slots[0]!, slots[4]!];
step(`${slots.length} free slots, the first at ${first.start}`);

// book: the same key and body again give the same answer
const body = { service_id: service.id, start: first.start, staff_id: first.staff_ids[0]! };
const book = (key: string) => api.createBooking({ headers: { "Idempotency-Key": key }, body });
const key = crypto.randomUUID();
const booking = ok(await book(key));
assert.equal(booking.status, "confirmed");
const again = await book(key);
assert.equal(ok(again).id, booking.id);
assert.equal(again.response?.headers.get("Idempotency-Replayed"), "true");
step(`booked ${booking.service.name} with ${booking.staff.name}`);

// conflict: the slot is taken, others are offered
const taken = problem(await book(crypto.randomUUID()));
assert.equal(taken.code, "slot_taken");
assert.equal(taken.alternatives?.length, 3);
step(`taken; free instead: ${taken.alternatives?.map((slot) => slot.start).join(", ")}`);

// move, based on the revision that was read
const path = { id: booking.id };
const move = (rev: number) =>
  api.rescheduleBooking({ path, headers: { "If-Match": `"${rev}"` }, body: { start: second.start } });
const moved = ok(await move(booking.rev));
assert.equal(moved.start, second.start);
assert.equal(problem(await move(booking.rev)).code, "precondition_failed");
step(`moved to ${moved.start}, revision ${moved.rev}`);

// cancel
const cancelled = ok(await api.cancelBooking({ path, headers: { "If-Match": `"${moved.rev}"` } }));
assert.equal(cancelled.status, "cancelled");
step("cancelled");

// list, a page at a time
ok(await book(crypto.randomUUID()));
const ids: string[] = [];
for (let cursor: string | undefined; ; ) {
  const page = ok(await api.listBookings({ query: cursor ? { limit: 1, cursor } : { limit: 1 } }));
  ids.push(...page.data.map((listed) => listed.id));
  if (!(cursor = page.next_cursor)) break;
}
assert.equal(new Set(ids).size, 2);
step("listed 2 bookings on 2 pages");

// errors are typed values
const bad = problem(await api.register({ body: { email: "nobody", password: "short", name: "" } }));
assert.equal(bad.code, "invalid_request");
assert.deepEqual(bad.errors?.map((fault) => fault.pointer).sort(), ["/email", "/name", "/password"]);
const absent = problem(await api.getBooking({ path: { id: crypto.randomUUID() } }));
assert.equal(absent.code, "not_found");
step(`errors: ${bad.errors?.map((fault) => `${fault.pointer} ${fault.code}`).join(", ")}; ${absent.code}`);

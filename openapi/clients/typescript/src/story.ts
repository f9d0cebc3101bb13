// From an account to a cancelled booking, with openapi-typescript and openapi-fetch. LIVE_URL names the api.
import assert from "node:assert/strict";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];

const api = createClient<paths>({ baseUrl: process.env.LIVE_URL! });

let token: string | undefined;
const bearer: Middleware = {
  onRequest({ request }) {
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
};
api.use(bearer);

/** What was answered; a problem is thrown. */
function ok<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.detail}`);
  return answer.data;
}

/** The problem of an answer that is none of the successes. */
function problem(answer: { error?: Problem; response: Response }): Problem {
  assert(answer.error, `a problem was expected, not ${answer.response.status}`);
  assert.equal(answer.error.status, answer.response.status);
  return answer.error;
}

const step = (text: string) => console.log(`  ${text}`);

// register and log in
const email = `ada-${crypto.randomUUID()}@example.org`;
const password = "correct horse battery staple";
const account = ok(await api.POST("/v1/auth/register", { body: { email, password, name: "Ada Lovelace" } }));
const wrong = problem(await api.POST("/v1/auth/login", { body: { email, password: "not the password" } }));
assert.equal(wrong.code, "invalid_credentials");
const session = ok(await api.POST("/v1/auth/login", { body: { email, password } }));
token = session.access_token;
assert.equal(ok(await api.GET("/v1/me")).id, account.id);
step(`registered as a ${session.role}`);

// free slots of the next week
const service = ok(await api.GET("/v1/services")).data[0]!;
const date = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const query = { service_id: service.id, from: date(1), to: date(7) };
const slots = ok(await api.GET("/v1/slots", { params: { query } })).days.flatMap((day) => day.slots);
const [first, second] = [slots[0]!, slots[4]!];
step(`${slots.length} free slots, the first at ${first.start}`);

// book: the same key and body again give the same answer
const wish = { service_id: service.id, start: first.start, staff_id: first.staff_ids[0]! };
const book = (key: string) =>
  api.POST("/v1/bookings", { params: { header: { "Idempotency-Key": key } }, body: wish });
const key = crypto.randomUUID();
const booking = ok(await book(key));
assert.equal(booking.status, "confirmed");
const again = await book(key);
assert.equal(ok(again).id, booking.id);
assert.equal(again.response.headers.get("Idempotency-Replayed"), "true");
step(`booked ${booking.service.name} with ${booking.staff.name}`);

// conflict: the slot is taken, others are offered
const taken = problem(await book(crypto.randomUUID()));
assert.equal(taken.code, "slot_taken");
assert.equal(taken.alternatives?.length, 3);
step(`taken; free instead: ${taken.alternatives?.map((slot) => slot.start).join(", ")}`);

// move, based on the revision that was read
const path = { id: booking.id };
const move = (rev: number) =>
  api.POST("/v1/bookings/{id}/reschedule", {
    params: { path, header: { "If-Match": `"${rev}"` } },
    body: { start: second.start },
  });
const moved = ok(await move(booking.rev));
assert.equal(moved.start, second.start);
assert.equal(problem(await move(booking.rev)).code, "precondition_failed");
step(`moved to ${moved.start}, revision ${moved.rev}`);

// cancel
const cancelled = ok(
  await api.POST("/v1/bookings/{id}/cancel", { params: { path, header: { "If-Match": `"${moved.rev}"` } } }),
);
assert.equal(cancelled.status, "cancelled");
step("cancelled");

// list, a page at a time
ok(await book(crypto.randomUUID()));
const ids: string[] = [];
for (let cursor: string | undefined; ; ) {
  const page = ok(
    await api.GET("/v1/bookings", { params: { query: cursor ? { limit: 1, cursor } : { limit: 1 } } }),
  );
  ids.push(...page.data.map((listed) => listed.id));
  if (!(cursor = page.next_cursor)) break;
}
assert.equal(new Set(ids).size, 2);
step("listed 2 bookings on 2 pages");

// errors are typed values
const bad = problem(
  await api.POST("/v1/auth/register", { body: { email: "nobody", password: "short", name: "" } }),
);
assert.equal(bad.code, "invalid_request");
assert.deepEqual(bad.errors?.map((fault) => fault.pointer).sort(), ["/email", "/name", "/password"]);
const absent = problem(await api.GET("/v1/bookings/{id}", { params: { path: { id: crypto.randomUUID() } } }));
assert.equal(absent.code, "not_found");
step(`errors: ${bad.errors?.map((fault) => `${fault.pointer} ${fault.code}`).join(", ")}; ${absent.code}`);

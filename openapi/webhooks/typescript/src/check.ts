// Verifies the sample delivery, and refuses it once anything of it has changed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { verify } from "./verify.js";

const { secret, previous_secret, headers, body } = JSON.parse(readFileSync("../delivery.json", "utf8"));
const sent = Number(headers["webhook-timestamp"]) * 1000;
Date.now = () => sent + 2_000;
for (const known of [secret, previous_secret]) assert.equal(verify(known, headers, body).type, "booking.rescheduled");
assert.throws(() => verify("whsec_" + Buffer.alloc(32).toString("base64"), headers, body));
assert.throws(() => verify(secret, headers, body.replace("confirmed", "cancelled")));
assert.throws(() => verify(secret, { ...headers, "webhook-id": "evt_1290" }, body));
Date.now = () => sent + 6 * 60_000;
assert.throws(() => verify(secret, headers, body));

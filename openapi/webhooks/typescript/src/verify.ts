import { Webhook } from "standardwebhooks";

export type Event = { type: string; timestamp: string; data: Record<string, unknown> };

/** The event of a request; throws if it is not signed with the secret or is older than five minutes. */
export function verify(secret: string, headers: Record<string, string>, body: string): Event {
  return new Webhook(secret).verify(body, headers) as Event;
}

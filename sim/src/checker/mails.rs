//! A committed booking has exactly its mails.
//!
//! Reminder rules are taken as they are now, so a checked test must not change them.

use super::{Rule, always, by_one_clock, settled};

/// Rules of the ledger, each a query for violations.
pub(super) const RULES: &[Rule] = &[
    always(
        "a change owes a mail that the ledger has not, or has more than once",
        "SELECT format('%s, revision %s (%s): %s of %s', e.booking_id, e.rev, e.change, count(n.id), owed.kind)
         FROM booking_events e JOIN bookings b ON b.id = e.booking_id JOIN customers c ON c.id = b.customer_id
         JOIN (VALUES ('created', 'confirmed', 'confirmation', 'appointments_booked'),
                      ('booked', 'confirmed', 'confirmation', NULL), ('confirmed', 'confirmed', 'confirmation', NULL),
                      ('rescheduled', 'confirmed', 'reschedule', 'appointments_moved'),
                      ('cancelled', 'cancelled', 'cancellation', 'appointments_cancelled'),
                      ('created', 'pending', 'pending', 'appointments_booked'), ('booked', 'pending', 'pending', NULL),
                      ('rescheduled', 'pending', 'pending', 'appointments_booked'),
                      ('declined', 'declined', 'declined', NULL), ('expired', 'expired', 'expired', NULL))
              AS owed (change, status, kind, of_several) ON owed.change = e.change AND owed.status = e.status::text
         LEFT JOIN notifications n
              ON (n.booking_id = e.booking_id AND n.rev = e.rev AND n.kind::text = owed.kind)
              OR (n.booking_ids @> ARRAY[e.booking_id] AND n.created_at = e.at AND n.kind::text = owed.of_several)
         WHERE (c.email IS NOT NULL OR c.erased_at > e.at) AND $1::timestamptz IS NOT NULL
           AND (e.details ->> 'silent') IS NULL
         GROUP BY e.booking_id, e.rev, e.change, owed.kind HAVING count(n.id) <> 1",
    ),
    always(
        "the ledger has a mail of a change that was not made",
        "SELECT format('%s %s of revision %s', n.id, n.kind, n.rev)
         FROM notifications n LEFT JOIN booking_events e ON e.booking_id = n.booking_id AND e.rev = n.rev
         WHERE n.booking_id IS NOT NULL AND $1::timestamptz IS NOT NULL
           AND (e.rev IS NULL
                OR (n.kind::text IN ('confirmation', 'reminder', 'reschedule', 'staff_new') AND e.status <> 'confirmed')
                OR (n.kind::text IN ('cancellation', 'staff_cancelled', 'appointments_cancelled',
                                     'staff_appointments_cancelled') AND e.status <> 'cancelled')
                OR (n.kind::text IN ('pending', 'staff_pending') AND e.status <> 'pending')
                OR (n.kind::text IN ('staff_moved', 'appointments_booked', 'appointments_moved',
                                     'staff_appointments_booked', 'staff_appointments_moved')
                    AND e.status NOT IN ('confirmed', 'pending'))
                OR (n.kind::text IN ('declined', 'expired') AND e.status::text <> n.kind::text))",
    ),
    always(
        "reminders are not those of the service's rules",
        // For each revision that plans reminders: one per rule, due as the rule says.
        "WITH planned AS (
             SELECT e.booking_id, e.rev, b.service_id, b.zone,
                    (SELECT (details #>> '{to,start}')::timestamptz FROM booking_events
                     WHERE booking_id = e.booking_id AND rev <= e.rev AND details ? 'to' ORDER BY rev DESC LIMIT 1) AS start
             FROM booking_events e JOIN bookings b ON b.id = e.booking_id JOIN customers c ON c.id = b.customer_id
             WHERE e.status = 'confirmed' AND (c.email IS NOT NULL OR c.erased_at > e.at)
         ), due AS (
             SELECT p.booking_id, p.rev, r.rule,
                    CASE r.kind WHEN 'offset' THEN p.start - r.minutes * interval '1 minute'
                    ELSE (date_trunc('day', p.start AT TIME ZONE p.zone) - interval '1 day'
                          + r.minutes * interval '1 minute') AT TIME ZONE p.zone END AS at
             FROM planned p JOIN service_reminders r ON r.service_id = p.service_id
         ), kept AS (
             SELECT booking_id, rev, rule, send_at AS at FROM notifications
             WHERE kind = 'reminder' AND booking_id IS NOT NULL AND $1::timestamptz IS NOT NULL
         )
         (SELECT format('missing: %s, revision %s, rule %s at %s', booking_id, rev, rule, at)
          FROM (TABLE due EXCEPT ALL TABLE kept) AS missing)
         UNION ALL
         (SELECT format('not owed: %s, revision %s, rule %s at %s', booking_id, rev, rule, at)
          FROM (TABLE kept EXCEPT ALL TABLE due) AS extra)",
    ),
    always(
        "a mail waits for a booking that is no longer what it says",
        "SELECT format('%s %s of revision %s: the booking is %s at %s', n.id, n.kind, n.rev, b.status, b.rev)
         FROM notifications n JOIN bookings b ON b.id = n.booking_id
         WHERE n.outcome IS NULL AND n.dot_at IS NULL AND n.doubts = 0 AND n.rev < b.rev AND n.booking_ids IS NULL
           AND b.status NOT IN ('completed', 'no_show') AND $1::timestamptz IS NOT NULL",
    ),
    by_one_clock(
        "a mail went out although the booking had changed before",
        // A change takes its time before it waits for the booking's lock, at most ten seconds.
        "SELECT format('%s %s of revision %s at %s, changed at %s', n.id, n.kind, n.rev, n.dot_at, e.at)
         FROM notifications n JOIN booking_events e ON e.booking_id = n.booking_id AND e.rev = n.rev + 1
         WHERE n.dot_at > e.at + interval '10 seconds' AND n.booking_ids IS NULL AND $1::timestamptz IS NOT NULL",
    ),
    always(
        "a mail went out before its time or after its end",
        "SELECT format('%s %s at %s, due %s, until %s', id, kind, dot_at, send_at, expires_at) FROM notifications
         WHERE (dot_at < send_at OR dot_at >= expires_at) AND $1::timestamptz IS NOT NULL",
    ),
    always(
        "a mail ended as it cannot",
        "SELECT format('%s %s is %s', n.id, n.kind, n.outcome)
         FROM notifications n JOIN bookings b ON b.id = n.booking_id LEFT JOIN customers c ON c.id = b.customer_id
         WHERE $1::timestamptz IS NOT NULL AND CASE n.outcome
             WHEN 'sent' THEN n.accepted_at IS NULL
             WHEN 'cancelled' THEN n.accepted_at IS NOT NULL
                                   OR (n.rev = b.rev AND c.erased_at IS NULL AND n.booking_ids IS NULL)
             WHEN 'skipped_too_late' THEN n.kind <> 'reminder' OR n.send_at >= n.created_at OR n.tries > 0
             WHEN 'expired' THEN n.outcome_at < n.expires_at OR n.accepted_at IS NOT NULL
             WHEN 'unwanted' THEN n.kind <> 'reminder' OR n.accepted_at IS NOT NULL
             WHEN 'in_doubt' THEN n.doubts = 0 OR n.accepted_at IS NOT NULL
             WHEN 'covered' THEN n.kind <> 'reminder' OR n.accepted_at IS NOT NULL OR NOT EXISTS (
                 SELECT FROM notifications AS cover WHERE cover.id = n.covered_by AND cover.outcome = 'sent')
             ELSE n.accepted_at IS NOT NULL END",
    ),
    settled(
        "a mail is due and has not ended",
        "SELECT format('%s %s, due %s', id, kind, send_at) FROM notifications WHERE outcome IS NULL AND send_at <= $1",
    ),
    settled(
        "a mail that was handed over has no live job",
        "SELECT format('%s %s, handed over %s', n.id, n.kind, n.enqueued_at)
         FROM notifications n
         LEFT JOIN queue.jobs j ON j.kind = 'mail.send.v1' AND j.unique_key = n.id::text
              AND j.state IN ('scheduled', 'available', 'running', 'retryable')
         WHERE n.outcome IS NULL AND n.enqueued_at IS NOT NULL AND j.id IS NULL AND $1::timestamptz IS NOT NULL",
    ),
    settled(
        "a live job sends a mail that has ended or is not there",
        "SELECT format('job %s (%s) of %s', j.id, j.state, j.unique_key)
         FROM queue.jobs j LEFT JOIN notifications n ON n.id::text = j.unique_key AND n.outcome IS NULL
         WHERE j.kind = 'mail.send.v1' AND j.state IN ('scheduled', 'available', 'running', 'retryable')
           AND n.id IS NULL AND $1::timestamptz IS NOT NULL",
    ),
    settled(
        "a mail's last job ended otherwise than the mail",
        "SELECT format('%s %s is %s, job %s is %s', n.id, n.kind, n.outcome, j.id, j.state)
         FROM notifications n JOIN queue.jobs j ON j.kind = 'mail.send.v1' AND j.unique_key = n.id::text
         WHERE $1::timestamptz IS NOT NULL
           AND j.id = (SELECT max(id) FROM queue.jobs l WHERE l.kind = 'mail.send.v1' AND l.unique_key = n.id::text)
           AND CASE WHEN n.outcome IS NULL THEN j.state IN ('completed', 'discarded')
                    WHEN n.outcome = 'sent' THEN j.state <> 'completed' ELSE false END",
    ),
    settled(
        "a mail was handed off and has no result",
        "SELECT format('%s %s, dot at %s', id, kind, dot_at) FROM notifications
         WHERE outcome IS NULL AND dot_at IS NOT NULL AND $1::timestamptz IS NOT NULL",
    ),
    always(
        "a mail counts as sent without an answer, or was answered and does not",
        "SELECT format('%s %s is %s, accepted at %s', id, kind, outcome, accepted_at) FROM notifications
         WHERE (outcome IS NOT DISTINCT FROM 'sent') <> (accepted_at IS NOT NULL) AND $1::timestamptz IS NOT NULL",
    ),
];

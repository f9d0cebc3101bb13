//! One checker for everything that a fault could break: bookings, their events, the ledger of mails, jobs, and what the
//! mail server's journal says. It is asked at rest: nothing is due, nothing runs, nobody writes.

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

use crate::smtp_sink::Taken;

/// Each finds rows that must not exist and says what is wrong with them.
const RULES: [&str; 9] = [
    // A slot is sold once.
    "SELECT format('bookings %s and %s overlap', a.id, b.id)
     FROM bookings a JOIN bookings b ON b.staff_id = a.staff_id AND b.blocked && a.blocked AND b.class_id <> a.class_id
     WHERE a.blocks AND b.blocks AND a.id < b.id",
    // Every revision has its event, and the last one says how the booking stands.
    "SELECT format('booking %s is at revision %s (%s), its events are %s', b.id, b.rev, b.status,
                   array_agg(e.rev || ' ' || e.status ORDER BY e.rev))
     FROM bookings b LEFT JOIN booking_events e ON e.booking_id = b.id
     GROUP BY b.id
     HAVING count(e.rev) <> b.rev OR min(e.rev) <> 1 OR max(e.rev) <> b.rev
         OR (array_agg(e.status ORDER BY e.rev DESC))[1] <> b.status",
    // A committed booking has its mails.
    "SELECT format('booking %s was %s at revision %s and owes %s mails about it', e.booking_id, e.change, e.rev, count(n.id))
     FROM booking_events e
     JOIN (VALUES ('created', 'confirmation'), ('rescheduled', 'reschedule'), ('cancelled', 'cancellation'))
          AS owed (change, kind) ON owed.change = e.change
     LEFT JOIN notifications n ON n.booking_id = e.booking_id AND n.rev = e.rev AND n.kind::text = owed.kind
     WHERE e.status IN ('confirmed', 'cancelled')
     GROUP BY e.booking_id, e.change, e.rev HAVING count(n.id) <> 1",
    // Reminders exist for what stands, and wait for nothing else.
    "SELECT format('booking %s is confirmed at revision %s and lacks reminder %s', b.id, b.rev, r.rule)
     FROM bookings b JOIN service_reminders r ON r.service_id = b.service_id
     WHERE b.status = 'confirmed' AND NOT EXISTS (
         SELECT FROM notifications n
         WHERE n.booking_id = b.id AND n.kind = 'reminder' AND n.rule = r.rule AND n.rev = b.rev)",
    "SELECT format('%s %s of booking %s is still to be sent for revision %s, the booking is %s at %s', n.kind, n.id, b.id,
                   n.rev, b.status, b.rev)
     FROM notifications n JOIN bookings b ON b.id = n.booking_id
     WHERE n.outcome IS NULL AND n.accepted_at IS NULL
       AND (n.rev <> b.rev OR n.kind = 'reminder' AND b.status <> 'confirmed')",
    // A mail that is owed has a job that will send it, and one that has ended has none.
    "SELECT format('%s %s is owed and no job will send it', n.kind, n.id)
     FROM notifications n
     WHERE n.outcome IS NULL AND n.enqueued_at IS NOT NULL AND NOT EXISTS (
         SELECT FROM queue.jobs j
         WHERE j.unique_key = n.id::text AND j.state IN ('scheduled', 'available', 'running', 'retryable'))",
    "SELECT format('%s %s is %s and job %s is %s', n.kind, n.id, n.outcome, j.id, j.state)
     FROM notifications n JOIN queue.jobs j ON j.unique_key = n.id::text
     WHERE CASE WHEN n.outcome IS NULL THEN j.state IN ('completed', 'discarded')
                WHEN n.outcome = 'sent' THEN j.state <> 'completed'
                ELSE j.state IN ('scheduled', 'available', 'running', 'retryable') END
       AND j.id = (SELECT max(id) FROM queue.jobs last WHERE last.unique_key = n.id::text)",
    // Facts of the ledger that go together.
    "SELECT format('%s %s is %s, accepted at %s, dot at %s, %s doubts', kind, id, outcome, accepted_at, dot_at, doubts)
     FROM notifications
     WHERE (outcome IS NOT DISTINCT FROM 'sent') <> (accepted_at IS NOT NULL) OR doubts > 2
        OR outcome = 'in_doubt' AND doubts = 0 OR outcome IS NULL AND dot_at IS NOT NULL",
    // Nothing runs at rest, and no job was begun more often than it was leased.
    "SELECT format('job %s (%s) is %s: attempt %s of lease %s, due %s', id, kind, state, attempt, lease_seq, run_at)
     FROM queue.jobs
     WHERE queue = 'mails' AND (state = 'running' OR attempt > lease_seq)",
];

/// What was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Bookings, whatever their status.
    pub bookings: usize,
    /// Rows of the ledger.
    pub mails: usize,
    /// Messages that the mail server took, copies included.
    pub copies: usize,
    /// Copies that a resend after a doubt made: one message more than mails.
    pub doubled: usize,
    /// Mails that ended in doubt after their resend.
    pub in_doubt: usize,
}

#[derive(sqlx::FromRow)]
struct Owed {
    id: Uuid,
    kind: String,
    recipient: Option<String>,
    outcome: Option<String>,
    doubts: i16,
}

/// Compares all of it. `journal` is what the mail server has taken.
///
/// # Errors
/// Every difference, in words; also a database that does not answer.
pub async fn check(pool: &PgPool, journal: &[Taken]) -> Result<Compared, Vec<String>> {
    let mut wrong = Vec::new();
    for rule in RULES {
        let found: Vec<String> =
            sqlx::query_scalar(rule).fetch_all(pool).await.map_err(|error| unanswered(&error))?;
        wrong.extend(found);
    }
    let bookings: i64 = sqlx::query_scalar("SELECT count(*) FROM bookings")
        .fetch_one(pool)
        .await
        .map_err(|error| unanswered(&error))?;
    let ledger: Vec<Owed> =
        sqlx::query_as("SELECT id, kind::text, recipient::text, outcome::text, doubts FROM notifications")
            .fetch_all(pool)
            .await
            .map_err(|error| unanswered(&error))?;
    let mut compared = Compared {
        bookings: usize::try_from(bookings).unwrap_or_default(),
        mails: ledger.len(),
        copies: journal.len(),
        ..Compared::default()
    };
    let mut copies: HashMap<Uuid, Vec<&Taken>> = HashMap::new();
    for taken in journal {
        match id_of(taken) {
            Some(id) => copies.entry(id).or_default().push(taken),
            None => wrong.push(format!("the mail server took a message with the id {}", taken.message_id)),
        }
    }
    for owed in &ledger {
        let taken = copies.remove(&owed.id).unwrap_or_default();
        wrong.extend(difference(owed, &taken));
        compared.doubled += taken.len().saturating_sub(1);
        compared.in_doubt += usize::from(owed.outcome.as_deref() == Some("in_doubt"));
    }
    wrong.extend(copies.keys().map(|id| format!("the mail server took {id}, which nobody owes")));
    if wrong.is_empty() { Ok(compared) } else { Err(wrong) }
}

/// What is wrong with a mail and the copies of it that went out: one if it was sent, one more for each doubt, never more
/// than two, all of them to whom it is owed.
fn difference(owed: &Owed, taken: &[&Taken]) -> Option<String> {
    let sent = owed.outcome.as_deref() == Some("sent");
    let doubts = usize::try_from(owed.doubts).unwrap_or_default();
    let (least, most) = (usize::from(sent), (usize::from(sent) + doubts).min(2));
    let Owed { id, kind, outcome, .. } = owed;
    if !(least..=most).contains(&taken.len()) {
        let outcome = outcome.as_deref().unwrap_or("waiting");
        return Some(format!(
            "{kind} {id} is {outcome} with {doubts} doubts and went out {} times",
            taken.len()
        ));
    }
    let stray = taken.iter().any(|taken| Some(taken.recipient.as_str()) != owed.recipient.as_deref());
    (stray && owed.recipient.is_some()).then(|| format!("{kind} {id} went to somebody else"))
}

/// The ledger row that a message's id is made from: `<id@domain>`.
fn id_of(taken: &Taken) -> Option<Uuid> {
    taken.message_id.trim_start_matches('<').split('@').next()?.parse().ok()
}

fn unanswered(error: &sqlx::Error) -> Vec<String> {
    vec![format!("the database does not answer: {error}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owed(outcome: Option<&str>, doubts: i16) -> Owed {
        Owed {
            id: Uuid::nil(),
            kind: "confirmation".to_owned(),
            recipient: Some("ada@example.org".to_owned()),
            outcome: outcome.map(str::to_owned),
            doubts,
        }
    }

    fn taken(recipient: &str) -> Taken {
        Taken {
            recipient: recipient.to_owned(),
            message_id: "<00000000-0000-0000-0000-000000000000@salon.example>".to_owned(),
            subject: String::new(),
            bytes: Vec::new(),
        }
    }

    #[test]
    fn copies_must_fit_what_the_ledger_says() {
        let copy = taken("ada@example.org");
        assert_eq!(id_of(&copy), Some(Uuid::nil()));
        let fits = |outcome, doubts, copies: usize| {
            difference(&owed(outcome, doubts), &vec![&copy; copies]).is_none()
        };
        let sent = Some("sent");
        assert_eq!([0, 1, 2].map(|copies| fits(sent, 0, copies)), [false, true, false]);
        assert_eq!([0, 1, 2, 3].map(|copies| fits(sent, 1, copies)), [false, true, true, false]);
        assert_eq!([0, 1].map(|copies| fits(Some("cancelled"), 0, copies)), [true, false]);
        assert_eq!([0, 2, 3].map(|copies| fits(Some("in_doubt"), 2, copies)), [true, true, false]);
        assert_eq!([0, 1].map(|copies| fits(None, 0, copies)), [true, false]);
        assert!(difference(&owed(sent, 0), &[&taken("eve@example.org")]).is_some());
    }
}

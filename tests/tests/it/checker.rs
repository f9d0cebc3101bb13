//! The checker reports each kind of damage that these tests write into the tables.

use chrono::TimeDelta;
use punctual_core::bookings;
use punctual_core::types::ExpectedRev;
use punctual_sim::checker::{self, Acknowledged, Observations, Report};
use punctual_testkit::smtp_sink::ReceivedMail;
use sqlx::PgPool;

use crate::core::salon::tuesday;
use crate::mails::test_worker::TestWorker;

/// Damage, which rule names it, and how it is undone.
const DAMAGE: [(&str, &str, &str); 12] = [
    (
        "ALTER TABLE bookings DROP CONSTRAINT bookings_no_overlap;
         UPDATE bookings SET during = (SELECT during FROM bookings WHERE rev = 2), local_start = '2027-05-04 15:00',
                blocked = (SELECT blocked FROM bookings WHERE rev = 2) WHERE rev = 1",
        "two appointments of one member of staff overlap",
        "UPDATE bookings SET during = tstzrange('2027-05-04 08:00Z', '2027-05-04 09:00Z'), local_start = '2027-05-04 10:00',
                blocked = tstzrange('2027-05-04 08:00Z', '2027-05-04 09:00Z') WHERE rev = 1",
    ),
    (
        "UPDATE bookings SET local_start = local_start + interval '1 hour' WHERE rev = 1",
        "an appointment is not as long as promised, or its wall time is not its start",
        "UPDATE bookings SET local_start = local_start - interval '1 hour' WHERE rev = 1",
    ),
    (
        "UPDATE bookings SET rev = 3 WHERE rev = 2",
        "a booking has not one event for each revision",
        "UPDATE bookings SET rev = 2 WHERE rev = 3",
    ),
    (
        "UPDATE bookings SET status = 'cancelled' WHERE rev = 1",
        "a booking is not what its last event says",
        "UPDATE bookings SET status = 'confirmed' WHERE rev = 1",
    ),
    (
        "UPDATE booking_events SET status = 'cancelled' WHERE rev = 1 AND booking_id IN (SELECT id FROM bookings WHERE rev = 2)",
        "a booking was led where it cannot go",
        "UPDATE booking_events SET status = 'confirmed' WHERE rev = 1",
    ),
    (
        "UPDATE notifications SET rule = 2 WHERE kind = 'reminder' AND rev = 2",
        "reminders are not those of the service's rules",
        "UPDATE notifications SET rule = 1 WHERE kind = 'reminder' AND rev = 2",
    ),
    (
        "UPDATE notifications SET kind = 'cancellation' WHERE kind = 'confirmation' AND rev = 1",
        "a change owes a mail that the ledger has not, or has more than once",
        "UPDATE notifications SET kind = 'confirmation' WHERE kind = 'cancellation' AND rev = 1",
    ),
    (
        "UPDATE notifications SET outcome = NULL, outcome_at = NULL WHERE kind = 'reminder' AND outcome = 'cancelled'",
        "a mail waits for a booking that is no longer what it says",
        "UPDATE notifications SET outcome = 'cancelled', outcome_at = '2027-05-01' WHERE kind = 'reminder' AND rev = 1
         AND booking_id IN (SELECT id FROM bookings WHERE rev = 2)",
    ),
    (
        "UPDATE notifications SET send_at = '2027-05-01' WHERE kind = 'reminder' AND outcome IS NULL",
        "a mail is due and has not ended",
        "UPDATE notifications SET send_at = (SELECT lower(during) FROM bookings WHERE id = booking_id) - interval '1 day'
         WHERE kind = 'reminder' AND outcome IS NULL",
    ),
    (
        "UPDATE notifications SET enqueued_at = '2027-05-01' WHERE kind = 'reminder' AND outcome IS NULL",
        "a mail that was handed over has no live job",
        "UPDATE notifications SET enqueued_at = NULL WHERE kind = 'reminder' AND outcome IS NULL",
    ),
    (
        "UPDATE queue.jobs SET attempt = 9, lease_seq = 1 WHERE kind = 'mail.send.v1'",
        "a job began more often than it was leased",
        "UPDATE queue.jobs SET attempt = 1 WHERE kind = 'mail.send.v1'",
    ),
    (
        "UPDATE notifications SET outcome = 'failed' WHERE kind = 'confirmation'",
        "a mail has more or fewer copies than its fate allows",
        "UPDATE notifications SET outcome = 'sent' WHERE kind = 'confirmation'",
    ),
];

async fn look(setup: &TestWorker, journal: &[ReceivedMail], told: &[Acknowledged]) -> Report {
    let seen = Observations { journal, acknowledged: told, now: setup.now(), settled: true, one_clock: true };
    checker::check(&setup.salon.core.pool, &seen).await.unwrap()
}

fn rules(report: &Report) -> Vec<&'static str> {
    report.violations.iter().map(|broken| broken.rule).collect()
}

async fn run(pool: &PgPool, sql: &'static str) {
    sqlx::raw_sql(sql).execute(pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_every_kind_is_named_and_nothing_else_is() {
    let setup = TestWorker::open().await;
    let first = setup.book(tuesday("10:00")).await;
    let second = setup.book(tuesday("12:00")).await;
    setup.sink.wait_for_mails(2).await;
    setup.pass(TimeDelta::minutes(1));
    let to = bookings::Move::to(tuesday("15:00"), None);
    let moved = bookings::reschedule(&setup.salon.core, &setup.customer, second.id, ExpectedRev::Any, to)
        .await
        .unwrap();
    let mut journal = setup.sink.wait_for_mails(3).await;
    setup.wait_for_jobs(&[punctual_queue::JobState::Completed; 3]).await;
    let told = [&first, &second, &moved].map(|booking| Acknowledged {
        booking_id: booking.id,
        rev: booking.rev.0,
        status: booking.status.as_str().to_owned(),
    });
    let healthy = look(&setup, &journal, &told).await;
    assert_eq!(rules(&healthy), Vec::<&str>::new(), "{healthy}");

    for (damage, rule, repair) in DAMAGE {
        run(&setup.salon.core.pool, damage).await;
        let report = look(&setup, &journal, &told).await;
        assert!(rules(&report).contains(&rule), "{damage} should break: {rule}\n{report}");
        run(&setup.salon.core.pool, repair).await;
        let mended = look(&setup, &journal, &told).await;
        assert_eq!(rules(&mended), Vec::<&str>::new(), "{repair}: {mended}");
    }

    let mut lies = told.clone();
    lies[0].rev = 7;
    assert_eq!(rules(&look(&setup, &journal, &lies).await), ["what a client was told has not happened"]);
    journal[0].recipient = "somebody@example.org".to_owned();
    assert_eq!(rules(&look(&setup, &journal, &told).await), ["a mail was sent to somebody else"]);
    journal[0].message_id = format!("<{}@example.org>", uuid::Uuid::nil());
    let mut stray = rules(&look(&setup, &journal, &told).await);
    stray.sort_unstable();
    assert_eq!(
        stray,
        ["a mail has more or fewer copies than its fate allows", "a mail was sent that nobody owed"]
    );
}

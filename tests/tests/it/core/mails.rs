//! A booking and the mails it owes.

use chrono::TimeDelta;
use punctual_core::bookings;
use punctual_core::notifications::sending::{Begun, Fence, HandOff, begin, mark_handed_off};
use punctual_core::types::ExpectedRev;
use uuid::Uuid;

use super::salon::{Salon, tuesday};

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_and_a_cancellation_at_once_come_in_one_order_or_the_other() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    for round in 0..20 {
        let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
        let reminder: Uuid =
            sqlx::query_scalar("SELECT id FROM notifications WHERE booking_id = $1 AND kind = 'reminder'")
                .bind(booking.id)
                .fetch_one(&salon.core.pool)
                .await
                .unwrap();
        let send = async {
            let mut conn = salon.core.pool.acquire().await.unwrap();
            let fence = Fence { job_id: 1, lease_seq: 1 };
            let now = tuesday("10:00") - TimeDelta::days(1);
            let begun = begin(&mut conn, now, &[(reminder, fence)]).await.unwrap();
            let [Begun::Sending(sending)] = begun[..] else { return None };
            let mut tx = salon.core.pool.begin().await.unwrap();
            let hand_off = mark_handed_off(&mut tx, now, &[sending]).await.unwrap();
            tx.commit().await.unwrap();
            Some(hand_off[0])
        };
        let (hand_off, cancelled) =
            tokio::join!(send, bookings::cancel(&salon.core, &customer, booking.id, ExpectedRev::Any));
        cancelled.unwrap();
        let (outcome, committed): (Option<String>, bool) =
            sqlx::query_as("SELECT outcome::text, dot_at IS NOT NULL FROM notifications WHERE id = $1")
                .bind(reminder)
                .fetch_one(&salon.core.pool)
                .await
                .unwrap();
        match hand_off {
            // The reminder came first: it goes out, and its sender will say how it ended.
            Some(HandOff::Marked) => assert_eq!((outcome, committed), (None, true), "round {round}"),
            // The cancellation came first: no reminder.
            _ => assert_eq!((outcome.as_deref(), committed), (Some("cancelled"), false), "round {round}"),
        }
    }
}

#[tokio::test]
async fn reminders_follow_a_booking_that_moves_and_end_with_it() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    let to = bookings::Move::to(tuesday("15:00"), None);
    bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    let ledger = async || {
        let rows: Vec<(String, i32, Option<String>)> =
            sqlx::query_as("SELECT kind::text, rev, outcome::text FROM notifications ORDER BY rev, kind")
                .fetch_all(&salon.core.pool)
                .await
                .unwrap();
        rows.into_iter()
            .map(|(kind, rev, outcome)| format!("{kind} {rev} {}", outcome.unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ledger().await,
        ["confirmation 1 cancelled", "reminder 1 cancelled", "reminder 2 ", "reschedule 2 "]
    );
    bookings::cancel(&salon.core, &customer, booking.id, ExpectedRev::Any).await.unwrap();
    assert_eq!(
        ledger().await,
        [
            "confirmation 1 cancelled",
            "reminder 1 cancelled",
            "reminder 2 cancelled",
            "reschedule 2 cancelled",
            "cancellation 3 "
        ]
    );
    assert_eq!(bookings::notifications(&salon.core, &customer, booking.id).await.unwrap().len(), 5);
}

//! The mails of a booking, as they are planned.

use chrono::TimeDelta;
use futures::future::join_all;
use punctual_core::bookings::{self, Booking};
use punctual_core::notifications::NotificationOutcome;
use punctual_core::notifications::sending::{
    BeginResult, Fence, HandOff, Sending, SendingBatches, begin, mark_handed_off,
};
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
            let [BeginResult::Sending(sending)] = begun[..] else { return None };
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

/// The confirmations of so many bookings of different times.
async fn confirmations(salon: &Salon, times: &[&str]) -> Vec<(Booking, Uuid)> {
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let mut mails = Vec::new();
    for time in times {
        let booking = salon.book(&customer, service, None, tuesday(time)).await.unwrap();
        let mail: Uuid = sqlx::query_scalar(
            "SELECT id FROM notifications WHERE booking_id = $1 AND kind = 'confirmation'",
        )
        .bind(booking.id)
        .fetch_one(&salon.core.pool)
        .await
        .unwrap();
        mails.push((booking, mail));
    }
    mails
}

/// Begins an attempt at the mail, whose content is there.
async fn begun(batches: &SendingBatches, mail: Uuid, job_id: i64) -> Sending {
    let beginning = batches.begin(mail, Fence { job_id, lease_seq: 1 }).await.unwrap();
    let BeginResult::Sending(sending) = beginning.begun else { panic!("{:?}", beginning.begun) };
    assert_eq!(beginning.facts.map(|facts| facts.notification_id), Some(mail));
    sending
}

#[tokio::test]
async fn of_mails_that_are_handed_off_together_only_the_cancelled_one_ends() {
    let salon = Salon::open(1).await;
    let mails = confirmations(&salon, &["10:00", "11:00", "12:00"]).await;
    let batches = SendingBatches::new(&salon.core);
    let sendings =
        join_all(mails.iter().zip(1..).map(|((_, mail), job_id)| begun(&batches, *mail, job_id))).await;
    bookings::cancel(&salon.core, &salon.admin, mails[1].0.id, ExpectedRev::Any).await.unwrap();
    let answers = join_all(sendings.iter().map(|sending| batches.mark_handed_off(*sending))).await;
    let answers: Vec<HandOff> = answers.into_iter().map(Result::unwrap).collect();
    let cancelled = HandOff::Ended(NotificationOutcome::Cancelled);
    assert_eq!(answers, [HandOff::Marked, cancelled, HandOff::Marked]);
}

#[tokio::test]
async fn of_two_attempts_at_one_mail_in_a_batch_the_later_lease_sends_it() {
    let salon = Salon::open(1).await;
    let mails = confirmations(&salon, &["10:00"]).await;
    let (mail, mut conn) = (mails[0].1, salon.core.pool.acquire().await.unwrap());
    let fences = [Fence { job_id: 1, lease_seq: 1 }, Fence { job_id: 1, lease_seq: 2 }];
    let begun = begin(&mut conn, salon.core.now(), &fences.map(|fence| (mail, fence))).await.unwrap();
    let [BeginResult::Fenced, BeginResult::Sending(sending)] = begun[..] else { panic!("{begun:?}") };
    assert_eq!(sending.fence, fences[1]);
    let late = Sending { fence: fences[0], ..sending };
    let answers = mark_handed_off(&mut conn, salon.core.now(), &[late]).await.unwrap();
    assert_eq!(answers, [HandOff::Fenced]);
    let answers = mark_handed_off(&mut conn, salon.core.now(), &[late, sending]).await.unwrap();
    assert_eq!(answers, [HandOff::Fenced, HandOff::Marked]);
}

#[tokio::test]
async fn a_booking_that_is_locked_holds_up_its_own_mail_and_no_other() {
    let salon = Salon::open(1).await;
    let mails = confirmations(&salon, &["10:00", "11:00", "12:00"]).await;
    let batches = SendingBatches::new(&salon.core);
    let sendings =
        join_all(mails.iter().zip(1..).map(|((_, mail), job_id)| begun(&batches, *mail, job_id))).await;
    let mut lock = salon.core.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM bookings WHERE id = $1 FOR UPDATE")
        .bind(mails[0].0.id)
        .execute(&mut *lock)
        .await
        .unwrap();
    // Its job would repeat it after the limit of the wait.
    let locked = async {
        loop {
            if let Ok(answer) = batches.mark_handed_off(sendings[0]).await {
                return answer;
            }
        }
    };
    let others = join_all(sendings[1..].iter().map(|sending| batches.mark_handed_off(*sending)));
    let mut locked = Box::pin(locked);
    let answers = tokio::select! {
        biased;
        answer = &mut locked => panic!("{answer:?} without the lock"),
        answers = others => answers,
    };
    assert!(answers.into_iter().all(|answer| answer.unwrap() == HandOff::Marked));
    lock.rollback().await.unwrap();
    assert_eq!(locked.await, HandOff::Marked);
}

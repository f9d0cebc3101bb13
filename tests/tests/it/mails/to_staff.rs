//! Mails to staff and to the business.

use chrono::TimeDelta;
use punctual_core::bookings::{self, Move};
use punctual_core::customers;
use punctual_core::types::{Actor, ExpectedRev};
use punctual_testkit::smtp_sink::{Act, ReceivedMail, Verb};

use super::test_worker::{TestWorker, ended, sent, text};
use crate::core::salon::{email, tuesday};

/// A salon whose members of staff and whose owner read mails.
async fn post(staff: usize, owner: &'static str) -> TestWorker {
    let mut setup = TestWorker::with_staff(staff).await;
    let numbered = "UPDATE staff SET email = 'staff' || substr(name, 7) || '@example.org'";
    sqlx::query(numbered).execute(&setup.salon.core.pool).await.unwrap();
    let told = sqlx::query("UPDATE settings SET notify_address = $1::citext").bind(owner);
    told.execute(&setup.salon.core.pool).await.unwrap();
    setup.hire_worker().await;
    setup
}

/// Recipient and subject of each, by recipient.
fn told(taken: &[ReceivedMail]) -> Vec<String> {
    let mut lines: Vec<String> =
        taken.iter().map(|mail| format!("{}: {}", mail.recipient, mail.subject)).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_and_its_cancellation_are_told_to_staff_and_the_business() {
    let setup = post(1, "owner@example.org").await;
    let booking = setup.book(tuesday("10:00")).await;
    let taken = setup.sink.wait_for_mails(3).await;
    let customer = taken.iter().find(|mail| mail.subject.starts_with("Booked")).unwrap().recipient.clone();
    let new = "New: Carla Customer, Haircut, Tuesday, 4 May, 10:00";
    let lines = told(&taken);
    for line in [format!("owner@example.org: {new}"), format!("staff1@example.org: {new}")] {
        assert!(lines.contains(&line), "{lines:?}");
    }
    let to_staff = taken.iter().find(|mail| mail.recipient == "staff1@example.org").unwrap();
    let (raw, text) = (String::from_utf8(to_staff.bytes.clone()).unwrap(), text(to_staff));
    assert!(text.contains(&format!("Mail: {customer}")), "{text}");
    for customers in ["/m/", "/d/", "text/calendar"] {
        assert!(
            !raw.contains(customers) && !text.contains(customers),
            "{customers} is not for staff: {text}"
        );
    }
    setup.wait_for_ledger(&booking, &[sent("confirmation"), sent("staff_new"), sent("staff_new")]).await;

    let seen = bookings::notifications(&setup.salon.core, &setup.customer, booking.id).await.unwrap();
    assert!(seen.iter().all(|mail| !mail.kind.is_for_staff()), "customers see theirs");

    setup.pass(TimeDelta::seconds(1));
    bookings::cancel(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any).await.unwrap();
    setup.sink.wait_for_mails(6).await;
    let expected = [
        sent("confirmation"),
        ended("reminder", "cancelled", 0, None),
        sent("staff_new"),
        sent("staff_new"),
        sent("cancellation"),
        sent("staff_cancelled"),
        sent("staff_cancelled"),
    ];
    setup.wait_for_ledger(&booking, &expected).await;
    assert_eq!(setup.close().await.journal().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_is_the_business_is_told_once() {
    let setup = post(1, "STAFF1@example.org").await;
    let booking = setup.book(tuesday("10:00")).await;
    setup.wait_for_ledger(&booking, &[sent("confirmation"), sent("staff_new")]).await;
    assert_eq!(setup.close().await.journal().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_a_colleague_is_told_to_both_of_them() {
    let setup = post(2, "owner@example.org").await;
    let (one, other) = (setup.salon.staff[0], setup.salon.staff[1]);
    let customer = setup.customer;
    let booking = setup.salon.book(&customer, setup.service, Some(one), tuesday("10:00")).await.unwrap();
    setup.wait_for_ledger(&booking, &[sent("confirmation"), sent("staff_new"), sent("staff_new")]).await;
    setup.pass(TimeDelta::seconds(1));
    let to = Move::to(tuesday("11:00"), Some(other));
    bookings::reschedule(&setup.salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    let taken = setup.sink.wait_for_mails(7).await;
    let moved: Vec<&ReceivedMail> = taken[3..].iter().filter(|mail| mail.subject.contains("Carla")).collect();
    let mut recipients: Vec<&str> = moved.iter().map(|mail| mail.recipient.as_str()).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, ["owner@example.org", "staff1@example.org", "staff2@example.org"]);
    for mail in moved {
        assert_eq!(mail.subject, "Moved: Carla Customer, Haircut, now Tuesday, 4 May, 11:00");
        let text = text(mail);
        let former = booking.staff.name.as_str();
        assert!(text.contains("Before: Tuesday, 4 May 2027, 10:00") && text.contains(former), "{text}");
    }
    setup.wait_for_sent(&booking, "staff_moved", 3).await;
    assert_eq!(setup.close().await.journal().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_asks_staff_is_off_once_somebody_has_answered() {
    let mut setup = TestWorker::with_staff(1).await;
    setup.service = setup.salon.service(|spec| spec.requires_confirmation = true).await;
    sqlx::query("UPDATE staff SET email = 'staff1@example.org'")
        .execute(&setup.salon.core.pool)
        .await
        .unwrap();
    let booking = setup.book(tuesday("10:00")).await;
    setup.pass(TimeDelta::seconds(1));
    bookings::confirm(&setup.salon.core, &Actor::System, booking.id, ExpectedRev::Any).await.unwrap();
    setup.hire_worker().await;
    let expected = [
        ended("pending", "cancelled", 0, None),
        ended("staff_pending", "cancelled", 0, None),
        sent("confirmation"),
    ];
    setup.wait_for_ledger(&booking, &expected).await;
    assert_eq!(setup.close().await.journal().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_address_of_the_customer_gets_no_mail_that_is_for_staff() {
    let setup = post(1, "owner@example.org").await;
    setup.sink.always(Verb::Rcpt, Act::Reply("450 4.2.0 later"));
    let booking = setup.book(tuesday("10:00")).await;
    let customer = booking.customer.clone().unwrap();
    let right = email("right");
    customers::correct(&setup.salon.core, &Actor::System, customer.id, ExpectedRev::Any, &right)
        .await
        .unwrap();
    let recipients: Vec<String> =
        sqlx::query_scalar("SELECT recipient::text FROM notifications WHERE to_staff ORDER BY recipient")
            .fetch_all(&setup.salon.core.pool)
            .await
            .unwrap();
    assert_eq!(recipients, ["owner@example.org", "staff1@example.org"]);
    setup.close().await;
}

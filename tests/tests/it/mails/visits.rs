//! One reminder per visit and day, and what may come between the booking and its day.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::bookings::{self, Booker, Booking, Move, NewBooking, NewVisit};
use punctual_core::customers::{self, Contact};
use punctual_core::idempotency::IdempotencyKey;
use punctual_core::slots::VisitService;
use punctual_core::types::{Actor, ExpectedRev, Label};
use punctual_testkit::smtp_sink::{Act, ReceivedMail, Verb};
use punctual_testkit::wait_for;

use super::outages::settled;
use super::test_worker::{TestWorker, text};
use crate::core::salon::{booking_of, email, name, tuesday};

/// A haircut of an hour at 10:00, a colour and a cut after it, of which the confirmation was sent.
async fn visit(setup: &TestWorker) -> [Booking; 3] {
    visit_of(setup, &setup.customer, Booker::Myself).await
}

async fn visit_of(setup: &TestWorker, actor: &Actor, booker: Booker) -> [Booking; 3] {
    let colour = setup.salon.service(|spec| spec.name = Label::parse("Colour").unwrap()).await;
    let first = NewBooking { booker, ..booking_of(setup.service, None, tuesday("10:00")) };
    let then = [colour, setup.service].map(|service_id| VisitService { service_id, staff_id: None });
    let key = IdempotencyKey::parse("visit").unwrap();
    let new = NewVisit { first, then: then.to_vec() };
    let made = bookings::create_visit(&setup.salon.core, actor, &key, new).await.unwrap().value;
    setup.sink.wait_for_mails(1).await;
    made.bookings.try_into().unwrap()
}

async fn cancel(setup: &TestWorker, booking: &Booking) {
    bookings::cancel(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any).await.unwrap();
}

async fn move_to(setup: &TestWorker, booking: &Booking, start: DateTime<Utc>) {
    let to = Move::to(start, None);
    bookings::reschedule(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any, to).await.unwrap();
}

/// A day before this time of Tuesday, when the reminder is due.
fn due(time: &str) -> DateTime<Utc> {
    tuesday(time) - TimeDelta::days(1)
}

/// How the reminders of a booking's current revision ended.
async fn outcome(setup: &TestWorker, booking: &Booking) -> Option<String> {
    sqlx::query_scalar(
        "SELECT n.outcome::text FROM notifications n JOIN bookings b ON b.id = n.booking_id AND b.rev = n.rev
         WHERE b.id = $1 AND n.kind = 'reminder'",
    )
    .bind(booking.id)
    .fetch_one(&setup.salon.core.pool)
    .await
    .unwrap()
}

/// Waits until each reminder ended like this.
async fn wait_for_outcomes(setup: &TestWorker, expected: &[(&Booking, &str)]) {
    for (booking, expected) in expected {
        wait_for(format!("the reminder to be {expected}"), async || match outcome(setup, booking).await {
            Some(found) if found == *expected => Ok(()),
            found => Err(found),
        })
        .await;
    }
}

fn reminders(mails: &[ReceivedMail]) -> Vec<&ReceivedMail> {
    mails.iter().filter(|mail| mail.subject.starts_with("Reminder")).collect()
}

/// The subjects of all reminders, after all were due.
async fn subjects_at_the_end(setup: TestWorker) -> Vec<String> {
    let sink = setup.close().await;
    reminders(&sink.journal()).iter().map(|mail| mail.subject.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_of_three_services_is_reminded_of_once() {
    let setup = TestWorker::open().await;
    let [cut, colour, last] = visit(&setup).await;
    setup.salon.clock.set(due("10:00"));
    wait_for_outcomes(&setup, &[(&cut, "sent")]).await;
    let mails = setup.sink.wait_for_mails(2).await;
    let mail = reminders(&mails)[0];
    assert_eq!(mail.subject, "Reminder: 3 appointments, Tuesday, 4 May, 10:00");
    let told = text(mail);
    for seen in
        ["10:00–11:00", "11:00–12:00", "12:00–13:00", "Haircut", "Colour", "No more reminders by mail"]
    {
        assert!(told.contains(seen), "{seen} in {told}");
    }
    assert_eq!(told.matches("/m/").count(), 3, "each has its link: {told}");
    assert!(String::from_utf8_lossy(&mail.bytes).contains("List-Unsubscribe-Post"));
    assert_eq!(outcome(&setup, &colour).await, None, "what it covers ends when it is due");
    setup.salon.clock.set(due("12:00"));
    wait_for_outcomes(&setup, &[(&colour, "covered"), (&last, "covered")]).await;
    assert_eq!(subjects_at_the_end(setup).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_of_a_visit_that_are_due_at_once_are_one_mail() {
    let mut setup = TestWorker::without_worker().await;
    setup.hire_worker().await;
    let visit = visit(&setup).await;
    // As after an outage: all three are due.
    setup.salon.clock.set(due("12:00"));
    wait_for("all reminders to end", async || {
        setup.pass(TimeDelta::seconds(10));
        let mut ended = Vec::new();
        for booking in &visit {
            ended.push(outcome(&setup, booking).await);
        }
        ended.sort();
        let expected = ["covered", "covered", "sent"].map(|outcome| Some(outcome.to_owned()));
        if ended == expected { Ok(()) } else { Err(ended) }
    })
    .await;
    assert_eq!(subjects_at_the_end(setup).await, ["Reminder: 3 appointments, Tuesday, 4 May, 10:00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reminder_of_a_visit_leaves_out_a_cancelled_service() {
    let setup = TestWorker::open().await;
    let [cut, colour, last] = visit(&setup).await;
    cancel(&setup, &cut).await;
    setup.salon.clock.set(due("11:00"));
    wait_for_outcomes(&setup, &[(&colour, "sent")]).await;
    setup.salon.clock.set(due("12:00"));
    wait_for_outcomes(&setup, &[(&last, "covered")]).await;
    assert_eq!(subjects_at_the_end(setup).await, ["Reminder: 2 appointments, Tuesday, 4 May, 11:00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_moved_to_another_day_has_its_own_reminder() {
    let setup = TestWorker::open().await;
    let [cut, colour, last] = visit(&setup).await;
    move_to(&setup, &colour, tuesday("11:00") + TimeDelta::days(1)).await;
    setup.salon.clock.set(due("10:00"));
    wait_for_outcomes(&setup, &[(&cut, "sent")]).await;
    setup.salon.clock.set(due("12:00"));
    wait_for_outcomes(&setup, &[(&last, "covered")]).await;
    setup.salon.clock.set(tuesday("11:00"));
    wait_for_outcomes(&setup, &[(&colour, "sent")]).await;
    let expected =
        ["Reminder: 2 appointments, Tuesday, 4 May, 10:00", "Reminder: Colour, Wednesday, 5 May, 11:00"];
    assert_eq!(subjects_at_the_end(setup).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_first_service_was_moved_the_next_reminder_shows_the_visit_in_its_new_order() {
    let setup = TestWorker::open().await;
    let [cut, colour, last] = visit(&setup).await;
    move_to(&setup, &cut, tuesday("15:00")).await;
    setup.salon.clock.set(due("11:00"));
    wait_for_outcomes(&setup, &[(&colour, "sent")]).await;
    setup.salon.clock.set(due("15:00"));
    wait_for_outcomes(&setup, &[(&last, "covered"), (&cut, "covered")]).await;
    let sink = setup.close().await;
    let mails = sink.journal();
    let mails = reminders(&mails);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "Reminder: 3 appointments, Tuesday, 4 May, 11:00");
    assert!(text(mails[0]).contains("15:00–16:00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_moved_after_the_reminder_is_reminded_of_at_its_new_time() {
    let setup = TestWorker::open().await;
    let [cut, colour, last] = visit(&setup).await;
    setup.salon.clock.set(due("10:00"));
    wait_for_outcomes(&setup, &[(&cut, "sent")]).await;
    cancel(&setup, &cut).await;
    move_to(&setup, &colour, tuesday("15:00")).await;
    setup.salon.clock.set(due("12:00"));
    wait_for_outcomes(&setup, &[(&last, "covered")]).await;
    setup.salon.clock.set(due("15:00"));
    wait_for_outcomes(&setup, &[(&colour, "sent")]).await;
    let subjects = subjects_at_the_end(setup).await;
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert_eq!(subjects[1], "Reminder: 2 appointments, Tuesday, 4 May, 12:00");
}

#[tokio::test(flavor = "multi_thread")]
async fn if_the_reminder_that_covers_the_others_is_not_sent_the_next_one_is() {
    let setup = TestWorker::open().await;
    let [cut, colour, last] = visit(&setup).await;
    setup.sink.script(Verb::Dot, [Act::Reply("451 4.3.0 disk full")]);
    setup.salon.clock.set(due("10:00"));
    wait_for("the reminder to be deferred", async || {
        let rows = setup.ledger(&cut).await;
        let deferred = rows.iter().any(|row| row.reply.as_deref() == Some("dot: 451 4.3.0 disk full"));
        if deferred { Ok(()) } else { Err(rows) }
    })
    .await;
    assert_eq!(outcome(&setup, &cut).await, None);
    cancel(&setup, &cut).await;
    setup.salon.clock.set(due("11:00"));
    wait_for_outcomes(&setup, &[(&colour, "sent")]).await;
    setup.salon.clock.set(due("12:00"));
    wait_for_outcomes(&setup, &[(&last, "covered")]).await;
    assert_eq!(subjects_at_the_end(setup).await, ["Reminder: 2 appointments, Tuesday, 4 May, 11:00"]);
}

/// Moves the clock each time no mail is due or under way, until the reminder of a booking has this outcome.
async fn pass_until(setup: &TestWorker, booking: &Booking, wanted: &str) {
    wait_for("the reminder to be enqueued", async || {
        setup.ledger(booking).await.iter().any(|row| row.kind == "reminder")
    })
    .await;
    for _ in 0..60 {
        settled(setup).await;
        if outcome(setup, booking).await.as_deref() == Some(wanted) {
            return;
        }
        setup.pass(TimeDelta::seconds(10));
    }
    panic!("it is {:?}, not {wanted}", outcome(setup, booking).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_in_doubt_is_followed_by_the_next_one() {
    let setup = TestWorker::open().await;
    let [cut, colour, last] = visit(&setup).await;
    // The relay takes the mail and does not say so, twice.
    setup.sink.script(Verb::Dot, [Act::Cut, Act::Cut]);
    setup.salon.clock.set(due("10:00"));
    pass_until(&setup, &cut, "in_doubt").await;
    setup.salon.clock.set(due("11:00"));
    wait_for_outcomes(&setup, &[(&colour, "sent")]).await;
    setup.salon.clock.set(due("12:00"));
    wait_for_outcomes(&setup, &[(&last, "covered")]).await;
    setup.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_address_gets_the_next_reminder() {
    let setup = TestWorker::open().await;
    let (email_of, name) = (email("gina"), name("Gina"));
    let gina =
        Contact { email: Some(email_of), name, phone: None, locale: None, zone: None, separate: false };
    let (core, admin) = (&setup.salon.core, &setup.salon.admin);
    let [cut, colour, last] = visit_of(&setup, admin, Booker::Person(gina)).await;
    setup.salon.clock.set(due("10:00"));
    wait_for_outcomes(&setup, &[(&cut, "sent")]).await;
    let id = cut.customer.as_ref().unwrap().id;
    customers::correct(core, admin, id, ExpectedRev::Any, &email("gina.l")).await.unwrap();
    setup.salon.clock.set(due("11:00"));
    wait_for_outcomes(&setup, &[(&colour, "sent")]).await;
    setup.salon.clock.set(due("12:00"));
    wait_for_outcomes(&setup, &[(&last, "covered")]).await;
    let sink = setup.close().await;
    let mails = sink.journal();
    let recipients: Vec<_> = reminders(&mails).iter().map(|mail| mail.recipient.clone()).collect();
    assert_eq!(recipients, ["gina@example.org", "gina.l@example.org"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_the_reminder_leaves_out_what_has_begun() {
    let mut setup = TestWorker::without_worker().await;
    setup.hire_worker().await;
    let [_, _, last] = visit(&setup).await;
    setup.sink.always(Verb::Mail, Act::Reply("451 4.3.0 not now"));
    setup.salon.clock.set(due("12:00"));
    setup.salon.clock.set(tuesday("10:40"));
    setup.sink.heal();
    pass_until(&setup, &last, "sent").await;
    assert_eq!(subjects_at_the_end(setup).await, ["Reminder: 2 appointments, Tuesday, 4 May, 11:00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_reminders_does_not_silence_its_visit() {
    let setup = TestWorker::open().await;
    let [cut, colour, last] = visit(&setup).await;
    bookings::choose_reminders(&setup.salon.core, &setup.customer, cut.id, false).await.unwrap();
    setup.salon.clock.set(due("11:00"));
    wait_for_outcomes(&setup, &[(&cut, "unwanted"), (&colour, "sent")]).await;
    setup.salon.clock.set(due("12:00"));
    wait_for_outcomes(&setup, &[(&last, "covered")]).await;
    let subjects = subjects_at_the_end(setup).await;
    assert_eq!(subjects, ["Reminder: 3 appointments, Tuesday, 4 May, 10:00"], "it shows the whole visit");
}

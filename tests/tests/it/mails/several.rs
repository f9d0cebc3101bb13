//! One mail about several appointments.

use punctual_core::bookings::{
    self, Booker, Mode, NewBooking, NewSeries, NewVisit, SeriesMade, StaffMessage,
};
use punctual_core::calendar::Every;
use punctual_core::customers::Contact;
use punctual_core::idempotency::IdempotencyKey;
use punctual_core::slots::VisitService;
use punctual_core::types::{ExpectedRev, Label, Note};

use super::test_worker::{TestWorker, calendar, text};
use crate::core::salon::{booking_of, email, name, tuesday};

async fn weekly(setup: &TestWorker, key: &str, count: u16) -> SeriesMade {
    let contact = Contact {
        email: Some(email("carla")),
        name: name("Carla Customer"),
        phone: None,
        locale: None,
        zone: None,
        separate: false,
    };
    let first =
        NewBooking { booker: Booker::Person(contact), ..booking_of(setup.service, None, tuesday("10:00")) };
    let new = NewSeries { first, every: Every::Weeks(1), count, mode: Mode::All };
    let key = IdempotencyKey::parse(key).unwrap();
    bookings::create_series(&setup.salon.core, &setup.salon.admin, &key, new).await.unwrap().value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_is_confirmed_moved_and_cancelled_by_one_mail_each_and_reminded_of_one_by_one() {
    let mut setup = TestWorker::without_worker().await;
    let told = "UPDATE settings SET notify_address = 'owner@example.org'";
    sqlx::query(told).execute(&setup.salon.core.pool).await.unwrap();
    setup.hire_worker().await;
    let made = weekly(&setup, "one", 3).await;
    let (id, booked) = (made.id.unwrap(), made.series.unwrap().bookings);
    let taken = setup.sink.wait_for_mails(2).await;
    let confirmed = taken.iter().find(|mail| mail.recipient == "carla@example.org").unwrap();
    assert_eq!(confirmed.subject, "Booked: Haircut, 3 appointments from Tuesday, 4 May, 10:00");
    let told = text(confirmed);
    for seen in ["Tuesday, 4 May 2027", "Tuesday, 11 May 2027", "Tuesday, 18 May 2027"] {
        assert!(told.contains(seen), "{seen} in {told}");
    }
    let entries = calendar(confirmed).unwrap();
    assert!(entries.contains("METHOD:PUBLISH") && !entries.contains("RRULE"), "{entries}");
    assert_eq!(entries.matches("BEGIN:VEVENT").count(), 3);
    for booking in &booked {
        assert!(entries.contains(&format!("UID:{}", booking.id)), "{entries}");
    }
    let to_owner = taken.iter().find(|mail| mail.recipient == "owner@example.org").unwrap();
    assert_eq!(to_owner.subject, "New: Carla Customer, Haircut, 3 appointments from Tuesday, 4 May, 10:00");
    let reminders: Vec<(i32, i64)> = sqlx::query_as(
        "SELECT rev, count(DISTINCT booking_id) FROM notifications WHERE kind = 'reminder' GROUP BY rev",
    )
    .fetch_all(&setup.salon.core.pool)
    .await
    .unwrap();
    assert_eq!(reminders, [(1, 3)], "one for each");
    let seen = bookings::notifications(&setup.salon.core, &setup.salon.admin, booked[2].id).await.unwrap();
    let mut kinds: Vec<_> = seen.iter().map(|mail| mail.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        ["appointments_booked", "reminder", "staff_appointments_booked"],
        "also on the last one"
    );

    setup.pass(chrono::TimeDelta::seconds(1));
    let to = bookings::MoveSeries {
        from: 2,
        start: tuesday("11:00") + chrono::TimeDelta::weeks(1),
        staff_id: None,
        overriding: false,
        message: StaffMessage::default(),
    };
    bookings::move_series(&setup.salon.core, &setup.salon.admin, id, ExpectedRev::Any, to).await.unwrap();
    let taken = setup.sink.wait_for_mails(4).await;
    let moved = taken.iter().find(|mail| mail.subject.starts_with("Moved: Haircut")).unwrap();
    assert_eq!(moved.subject, "Moved: Haircut, 2 appointments, now from Tuesday, 11 May, 11:00");
    let entries = calendar(moved).unwrap();
    assert_eq!(entries.matches("SEQUENCE:2").count(), 2, "{entries}");

    setup.pass(chrono::TimeDelta::seconds(1));
    let message = StaffMessage::new(Some(Note::parse("We are moving house.").unwrap()), None);
    bookings::cancel_series(&setup.salon.core, &setup.salon.admin, id, 1, ExpectedRev::Any, message)
        .await
        .unwrap();
    let taken = setup.sink.wait_for_mails(6).await;
    let cancelled = taken.iter().find(|mail| mail.subject.starts_with("Cancelled: Haircut")).unwrap();
    assert_eq!(cancelled.subject, "Cancelled: Haircut, 3 appointments from Tuesday, 4 May, 10:00");
    assert!(text(cancelled).contains("We are moving house."));
    let entries = calendar(cancelled).unwrap();
    assert_eq!(entries.matches("STATUS:CANCELLED").count(), 3, "{entries}");
    assert_eq!(setup.close().await.journal().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_confirmed_by_one_mail_with_each_service_and_its_entry() {
    let mut setup = TestWorker::without_worker().await;
    let told = "UPDATE settings SET notify_address = 'owner@example.org'";
    sqlx::query(told).execute(&setup.salon.core.pool).await.unwrap();
    let colour = setup
        .salon
        .service(|spec| {
            spec.name = Label::parse("Colour").unwrap();
            spec.requires_confirmation = true;
            spec.duration_min = 45;
        })
        .await;
    setup.hire_worker().await;
    let customer = setup.salon.customer().await;
    let first = booking_of(setup.service, None, tuesday("10:00"));
    let then = [colour, setup.service].map(|service_id| VisitService { service_id, staff_id: None });
    let new = NewVisit { first, then: then.to_vec() };
    let key = IdempotencyKey::parse("visit").unwrap();
    let made = bookings::create_visit(&setup.salon.core, &customer, &key, new).await.unwrap().value;
    // One more to the business: staff decide about the service that waits by a link of its own.
    let taken = setup.sink.wait_for_mails(3).await;
    let to_customer: Vec<_> = taken.iter().filter(|mail| mail.recipient != "owner@example.org").collect();
    assert_eq!(to_customer.len(), 1, "{to_customer:?}");
    assert_eq!(to_customer[0].subject, "Booked: 3 appointments from Tuesday, 4 May, 10:00");
    let told = text(to_customer[0]);
    for seen in ["Haircut", "Colour", "10:00", "11:00–11:45", "waits for confirmation", "11:45–12:45"] {
        assert!(told.contains(seen), "{seen} in {told}");
    }
    let entries = calendar(to_customer[0]).unwrap();
    assert_eq!(entries.matches("BEGIN:VEVENT").count(), 3, "{entries}");
    for booking in &made.bookings {
        assert!(entries.contains(&format!("UID:{}", booking.id)), "{entries}");
    }
    let mut to_owner: Vec<_> = taken
        .iter()
        .filter(|mail| mail.recipient == "owner@example.org")
        .map(|mail| mail.subject.as_str())
        .collect();
    to_owner.sort_unstable();
    assert_eq!(to_owner.len(), 2, "{to_owner:?}");
    assert!(to_owner[0].starts_with("New: Carla Customer, Haircut, 2 appointments"), "{to_owner:?}");
    setup.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_about_a_series_shows_what_stands_when_it_is_sent() {
    let mut setup = TestWorker::without_worker().await;
    let made = weekly(&setup, "one", 3).await;
    let booked = made.series.unwrap().bookings;
    bookings::cancel(&setup.salon.core, &setup.salon.admin, booked[0].id, ExpectedRev::Any).await.unwrap();
    setup.hire_worker().await;
    let taken = setup.sink.wait_for_mails(2).await;
    let confirmed = taken.iter().find(|mail| mail.subject.starts_with("Booked")).unwrap();
    assert_eq!(confirmed.subject, "Booked: Haircut, 2 appointments from Tuesday, 11 May, 10:00");
    assert!(!calendar(confirmed).unwrap().contains(&booked[0].id.to_string()));
    let cancelled = taken.iter().find(|mail| mail.subject.starts_with("Cancelled")).unwrap();
    assert_eq!(cancelled.subject, "Cancelled: Haircut, Tuesday, 4 May, 10:00");
    setup.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_about_a_series_of_which_nothing_is_left_is_not_sent() {
    let mut setup = TestWorker::without_worker().await;
    let made = weekly(&setup, "one", 2).await;
    let message = StaffMessage::new(None, Some(false));
    let id = made.id.unwrap();
    bookings::cancel_series(&setup.salon.core, &setup.salon.admin, id, 1, ExpectedRev::Any, message)
        .await
        .unwrap();
    setup.hire_worker().await;
    punctual_testkit::wait_for("the mail to end", async || {
        let outcomes: Vec<Option<String>> =
            sqlx::query_scalar("SELECT outcome::text FROM notifications WHERE kind <> 'reminder'")
                .fetch_all(&setup.salon.core.pool)
                .await
                .unwrap();
        if outcomes == [Some("cancelled".to_owned())] { Ok(()) } else { Err(outcomes) }
    })
    .await;
    assert_eq!(setup.close().await.journal().len(), 0);
}

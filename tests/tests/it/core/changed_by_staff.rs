//! Changes by staff that keep a booking's start, and customers who came without a booking.

use chrono::TimeDelta;
use punctual_core::bookings::{
    self, Booker, Booking, BookingPatch, BookingStatus, ChangeKind, NewBooking, StaffMessage,
};
use punctual_core::services::{self, ServicePatch};
use punctual_core::types::{Actor, ExpectedRev, Label, Note, Rev};
use punctual_core::{Error, Result};
use uuid::Uuid;

use super::salon::{Salon, at, booking_of, tuesday};

async fn update(salon: &Salon, booking: &Booking, patch: BookingPatch) -> Result<Booking> {
    bookings::update(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, patch).await
}

fn minutes(booking: &Booking) -> i64 {
    (booking.end - booking.start).num_minutes()
}

/// Kind, revision and outcome of each mail of a booking, by kind.
async fn mails(salon: &Salon, booking: &Booking) -> Vec<(String, i32, Option<String>)> {
    sqlx::query_as(
        "SELECT kind::text, rev, outcome::text FROM notifications WHERE booking_id = $1 ORDER BY kind::text, rev",
    )
    .bind(booking.id)
    .fetch_all(&salon.core.pool)
    .await
    .unwrap()
}

fn mail(kind: &str, rev: i32, outcome: Option<&str>) -> (String, i32, Option<String>) {
    (kind.to_owned(), rev, outcome.map(str::to_owned))
}

#[tokio::test]
async fn another_service_brings_its_terms_of_today_and_a_duration_replaces_its_own() {
    let salon = Salon::open(2).await;
    let cut = salon.service(|_| ()).await;
    let colour = salon
        .service(|spec| {
            spec.name = Label::parse("Colour").unwrap();
            spec.duration_min = 90;
            spec.price_minor = 9000;
            spec.buffer_after_min = 15;
        })
        .await;
    let (customer, member) = (salon.customer().await, salon.staff[0]);
    let booking = salon.book(&customer, cut, Some(member), tuesday("10:00")).await.unwrap();
    salon.book(&customer, cut, Some(member), tuesday("12:00")).await.unwrap();
    let to_colour = BookingPatch { service_id: Some(colour), ..BookingPatch::default() };
    let refused =
        bookings::update(&salon.core, &customer, booking.id, ExpectedRev::Any, to_colour.clone()).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    let coloured = update(&salon, &booking, to_colour.clone()).await.unwrap();
    assert_eq!(
        (coloured.service.id, coloured.service.name.as_str(), minutes(&coloured)),
        (colour, "Colour", 90)
    );
    assert_eq!((coloured.service.price.minor, coloured.start, coloured.rev), (9000, booking.start, Rev(2)));

    let longer = |minutes| BookingPatch { duration_min: Some(minutes), ..BookingPatch::default() };
    let refused = update(&salon, &booking, longer(120)).await;
    let Err(Error::SlotTaken { alternatives, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(alternatives.len(), 3, "its buffer would reach into the next one");
    let longer = update(&salon, &booking, longer(105)).await.unwrap();
    assert_eq!((minutes(&longer), longer.service.duration_min, longer.rev), (105, 105, Rev(3)));
    let same = update(&salon, &booking, BookingPatch { duration_min: Some(105), ..to_colour }).await.unwrap();
    assert_eq!(same.rev, Rev(3), "nothing changes");

    let owed = mails(&salon, &booking).await;
    let standing: Vec<_> = owed.iter().filter(|(_, _, outcome)| outcome.is_none()).cloned().collect();
    assert_eq!(standing, [mail("reminder", 3, None), mail("reschedule", 3, None)], "{owed:?}");
    let events = bookings::events(&salon.core, &salon.admin, booking.id).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|event| (event.change, event.details.0.minutes)).collect();
    assert_eq!(
        kinds,
        [(ChangeKind::Created, Some(60)), (ChangeKind::Updated, Some(90)), (ChangeKind::Updated, Some(105))]
    );
    let replaced = events[1].details.0.service.unwrap();
    assert_eq!((replaced.from, replaced.to), (cut, colour));

    // With a colleague, because the one who has it no longer performs the service.
    let only_other = ServicePatch { staff_ids: Some(vec![salon.staff[1]]), ..ServicePatch::default() };
    services::update(&salon.core, cut, ExpectedRev::Any, only_other).await.unwrap();
    let back = BookingPatch { service_id: Some(cut), ..BookingPatch::default() };
    let refused = update(&salon, &booking, back.clone()).await;
    assert!(matches!(refused, Err(Error::Invalid { pointer: "/staff_id", .. })), "{refused:?}");
    let back = BookingPatch { staff_id: Some(salon.staff[1]), ..back };
    let back = update(&salon, &booking, back).await.unwrap();
    assert_eq!((back.staff.id, minutes(&back), back.service.price.minor), (salon.staff[1], 60, 4500));
}

#[tokio::test]
async fn a_note_is_protected_by_its_revision_and_no_mail_is_lost_by_it() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    let note =
        |text: &str| BookingPatch { staff_note: Some(Note::parse(text).unwrap()), ..BookingPatch::default() };
    let first = ExpectedRev::Exactly(Rev(1));
    let noted =
        bookings::update(&salon.core, &salon.admin, booking.id, first, note("Allergic")).await.unwrap();
    assert_eq!((noted.rev, noted.staff_note.unwrap().as_str()), (Rev(2), "Allergic"));
    let late = bookings::update(&salon.core, &salon.admin, booking.id, first, note("Window seat")).await;
    assert!(matches!(late, Err(Error::RevMismatch { current: Rev(2) })), "{late:?}");
    let expected = [mail("confirmation", 2, None), mail("reminder", 2, None)];
    assert_eq!(mails(&salon, &booking).await, expected, "they are still owed, about this revision");
    assert_eq!(bookings::get(&salon.core, &customer, booking.id).await.unwrap().staff_note, None);
    bookings::cancel(&salon.core, &customer, booking.id, ExpectedRev::Any).await.unwrap();
    update(&salon, &booking, note("Came all the same")).await.unwrap();
    let hold = bookings::NewHold {
        slot: bookings::RequestedSlot {
            service_id: service,
            staff_id: None,
            start: tuesday("10:00"),
            seats: 1,
        },
        minutes: 10,
    };
    let hold = bookings::hold(&salon.core, &customer, "", None, hold).await.unwrap().value;
    let refused = update(&salon, &hold, note("A hold has no notes")).await;
    assert!(
        matches!(refused, Err(Error::InvalidTransition { from: BookingStatus::Held, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_right_customer_gets_the_confirmation_and_the_wrong_ones_links_are_void() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let (wrong, right) = (salon.customer().await, salon.customer().await);
    let booking = salon.book(&wrong, service, None, tuesday("10:00")).await.unwrap();
    let other = salon.book(&right, service, None, tuesday("12:00")).await.unwrap();
    let epochs = "SELECT link_epoch::bigint FROM bookings ORDER BY lower(during) LIMIT 1";
    assert_eq!(salon.count(epochs).await, 0);
    let to = |id| BookingPatch { customer_id: Some(id), ..BookingPatch::default() };
    let refused = update(&salon, &booking, to(Uuid::nil())).await;
    assert!(matches!(refused, Err(Error::NotFound("customer"))), "{refused:?}");
    let given = update(&salon, &booking, to(other.customer.unwrap().id)).await.unwrap();
    assert_eq!((given.rev, given.start, given.staff.id), (Rev(2), booking.start, booking.staff.id));
    assert_eq!(salon.count(epochs).await, 1);
    let gone = bookings::get(&salon.core, &wrong, booking.id).await;
    assert!(matches!(gone, Err(Error::NotFound("booking"))), "{gone:?}");
    let seen = bookings::events(&salon.core, &right, booking.id).await.unwrap();
    assert_eq!(seen[1].details.0.customer, None, "who it was for is nobody else's business");
    let expected = [
        mail("confirmation", 1, Some("cancelled")),
        mail("confirmation", 2, None),
        mail("reminder", 1, Some("cancelled")),
        mail("reminder", 2, None),
    ];
    assert_eq!(mails(&salon, &booking).await, expected);
    // The customer was informed by phone.
    let silent = BookingPatch {
        duration_min: Some(90),
        message: StaffMessage::new(None, Some(false)),
        ..BookingPatch::default()
    };
    update(&salon, &booking, silent).await.unwrap();
    let standing: Vec<_> =
        mails(&salon, &booking).await.into_iter().filter(|(_, _, outcome)| outcome.is_none()).collect();
    assert_eq!(standing, [mail("reminder", 3, None)]);
}

#[tokio::test]
async fn somebody_who_came_without_a_booking_is_recorded_back_to_the_start_of_today() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let regular = salon.book(&salon.customer().await, service, None, tuesday("10:00")).await.unwrap();
    let came = |start: &str, overriding| NewBooking {
        booker: Booker::Customer(regular.customer.as_ref().unwrap().id),
        overriding,
        ..booking_of(service, None, at(start))
    };
    let create = async |actor: &Actor, new| {
        bookings::create(&salon.core, actor, None, new).await.map(|answer| answer.value)
    };
    let refused = create(&salon.admin, came("2027-05-01T08:07:00+02:00", false)).await;
    assert!(matches!(refused, Err(Error::StartInPast)), "{refused:?}");
    let recorded = create(&salon.admin, came("2027-05-01T08:07:00+02:00", true)).await.unwrap();
    assert_eq!(recorded.status, BookingStatus::Confirmed);
    let owed = mails(&salon, &recorded).await;
    assert_eq!(owed, [mail("reminder", 1, Some("skipped_too_late"))], "nothing announces what has begun");
    let twice = create(&salon.admin, came("2027-05-01T09:00:00+02:00", true)).await;
    assert!(matches!(twice, Err(Error::SlotTaken { .. })), "{twice:?}");
    let yesterday = create(&salon.admin, came("2027-04-30T23:59:00+02:00", true)).await;
    assert!(matches!(yesterday, Err(Error::StartInPast)), "{yesterday:?}");

    // Informed by phone: no confirmation, but a reminder.
    let silent = NewBooking { no_mail: true, ..came("2027-05-04T14:00:00+02:00", false) };
    let refused = create(&salon.customer().await, silent.clone()).await;
    assert!(matches!(refused, Err(Error::StaffOnly(_))), "{refused:?}");
    let booked = create(&salon.admin, silent).await.unwrap();
    assert_eq!(mails(&salon, &booked).await, [mail("reminder", 1, None)]);

    salon.wait(TimeDelta::hours(24));
    bookings::complete_past(&salon.core).await.unwrap();
    let done = bookings::get(&salon.core, &salon.admin, recorded.id).await.unwrap();
    assert_eq!(done.status, BookingStatus::Completed);
}

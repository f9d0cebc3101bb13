//! A service that takes another time, at another price, with single members of staff.

use chrono::TimeDelta;
use punctual_core::bookings::{self, Booking, BookingPatch, Move};
use punctual_core::services::{self, ServicePatch, StaffTerms};
use punctual_core::slots::{self, SlotQuery};
use punctual_core::types::{ExpectedRev, Rev};
use punctual_core::{Error, Result};
use uuid::Uuid;

use super::salon::{Salon, tuesday};

fn own(staff_id: Uuid, duration_min: Option<u32>, price_minor: Option<i64>) -> StaffTerms {
    StaffTerms { staff_id, duration_min, price_minor }
}

async fn put(salon: &Salon, service: Uuid, terms: &[StaffTerms]) -> Result<services::Service> {
    services::put_staff_terms(&salon.core, service, ExpectedRev::Any, terms.to_vec()).await
}

fn promised(booking: &Booking) -> (i64, i64) {
    ((booking.end - booking.start).num_minutes(), booking.service.price.minor)
}

#[tokio::test]
async fn slots_and_bookings_have_the_duration_and_price_of_whoever_performs_them() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let (senior, junior) = (salon.staff[0], salon.staff[1]);
    let changed = put(&salon, service, &[own(senior, Some(45), Some(7000))]).await.unwrap();
    assert_eq!((changed.rev, changed.staff_terms.len()), (Rev(2), 1));
    let with_senior = changed.performed_by(Some(senior));
    assert_eq!((with_senior.spec.duration_min, with_senior.spec.price_minor), (45, 7000));
    assert_eq!(changed.performed_by(Some(junior)).spec, changed.spec);

    let day = "2027-05-04".parse().unwrap();
    let query = SlotQuery {
        service_id: service,
        staff_id: None,
        from: day,
        to: day,
        seats: 1,
        exclude_booking: None,
    };
    let list = slots::list(&salon.core, &query).await.unwrap();
    let at_ten: Vec<_> =
        list.days[0].slots.iter().filter(|slot| slot.start.to_utc() == tuesday("10:00")).collect();
    let shown: Vec<_> =
        at_ten.iter().map(|slot| ((slot.end - slot.start).num_minutes(), slot.staff_ids.clone())).collect();
    assert_eq!(shown, [(45, vec![senior]), (60, vec![junior])]);

    let customer = salon.customer().await;
    let first = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    assert_eq!((first.staff.id, promised(&first)), (senior, (45, 7000)), "anyone is the first by id");
    let second = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    assert_eq!((second.staff.id, promised(&second)), (junior, (60, 4500)));
    let after = salon.book(&customer, service, Some(senior), tuesday("10:00") + TimeDelta::minutes(30)).await;
    assert!(matches!(after, Err(Error::SlotTaken { .. })), "{after:?}");
    salon.book(&customer, service, Some(senior), tuesday("11:00")).await.unwrap();
}

#[tokio::test]
async fn a_booking_keeps_what_it_was_promised_and_todays_terms_are_those_of_its_member_of_staff() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let (senior, junior) = (salon.staff[0], salon.staff[1]);
    put(&salon, service, &[own(senior, Some(45), Some(7000))]).await.unwrap();
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, Some(senior), tuesday("10:00")).await.unwrap();
    put(&salon, service, &[own(senior, Some(90), Some(9000)), own(junior, None, Some(1000))]).await.unwrap();
    let to = Move::to(tuesday("14:00"), Some(junior));
    let moved = bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!(promised(&moved), (45, 7000), "a move keeps the terms, also to a colleague");
    let to = Move { current_terms: true, ..Move::to(tuesday("15:00"), Some(senior)) };
    let current =
        bookings::reschedule(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!(promised(&current), (90, 9000));
    let patch = BookingPatch { staff_id: Some(junior), ..BookingPatch::default() };
    let handed =
        bookings::update(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, patch).await.unwrap();
    assert_eq!(promised(&handed), (60, 1000));
    let patch = BookingPatch { duration_min: Some(30), staff_id: Some(senior), ..BookingPatch::default() };
    let shorter =
        bookings::update(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, patch).await.unwrap();
    assert_eq!(promised(&shorter), (30, 9000), "a duration that is named comes first");
}

#[tokio::test]
async fn terms_are_for_those_who_perform_the_service_and_go_with_them() {
    let salon = Salon::open(2).await;
    let service = salon.service(|spec| spec.staff_ids = vec![salon.staff[0]]).await;
    for (terms, code) in [
        (vec![own(salon.staff[1], Some(45), None)], "not_performed"),
        (vec![own(salon.staff[0], Some(45), None), own(salon.staff[0], None, Some(1))], "duplicate"),
        (vec![own(salon.staff[0], Some(1), None)], "out_of_range"),
        (vec![own(salon.staff[0], None, Some(-1))], "out_of_range"),
    ] {
        let refused = put(&salon, service, &terms).await;
        assert!(matches!(&refused, Err(Error::Invalid { error, .. }) if error.code == code), "{refused:?}");
    }
    put(&salon, service, &[own(salon.staff[0], Some(45), None)]).await.unwrap();
    let with = |staff_ids: Vec<Uuid>| ServicePatch { staff_ids: Some(staff_ids), ..ServicePatch::default() };
    services::update(&salon.core, service, ExpectedRev::Any, with(vec![salon.staff[1]])).await.unwrap();
    let back =
        services::update(&salon.core, service, ExpectedRev::Any, with(salon.staff.clone())).await.unwrap();
    assert!(back.value.staff_terms.is_empty(), "one who performs it again has the service's");
}

//! Weekly hours from a date on, and closures of ranges and of parts of a day.

use chrono::{NaiveDate, TimeDelta, Weekday};
use punctual_core::Error;
use punctual_core::calendar::WeeklyWindow;
use punctual_core::hours::{self, Closure};
use punctual_core::slots::{self, SlotQuery};
use punctual_core::types::{ExpectedRev, Reason, Rev};
use uuid::Uuid;

use super::salon::{Salon, tuesday};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Tuesdays between these times.
fn week(from: &str, to: &str) -> Vec<WeeklyWindow> {
    punctual_testkit::week(&[Weekday::Tue], &format!("{from}-{to}"))
}

/// First and last start on a date, and how many there are.
async fn starts(salon: &Salon, service_id: Uuid, on: &str) -> Option<(String, String)> {
    let (from, to) = (date(on), date(on));
    let query = SlotQuery { service_id, staff_id: None, from, to, seats: 1, exclude_booking: None };
    let list = slots::list(&salon.core, &query).await.unwrap();
    let slots = &list.days[0].slots;
    let time = |slot: &slots::OfferedSlot| slot.start.format("%H:%M").to_string();
    slots.first().map(time).zip(slots.last().map(time))
}

fn between(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[tokio::test]
async fn the_week_from_june_on_is_set_in_may_and_used_from_its_first_day() {
    let salon = Salon::open(1).await;
    let (core, admin, staff) = (&salon.core, &salon.admin, salon.staff[0]);
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let june = tuesday("10:00") + TimeDelta::days(28);
    let booked = salon.book(&customer, service, None, june).await.unwrap();
    let before = hours::week(core, staff).await.unwrap();
    let from = date("2027-06-01");
    let set = hours::put_week_from(
        core,
        admin,
        staff,
        ExpectedRev::Exactly(before.rev),
        from,
        week("12:00", "20:00"),
    );
    let set = set.await.unwrap();
    assert_eq!(set.stranded.iter().map(|booking| booking.booking_id).collect::<Vec<_>>(), [booked.id]);
    let read = hours::week(core, staff).await.unwrap();
    assert_eq!((&read.windows, read.valid_from, read.rev), (&before.windows, None, Rev(before.rev.0 + 1)));
    assert_eq!(read.later, set.value.later);
    assert_eq!((read.later[0].valid_from, &read.later[0].windows), (from, &week("12:00", "20:00")));
    assert_eq!(starts(&salon, service, "2027-05-25").await, Some(between("09:00", "17:00")));
    assert_eq!(starts(&salon, service, "2027-06-01").await, Some(between("12:00", "19:00")));
    let refused = salon.book(&customer, service, None, june + TimeDelta::days(7)).await;
    assert!(matches!(refused, Err(Error::OutsideHours)), "{refused:?}");
    salon.book(&customer, service, None, june + TimeDelta::hours(9)).await.unwrap();

    // The hours of today are replaced until then; the week from June stays.
    hours::put_week(core, admin, staff, ExpectedRev::Any, week("08:00", "10:00")).await.unwrap();
    assert_eq!(starts(&salon, service, "2027-05-25").await, Some(between("08:00", "09:00")));
    assert_eq!(starts(&salon, service, "2027-06-01").await, Some(between("12:00", "18:00")));
    let none =
        hours::put_week_from(core, admin, staff, ExpectedRev::Any, date("2027-07-06"), Vec::new()).await;
    assert_eq!(none.unwrap().value.later.len(), 2);
    assert_eq!(starts(&salon, service, "2027-07-06").await, None, "no hours from then on");

    let stale =
        hours::put_week_from(core, admin, staff, ExpectedRev::Exactly(Rev(1)), from, Vec::new()).await;
    assert!(matches!(stale, Err(Error::RevMismatch { .. })));
    let today =
        hours::put_week_from(core, admin, staff, ExpectedRev::Any, date("2027-05-01"), Vec::new()).await;
    assert!(matches!(today, Err(Error::Invalid { pointer: "/valid_from", .. })), "{today:?}");
    hours::remove_week_from(core, admin, staff, ExpectedRev::Any, date("2027-07-06")).await.unwrap();
    assert_eq!(starts(&salon, service, "2027-07-06").await, Some(between("12:00", "19:00")));
    let unknown = hours::remove_week_from(core, admin, staff, ExpectedRev::Any, date("2027-07-06")).await;
    assert!(matches!(unknown, Err(Error::NotFound("week"))), "{unknown:?}");

    salon.wait(TimeDelta::days(31));
    let in_force = hours::week(core, staff).await.unwrap();
    assert_eq!((in_force.windows, in_force.valid_from), (week("12:00", "20:00"), Some(from)));
    assert_eq!(in_force.later, []);
    let opening = hours::opening(core).await.unwrap();
    assert_eq!(opening[1].windows, [("12:00".parse().unwrap(), "20:00".parse().unwrap())]);
    hours::put_week(core, admin, staff, ExpectedRev::Any, week("13:00", "15:00")).await.unwrap();
    assert_eq!(starts(&salon, service, "2027-06-08").await, Some(between("13:00", "14:00")));
}

#[tokio::test]
async fn a_fortnight_and_an_afternoon_are_closed_at_once_and_bookings_in_them_are_listed() {
    let salon = Salon::open(1).await;
    let core = &salon.core;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let morning = salon.book(&customer, service, None, tuesday("09:00")).await.unwrap();
    let afternoon = salon.book(&customer, service, None, tuesday("15:00")).await.unwrap();
    let week_later =
        salon.book(&customer, service, None, tuesday("09:00") + TimeDelta::days(7)).await.unwrap();
    let reason = Reason::parse("Holidays").unwrap();
    let half = (Some(("13:00".parse().unwrap(), "24:00".parse().unwrap())), date("2027-05-04"));
    let half = Closure { date: half.1, hours: half.0, reason: reason.clone() };
    let days = date("2027-05-10").iter_days().take(14);
    let mut closures: Vec<Closure> = days.map(|date| Closure::of_day(date, reason.clone())).collect();
    closures.push(half.clone());
    let changed = hours::close_all(core, closures).await.unwrap();
    let stranded: Vec<Uuid> = changed.stranded.iter().map(|booking| booking.booking_id).collect();
    assert_eq!(stranded, [afternoon.id, week_later.id], "not {}", morning.id);
    assert_eq!(starts(&salon, service, "2027-05-04").await, Some(between("10:00", "12:00")));
    assert_eq!(starts(&salon, service, "2027-05-23").await, None);
    assert_eq!(starts(&salon, service, "2027-05-24").await, Some(between("09:00", "17:00")));
    let listed = hours::closures(core, date("2027-05-01"), date("2027-05-31")).await.unwrap();
    assert_eq!((listed.len(), &listed[0]), (15, &half));
    let refused = salon.book(&customer, service, None, tuesday("12:30")).await;
    assert!(matches!(refused, Err(Error::OutsideHours)), "{refused:?}");
    let backwards = Some(("13:00".parse().unwrap(), "12:00".parse().unwrap()));
    let backwards = Closure { hours: backwards, ..half };
    assert!(matches!(hours::close(core, backwards).await, Err(Error::Invalid { pointer: "/end", .. })));
    let removed = hours::reopen_all(core, date("2027-05-04"), date("2027-05-16")).await.unwrap();
    assert_eq!(removed, 8);
    assert_eq!(starts(&salon, service, "2027-05-04").await, Some(between("10:00", "17:00")));
}

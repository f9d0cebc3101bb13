//! Changes of hours: permissions, bookings that no longer fit, and waiting for the calendar's lock.

use chrono::TimeDelta;
use punctual_core::hours::{self, Closure, DateOverride, NewTimeOff, StrandedBooking};
use punctual_core::types::{Actor, ExpectedRev, Reason, Role};
use punctual_core::{Error, staff};
use punctual_testkit::wait_for;
use uuid::Uuid;

use super::test_calendar::{TestCalendar, date, span, tuesday, week, window};

fn ids(stranded: &[StrandedBooking]) -> Vec<Uuid> {
    stranded.iter().map(|booking| booking.booking_id).collect()
}

#[tokio::test]
async fn new_weekly_hours_list_the_bookings_that_no_longer_fit_and_keep_them() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let early = test.book(ada, tuesday("09:00"), "confirmed").await;
    test.book(ada, tuesday("10:00"), "confirmed").await;
    let pending = test.book(ada, tuesday("09:00") + TimeDelta::days(1), "pending").await;
    test.book(ada, tuesday("09:00") + TimeDelta::days(2), "cancelled").await;
    test.book(ada, tuesday("20:00"), "confirmed").await; // overridden when made: never fitted
    test.book(ada, tuesday("09:00") - TimeDelta::days(28), "confirmed").await; // over
    test.book(ben, tuesday("10:00"), "confirmed").await;
    let (statuses, revs) = (test.statuses().await, test.calendar_revs().await);

    let changed =
        hours::put_week(&test.core, &Actor::System, ada, ExpectedRev::Any, week("10:00-12:00 13:00-15:00"))
            .await
            .unwrap();

    assert_eq!(ids(&changed.stranded), [early, pending]);
    assert_eq!(changed.stranded[0].start.to_rfc3339(), "2027-05-04T09:00:00+02:00");
    assert_eq!(changed.value.windows, week("10:00-12:00 13:00-15:00"));
    assert_eq!(hours::week(&test.core, ada).await.unwrap(), changed.value);
    assert_eq!(
        hours::week(&test.core, ben).await.unwrap().windows,
        week("10:00-13:00"),
        "a neighbour's week"
    );
    assert_eq!(test.statuses().await, statuses);
    assert_eq!(test.calendar_revs().await, [revs[0] + 1, revs[1]]);
}

#[tokio::test]
async fn windows_that_overlap_are_refused_and_nothing_changes() {
    let test = TestCalendar::new().await;
    let [ada, _] = test.staff;
    let revs = test.calendar_revs().await;
    let mut windows = week("09:00-12:00");
    windows.extend(week("11:59-13:00").into_iter().take(1));
    let refused =
        hours::put_week(&test.core, &Actor::System, ada, ExpectedRev::Any, windows).await.unwrap_err();
    assert!(matches!(refused, Error::WindowsOverlap { first: 0, second: 5 }), "{refused}");
    let own = DateOverride {
        date: date("2027-05-04"),
        windows: vec![window("10:00-12:00"), window("09:00-10:30")],
    };
    let refused = hours::put_override(&test.core, &Actor::System, ada, own).await.unwrap_err();
    assert!(matches!(refused, Error::WindowsOverlap { first: 1, second: 0 }), "{refused}");
    assert_eq!(hours::week(&test.core, ada).await.unwrap().windows, week("09:00-12:00"));
    assert_eq!(test.calendar_revs().await, revs);
}

#[tokio::test]
async fn staff_change_their_own_hours_and_administrators_anyones() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let own = test.account(Role::Staff, Some(ada)).await;
    let admin = test.account(Role::Admin, None).await;
    let customer = test.account(Role::Customer, None).await;
    let free =
        NewTimeOff { during: span(tuesday("09:00"), tuesday("12:00")), reason: Reason::parse("").unwrap() };
    assert!(hours::put_week(&test.core, &own, ada, ExpectedRev::Any, week("09:00-10:00")).await.is_ok());
    assert!(hours::add_time_off(&test.core, &own, None, ada, free.clone()).await.is_ok());
    assert!(hours::put_week(&test.core, &admin, ben, ExpectedRev::Any, week("09:00-10:00")).await.is_ok());
    for actor in [own, customer, Actor::Guest] {
        let refused = hours::put_week(&test.core, &actor, ben, ExpectedRev::Any, week("09:00-11:00"))
            .await
            .unwrap_err();
        assert!(matches!(refused, Error::Forbidden), "{refused}");
        let refused = hours::add_time_off(&test.core, &actor, None, ben, free.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::Forbidden), "{refused}");
        let refused = hours::remove_override(&test.core, &actor, ben, date("2027-05-04")).await.unwrap_err();
        assert!(matches!(refused, Error::Forbidden), "{refused}");
    }
    assert_eq!(hours::week(&test.core, ben).await.unwrap().windows, week("09:00-10:00"));
    let nobody = hours::put_week(&test.core, &admin, Uuid::nil(), ExpectedRev::Any, week("09:00-10:00"))
        .await
        .unwrap_err();
    assert!(matches!(nobody, Error::NotFound("staff")), "{nobody}");
}

#[tokio::test]
async fn an_override_owns_its_date_until_it_is_removed() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let morning = test.book(ada, tuesday("09:00"), "confirmed").await;
    let next_day = test.book(ada, tuesday("09:00") + TimeDelta::days(1), "confirmed").await;
    let own = DateOverride {
        date: date("2027-05-04"),
        windows: vec![window("14:00-16:00"), window("10:00-11:00")],
    };
    let changed = hours::put_override(&test.core, &Actor::System, ada, own).await.unwrap();
    assert_eq!(ids(&changed.stranded), [morning]);
    assert_eq!(changed.value.windows, [window("10:00-11:00"), window("14:00-16:00")]);
    let (from, to) = (date("2027-05-01"), date("2027-05-31"));
    assert_eq!(hours::overrides(&test.core, ada, from, to).await.unwrap(), [changed.value]);
    assert_eq!(hours::overrides(&test.core, ben, from, to).await.unwrap(), []);

    let closed = DateOverride { date: date("2027-05-05"), windows: Vec::new() };
    let changed = hours::put_override(&test.core, &Actor::System, ada, closed.clone()).await.unwrap();
    assert_eq!(ids(&changed.stranded), [next_day]);
    assert_eq!(hours::overrides(&test.core, ada, date("2027-05-05"), to).await.unwrap(), [closed]);

    let afternoon = test.book(ada, tuesday("14:00"), "confirmed").await;
    let changed = hours::remove_override(&test.core, &Actor::System, ada, date("2027-05-04")).await.unwrap();
    assert_eq!(ids(&changed.stranded), [afternoon]);
    let gone = hours::remove_override(&test.core, &Actor::System, ada, date("2027-05-04")).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound("override")), "{gone}");
}

#[tokio::test]
async fn a_closure_lists_the_bookings_of_all_staff_and_can_be_removed() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let first = test.book(ada, tuesday("09:00"), "confirmed").await;
    let second = test.book(ben, tuesday("12:00"), "confirmed").await;
    test.book(ben, tuesday("12:00") + TimeDelta::days(1), "confirmed").await;
    let revs = test.calendar_revs().await;
    let closure = |reason: &str| Closure::of_day(date("2027-05-04"), Reason::parse(reason).unwrap());
    let changed = hours::close(&test.core, closure("Stocktaking")).await.unwrap();
    assert_eq!(ids(&changed.stranded), [first, second]);
    let again = hours::close(&test.core, closure("Holiday")).await.unwrap();
    assert!(again.stranded.is_empty(), "they were stranded before");
    let listed = hours::closures(&test.core, date("2027-05-01"), date("2027-05-31")).await.unwrap();
    assert_eq!(listed, [closure("Holiday")]);
    hours::reopen(&test.core, date("2027-05-04")).await.unwrap();
    let gone = hours::reopen(&test.core, date("2027-05-04")).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound("closure")), "{gone}");
    assert_eq!(test.calendar_revs().await, [revs[0] + 3, revs[1] + 3], "a failed change counts nothing");
}

#[tokio::test]
async fn time_off_lists_the_bookings_it_overlaps_and_can_be_removed() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let hit = test.book(ada, tuesday("10:00"), "confirmed").await;
    test.book(ada, tuesday("11:00"), "confirmed").await;
    let new = NewTimeOff {
        during: span(tuesday("10:30"), tuesday("11:00")),
        reason: Reason::parse("Dentist").unwrap(),
    };
    let changed = hours::add_time_off(&test.core, &Actor::System, None, ada, new).await.unwrap().value;
    assert_eq!(ids(&changed.stranded), [hit]);
    let may = span(tuesday("00:00") - TimeDelta::days(3), tuesday("00:00") + TimeDelta::days(20));
    assert_eq!(hours::time_off(&test.core, ada, may).await.unwrap(), std::slice::from_ref(&changed.value));
    let of_another =
        hours::remove_time_off(&test.core, &Actor::System, ben, changed.value.id).await.unwrap_err();
    assert!(matches!(of_another, Error::NotFound("time off")), "{of_another}");
    hours::remove_time_off(&test.core, &Actor::System, ada, changed.value.id).await.unwrap();
    assert_eq!(hours::time_off(&test.core, ada, may).await.unwrap(), []);
}

/// The booking that holds the lock commits before the hours change, and is then reported as no longer fitting.
#[tokio::test]
async fn a_change_of_hours_waits_for_the_booking_that_holds_the_calendar() {
    let test = TestCalendar::new().await;
    let [ada, _] = test.staff;
    let mut booking = test.database.pool().begin().await.unwrap();
    staff::lock(&mut booking, &[ada]).await.unwrap();
    let core = test.core.clone();
    let change = tokio::spawn(async move {
        hours::put_week(&core, &Actor::System, ada, ExpectedRev::Any, Vec::new()).await
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_for("the change to wait for the lock", async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(test.database.pool()).await.unwrap() > 0
    })
    .await;
    let id = test.book(ada, tuesday("09:00"), "confirmed").await;
    booking.commit().await.unwrap();
    assert_eq!(ids(&change.await.unwrap().unwrap().stranded), [id]);
}

/// Locks requested in any order are taken in one order.
#[tokio::test]
async fn locking_several_calendars_from_both_ends_at_once_never_deadlocks_and_counts_each_time() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let before = test.calendar_revs().await;
    let tasks = (0..16).map(|index| {
        let pool = test.database.pool().clone();
        let order = if index % 2 == 0 { [ada, ben] } else { [ben, ada] };
        tokio::spawn(async move {
            for _ in 0..10 {
                let mut tx = pool.begin().await.unwrap();
                assert_eq!(staff::lock(&mut tx, &order).await.unwrap().len(), 2);
                tx.commit().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(test.calendar_revs().await, before.map(|rev| rev + 160));
}

//! Services and staff.

use chrono::TimeDelta;
use punctual_core::calendar::ReminderRule;
use punctual_core::hours::StrandedBooking;
use punctual_core::services::{self, ServicePatch, ServiceSpec};
use punctual_core::staff::{self, NewStaff, StaffPatch};
use punctual_core::types::{Actor, EmailAddress, ExpectedRev, Label, PersonName, Rev, Role};
use punctual_core::{Error, slots};
use uuid::Uuid;

use super::test_calendar::{TestCalendar, hour_long, tuesday};

fn ids(stranded: &[StrandedBooking]) -> Vec<Uuid> {
    stranded.iter().map(|booking| booking.booking_id).collect()
}

#[tokio::test]
async fn a_service_reads_back_as_it_was_made_and_changes_by_its_revision() {
    let test = TestCalendar::new().await;
    let reminders = vec![
        ReminderRule::DayBeforeAt { at: "18:30".parse().unwrap() },
        ReminderRule::Offset { minutes: 120 },
    ];
    let spec = ServiceSpec {
        name: Label::parse("A first visit").unwrap(),
        reminders: reminders.clone(),
        buffer_after_min: 15,
        ..hour_long(&test.staff)
    };
    let made = services::create(&test.core, &Actor::System, None, spec.clone()).await.unwrap().value;
    assert_eq!((&made.spec, made.rev, made.currency.as_str()), (&spec, Rev(1), "EUR"));
    assert_eq!(services::get(&test.core, made.id).await.unwrap(), made);

    test.clock.advance(TimeDelta::hours(1));
    let patch = ServicePatch {
        price_minor: Some(7500),
        reminders: Some(reminders[1..].to_vec()),
        ..ServicePatch::default()
    };
    let expected = ExpectedRev::Exactly(Rev(1));
    let changed = services::update(&test.core, made.id, expected, patch.clone()).await.unwrap().value;
    let wanted = ServiceSpec { price_minor: 7500, reminders: reminders[1..].to_vec(), ..spec };
    assert_eq!((&changed.spec, changed.rev), (&wanted, Rev(2)));
    assert_eq!((changed.created_at, changed.updated_at), (made.created_at, test.core.now()));

    let stale = services::update(&test.core, made.id, expected, patch).await.unwrap_err();
    assert!(matches!(stale, Error::RevMismatch { current: Rev(2) }), "{stale}");
    let names: Vec<String> = services::list(&test.core, false)
        .await
        .unwrap()
        .into_iter()
        .map(|service| service.spec.name.into())
        .collect();
    assert_eq!(names, ["A first visit", "Consultation"]);
    let unknown = services::get(&test.core, Uuid::nil()).await.unwrap_err();
    assert!(matches!(unknown, Error::NotFound("service")), "{unknown}");
}

#[tokio::test]
async fn a_service_out_of_bounds_is_refused_with_the_field() {
    let test = TestCalendar::new().await;
    let good = hour_long(&test.staff);
    let rule = |minutes| ReminderRule::Offset { minutes };
    let bad = [
        ("/duration_min", ServiceSpec { duration_min: 4, ..good.clone() }),
        ("/slot_step_min", ServiceSpec { slot_step_min: 0, ..good.clone() }),
        ("/buffer_before_min", ServiceSpec { buffer_before_min: 481, ..good.clone() }),
        ("/capacity", ServiceSpec { capacity: 0, ..good.clone() }),
        ("/horizon_days", ServiceSpec { horizon_days: u32::MAX, ..good.clone() }),
        ("/price_minor", ServiceSpec { price_minor: -1, ..good.clone() }),
        ("/reminders", ServiceSpec { reminders: (1..=6).map(rule).collect(), ..good.clone() }),
        ("/reminders", ServiceSpec { reminders: vec![rule(5), rule(5)], ..good.clone() }),
        ("/reminders", ServiceSpec { reminders: vec![rule(0)], ..good.clone() }),
        (
            "/reminders",
            ServiceSpec {
                reminders: vec![ReminderRule::DayBeforeAt { at: "24:00".parse().unwrap() }],
                ..good.clone()
            },
        ),
        ("/staff_ids", ServiceSpec { staff_ids: vec![test.staff[0]; 2], ..good.clone() }),
        ("/staff_ids", ServiceSpec { staff_ids: vec![Uuid::nil()], ..good }),
    ];
    for (field, spec) in bad {
        match services::create(&test.core, &Actor::System, None, spec).await.unwrap_err() {
            Error::Invalid { pointer, .. } => assert_eq!(pointer, field),
            other => panic!("{field}: {other}"),
        }
    }
    assert_eq!(services::list(&test.core, true).await.unwrap().len(), 1, "nothing is stored");
}

#[tokio::test]
async fn removing_staff_from_a_service_or_closing_it_lists_its_bookings() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let with_ada = test.book(ada, tuesday("09:00"), "confirmed").await;
    let with_ben = test.book(ben, tuesday("10:00"), "confirmed").await;
    let statuses = test.statuses().await;
    let update =
        async |patch| services::update(&test.core, test.service, ExpectedRev::Any, patch).await.unwrap();
    let only_ada = update(ServicePatch { staff_ids: Some(vec![ada]), ..ServicePatch::default() }).await;
    assert_eq!(ids(&only_ada.stranded), [with_ben]);
    let cheaper = update(ServicePatch { price_minor: Some(1), ..ServicePatch::default() }).await;
    assert!(cheaper.stranded.is_empty());
    let closed = update(ServicePatch { active: Some(false), ..ServicePatch::default() }).await;
    assert_eq!(ids(&closed.stranded), [with_ada]);
    assert_eq!(test.statuses().await, statuses);
    assert!(services::list(&test.core, false).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_inactive_member_of_staff_lists_all_future_bookings() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    test.book(ada, tuesday("09:00") - TimeDelta::days(7), "confirmed").await;
    let to_come = test.book(ada, tuesday("09:00"), "confirmed").await;
    test.book(ben, tuesday("10:00"), "confirmed").await;
    let leave = StaffPatch { active: Some(false), ..StaffPatch::default() };
    let changed = staff::update(&test.core, ada, ExpectedRev::Exactly(Rev(1)), leave).await.unwrap();
    assert_eq!(ids(&changed.stranded), [to_come]);
    assert_eq!((changed.value.active, changed.value.rev), (false, Rev(2)));
    let listed: Vec<Uuid> =
        staff::list(&test.core, Some(test.service), false).await.unwrap().iter().map(|s| s.id).collect();
    assert_eq!(listed, [ben]);
    assert_eq!(staff::list(&test.core, None, true).await.unwrap().len(), 2);
    let conn = &mut *test.database.pool().acquire().await.unwrap();
    assert_eq!(slots::terms(conn, test.service, None).await.unwrap().staff_ids, [ben]);
}

#[tokio::test]
async fn an_account_belongs_to_one_member_of_staff() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let Actor::Account { user_id, .. } = test.account(Role::Staff, Some(ada)).await else {
        panic!("an account")
    };
    let link = |user_id| StaffPatch { user_id: Some(Some(user_id)), ..StaffPatch::default() };
    for (user_id, wanted) in [(user_id, "user_taken"), (Uuid::nil(), "unknown_user")] {
        match staff::update(&test.core, ben, ExpectedRev::Any, link(user_id)).await.unwrap_err() {
            Error::Invalid { pointer: "/user_id", error } => assert_eq!(error.code, wanted),
            other => panic!("{wanted}: {other}"),
        }
    }
    let unlink = StaffPatch {
        user_id: Some(None),
        email: Some(Some(EmailAddress::parse("ada@example.org").unwrap())),
        ..StaffPatch::default()
    };
    let changed = staff::update(&test.core, ada, ExpectedRev::Any, unlink).await.unwrap().value;
    assert_eq!((changed.user_id, changed.name.as_str()), (None, "Ada"));
    assert_eq!(changed.email.map(String::from).as_deref(), Some("ada@example.org"));
    let new = NewStaff { name: PersonName::parse("Cem").unwrap(), email: None, user_id: Some(user_id) };
    assert_eq!(
        staff::create(&test.core, &Actor::System, None, new).await.unwrap().value.user_id,
        Some(user_id)
    );
}

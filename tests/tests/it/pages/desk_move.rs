//! The form of the desk that moves an appointment to a date, time and person that were typed or dragged to.

use chrono::DateTime;

use super::book_browser::busy_salon;
use super::desk::{MONDAY, TUESDAY, Visitor};
use super::desk_drag::{booked, leaves};

const OVERRIDE: &str = "name=\"override\"";

#[tokio::test]
async fn an_appointment_is_moved_to_earlier_today_on_purpose_and_never_to_a_day_before() {
    let salon = busy_salon(&[]).await;
    let id = salon.book("10:00").await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let path = format!("/desk/b/{id}/move");
    let staff = &*salon.staff[0];
    let now = DateTime::parse_from_rfc3339("2027-05-04T09:10:00+02:00").unwrap().to_utc();
    salon.api.clock.set(now);

    let chosen = visitor.get(&format!("{path}?date={TUESDAY}&time=09:00&staff={staff}")).await;
    for seen in ["09:00–10:00", OVERRIDE, "Book it although this time has passed"] {
        assert!(chosen.text.contains(seen), "{seen} in {}", chosen.text);
    }
    let today = [("rev", "1"), ("start", chosen.field("start")), ("staff", staff)];
    let refused = visitor.send(&path, &today).await;
    assert_eq!(refused.status, 422);
    for seen in ["this time has passed. Tick the box", OVERRIDE] {
        assert!(refused.text.contains(seen), "{seen} in {}", refused.text);
    }

    let monday = visitor.get(&format!("{path}?date={MONDAY}&time=23:45&staff={staff}")).await;
    let yesterday = [("rev", "1"), ("start", monday.field("start")), ("staff", staff), ("override", "1")];
    let refused = visitor.send(&path, &[&yesterday[..], &[("needs_override", "1")]].concat()).await;
    assert_eq!(refused.status, 422);
    for page in [monday, refused] {
        assert!(page.text.contains("this time has passed.<"), "{}", page.text);
        assert!(!page.text.contains(OVERRIDE), "an override does not help: {}", page.text);
    }
    assert_eq!(salon.api.count("bookings WHERE rev = 1").await, 1, "so far nothing was moved");

    assert_eq!(visitor.send(&path, &[&today[..], &[("override", "1")]].concat()).await.status, 303);
    let moved = "bookings WHERE rev = 2 AND lower(during) = '2027-05-04T09:00:00+02:00'";
    assert_eq!(salon.api.count(moved).await, 1);
}

#[tokio::test]
async fn in_a_repeated_hour_an_appointment_that_changes_only_its_person_keeps_its_instant() {
    let salon = busy_salon(&[]).await;
    let second = booked(&salon, &salon.service, 0, "2027-10-31T02:15:00+01:00", "Ada Lovelace").await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    for (time, start) in [("02:15", "20271031T0115Z"), ("02:30", "20271031T0030Z")] {
        let path = format!("/desk/b/{second}/move?date=2027-10-31&time={time}&staff={}", salon.staff[1]);
        assert_eq!(visitor.get(&path).await.field("start"), start, "{time}");
    }
}

#[tokio::test]
async fn a_form_for_former_staff_names_nobody_else() {
    let salon = busy_salon(&[]).await;
    let id = salon.book("09:00").await;
    booked(&salon, &salon.service, 1, "2027-05-04T14:00:00+02:00", "Grace Hopper").await;
    leaves(&salon, 1).await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    for (staff, named) in [(1, false), (0, true)] {
        let path = format!("/desk/b/{id}/move?date={TUESDAY}&time=10:00&staff={}", salon.staff[staff]);
        let page = visitor.get(&path).await;
        assert_eq!(page.text.contains("this person does not do this service"), !named, "{}", page.text);
        assert_eq!(page.between("class=\"when\"", "</div>").contains("Maria"), named, "{}", page.text);
    }
    leaves(&salon, 0).await;
    let own = visitor.get(&format!("/desk/b/{id}/move?date={TUESDAY}&time=10:00")).await;
    assert!(own.between("class=\"when\"", "</div>").contains("Maria 1"), "their own booking: {}", own.text);
}

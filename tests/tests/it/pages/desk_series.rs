//! Appointments that repeat, at the desk.

use super::desk::{Visitor, salon};
use super::test_booking_page::target;

#[tokio::test]
async fn an_appointment_by_phone_is_repeated_and_later_ones_are_moved_and_cancelled_together() {
    let salon = salon().await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let path = format!("/desk/new?service={}&staff={}&start=20270504T0700Z", salon.service, salon.staff[0]);
    let form = visitor.get(&path).await;
    assert!(form.text.contains("name=\"count\""), "{}", form.text);
    let token = form.field("token").to_owned();
    let fields = |count: &'static str, more: &[(&'static str, &'static str)]| {
        let fixed = [
            ("token", token.clone()),
            ("service", salon.service.clone()),
            ("staff", salon.staff[0].clone()),
            ("start", "20270504T0700Z".to_owned()),
            ("name", "Grace Hopper".to_owned()),
            ("email", "grace@example.org".to_owned()),
            ("count", count.to_owned()),
            ("every", "1".to_owned()),
            ("unit", "weeks".to_owned()),
        ];
        fixed
            .into_iter()
            .chain(more.iter().map(|(name, value)| (*name, (*value).to_owned())))
            .collect::<Vec<_>>()
    };
    let send = async |path: &str, fields: Vec<(&'static str, String)>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        visitor.send(path, &fields).await
    };
    let odd = send("/desk/new", fields("80", &[])).await;
    assert_eq!(odd.status, 422);
    assert!(odd.text.contains("Up to 52 times") && odd.text.contains("Grace Hopper"), "{}", odd.text);
    let made = send("/desk/new", fields("3", &[])).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let first = target("/desk/new", &made);
    let again = send("/desk/new", fields("3", &[])).await;
    assert_eq!(target("/desk/new", &again), first, "a second press makes no second series");
    assert_eq!(salon.api.count("bookings").await, 3);
    let page = visitor.get(&first).await;
    for seen in ["The series is booked.", "2. Tuesday, 11 May, 09:00", "3. Tuesday, 18 May, 09:00"] {
        assert!(page.text.contains(seen), "{seen} in {}", page.text);
    }

    let form = visitor.get(&path).await;
    let mut wish = fields("2", &[]);
    wish[0].1 = form.field("token").to_owned();
    let refused = send("/desk/new", wish).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    for seen in
        ["not all of these times are free", "Free near it:", "If not all are free: book those that are"]
    {
        assert!(refused.text.contains(seen), "{seen} in {}", refused.text);
    }

    let id = first.split(['/', '?']).nth(3).unwrap().to_owned();
    let path = format!("/desk/b/{id}/series");
    let page = visitor.get(&path).await;
    let rev = page.field("rev").to_owned();
    let form = |rev: &str, what: &str, time: &str| {
        vec![
            ("rev", rev.to_owned()),
            ("do", what.to_owned()),
            ("date", "2027-05-04".to_owned()),
            ("time", time.to_owned()),
            ("staff", String::new()),
            ("message", String::new()),
        ]
    };
    let closed = send(&path, form(&rev, "move", "06:00")).await;
    assert_eq!(closed.status, 409);
    assert!(closed.text.contains("outside of our hours"), "{}", closed.text);
    let moved = send(&path, form(&rev, "move", "10:00")).await;
    assert_eq!(moved.status, 303, "{}", moved.text);
    let page = visitor.get(&target(&path, &moved)).await;
    assert!(page.text.contains("3. Tuesday, 18 May, 10:00"), "{}", page.text);
    let stale = send(&path, form(&rev, "cancel", "10:00")).await;
    assert_eq!(stale.status, 412);
    assert!(stale.text.contains("somebody else changed the series"), "{}", stale.text);
    let rev = stale.field("rev").to_owned();
    let cancelled = send(&path, form(&rev, "cancel", "10:00")).await;
    assert_eq!(cancelled.status, 303, "{}", cancelled.text);
    assert_eq!(salon.api.count("bookings WHERE status = 'cancelled'").await, 3);
    let german = visitor.get(&format!("{path}?lang=de")).await;
    assert!(german.text.contains("Dieser Termin und alle späteren"), "{}", german.text);
}

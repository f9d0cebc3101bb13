//! Several services in one visit, taken by phone.

use serde_json::json;

use super::desk::{TUESDAY, Visitor, salon};
use super::test_booking_page::target;
use super::test_pages::Salon;

/// A service that only one of the two performs.
async fn colouring(salon: &Salon) -> String {
    let new = json!({ "name": "Colour <b>", "duration_min": 45, "price_minor": 6000, "staff_ids": [salon.staff[1]] });
    let made = salon.api.post("/v1/services", Some(&salon.admin), &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn several_services_are_chosen_one_after_the_other_and_booked_in_one_go() {
    let salon = salon().await;
    let colour = colouring(&salon).await;
    let visitor = Visitor::of(&salon, &salon.api.somebody("front_desk").await).await;
    let first = visitor.get(&format!("/desk/new?service={}&date={TUESDAY}", salon.service)).await;
    assert!(first.text.contains("Add another service"), "{}", first.text);
    let next = visitor.get(&format!("/desk/new?service={}&date={TUESDAY}&add=1", salon.service)).await;
    for seen in ["Which service next?", "Haircut", "Colour &lt;b&gt;"] {
        assert!(next.text.contains(seen), "{seen} in {}", next.text);
    }
    assert!(next.text.contains(&format!("then={colour}")), "{}", next.text);
    let base = format!("/desk/new?service={}&then={colour}", salon.service);
    let times = visitor.get(&format!("{base}&date={TUESDAY}")).await;
    for seen in ["Haircut + Colour &lt;b&gt;", "Leave out", "start=20270504T0700Z"] {
        assert!(times.text.contains(seen), "{seen} in {}", times.text);
    }
    assert!(!times.text.contains("start=20270504T0700Z&amp;staff"), "a visit fixes nobody: {}", times.text);
    let form = visitor.get(&format!("{base}&start=20270504T0700Z")).await;
    for seen in ["09:00–10:45", "09:00–10:00", "10:00–10:45", "Maria 2", "Haircut", "name=\"then\""] {
        assert!(form.text.contains(seen), "{seen} in {}", form.text);
    }
    assert!(!form.text.contains("name=\"count\""), "a visit is not repeated: {}", form.text);
    let token = form.field("token").to_owned();
    let fields = |token: &str, start: &'static str, more: &[(&'static str, &'static str)]| {
        let fixed = [
            ("token", token.to_owned()),
            ("service", salon.service.clone()),
            ("then", colour.clone()),
            ("start", start.to_owned()),
            ("name", "Grace Hopper".to_owned()),
            ("email", "grace@example.org".to_owned()),
            ("note", "By phone".to_owned()),
        ];
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        fixed.into_iter().chain(more).collect::<Vec<_>>()
    };
    let send = async |fields: Vec<(&'static str, String)>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        visitor.send("/desk/new", &fields).await
    };
    let made = send(fields(&token, "20270504T0700Z", &[])).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let path = target("/desk/new", &made);
    let again = send(fields(&token, "20270504T0700Z", &[])).await;
    assert_eq!(target("/desk/new", &again), path, "a second press books nothing more");
    assert_eq!(salon.api.count("bookings").await, 2);
    let page = visitor.get(&path).await;
    assert!(page.text.contains("The visit is booked.") && page.text.contains("By phone"), "{}", page.text);

    // The colour has no place: nothing is booked, what was written stays, another time is a button away.
    let form = visitor.get(&format!("{base}&start=20270504T0700Z")).await;
    let token = form.field("token").to_owned();
    let refused = send(fields(&token, "20270504T0700Z", &[])).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    for seen in ["not all services fit", "By phone", "taken", "name=\"instead\""] {
        assert!(refused.text.contains(seen), "{seen} in {}", refused.text);
    }
    assert_eq!(salon.api.count("bookings").await, 2);
    let instead = refused.between("name=\"instead\" value=\"", "\"").to_owned();
    let mut wish = fields(&token, "20270504T0700Z", &[]);
    wish.push(("instead", instead));
    let made = send(wish).await;
    assert_eq!(made.status, 303, "{}", made.text);
    assert_eq!(salon.api.count("bookings").await, 4);

    // An odd time takes a tick.
    let form = visitor.get(&format!("{base}&date={TUESDAY}&time=19:10&lang=de")).await;
    assert!(form.text.contains("name=\"override\"") && form.text.contains("Colour"), "{}", form.text);
    let token = form.field("token").to_owned();
    let odd = send(fields(&token, "20270504T1710Z", &[("needs_override", "1")])).await;
    assert_eq!(odd.status, 409, "{}", odd.text);
    let made = send(fields(&token, "20270504T1710Z", &[("needs_override", "1"), ("override", "1")])).await;
    assert_eq!(made.status, 303, "{}", made.text);
    assert_eq!(salon.api.count("bookings").await, 6);
}

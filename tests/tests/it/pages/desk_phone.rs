//! What is done at the desk while somebody is on the phone: taking a booking, blocking time, finding whom that strands.

use serde_json::json;

use super::desk::{TUESDAY, Visitor, salon};
use super::test_booking_page::target;
use super::test_pages::{Page, Salon};

/// The form of a booking for that start, and its token.
async fn form(visitor: &Visitor<'_>, salon: &Salon, start: &str) -> (Page, String) {
    let path = format!("/desk/new?service={}&staff={}&start={start}", salon.service, salon.staff[0]);
    let page = visitor.get(&path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let token = page.field("token").to_owned();
    (page, token)
}

async fn bookings(salon: &Salon) -> i64 {
    salon.api.count("bookings").await
}

#[tokio::test]
async fn a_booking_is_taken_by_phone_for_somebody_new_and_is_made_once() {
    let salon = salon().await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let services = visitor.get("/desk/new").await;
    assert!(
        services.text.contains("Which service?") && services.text.contains("Haircut"),
        "{}",
        services.text
    );
    let times = visitor.get(&format!("/desk/new?service={}&date={TUESDAY}", salon.service)).await;
    for seen in ["Tuesday, 4 May 2027", "Maria 1", "Maria 2", "start=20270504T0700Z"] {
        assert!(times.text.contains(seen), "{seen} in {}", times.text);
    }
    let (page, token) = form(&visitor, &salon, "20270504T0700Z").await;
    assert!(page.text.contains("Tuesday, 4 May 2027") && page.text.contains("09:00–10:00"), "{}", page.text);
    let fixed = [
        ("token", token.as_str()),
        ("service", &*salon.service),
        ("staff", &*salon.staff[0]),
        ("start", "20270504T0700Z"),
    ];
    let bad = [&fixed[..], &[("name", "Grace <b>"), ("email", "grace@"), ("note", "By phone")]].concat();
    let refused = visitor.send("/desk/new", &bad).await;
    assert_eq!(refused.status, 422);
    for kept in ["Grace &lt;b&gt;", "grace@", "By phone", &token] {
        assert!(refused.text.contains(kept), "{kept} in {}", refused.text);
    }
    let good = [
        &fixed[..],
        &[
            ("name", "Grace Hopper"),
            ("email", "grace@example.org"),
            ("phone", "+49 30 1"),
            ("note", "By phone"),
        ],
    ]
    .concat();
    let made = visitor.send("/desk/new", &good).await;
    let path = target("/desk/new", &made);
    let again = visitor.send("/desk/new", &good).await;
    assert_eq!(target("/desk/new", &again), path, "a second press makes no second booking");
    assert_eq!(bookings(&salon).await, 1);
    let booked = visitor.get(&path).await;
    for seen in ["The appointment is booked.", "Grace Hopper", "By phone", "grace@example.org"] {
        assert!(booked.text.contains(seen), "{seen} in {}", booked.text);
    }
}

#[tokio::test]
async fn a_booking_is_taken_for_somebody_on_file_and_a_taken_time_offers_others() {
    let salon = salon().await;
    salon.book("09:00").await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let path = format!(
        "/desk/new?service={}&staff={}&start=20270504T0800Z&q=lovelace%20ada",
        salon.service, salon.staff[0]
    );
    let found = visitor.get(&path).await;
    let id = found.between("name=\"customer\" value=\"", "\"").to_owned();
    assert!(found.text.contains("Ada Lovelace"), "{}", found.text);
    assert!(visitor.get(&path.replace("lovelace", "nobody")).await.text.contains("No matching customer"));
    let wanted = |start, more: &[(&'static str, &'static str)]| {
        let fields = [
            ("token", found.field("token").to_owned()),
            ("service", salon.service.clone()),
            ("staff", salon.staff[0].clone()),
            ("start", String::from(start)),
            ("customer", id.clone()),
        ];
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        fields.into_iter().chain(more).collect::<Vec<_>>()
    };
    let send = async |fields: Vec<(&'static str, String)>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        visitor.send("/desk/new", &fields).await
    };
    let taken = send(wanted("20270504T0700Z", &[("note", "Window seat")])).await;
    assert_eq!(taken.status, 409, "{}", taken.text);
    for kept in ["this time is taken", "Window seat", "Ada Lovelace"] {
        assert!(taken.text.contains(kept), "{kept} in {}", taken.text);
    }
    let instead = taken.between("name=\"instead\" value=\"", "\"").to_owned();
    let mut fields = wanted("20270504T0700Z", &[]);
    fields.push(("instead", instead));
    let made = send(fields).await;
    assert_eq!(made.status, 303, "{}", made.text);

    let (_, form_token) = form(&visitor, &salon, "20270504T0800Z").await;
    let mut unusual = wanted("20270504T1707Z", &[]);
    unusual[0].1 = form_token;
    let odd = send(unusual).await;
    assert_eq!(odd.status, 422, "{}", odd.text);
    assert!(odd.text.contains("Tick the box") && odd.text.contains("name=\"override\""), "{}", odd.text);
    let typed =
        format!("/desk/new?service={}&staff={}&date={TUESDAY}&time=19:07", salon.service, salon.staff[0]);
    let typed = visitor.get(&typed).await;
    assert!(typed.text.contains("name=\"override\"") && typed.text.contains("19:07–20:07"), "{}", typed.text);
}

#[tokio::test]
async fn who_is_ill_is_blocked_and_the_bookings_that_strands_are_listed_with_phone_and_links() {
    let salon = salon().await;
    let id = salon.book("09:00").await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let ill = visitor.get("/desk/away?ill=1").await;
    assert!(
        ill.text.contains("Ill today") && ill.text.contains("value=\"2027-05-04\""),
        "until midnight: {}",
        ill.text
    );
    let token = ill.field("token").to_owned();
    let fields = |until: &'static str| {
        vec![
            ("token", token.as_str()),
            ("staff", &*salon.staff[0]),
            ("date", TUESDAY),
            ("time", "09:00"),
            ("until_date", TUESDAY),
            ("until_time", until),
            ("reason", "Flu"),
        ]
    };
    let refused = visitor.send("/desk/away", &fields("08:00")).await;
    assert!(
        refused.status == 422 && refused.text.contains("after the beginning") && refused.text.contains("Flu")
    );
    let done = visitor.send("/desk/away", &fields("12:00")).await;
    assert_eq!(target("/desk/away", &done), "/desk/stranded?done=away", "{}", done.text);
    assert_eq!(visitor.send("/desk/away", &fields("12:00")).await.status, 303);
    assert_eq!(salon.api.count("time_off").await, 1, "a second press blocks nothing twice");
    let list = visitor.get("/desk/stranded?done=away").await;
    for seen in [
        "The time is blocked.",
        "Ada Lovelace",
        "outside of open hours",
        &format!("{id}/move"),
        &format!("{id}/cancel"),
    ] {
        assert!(list.text.contains(seen), "{seen} in {}", list.text);
    }
    let day = visitor.get(&format!("/desk?date={TUESDAY}")).await;
    let one = day.between("<li class=\"away", "</a>");
    assert!(one.contains("Flu"), "{one}");
    let href = one.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let path = href.replace("&#x2f;", "/").replace("&amp;", "&").trim_start_matches('.').to_owned();
    assert!(visitor.get(&path).await.text.contains("Open this time again"), "{path}");
    assert_eq!(visitor.send(&path, &[]).await.status, 303);
    assert_eq!(salon.api.count("time_off").await, 0);
    assert!(visitor.get("/desk/stranded").await.text.contains("All appointments fit."));
}

#[tokio::test]
async fn staff_block_their_own_time_only() {
    let salon = salon().await;
    let staff = salon.api.somebody("staff").await;
    let me = salon.api.get("/v1/me", Some(&staff)).await.body["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/staff/{}", salon.staff[1]);
    let tied =
        salon.api.write(reqwest::Method::PATCH, &path, &salon.admin, Some(&json!({ "user_id": me }))).await;
    assert_eq!(tied.status, 200, "{:?}", tied.body);
    let visitor = Visitor::of(&salon, &staff).await;
    let page = visitor.get("/desk/away").await;
    assert!(page.text.contains("Maria 2") && !page.text.contains("Maria 1"), "{}", page.text);
    for (who, status) in [(&salon.staff[0], 403), (&salon.staff[1], 303)] {
        let fields = [
            ("token", page.field("token")),
            ("staff", who.as_str()),
            ("date", TUESDAY),
            ("time", "09:00"),
            ("until_date", TUESDAY),
            ("until_time", "10:00"),
            ("reason", ""),
        ];
        assert_eq!(visitor.send("/desk/away", &fields).await.status, status);
    }
}

#[tokio::test]
async fn several_seats_of_a_class_are_taken_by_phone() {
    let salon = Salon::open(1, json!({ "capacity": 4 })).await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let times = visitor.get(&format!("/desk/new?service={}&date={TUESDAY}", salon.service)).await;
    assert!(times.text.contains("name=\"seats\"") && times.text.contains("max=\"4\""), "{}", times.text);
    let path = format!("/desk/new?service={}&seats=4&start=20270504T0700Z", salon.service);
    let page = visitor.get(&path).await;
    assert!(page.text.contains("4 × Haircut"), "{}", page.text);
    let fields = [
        ("token", page.field("token")),
        ("service", &*salon.service),
        ("start", "20270504T0700Z"),
        ("seats", page.field("seats")),
        ("name", "Grace Hopper"),
        ("phone", "+49 30 1"),
    ];
    let made = visitor.send("/desk/new", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let seats: i32 =
        sqlx::query_scalar("SELECT seats FROM bookings").fetch_one(salon.api.database.pool()).await.unwrap();
    assert_eq!(seats, 4);
}

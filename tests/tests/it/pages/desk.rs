//! The desk over HTTP: who gets in, the calendar, a booking and what is done with it.

use reqwest::Method;
use serde_json::json;

use super::test_booking_page::{change_business, target};
use super::test_pages::{Page, Salon};
use crate::api::test_api::{PASSWORD, Session};

/// A visitor with a session of the pages.
pub struct Visitor<'a> {
    pub salon: &'a Salon,
    pub cookie: String,
}

pub const MONDAY: &str = "2027-05-03";
pub const TUESDAY: &str = "2027-05-04";

pub async fn address(salon: &Salon, session: &Session) -> String {
    salon.api.get("/v1/me", Some(session)).await.body["email"].as_str().unwrap().to_owned()
}

impl<'a> Visitor<'a> {
    pub async fn of(salon: &'a Salon, session: &Session) -> Self {
        let email = address(salon, session).await;
        let page = salon.submit("/desk/login", &[("email", email.as_str()), ("password", PASSWORD)]).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { salon, cookie }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.salon.send(self.salon.request(Method::GET, path).header("cookie", &self.cookie)).await
    }

    /// Follows a form of the session.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get("/desk").await;
        let mut all = vec![("form_token", page.field("form_token"))];
        all.extend(fields);
        self.submit(path, &all).await
    }

    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.salon.request(Method::POST, path).header("cookie", &self.cookie);
        self.salon.send(request.header("sec-fetch-site", "same-origin").form(fields)).await
    }
}

/// A salon in which two work.
pub async fn salon() -> Salon {
    let salon = Salon::open(2, json!({ "name": "Haircut" })).await;
    change_business(&salon, json!({ "guests_allowed": true, "phone": "+49 30 1234" })).await;
    salon
}

#[tokio::test]
async fn only_the_people_of_the_business_see_the_desk() {
    let salon = salon().await;
    let id = salon.book("09:00").await;
    let paths = [
        "/desk".to_owned(),
        format!("/desk/week/{}", salon.staff[0]),
        format!("/desk/b/{id}"),
        format!("/desk/b/{id}/move"),
        format!("/desk/b/{id}/cancel"),
    ];
    for path in &paths {
        let page = salon.get(path).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(page.header("location").contains("desk/login?next=desk"), "{path}");
        assert!(matches!(salon.submit(path, &[]).await.status.as_u16(), 303 | 405), "{path}");
    }
    let customer = Visitor::of(&salon, &salon.customer).await;
    for path in &paths {
        let page = customer.get(path).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.text.contains("for staff only"), "{}", page.text);
        assert!(!page.text.contains("Maria"), "{path} shows nothing");
    }
    let staff = salon.api.somebody("staff").await;
    for session in [&staff, &salon.admin] {
        let visitor = Visitor::of(&salon, session).await;
        for path in &paths {
            assert_eq!(visitor.get(path).await.status, 200, "{path}");
        }
    }
    let wrong = salon.submit("/desk/login", &[("email", "a@example.org"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, 401);
    let out = Visitor::of(&salon, &staff).await;
    let left = out.send("/desk/logout", &[]).await;
    assert_eq!(target("/desk/logout", &left), "/desk/login");
    assert_eq!(out.get("/desk").await.status, 303, "the session is over");
}

#[tokio::test]
async fn a_login_leads_to_the_page_that_was_asked_for_and_to_no_other_site() {
    let salon = salon().await;
    let email = address(&salon, &salon.admin).await;
    let fields = [("email", email.as_str()), ("password", PASSWORD)];
    for (next, leads) in [
        ("desk/week/1", "/desk/week/1"),
        ("https://evil.example/desk", "/desk"),
        ("//evil.example", "/desk"),
        ("desk/../ops", "/desk"),
    ] {
        let path = format!("/desk/login?next={next}");
        assert_eq!(target(&path, &salon.submit(&path, &fields).await), leads, "{next}");
    }
}

#[tokio::test]
async fn the_day_shows_who_comes_when_and_what_is_free() {
    let salon = salon().await;
    let id = salon.book("10:00").await;
    let time_off = json!({ "start": "2027-05-04T09:00:00+02:00", "end": "2027-05-04T10:00:00+02:00", "reason": "Dentist" });
    let path = format!("/v1/staff/{}/time-off", salon.staff[1]);
    assert_eq!(salon.api.post(&path, Some(&salon.admin), &time_off).await.status, 201);
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let day = visitor.get(&format!("/desk?date={TUESDAY}")).await;
    assert_eq!(day.status, 200);
    for seen in [
        "Tuesday, 4 May 2027",
        "Maria 1",
        "Maria 2",
        "Ada Lovelace",
        "Haircut",
        "09:00–10:00 Dentist",
        "11:00–12:00 free",
        &format!("./desk/b/{id}").replace('/', "&#x2f;"),
    ] {
        assert!(day.text.contains(seen), "{seen} in {}", day.text);
    }
    let policy = day.header("content-security-policy");
    assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(day.header("cache-control"), "no-store");
    let style = visitor.get(&format!("/desk/style.css?v={}", day.between("style.css?v=", "\""))).await;
    assert!(style.header("cache-control").contains("immutable") && style.text.contains(".r12 {"));

    let week = visitor.get(&format!("/desk/week/{}?date={TUESDAY}", salon.staff[0])).await;
    for seen in ["Maria 1, 3 May – 9 May 2027", "Tue 4 May", "Ada Lovelace"] {
        assert!(week.text.contains(seen), "{seen} in {}", week.text);
    }
    let german = visitor.get(&format!("/desk?date={TUESDAY}&lang=de")).await;
    assert!(german.text.contains("Dienstag, 4. Mai 2027") && german.text.contains("11:00–12:00 frei"));
    let closed = json!({ "reason": "Works outing" });
    let closures = format!("/v1/closures/{TUESDAY}");
    let put = salon.api.write(Method::PUT, &closures, &salon.admin, Some(&closed)).await;
    assert_eq!(put.status, 200);
    let day = visitor.get(&format!("/desk?date={TUESDAY}")).await;
    assert!(day.text.contains("Closed on this day: Works outing"), "{}", day.text);
    assert!(!day.text.contains("11:00–12:00 free") && day.text.contains("Ada Lovelace"));
    for odd in ["0000-01-01", "99999-01-01", "x"] {
        assert_eq!(visitor.get(&format!("/desk?date={odd}")).await.status, 200, "{odd}");
    }
}

async fn mails(salon: &Salon, kind: &str) -> i64 {
    let count =
        "SELECT count(*) FROM notifications WHERE kind::text = $1 AND outcome IS DISTINCT FROM 'cancelled'";
    sqlx::query_scalar(count).bind(kind).fetch_one(salon.api.database.pool()).await.unwrap()
}

#[tokio::test]
async fn a_booking_shows_its_mails_and_history_and_is_cancelled_with_or_without_a_word() {
    let salon = salon().await;
    let (one, other) = (salon.book("09:00").await, salon.book("10:00").await);
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let page = visitor.get(&format!("/desk/b/{one}")).await;
    for seen in [
        "Ada Lovelace",
        "09:00–10:00",
        "Haircut",
        "Confirmation",
        "Reminder",
        "@example.org",
        "by the customer",
    ] {
        assert!(page.text.contains(seen), "{seen} in {}", page.text);
    }
    let path = format!("/desk/b/{one}/cancel");
    let long = "x".repeat(2001);
    let refused = visitor.send(&path, &[("rev", "1"), ("message", &long)]).await;
    assert!(refused.status == 422 && refused.text.contains(&long), "what was written is kept");
    let done = visitor.send(&path, &[("rev", "1"), ("message", "Maria is ill, <b>sorry</b>.")]).await;
    assert_eq!(target(&path, &done), format!("/desk/b/{one}?done=cancel"));
    let page = visitor.get(&format!("/desk/b/{one}?done=cancel")).await;
    for seen in ["The appointment is cancelled.", "Maria is ill, &lt;b&gt;sorry", "by the administration"] {
        assert!(page.text.contains(seen), "{seen} in {}", page.text);
    }
    assert_eq!(mails(&salon, "cancellation").await, 1);
    let path = format!("/desk/b/{other}/cancel");
    assert_eq!(visitor.send(&path, &[("rev", "1"), ("no_mail", "1")]).await.status, 303);
    assert_eq!(mails(&salon, "cancellation").await, 1, "no mail was sent");
    assert!(visitor.get(&format!("/desk/b/{other}")).await.text.contains("no mail was sent"));
    let without = visitor.submit(&path, &[("rev", "1")]).await;
    assert_eq!(without.status, 403, "a form of another site has no token of the session");
}

#[tokio::test]
async fn of_two_at_one_desk_the_second_sees_what_the_first_did_and_overwrites_nothing() {
    let salon = salon().await;
    let id = salon.book("09:00").await;
    let staff = salon.api.somebody("staff").await;
    let (first, second) = (Visitor::of(&salon, &staff).await, Visitor::of(&salon, &salon.admin).await);
    let path = format!("/desk/b/{id}/move");
    let rev = second.get(&format!("/desk/b/{id}/cancel")).await.field("rev").to_owned();
    let moved = [("rev", "1"), ("start", "20270504T0800Z"), ("staff", &salon.staff[1]), ("message", "Later")];
    let done = first.send(&path, &moved).await;
    assert_eq!(target(&path, &done), format!("/desk/b/{id}?done=move"), "{}", done.text);

    let cancel = format!("/desk/b/{id}/cancel");
    let refused = second.send(&cancel, &[("rev", &rev), ("message", "We are closed")]).await;
    assert_eq!(refused.status, 412);
    for seen in ["Somebody else changed", "Moved by staff", "09:00", "10:00", "We are closed", "Maria 2"] {
        assert!(refused.text.contains(seen), "{seen} in {}", refused.text);
    }
    assert_eq!(salon.booking(&id).await["status"], "confirmed");
    assert_eq!(refused.field("rev"), "2", "who has seen it can go on");
    let stale = [("rev", "1"), ("start", "20270504T0900Z"), ("staff", &salon.staff[0])];
    let refused = second.send(&path, &stale).await;
    assert!(refused.status == 412 && refused.text.contains("Somebody else changed"), "{}", refused.text);
    assert_eq!(second.send(&cancel, &[("rev", "2"), ("message", "We are closed")]).await.status, 303);
    let refused =
        first.send(&path, &[("rev", "2"), ("start", "20270504T0900Z"), ("staff", &salon.staff[0])]).await;
    assert!(
        matches!(refused.status.as_u16(), 409 | 412) && refused.text.contains("Cancelled"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_time_outside_of_the_hours_is_booked_on_purpose_only() {
    let salon = salon().await;
    let (id, _) = (salon.book("09:00").await, salon.book("10:00").await);
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let path = format!("/desk/b/{id}/move");
    let free = visitor.get(&path).await;
    assert!(
        free.text.contains("Tuesday, 4 May 2027, </i>11:00")
            && !free.text.contains("Tuesday, 4 May 2027, </i>10:00"),
        "{}",
        free.text
    );
    let query = format!("{path}?date={TUESDAY}&time=19:07&staff={}", salon.staff[0]);
    let chosen = visitor.get(&query).await;
    assert!(
        chosen.text.contains("19:07–20:07") && chosen.text.contains("name=\"override\""),
        "{}",
        chosen.text
    );
    let odd = [
        ("rev", "1"),
        ("start", chosen.field("start")),
        ("staff", &*salon.staff[0]),
        ("needs_override", "1"),
    ];
    let refused = visitor.send(&path, &odd).await;
    assert!(refused.status == 422 && refused.text.contains("outside of our hours"), "{}", refused.text);
    let meant = [&odd[..], &[("override", "1")]].concat();
    assert_eq!(visitor.send(&path, &meant).await.status, 303);
    assert_eq!(salon.booking(&id).await["start"], "2027-05-04T19:07:00+02:00");
    let taken = [("rev", "2"), ("start", "20270504T0830Z"), ("staff", &salon.staff[0]), ("override", "1")];
    let refused = visitor.send(&path, &taken).await;
    assert!(refused.status == 409 && refused.text.contains("this time is taken"), "{}", refused.text);
    assert!(
        refused.text.contains("Free instead") || refused.text.contains("<ul class=\"services\">"),
        "{}",
        refused.text
    );
    let page = visitor.get(&format!("/desk/b/{id}")).await;
    assert!(page.text.contains("rules overridden"), "{}", page.text);
    let bad = visitor.get(&format!("{path}?date={TUESDAY}&time=25:99")).await;
    assert!(bad.text.contains("such as 14:30"), "{}", bad.text);
}

#[tokio::test]
async fn requests_are_answered_and_what_took_place_is_recorded() {
    let salon = Salon::open(1, json!({ "requires_confirmation": true })).await;
    let (one, other) = (salon.book("09:00").await, salon.book("10:00").await);
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let day = visitor.get(&format!("/desk?date={TUESDAY}")).await;
    assert!(day.text.contains("These requests wait for an answer"), "{}", day.text);
    assert_eq!(visitor.send(&format!("/desk/b/{one}/confirm"), &[("rev", "1")]).await.status, 303);
    let decline = format!("/desk/b/{other}/decline");
    assert_eq!(visitor.send(&decline, &[("rev", "1"), ("message", "Fully booked")]).await.status, 303);
    let early = visitor.send(&format!("/desk/b/{one}/complete"), &[("rev", "2")]).await;
    assert!(early.status == 409 && early.text.contains("no longer allows it"), "{}", early.text);
    let start = chrono::DateTime::parse_from_rfc3339("2027-05-04T09:30:00+02:00").unwrap().to_utc();
    salon.api.clock.set(start);
    assert_eq!(visitor.send(&format!("/desk/b/{one}/no-show"), &[("rev", "2")]).await.status, 303);
    let status = async |id: &str| -> String {
        let status = "SELECT status::text FROM bookings WHERE id = $1::uuid";
        sqlx::query_scalar(status).bind(id).fetch_one(salon.api.database.pool()).await.unwrap()
    };
    assert_eq!(status(&one).await, "no_show");
    assert_eq!(visitor.send(&format!("/desk/b/{one}/complete"), &[("rev", "3")]).await.status, 303);
    assert_eq!([status(&one).await, status(&other).await], ["completed", "declined"]);
}

#[tokio::test]
async fn the_participants_of_a_class_are_one_card_and_one_list() {
    let salon = Salon::open(1, json!({ "name": "Yoga", "capacity": 8 })).await;
    let first = salon.book("09:00").await;
    let contact = json!({ "email": "bob@example.org", "name": "Bob", "phone": "+49 30 99" });
    let more =
        json!({ "service_id": salon.service, "start": "2027-05-04T09:00:00+02:00", "contact": contact });
    assert_eq!(salon.api.create("/v1/bookings", Some(&salon.admin), &more).await.status, 201);
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let day = visitor.get(&format!("/desk?date={TUESDAY}")).await;
    assert!(day.text.contains("2&#x2f;8 taken") || day.text.contains("2/8 taken"), "{}", day.text);
    let path = format!("/desk/class/{}/{}/20270504T0700Z", salon.service, salon.staff[0]);
    let class = visitor.get(&path).await;
    for seen in ["Yoga", "Ada Lovelace", "Bob", "+49 30 99", "2/8", &first] {
        assert!(class.text.contains(seen), "{seen} in {}", class.text);
    }
    let missing = visitor.get(&format!("/desk/class/{}/{}/x", salon.service, salon.staff[0])).await;
    assert!(missing.status == 404 && missing.text.contains("There is nothing here"), "{}", missing.text);
    assert_eq!(visitor.get(&format!("/desk?date={MONDAY}")).await.status, 200);
}

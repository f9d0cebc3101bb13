//! Every page of the desk: what is read in German, and what the rules of accessibility look at.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::book_browser::busy_salon;
use super::desk::{TUESDAY, Visitor};
use super::test_pages::Salon;

/// A Tuesday with something of everything.
pub async fn full_day(salon: &Salon) -> String {
    let id = salon.book("09:00").await;
    for (service, staff, start, name) in [
        (&salon.service, 0, "11:00", "Grace Hopper"),
        (&salon.service, 1, "09:30", "Alan Turing"),
        (&salon.service, 1, "10:45", "Katherine Johnson"),
    ] {
        let email = format!("{}@example.org", name.split(' ').next().unwrap().to_lowercase());
        let new = json!({ "service_id": service, "staff_id": salon.staff[staff],
            "start": format!("2027-05-04T{start}:00+02:00"), "override": true,
            "contact": { "name": name, "email": email, "phone": "+49 30 901820" } });
        let made = salon.api.create("/v1/bookings", Some(&salon.admin), &new).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
    }
    let off = json!({ "start": "2027-05-04T12:00:00+02:00", "end": "2027-05-04T13:00:00+02:00", "reason": "Dentist" });
    let path = format!("/v1/staff/{}/time-off", salon.staff[1]);
    assert_eq!(salon.api.post(&path, Some(&salon.admin), &off).await.status, 201);
    id
}

/// Makes something and returns its id, if the answer has one.
async fn make(salon: &Salon, path: &str, new: Value) -> String {
    let made = salon.api.create(path, Some(&salon.admin), &new).await;
    assert!(made.status.is_success(), "{path}: {}", made.body);
    made.body["id"].as_str().unwrap_or_default().to_owned()
}

/// The pages, each with something on it; some in German too, whose words are longer.
#[expect(clippy::too_many_lines, reason = "one list")]
pub async fn pages(salon: &Salon) -> Vec<(&'static str, String)> {
    let id = full_day(salon).await;
    let room = make(salon, "/v1/resources", json!({ "name": "Room 1", "kind": "Room" })).await;
    let outage = json!({ "start": "2027-05-06T09:00:00+02:00", "end": "2027-05-06T12:00:00+02:00", "reason": "Paint" });
    make(salon, &format!("/v1/resources/{room}/outages"), outage).await;
    let contact = json!({ "name": "Mary Jackson", "email": "mary@example.org" });
    let weekly = json!({ "service_id": salon.service, "staff_id": salon.staff[0], "every": { "weeks": 1 },
        "start": "2027-05-05T09:00:00+02:00", "count": 3, "contact": contact });
    make(salon, "/v1/series", weekly).await;
    let of_series: String = sqlx::query_scalar("SELECT id::text FROM bookings WHERE series_no = 1")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    let class = json!({ "name": "Yoga", "duration_min": 60, "capacity": 6, "staff_ids": salon.staff });
    let class = make(salon, "/v1/services", class).await;
    let seat = json!({ "service_id": class, "staff_id": salon.staff[1], "start": "2027-05-05T10:00:00+02:00",
        "seats": 2, "contact": contact });
    let seats = make(salon, "/v1/bookings", seat).await;
    let windows = json!({ "windows": [{ "weekday": 2, "start": "10:00", "staff_id": salon.staff[0],
        "valid_from": "2027-05-04" }] });
    let path = format!("/v1/services/{class}/timetable");
    let request = salon.api.request(reqwest::Method::PUT, &path).header("if-match", "*");
    let planned = salon.api.send(request.bearer_auth(&salon.admin.access).json(&windows)).await;
    assert_eq!(planned.status, 200, "{}", planned.body);
    for (date, reason) in [("2027-05-17", "Stocktaking"), ("2027-06-03", "Works outing")] {
        let closure = json!({ "closures": [{ "date": date, "reason": reason }] });
        let made = salon.api.post("/v1/closures", Some(&salon.admin), &closure).await;
        assert!(made.status.is_success(), "{}", made.body);
    }
    let service = &salon.service;
    let id_of = async |query: &'static str| -> String {
        sqlx::query_scalar(query).fetch_one(salon.api.database.pool()).await.unwrap()
    };
    let customer = id_of("SELECT id::text FROM customers WHERE name = 'Grace Hopper'").await;
    let away = id_of("SELECT id::text FROM time_off").await;
    let request = json!({ "service_id": id_of("SELECT id::text FROM services WHERE requires_confirmation").await,
        "start": "2027-05-05T10:30:00+02:00", "staff_id": salon.staff[0] });
    let asked = salon.api.create("/v1/bookings", Some(&salon.customer), &request).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let request = asked.body["id"].as_str().unwrap().to_owned();
    vec![
        ("desk-day", format!("/desk?date={TUESDAY}")),
        ("desk-day-de", format!("/desk?date={TUESDAY}&lang=de")),
        ("desk-week", format!("/desk/week/{}?date={TUESDAY}", salon.staff[0])),
        ("desk-booking", format!("/desk/b/{id}")),
        ("desk-booking-de", format!("/desk/b/{id}?lang=de")),
        ("desk-cancel", format!("/desk/b/{id}/cancel")),
        ("desk-move", format!("/desk/b/{id}/move")),
        ("desk-move-odd", format!("/desk/b/{id}/move?date={TUESDAY}&time=19:07&staff={}", salon.staff[0])),
        ("desk-new", "/desk/new".to_owned()),
        ("desk-new-time", format!("/desk/new?service={}", salon.service)),
        (
            "desk-new-who",
            format!(
                "/desk/new?service={}&staff={}&start=20270504T0800Z&q=Hopper",
                salon.service, salon.staff[0]
            ),
        ),
        (
            "desk-new-odd-de",
            format!(
                "/desk/new?lang=de&service={}&staff={}&date={TUESDAY}&time=19:07",
                salon.service, salon.staff[0]
            ),
        ),
        ("desk-ill", "/desk/away?ill=1".to_owned()),
        ("desk-stranded", "/desk/stranded".to_owned()),
        ("desk-customers", "/desk/customers?q=hopper".to_owned()),
        ("desk-settings", "/desk/settings".to_owned()),
        ("desk-business", "/desk/business".to_owned()),
        ("desk-team", "/desk/team".to_owned()),
        ("desk-member", format!("/desk/team/{}", salon.staff[0])),
        ("desk-hours-de", format!("/desk/hours/{}?lang=de", salon.staff[0])),
        ("desk-services", "/desk/services".to_owned()),
        ("desk-service", format!("/desk/services/{}", salon.service)),
        ("desk-closures", "/desk/closures".to_owned()),
        ("desk-keys", "/desk/keys".to_owned()),
        ("desk-keys-de", "/desk/keys?lang=de".to_owned()),
        ("desk-lost", "/desk/b/nothing".to_owned()),
        ("desk-series", format!("/desk/b/{of_series}/series")),
        ("desk-series-de", format!("/desk/b/{of_series}/series?lang=de")),
        ("desk-of-series", format!("/desk/b/{of_series}")),
        ("desk-seats", format!("/desk/b/{seats}")),
        ("desk-class", format!("/desk/class/{class}/{}/20270505T0800Z", salon.staff[1])),
        ("desk-class-de", format!("/desk/class/{class}/{}/20270505T0800Z?lang=de", salon.staff[1])),
        ("desk-new-seats", format!("/desk/new?service={class}&seats=2&date=2027-05-10")),
        ("desk-timetable", format!("/desk/services/{class}/timetable")),
        ("desk-timetable-de", format!("/desk/services/{class}/timetable?lang=de")),
        ("desk-staff-terms", format!("/desk/services/{service}/staff-terms")),
        ("desk-staff-terms-de", format!("/desk/services/{service}/staff-terms?lang=de")),
        ("desk-needs", format!("/desk/services/{service}/resources")),
        ("desk-needs-de", format!("/desk/services/{service}/resources?lang=de")),
        ("desk-resources", "/desk/resources".to_owned()),
        ("desk-resource", format!("/desk/resources/{room}")),
        ("desk-resource-de", format!("/desk/resources/{room}?lang=de")),
        ("desk-holidays", "/desk/closures?region=de-by&year=2027".to_owned()),
        ("desk-closures-de", "/desk/closures?lang=de".to_owned()),
        ("desk-hours-later", format!("/desk/hours/{}?from=2027-06-01", salon.staff[0])),
        ("desk-new-next", format!("/desk/new?service={service}&then={service}&add=1")),
        ("desk-new-visit", format!("/desk/new?service={service}&then={service}")),
        ("desk-visit-who", format!("/desk/new?service={service}&then={service}&start=20270506T0800Z")),
        (
            "desk-visit-who-de",
            format!("/desk/new?lang=de&service={service}&then={service}&start=20270506T0800Z"),
        ),
        ("desk-numbers", "/desk/numbers?month=2027-05".to_owned()),
        ("desk-numbers-de", "/desk/numbers?month=2027-05&lang=de".to_owned()),
        ("desk-away", "/desk/away".to_owned()),
        ("desk-away-one", format!("/desk/away/{}/{away}?date={TUESDAY}", salon.staff[1])),
        ("desk-customer", format!("/desk/customers/{customer}")),
        ("desk-decline", format!("/desk/b/{request}/decline")),
        ("desk-new-person", "/desk/team/new".to_owned()),
        ("desk-new-service", "/desk/services/new".to_owned()),
    ]
}

/// Paths of the desk that are no pages: files, and what only takes forms.
const NO_PAGES: [&str; 8] = [
    "/desk/login",
    "/desk/logout",
    "/desk/style.css",
    "/desk/live.js",
    "/desk/drag.js",
    "/desk/changes",
    "/desk/bookings.csv",
    "/desk/customers.csv",
];

/// The paths of the desk's routes, as its source names them.
fn routes() -> Vec<&'static str> {
    let source = include_str!("../../../../api/src/pages/desk/mod.rs");
    let paths = source.split('"').skip(1).step_by(2).filter(|text| text.starts_with("/desk"));
    paths.filter(|path| !NO_PAGES.contains(path)).collect()
}

/// Whether a path is that of the route, of which segments after a colon stand for any.
fn is_of(route: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    let same = |(wanted, found): (&&str, &&str)| wanted.starts_with(':') || wanted == found;
    route.len() == path.len() && route.iter().zip(&path).all(same)
}

/// The words of all dictionaries that English and German write in another way: English by key.
fn english_words() -> BTreeMap<&'static str, &'static str> {
    let of = |text: &'static str| {
        let words = text.split("{% set ").skip(1);
        words.filter_map(|word| word.split_once("{% endset")?.0.split_once(" %}"))
    };
    let dictionaries = [
        (
            include_str!("../../../../api/templates/words.en.j2"),
            include_str!("../../../../api/templates/words.de.j2"),
        ),
        (
            include_str!("../../../../api/templates/book/words.en.j2"),
            include_str!("../../../../api/templates/book/words.de.j2"),
        ),
        (
            include_str!("../../../../api/templates/desk/words.en.j2"),
            include_str!("../../../../api/templates/desk/words.de.j2"),
        ),
    ];
    let german: Vec<&str> =
        dictionaries.iter().flat_map(|(_, german)| of(german)).map(|(_, text)| text).collect();
    let english = dictionaries.iter().flat_map(|(english, _)| of(english));
    english.filter(|(_, text)| !text.contains('{') && !german.contains(text)).collect()
}

/// What a page shows or says: its texts, and the attributes that are read to people.
fn texts(page: &str) -> Vec<String> {
    let body = page.split_once("<body").map_or(page, |(_, body)| body);
    let mut found = Vec::new();
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        found.push(text);
        for attribute in ["aria-label=\"", "placeholder=\"", "title=\"", "alt=\""] {
            found.extend(tag.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
        }
    }
    let plain = |text: &str| {
        text.replace("&#x27;", "'").replace("&#x2f;", "/").replace("&amp;", "&").trim().to_owned()
    };
    found.into_iter().map(plain).filter(|text| !text.is_empty()).collect()
}

#[tokio::test]
async fn every_page_of_the_desk_is_looked_at_and_in_german_no_english_is_left() {
    let salon = busy_salon(&[]).await;
    let pages = pages(&salon).await;
    let forgotten: Vec<&str> =
        routes().into_iter().filter(|route| !pages.iter().any(|(_, path)| is_of(route, path))).collect();
    assert_eq!(forgotten, Vec::<&str>::new(), "routes without a page in the list");
    assert!(routes().len() > 25, "{:?}", routes());
    let english = english_words();
    assert!(english.len() > 300 && english.contains_key("desk_now_cancel"), "{}", english.len());
    let days = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "January",
        "March",
        "December",
    ];
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let mut left = Vec::new();
    for (name, path) in pages {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = if path.contains("lang=de") { path } else { format!("{path}{mark}lang=de") };
        let page = visitor.get(&path).await;
        let expected = if name == "desk-lost" { 404 } else { 200 };
        assert_eq!(page.status, expected, "{name} {path}: {}", page.text);
        assert!(page.text.contains("<html lang=\"de\">"), "{name}");
        let texts = texts(&page.text);
        for (key, word) in &english {
            // A short word may stand in a name; as a whole text it does not.
            let is_left = |text: &String| text == word || (word.len() >= 12 && text.contains(word));
            left.extend(
                texts.iter().filter(|text| is_left(text)).map(|text| format!("{name}: {key} in {text:?}")),
            );
        }
        let in_english = |text: &&String| days.iter().any(|day| text.contains(day));
        left.extend(texts.iter().filter(in_english).map(|text| format!("{name}: {text:?}")));
    }
    assert_eq!(left, Vec::<String>::new());
}

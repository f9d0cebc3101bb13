//! `/book`, over HTTP: a customer without an account, a script or a cookie.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::test_pages::{Page, Salon};

/// A salon that takes guests.
pub async fn salon(staff: usize, service: Value) -> Salon {
    let salon = Salon::open(staff, service).await;
    let patch =
        json!({ "guests_allowed": true, "phone": "+49 30 1234", "address": "Sonnenallee 1\n12047 Berlin" });
    change_business(&salon, patch).await;
    salon
}

pub async fn change_business(salon: &Salon, patch: Value) {
    let answer = salon.api.write(Method::PATCH, "/v1/business", &salon.admin, Some(&patch)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

/// Where a page's redirect leads, as a path of the site.
pub fn target(from: &str, page: &Page) -> String {
    let location = page.header("location");
    assert!(!location.is_empty(), "{} without a location: {}", page.status, page.text);
    let base = reqwest::Url::parse("http://salon.test").unwrap().join(from).unwrap();
    let url = base.join(location).unwrap();
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// The contact of somebody.
pub const ADA: [(&str, &str); 4] = [
    ("name", "Ada Lovelace"),
    ("email", "ada@example.org"),
    ("phone", ""),
    ("note", "By the window,\r\nplease"),
];

pub struct Booking<'a> {
    pub salon: &'a Salon,
}

impl Booking<'_> {
    /// Path of the times with anyone.
    pub fn times(&self) -> String {
        format!("/book/{}/anyone", self.salon.service)
    }

    /// The page of a chosen time: its path with the key, and its token.
    pub async fn choose(&self, start: &str) -> (String, String) {
        let path = format!("{}/{start}", self.times());
        let first = self.salon.get(&path).await;
        assert_eq!(first.status, 303, "{}", first.text);
        let keyed = target(&path, &first);
        let page = self.salon.get(&keyed).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let token = page.field("token").to_owned();
        (keyed, token)
    }

    /// Keeps a time; answers the path of the contact form.
    pub async fn hold(&self, start: &str) -> String {
        let (path, token) = self.choose(start).await;
        let answer = self.salon.submit(&path, &[("token", &token)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        target(&path, &answer)
    }

    pub async fn statuses(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT status::text FROM bookings ORDER BY created_at, id")
            .fetch_all(self.salon.api.database.pool())
            .await
            .unwrap()
    }
}

const NINE: &str = "20270504T0700Z";
const TEN: &str = "20270504T0800Z";

#[tokio::test]
async fn a_guest_books_from_the_list_of_services_to_the_page_of_the_booking() {
    let salon = salon(2, json!({ "category": "Hair", "description": "<script>alert(1)</script>" })).await;
    let book = Booking { salon: &salon };
    let front = salon.get("/").await;
    assert_eq!((front.status.as_u16(), front.header("location")), (302, "book"));
    let services = salon.get("/book").await;
    assert_eq!(services.status, 200);
    for text in [
        "Book an appointment",
        "Salon",
        "<h2>Hair</h2>",
        "Haircut &amp; &lt;b&gt;colour",
        "1 hour",
        "€45.00",
        "Sonnenallee 1<br>",
        "+49 30 1234",
        "09:00–12:00",
        "Closed",
    ] {
        assert!(services.text.contains(text), "{text} in {}", services.text);
    }
    let link = format!("href=\"book/{}/anyone\"", salon.service).replace('/', "&#x2f;");
    assert!(services.text.replace('/', "&#x2f;").contains(&link), "{}", services.text);
    let times = salon.get(&book.times()).await;
    for text in ["Anyone who is free", "Maria 1", "Next free:", "Tuesday, 4 May 2027, 09:00", "Morning"] {
        assert!(times.text.contains(text), "{text} in {}", times.text);
    }
    assert_eq!(book.statuses().await, Vec::<String>::new(), "looking changes nothing");

    let form = book.hold(NINE).await;
    assert_eq!(book.statuses().await, ["held"]);
    let page = salon.get(&form).await;
    assert!(page.text.contains("kept for you until <b>08:10</b>"), "{}", page.text);
    let booked = salon.submit(&form, &ADA).await;
    assert_eq!(booked.status, 303, "{}", booked.text);
    let manage = target(&form, &booked);
    assert!(manage.starts_with("/m/") && manage.ends_with("?done=booked"), "{manage}");
    let page = salon.get(&manage).await;
    assert!(page.text.contains("You are booked.") && page.text.contains("09:00–10:00"), "{}", page.text);
    assert_eq!(book.statuses().await, ["confirmed"]);
    let note: String = sqlx::query_scalar("SELECT customer_note FROM bookings")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    assert_eq!(note, "By the window,\nplease");
    let mails =
        "notifications WHERE kind = 'confirmation' AND recipient = 'ada@example.org' AND locale = 'en'";
    assert_eq!(salon.api.count(mails).await, 1);
}

#[tokio::test]
async fn pressing_twice_going_back_and_loading_again_book_once() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let (path, token) = book.choose(NINE).await;
    let again = salon.get(&path).await;
    assert_eq!(again.field("token"), token, "to load the page again makes no other key");
    let press = || async { salon.submit(&path, &[("token", &token)]).await };
    let (first, second) = tokio::join!(press(), press());
    assert_eq!((first.status.as_u16(), first.header("location")), (303, second.header("location")));
    assert_eq!(book.statuses().await, ["held"]);

    let form = target(&path, &first);
    let send = || async { salon.submit(&form, &ADA).await };
    let (first, second) = tokio::join!(send(), send());
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303), "{} {}", first.text, second.text);
    assert_eq!(first.header("location"), second.header("location"));
    // Back to the form: it leads to the booking, and so does sending it with other words.
    assert_eq!(target(&form, &salon.get(&form).await), target(&form, &first));
    let other = [("name", "Ada"), ("email", "ada@example.net")];
    assert_eq!(target(&form, &salon.submit(&form, &other).await), target(&form, &first));
    // Back to the choice.
    assert_eq!(target(&path, &press().await), form);
    assert_eq!(book.statuses().await, ["confirmed"]);
    assert_eq!(salon.api.count("customers").await, 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_beside_the_field_and_nothing_is_lost() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let form = book.hold(NINE).await;
    let fields = [("name", ""), ("email", "ada"), ("phone", "no \"number\"<i>"), ("note", "<b>hello</b>")];
    let page = salon.submit(&form, &fields).await;
    assert_eq!(page.status, 422);
    for text in [
        "this is needed",
        "name@example.org",
        "3 to 40 digits",
        "aria-describedby=\"email-fault\"",
        "value=\"no &quot;number&quot;&lt;i&gt;\"",
        "&lt;b&gt;hello",
    ] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    assert_eq!(book.statuses().await, ["held"]);
    assert_eq!(salon.submit(&form, &ADA).await.status, 303);
}

#[tokio::test]
async fn a_time_that_somebody_else_took_is_told_with_three_others_and_what_was_written_is_kept() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let (path, token) = book.choose(NINE).await;
    salon.book("09:00").await;
    let answer = salon.submit(&path, &[("token", &token)]).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("This time was just taken"), "{}", answer.text);
    assert_eq!(answer.text.matches("<li><a href").count(), 3, "{}", answer.text);

    // A hold that ran out, and then somebody else took the time.
    let form = book.hold(TEN).await;
    salon.api.clock.advance(TimeDelta::minutes(11));
    salon.book("10:00").await;
    let answer = salon.submit(&form, &ADA).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.text.matches("<li><form method=\"post\"").count(), 3, "{}", answer.text);
    let action = answer.between("<li><form method=\"post\" action=\"", "\"").replace("&#x2f;", "/");
    let path = reqwest::Url::parse("http://salon.test").unwrap().join(&form).unwrap().join(&action).unwrap();
    let hidden =
        ["token", "name", "email", "phone", "note"].map(|name| (name, answer.field(name).to_owned()));
    let fields = hidden.each_ref().map(|(name, value)| (*name, value.as_str()));
    let filled = salon.submit(path.path(), &fields).await;
    assert_eq!(filled.status, 200, "{}", filled.text);
    assert!(
        filled.text.contains("value=\"Ada Lovelace\"") && filled.text.contains("By the window"),
        "{}",
        filled.text
    );
    let action =
        filled.text.rsplit_once("<form method=\"post\" action=\"").unwrap().1.split_once('"').unwrap().0;
    let form = path.join(&action.replace("&#x2f;", "/")).unwrap();
    assert_eq!(salon.submit(form.path(), &ADA).await.status, 303);
}

#[tokio::test]
async fn a_hold_that_ran_out_is_booked_all_the_same_if_nobody_took_the_time() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let form = book.hold(NINE).await;
    salon.api.clock.advance(TimeDelta::minutes(11));
    let over = salon.get(&form).await;
    assert_eq!(over.status, 410);
    assert!(over.text.contains("The ten minutes are over"), "{}", over.text);
    let booked = salon.submit(&form, &ADA).await;
    assert_eq!(booked.status, 303, "{}", booked.text);
    let twice = salon.submit(&form, &ADA).await;
    assert_eq!(twice.header("location"), booked.header("location"), "sent twice it is booked once");
    assert_eq!(book.statuses().await, ["expired", "confirmed"]);
}

#[tokio::test]
async fn a_hold_is_renewed_once_and_given_back() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let form = book.hold(NINE).await;
    salon.api.clock.advance(TimeDelta::minutes(9));
    let renewed = salon.submit(&format!("{form}/renew"), &[]).await;
    assert_eq!(target(&format!("{form}/renew"), &renewed), form);
    let page = salon.get(&form).await;
    assert!(page.text.contains("<b>08:19</b>") && !page.text.contains("/renew\""), "{}", page.text);
    let twice = salon.submit(&format!("{form}/renew"), &[]).await;
    assert_eq!(twice.status, 410);
    assert!(twice.text.contains("It cannot be kept any longer"), "{}", twice.text);
    let released = salon.submit(&format!("{form}/release"), &[]).await;
    assert_eq!(target(&format!("{form}/release"), &released), book.times());
    assert_eq!(book.statuses().await, ["expired"]);
    assert!(salon.get(&book.times()).await.text.contains(NINE), "the time is free again");
}

#[tokio::test]
async fn a_request_that_staff_have_to_confirm_is_called_one() {
    let salon = salon(1, json!({ "requires_confirmation": true })).await;
    let book = Booking { salon: &salon };
    let (path, _) = book.choose(NINE).await;
    assert!(salon.get(&path).await.text.contains("We confirm this appointment ourselves."));
    let form = book.hold(NINE).await;
    assert!(salon.get(&form).await.text.contains("Request this appointment"));
    let manage = target(&form, &salon.submit(&form, &ADA).await);
    let page = salon.get(&manage).await;
    assert!(
        page.text.contains("We have your request") && !page.text.contains("You are booked"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn over_a_limit_a_page_says_when_and_whom_to_call() {
    let limits = [
        ("PUNCTUAL_LIMITS", "on"),
        ("PUNCTUAL_LIMIT_BOOKING_ADDRESS", "2/1h"),
        ("PUNCTUAL_LIMIT_REGISTER_ADDRESS", "off"),
    ];
    let salon = Salon::open_with(1, json!({}), &limits).await;
    change_business(&salon, json!({ "guests_allowed": true, "phone": "+49 30 1234" })).await;
    let book = Booking { salon: &salon };
    let form = book.hold(NINE).await;
    assert_eq!(salon.submit(&form, &ADA).await.status, 303);
    let (path, token) = book.choose(TEN).await;
    let refused = salon.submit(&path, &[("token", &token)]).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    for text in ["many bookings from here", "Please try again in 1 hour.", "tel:+49301234"] {
        assert!(refused.text.contains(text), "{text} in {}", refused.text);
    }
    // What was made before is found again all the same.
    assert_eq!(salon.submit(&form, &ADA).await.status, 303);
}

#[tokio::test]
async fn the_page_speaks_the_visitors_language_and_keeps_it_on_the_way() {
    let german = json!({ "de": { "name": "Haarschnitt", "description": "Waschen, schneiden, föhnen.", "category": "Haar" } });
    let salon = salon(1, json!({ "category": "Hair", "translations": german })).await;
    let book = Booking { salon: &salon };
    let page = salon.see(salon.ask(Method::GET, "/book").header("accept-language", "de-AT")).await;
    assert!(
        page.text.contains("Termin buchen")
            && page.text.contains("Haarschnitt")
            && page.text.contains(">Haar<")
    );
    assert_eq!(page.header("content-language"), "de");
    let times = salon.get(&format!("{}?lang=de", book.times())).await;
    assert!(
        times.text.contains("Vormittag") && times.text.contains("Dienstag, 4. Mai 2027"),
        "{}",
        times.text
    );
    assert!(times.text.contains(&format!("{NINE}?lang=de")), "{}", times.text);
    let form = book.hold(&format!("{NINE}?lang=de")).await;
    assert!(form.ends_with("?lang=de"), "{form}");
    let manage = target(&form, &salon.submit(&form, &ADA).await);
    let page = salon.get(&manage).await;
    assert!(page.text.contains("Ihr Termin ist gebucht."), "{}", page.text);
    let others = "notifications WHERE recipient = 'ada@example.org' AND locale <> 'de'";
    assert_eq!(salon.api.count(others).await, 0);
}

#[tokio::test]
async fn a_visitor_elsewhere_sees_their_own_clock_beside_the_salons() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let times = salon.get(&format!("{}?tz=America/New_York", book.times())).await;
    assert!(times.text.contains("09:00<i>, Your time </i><small>03:00</small>"), "{}", times.text);
    let (path, _) = book.choose(&format!("{NINE}?tz=Asia/Tokyo")).await;
    let page = salon.get(&path).await;
    assert!(page.text.contains("Your time: Tuesday, 4 May 2027, 16:00–17:00"), "{}", page.text);
    let same = salon.get(&format!("{}?tz=Europe/Paris", book.times())).await;
    assert!(!same.text.contains("<small>09:00"), "{}", same.text);
}

#[tokio::test]
async fn classes_show_the_seats_that_are_left() {
    let salon = salon(1, json!({ "capacity": 3 })).await;
    let book = Booking { salon: &salon };
    salon.book("09:00").await;
    let page = salon.get(&book.times()).await;
    assert!(
        page.text.contains("09:00<i>, </i><small>2 seats</small>")
            && page.text.contains("10:00<i>, </i><small>3 seats</small>")
    );
}

#[tokio::test]
async fn a_week_without_times_leads_to_the_next_free_one() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let closed = json!({ "reason": "" });
    for date in ["2027-05-04", "2027-05-05"] {
        let put =
            salon.api.write(Method::PUT, &format!("/v1/closures/{date}"), &salon.admin, Some(&closed)).await;
        assert!(put.status.is_success(), "{:?}", put.body);
    }
    let page = salon.get(&book.times()).await;
    assert!(page.text.contains("There is no free time on these days."), "{}", page.text);
    assert!(page.text.contains("anyone?from=2027-05-11") && page.text.contains("Tuesday, 11 May 2027"));
}

#[tokio::test]
async fn tokens_that_are_not_ours_or_for_something_else_book_nothing() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let (path, token) = book.choose(NINE).await;
    let form = book.hold(TEN).await;
    let hold_token = form.trim_start_matches("/h/");
    for bad in ["", "x", &token[..token.len() - 1], hold_token] {
        let page = salon.submit(&path, &[("token", bad)]).await;
        assert_eq!(page.status, 410, "{bad}: {}", page.text);
    }
    for path in [format!("/h/{token}"), "/h/x".to_owned(), format!("/m/{hold_token}")] {
        assert_eq!(salon.get(&path).await.status, 404, "{path}");
        assert_eq!(salon.submit(&path, &ADA).await.status.as_u16() / 100, 4, "{path}");
    }
    let elsewhere = salon.ask(Method::POST, &form).header("sec-fetch-site", "cross-site").form(&ADA);
    assert_eq!(salon.see(elsewhere).await.status, 403);
    // A form that has lain open for a day.
    salon.api.clock.advance(TimeDelta::hours(25));
    let old = salon.submit(&path, &[("token", &token)]).await;
    assert_eq!(old.status, 410);
    assert!(old.text.contains("This form has grown old"), "{}", old.text);
    assert_eq!(salon.api.count("bookings WHERE status <> 'held' AND status <> 'expired'").await, 0);
}

#[tokio::test]
async fn odd_addresses_are_told_as_pages() {
    let salon = salon(1, json!({})).await;
    let service = &salon.service;
    for path in [
        "/book/x".to_owned(),
        format!("/book/{service}/x"),
        format!("/book/{service}/{service}"),
        format!("/book/{service}/anyone/x"),
        format!("/book/{service}/anyone/{NINE}%00"),
        "/book/00000000-0000-0000-0000-000000000000/anyone".to_owned(),
    ] {
        let page = salon.get(&path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(
            page.text.contains("There is nothing here") && page.text.contains("tel:"),
            "{path}: {}",
            page.text
        );
    }
    let times = format!("/book/{service}/anyone");
    for query in [
        "from=0000-00-00",
        "from=99999-01-01",
        "from=2027-05-04T00:00",
        "tz=Mars/Olympus",
        "lang=xx",
        "embed=x",
        "%zz=%ff",
        "from=1970-01-01",
        "from=9998-12-31",
    ] {
        let page = salon.get(&format!("{times}?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
    }
    let past = Booking { salon: &salon }.choose("20200504T0700Z").await;
    let page = salon.submit(&past.0, &[("token", &past.1)]).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("cannot be booked any more"), "{}", page.text);
}

#[tokio::test]
async fn search_engines_are_told_of_the_business_and_its_services_and_of_nothing_else() {
    let salon = salon(1, json!({ "description": "</script><b>" })).await;
    let book = Booking { salon: &salon };
    let page = salon.get("/book").await;
    assert_eq!(page.header("x-robots-tag"), "");
    assert!(
        page.text.contains("<link rel=\"canonical\" href=\"http:&#x2f;&#x2f;localhost:8080&#x2f;book\">")
    );
    let data: Value =
        serde_json::from_str(page.between("<script type=\"application/ld+json\">", "</script>")).unwrap();
    assert_eq!((&data["@type"], &data["name"]), (&json!("LocalBusiness"), &json!("Salon")));
    assert_eq!(data["makesOffer"][0]["price"], "45.00");
    assert_eq!(data["openingHoursSpecification"][0]["dayOfWeek"], "https://schema.org/Tuesday");
    let times = salon.get(&book.times()).await;
    let data: Value =
        serde_json::from_str(times.between("<script type=\"application/ld+json\">", "</script>")).unwrap();
    assert_eq!((&data["@type"], &data["description"]), (&json!("Service"), &json!("</script><b>")));
    let form = book.hold(NINE).await;
    for path in [form, format!("{}?from=2027-05-05", book.times()), format!("{}?tz=Asia/Tokyo", book.times())]
    {
        let page = salon.get(&path).await;
        assert_eq!(page.header("x-robots-tag"), "noindex", "{path}");
        assert!(!page.text.contains("canonical") && !page.text.contains("ld+json"), "{path}");
    }
    assert!(salon.get("/robots.txt").await.text.contains("Allow: /book"));
}

#[tokio::test]
async fn the_page_can_be_turned_off() {
    let salon = Salon::open_with(1, json!({}), &[("PUNCTUAL_BOOKING_PAGE", "off")]).await;
    for path in ["/", "/book", &format!("/book/{}/anyone", salon.service)] {
        assert_eq!(salon.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn only_sites_that_are_named_may_frame_the_page() {
    let origin = "https://www.salon.example";
    let salon = Salon::open_with(1, json!({}), &[("PUNCTUAL_EMBED_ORIGINS", origin)]).await;
    change_business(&salon, json!({ "guests_allowed": true })).await;
    let plain = salon.get("/book").await;
    assert!(plain.header("content-security-policy").ends_with(&format!("frame-ancestors {origin}")));
    assert_eq!(plain.header("x-frame-options"), "");
    assert!(!plain.text.contains("frame.js"));
    let framed = salon.get(&format!("/book?embed={origin}")).await;
    assert!(
        framed.text.contains("look/frame.js")
            && framed.text.contains("embed=https%3A%2F%2Fwww.salon.example")
    );
    assert!(!salon.get("/book?embed=https://evil.example").await.text.contains("evil"));
    // In a frame the booking is told there; its own page, which moves and cancels, stays out of frames.
    let book = Booking { salon: &salon };
    let form = book.hold(&format!("{NINE}?embed={origin}")).await;
    let done = target(&form, &salon.submit(&form, &ADA).await);
    let page = salon.get(&done).await;
    assert!(page.text.contains("You are booked") && page.text.contains("target=\"_top\""), "{}", page.text);
    let manage = page
        .between("<a class=\"button\" href=\"http:&#x2f;&#x2f;localhost:8080", "\"")
        .replace("&#x2f;", "/");
    let page = salon.get(&manage).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").ends_with("frame-ancestors 'none'"));
    assert_eq!(page.header("x-frame-options"), "DENY");
}

#[tokio::test]
async fn a_page_is_small() {
    let quarter = json!({ "slot_step_min": 5, "duration_min": 5 });
    let salon = salon(2, quarter).await;
    for path in ["/book".to_owned(), Booking { salon: &salon }.times()] {
        let page = salon.get(&path).await;
        assert!(page.text.len() <= 60 * 1024, "{path} has {} bytes", page.text.len());
    }
}

/// A PNG of one pixel, with a comment.
fn png() -> Vec<u8> {
    fn crc(bytes: &[u8]) -> u32 {
        let bit = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
        !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| bit(crc)))
    }
    let chunk = |name: &[u8], data: &[u8]| {
        let body = [name, data].concat();
        [&u32::try_from(data.len()).unwrap().to_be_bytes(), body.as_slice(), &crc(&body).to_be_bytes()]
            .concat()
    };
    let header = [&[0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0][..]].concat();
    let pixels = [0x78, 0x9c, 0x63, 0x60, 0x60, 0x60, 0, 0, 0, 4, 0, 1];
    let parts = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"tEXt", b"Author\0Ada"),
        chunk(b"IDAT", &pixels),
        chunk(b"IEND", b""),
    ];
    parts.concat()
}

async fn put(salon: &Salon, path: &str, media_type: &str, bytes: &[u8]) -> u16 {
    let request = salon.api.request(Method::PUT, path).bearer_auth(&salon.admin.access);
    let answer = salon.api.send(request.header("content-type", media_type).body(bytes.to_vec())).await;
    answer.status.as_u16()
}

#[tokio::test]
async fn the_logo_and_photos_are_shown_and_run_nothing() {
    let salon = salon(2, json!({})).await;
    let hostile = b"<svg onload='alert(1)' viewBox='0 0 9 9'><script>alert(2)</script><rect width='9' height='9'/></svg>";
    assert_eq!(put(&salon, "/v1/business/logo", "image/svg+xml", hostile).await, 204);
    let page = salon.get("/book").await;
    let address = page.between("<img src=\"", "\"").replace("&#x2f;", "/").replace("./", "/");
    let logo = salon.get(&address).await;
    assert_eq!((logo.status.as_u16(), logo.header("content-type")), (200, "image/svg+xml"));
    assert!(logo.text.contains("<rect") && !logo.text.contains("alert"), "{}", logo.text);
    assert!(logo.header("content-security-policy").contains("sandbox"));
    assert!(logo.header("cache-control").contains("immutable"));
    let known = salon.ask(Method::GET, &address).header("if-none-match", logo.header("etag"));
    assert_eq!(salon.see(known).await.status, 304);

    let photo = format!("/v1/staff/{}/photo", salon.staff[0]);
    assert_eq!(put(&salon, &photo, "image/png", &png()).await, 204);
    let times = salon.get(&Booking { salon: &salon }.times()).await;
    assert!(times.text.contains("<img class=\"face\""), "{}", times.text);
    let member = salon.api.get(&format!("/v1/staff/{}", salon.staff[0]), None).await;
    let shown = salon.api.client.get(format!("{}{}", salon.api.url, member.body["photo"].as_str().unwrap()));
    let bytes = shown.send().await.unwrap().bytes().await.unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && !bytes.windows(3).any(|part| part == b"Ada"));

    let too_large = vec![0; 300 * 1024];
    for (path, media_type, bytes, status) in [
        ("/v1/business/logo", "image/png", &b"not a picture"[..], 422),
        ("/v1/business/logo", "image/jpeg", &png(), 415),
        ("/v1/business/logo", "text/html", b"<svg></svg>", 415),
        (photo.as_str(), "image/png", hostile, 422),
        (photo.as_str(), "image/png", &too_large, 413),
        ("/v1/staff/00000000-0000-0000-0000-000000000000/photo", "image/png", &png(), 404),
    ] {
        assert_eq!(put(&salon, path, media_type, bytes).await, status, "{path} {media_type}");
    }
    for path in ["/v1/business/logo", photo.as_str()] {
        assert_eq!(salon.api.write(Method::DELETE, path, &salon.admin, None).await.status, 204);
    }
    assert_eq!(salon.get("/look/logo").await.status, 404);
    assert!(!salon.get("/book").await.text.contains("<img"));
}

#[tokio::test]
async fn a_colour_that_cannot_be_read_is_refused_and_another_is_on_every_page() {
    let salon = salon(1, json!({})).await;
    let light = json!({ "accent_colour": "#ffd400" });
    let refused = salon.api.write(Method::PATCH, "/v1/business", &salon.admin, Some(&light)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.faults()),
        (400, vec!["body /accent_colour low_contrast".to_owned()])
    );
    change_business(&salon, json!({ "accent_colour": "#7A2E52" })).await;
    let id = salon.book("09:00").await;
    for path in ["/book".to_owned(), salon.manage(&id)] {
        let page = salon.get(&path).await;
        assert!(page.text.contains(":root{--brand:#7a2e52;"), "{path}");
    }
}

#[tokio::test]
async fn the_page_of_a_booking_gives_its_calendar_file_and_takes_a_note() {
    let salon = salon(1, json!({ "cancel_notice_min": 120, "reschedule_notice_min": 120 })).await;
    let id = salon.book("09:00").await;
    let path = salon.manage(&id);
    let page = salon.get(&path).await;
    for text in [
        "calendar.google.com",
        "outlook.live.com",
        "openstreetmap.org",
        "until Tuesday, 4 May, 07:00",
        "Book this again",
    ] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    let file = salon.get(&format!("{path}/calendar.ics")).await;
    assert_eq!(file.header("content-type"), "text/calendar; charset=utf-8");
    assert!(
        file.text.contains("DTSTART:20270504T070000Z") && file.text.contains("STATUS:CONFIRMED"),
        "{}",
        file.text
    );

    let saved = salon.submit(&format!("{path}/note"), &[("note", "By the <b>window</b>\r\nplease")]).await;
    assert_eq!(saved.status, 303);
    let page = salon.get(&format!("{path}?done=noted")).await;
    assert!(
        page.text.contains("Your note is saved.") && page.text.contains("By the &lt;b&gt;window"),
        "{}",
        page.text
    );
    assert_eq!(salon.booking(&id).await["customer_note"], "By the <b>window</b>\nplease");
    assert_eq!(salon.booking(&id).await["rev"], 1, "mails that are on their way still stand");
    let long = salon.submit(&format!("{path}/note"), &[("note", &"x".repeat(2001))]).await;
    assert_eq!(long.status, 422);
    assert_eq!(salon.booking(&id).await["customer_note"], "By the <b>window</b>\nplease");
    salon.api.clock.advance(TimeDelta::days(2));
    let late = salon.submit(&format!("{path}/note"), &[("note", "too late")]).await;
    assert_eq!(late.status, 422);
    assert!(!late.text.contains("too late"), "{}", late.text);
}

#[tokio::test]
async fn a_page_that_is_handed_out_again_shows_what_has_changed_since() {
    let salon = salon(1, json!({})).await;
    let path = Booking { salon: &salon }.times();
    let first = salon.get(&path).await;
    let again = salon.get(&path).await;
    assert_eq!((first.text == again.text, first.text.contains(NINE)), (true, true));
    assert_eq!(first.header("content-security-policy"), again.header("content-security-policy"));
    salon.book("09:00").await;
    let page = salon.get(&path).await;
    assert!(!page.text.contains(NINE) && page.text.contains(TEN), "{}", page.text);
    let service = format!("/v1/services/{}", salon.service);
    let renamed = json!({ "name": "Trim" });
    assert_eq!(salon.api.write(Method::PATCH, &service, &salon.admin, Some(&renamed)).await.status, 200);
    assert!(salon.get(&path).await.text.contains("<h1>Trim</h1>"));
    change_business(&salon, json!({ "zone": "America/New_York" })).await;
    let page = salon.get(&path).await;
    assert!(page.text.contains("All times are in America&#x2f;New_York"), "{}", page.text);
    salon.api.clock.advance(TimeDelta::days(2));
    assert!(!salon.get(&path).await.text.contains("Tuesday, 4 May"), "what is over is not shown");
    let german = salon.see(salon.ask(Method::GET, &path).header("accept-language", "de")).await;
    assert_eq!(german.header("content-language"), "de");
}

#[tokio::test]
async fn a_page_made_from_memory_shows_every_change_at_once() {
    let salon = salon(2, json!({})).await;
    let book = Booking { salon: &salon };
    let (admin, staff) = (&salon.admin, &salon.staff);
    let shows = async |path: &str, text: &str| {
        let page = salon.get(path).await;
        assert!(page.text.contains(text), "{path} without {text}: {}", page.text);
    };
    let services = async |text: &str| shows("/book", text).await;
    let times = async |text: &str| shows(&book.times(), text).await;
    services("Sonnenallee").await;
    times("Maria 2").await;

    change_business(&salon, json!({ "phone": "+49 30 9999", "address": "Weg 2" })).await;
    services("+49 30 9999").await;
    times("Weg 2").await;
    let rename = json!({ "name": "Shave" });
    let path = format!("/v1/services/{}", salon.service);
    assert_eq!(salon.api.write(Method::PATCH, &path, admin, Some(&rename)).await.status, 200);
    services("Shave").await;
    let rename = json!({ "name": "Zoë" });
    let path = format!("/v1/staff/{}", staff[1]);
    assert_eq!(salon.api.write(Method::PATCH, &path, admin, Some(&rename)).await.status, 200);
    times("Zoë").await;
    let week = json!({ "windows": [{ "weekday": 6, "start": "13:00", "end": "15:00" }] });
    let put = salon.api.request(Method::PUT, &format!("/v1/staff/{}/hours", staff[1]));
    assert_eq!(salon.api.send(put.bearer_auth(&admin.access).json(&week)).await.status, 200);
    services("13:00–15:00").await;
    times("13:00–15:00").await;
    let logo = salon.api.request(Method::PUT, "/v1/business/logo").header("content-type", "image/svg+xml");
    let logo = logo
        .bearer_auth(&admin.access)
        .body("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9z\"/></svg>");
    assert!(salon.api.send(logo).await.status.is_success());
    services("look&#x2f;logo?v=").await;
    let german = salon.get("/book?lang=de").await;
    assert!(german.text.contains("Termin buchen") && german.text.contains("Geschlossen"), "{}", german.text);
}

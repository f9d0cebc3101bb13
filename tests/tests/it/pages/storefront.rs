//! What the booking page shows of the business: look, pictures, search engines, frames, and its freshness.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::test_booking_page::{ADA, Booking, NINE, TEN, change_business, salon, target};
use super::test_pages::Salon;

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
    // A frame shows the result of the booking; the page that moves and cancels refuses frames.
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
    let known = salon.request(Method::GET, &address).header("if-none-match", logo.header("etag"));
    assert_eq!(salon.send(known).await.status, 304);

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
    let german = salon.send(salon.request(Method::GET, &path).header("accept-language", "de")).await;
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
    let put =
        salon.api.request(Method::PUT, &format!("/v1/staff/{}/hours", staff[1])).header("if-match", "*");
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

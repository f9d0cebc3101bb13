//! `/book` in a real browser: without scripts, by keyboard, on narrow screens, with large text, in German, elsewhere.

use punctual_testkit::browser::{Browser, Look, browser};
use serde_json::{Value, json};

use super::axe::violations;
use super::test_booking_page::change_business;
use super::test_pages::Salon;

const GERMAN: &str = "Haarschnitt";

/// A salon as they are: two who cut hair, several services.
pub async fn busy_salon(settings: &[(&str, &str)]) -> Salon {
    let spec = json!({ "name": "Haircut", "category": "Hair", "description": "Wash, cut and blow-dry.", "slot_step_min": 15,
        "cancel_notice_min": 120, "reschedule_notice_min": 120,
        "translations": { "de": { "name": GERMAN, "category": "Haar" } } });
    let salon = Salon::open_with(2, spec, settings).await;
    let look = json!({ "guests_allowed": true, "phone": "+49 30 1234", "address": "Sonnenallee 1\n12047 Berlin",
        "accent_colour": "#7a2e52" });
    change_business(&salon, look).await;
    let class = json!({ "name": "Braiding class", "category": "Classes", "duration_min": 90, "capacity": 6,
        "price_minor": 2500, "requires_confirmation": true, "position": 2, "staff_ids": [salon.staff[0]] });
    assert_eq!(salon.api.post("/v1/services", Some(&salon.admin), &class).await.status, 201);
    let about = json!({ "about": "Cuts curls since 2009." });
    let path = format!("/v1/staff/{}", salon.staff[0]);
    let patched = salon.api.write(reqwest::Method::PATCH, &path, &salon.admin, Some(&about)).await;
    assert_eq!(patched.status, 200, "{:?}", patched.body);
    salon
}

/// Nothing is wider than the window.
pub async fn fits(browser: &mut Browser) -> bool {
    let fits = "String(document.documentElement.scrollWidth <= window.innerWidth)";
    browser.evaluate(fits).await.unwrap() == "true"
}

/// Keeps pictures of the page for people to look at: on a phone and a desk, by day and in the dark.
pub async fn keep(browser: &mut Browser, name: &str) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pictures/pages");
    std::fs::create_dir_all(&folder).unwrap();
    for (window, look) in [("phone", Look::PHONE), ("desk", Look::DESKTOP)] {
        for (light, look) in [("light", look), ("dark", look.dark())] {
            browser.look(look.picture(1)).await.unwrap();
            let picture = browser.picture().await.unwrap();
            std::fs::write(folder.join(format!("{name}.{window}.{light}.png")), picture).unwrap();
        }
    }
    browser.look(Look::PHONE).await.unwrap();
}

pub async fn only_booking(salon: &Salon) -> Value {
    let id: String = sqlx::query_scalar("SELECT id::text FROM bookings WHERE status <> 'expired'")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    salon.booking(&id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_books_on_a_phone_without_scripts() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    browser.open(&salon.api.url).await.unwrap();
    assert!(browser.address().await.unwrap().ends_with("/book"));
    browser.follow_containing("Haircut").await.unwrap();
    browser.follow_containing("Maria 1").await.unwrap();
    let folded = "String(!document.querySelectorAll('details')[1].open)";
    assert_eq!(browser.evaluate(folded).await.unwrap(), "true", "many times are not shown all at once");
    browser.click_summary(1).await.unwrap();
    browser.follow("Wednesday, 5 May 2027, 09:15").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Haircut with Maria 1"));
    browser.follow("Continue").await.unwrap();
    assert!(browser.text().await.unwrap().contains("kept for you until 08:10"));
    browser.fill("input[name=name]", "Ada Lovelace").await.unwrap();
    browser.fill("input[name=email]", "ada@example").await.unwrap();
    browser.follow("Book now").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Please look at this again"));
    browser.fill("input[name=email]", "ada@example.org").await.unwrap();
    browser.follow("Book now").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("You are booked.") && text.contains("until Wednesday, 5 May, 07:15"), "{text}");
    assert!(browser.address().await.unwrap().contains("/m/"));
    let booking = only_booking(&salon).await;
    assert_eq!(
        (&booking["start"], &booking["staff"]["name"]),
        (&json!("2027-05-05T09:15:00+02:00"), &json!("Maria 1"))
    );

    browser.fill("textarea[name=note]", "Second floor?").await.unwrap();
    browser.follow("Save the note").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Your note is saved."));
    assert_eq!(only_booking(&salon).await["customer_note"], "Second floor?");
    browser.back().await.unwrap();
    browser.follow("Book this again").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Haircut"));
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_books_with_the_keyboard_alone() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    browser.open(&format!("{}/book", salon.api.url)).await.unwrap();
    tab_to(&mut browser, "Haircut").await;
    browser.press_to_follow("Enter").await.unwrap();
    tab_to(&mut browser, "Next free:").await;
    browser.press_to_follow("Enter").await.unwrap();
    tab_to(&mut browser, "Continue").await;
    browser.press_to_follow("Enter").await.unwrap();
    for (field, text) in [("name", "Ada Lovelace"), ("email", "ada@example.org")] {
        tab_to(&mut browser, field).await;
        browser.type_text(text).await.unwrap();
    }
    tab_to(&mut browser, "Book now").await;
    browser.press_to_follow("Enter").await.unwrap();
    assert!(browser.text().await.unwrap().contains("You are booked."));
    assert_eq!(only_booking(&salon).await["status"], "confirmed");
    browser.close().await.unwrap();
}

/// Presses Tab until what has the focus begins with this text or has this id; the focus is seen on
/// the way, which in fields of dates and times is on their parts.
pub async fn tab_to(browser: &mut Browser, wanted: &str) {
    let focused = "(() => { const e = document.activeElement; const style = getComputedStyle(e);
        return JSON.stringify([e.id || (e.innerText || '').replace(/\\s+/g, ' '), e === document.body || style.outlineStyle !== 'none' || ['date', 'time'].includes(e.type)]); })()";
    for _ in 0..80 {
        browser.press("Tab").await.unwrap();
        let seen: Value = serde_json::from_str(&browser.evaluate(focused).await.unwrap()).unwrap();
        assert_eq!(seen[1], true, "the focus is not seen on {}", seen[0]);
        if seen[0].as_str().unwrap().starts_with(wanted) {
            return;
        }
    }
    panic!("Tab does not lead to {wanted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_keeps_the_rules_of_accessibility_and_fits_narrow_screens_and_large_text() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let times = format!("/book/{}/anyone", salon.service);
    let class: String = sqlx::query_scalar("SELECT id::text FROM services WHERE capacity > 1")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    let seats = format!("/book/{class}/anyone");
    let mut pages = vec![
        ("seats", format!("{seats}?seats=2")),
        ("seats-de", format!("{seats}?seats=2&lang=de")),
        ("seats-choice", format!("{seats}/20270504T0700Z?seats=2")),
        ("services", "/book".to_owned()),
        ("services-de", "/book?lang=de".to_owned()),
        ("times", times.clone()),
        ("times-elsewhere", format!("{times}?tz=America/New_York")),
        ("times-none", format!("{times}?from=2027-05-06")),
        ("choice", format!("{times}/20270504T0700Z")),
        ("lost", "/book/nothing".to_owned()),
        ("add", format!("{times}/add")),
        ("add-de", format!("{times}/add?lang=de")),
        ("visit-times", format!("/book/{0},{0}/anyone", salon.service)),
        ("visit", format!("/book/{0},{0}/anyone/20270504T0700Z", salon.service)),
        ("visit-de", format!("/book/{0},{class}/anyone/20270504T0700Z?lang=de", salon.service)),
    ];
    let book = super::test_booking_page::Booking { salon: &salon };
    let form = book.hold("20270504T0700Z").await;
    pages.push(("contact", form.clone()));
    let other = book.hold("20270505T0700Z").await;
    let booked = salon.submit(&other, &super::test_booking_page::ADA).await;
    let manage = super::test_booking_page::target(&other, &booked);
    let token = manage.split_once('?').unwrap().0.to_owned();
    pages.push(("manage", manage));
    pages.push(("move", format!("{token}/move")));
    pages.push(("cancel", format!("{token}/cancel")));
    for (name, path) in pages {
        browser.look(Look::DESKTOP).await.unwrap();
        browser.open(&format!("{}{path}", salon.api.url)).await.unwrap();
        for look in [Look::DESKTOP, Look::DESKTOP.dark(), Look::PHONE] {
            browser.look(look).await.unwrap();
            assert_eq!(violations(&mut browser).await, Vec::<String>::new(), "{name} {look:?}");
        }
        browser.look(Look::NARROW).await.unwrap();
        assert!(fits(&mut browser).await, "{name} is wider than 320 pixels");
        keep(&mut browser, name).await;
        browser.evaluate("document.documentElement.style.fontSize = '200%', ''").await.unwrap();
        assert!(fits(&mut browser).await, "{name} with large text is wider than a phone");
    }
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_books_on_a_page_of_another_site_and_grows_with_its_content() {
    let Some(mut browser) = browser().await else { return };
    let host = host().await;
    let origin = format!("http://127.0.0.1:{}", host.port);
    let salon = busy_salon(&[("PUNCTUAL_EMBED_ORIGINS", &origin)]).await;
    let url = salon.api.url.replace("127.0.0.1", "localhost");
    host.serve(format!(
        "<!doctype html><html lang=en><title>Salon</title><p>Our own site</p>\
         <script src=\"{url}/widget.js\" data-service=\"{}\" async></script>",
        salon.service
    ));
    browser.open(&format!("{origin}/")).await.unwrap();
    browser.wait_for("String(document.querySelector('iframe')?.offsetHeight > 700)").await.unwrap();
    let title = browser.evaluate("document.querySelector('iframe').title").await.unwrap();
    assert_eq!(title, "Book an appointment");
    let source = browser.evaluate("document.querySelector('iframe').src").await.unwrap();
    assert!(
        source.contains(&format!("embed={}", origin.replace(':', "%3A").replace('/', "%2F"))),
        "{source}"
    );
    assert!(source.contains("tz="), "{source}");
    let frames = browser.frames().await.unwrap();
    assert!(frames.iter().any(|address| address.contains("/book/")), "{frames:?}");
    // A message of another origin changes nothing.
    browser.evaluate("window.postMessage({ punctualHeight: 9 }, '*'), ''").await.unwrap();
    let height = browser.evaluate("document.querySelector('iframe').style.height").await.unwrap();
    assert_ne!(height, "9px");
    browser.close().await.unwrap();
}

/// A web server at another origin, with one page.
struct Host {
    port: u16,
    page: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Host {
    fn serve(&self, page: String) {
        *self.page.lock().unwrap() = page;
    }
}

async fn host() -> Host {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let page = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let shown = std::sync::Arc::clone(&page);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let text = shown.lock().unwrap().clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = socket.read(&mut request).await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    text.len()
                );
                let _ = socket.write_all(format!("{head}{text}").as_bytes()).await;
            });
        }
    });
    Host { port, page }
}

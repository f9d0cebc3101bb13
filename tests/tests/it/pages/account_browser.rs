//! The pages of accounts, of links from mails and of errors in a real browser, by the rules of accessibility, on narrow
//! screens, with large text, by keyboard; and every step of a booking on a slow network.

use punctual_core::links::Purpose;
use punctual_testkit::browser::{Browser, Look, browser};
use serde_json::json;

use super::axe::violations;
use super::book_browser::{busy_salon, fits, keep, only_booking, tab_to};
use super::test_pages::Salon;
use crate::api::test_api::PASSWORD;

/// The salon's address under a name with which browsers keep cookies for secure pages.
fn url(salon: &Salon) -> String {
    salon.api.url.replace("127.0.0.1", "localhost")
}

/// Checks the page that is open in every look.
pub async fn check(browser: &mut Browser, name: &str) {
    assert_eq!(faults(browser, name).await, Vec::<String>::new());
}

/// What [`check`] refuses of the page.
pub async fn faults(browser: &mut Browser, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for look in [Look::DESKTOP, Look::DESKTOP.dark(), Look::PHONE] {
        browser.look(look).await.unwrap();
        let broken = violations(browser).await;
        found.extend(broken.into_iter().map(|violation| format!("{name} {look:?}: {violation}")));
    }
    browser.look(Look::NARROW).await.unwrap();
    if !fits(browser).await {
        found.push(format!("{name} is wider than 320 pixels"));
    }
    keep(browser, name).await;
    browser.evaluate("document.documentElement.style.fontSize = '200%', ''").await.unwrap();
    if !fits(browser).await {
        found.push(format!("{name} with large text is wider than a phone"));
    }
    browser.evaluate("document.documentElement.style.fontSize = '', ''").await.unwrap();
    browser.look(Look::DESKTOP).await.unwrap();
    found
}

async fn register(browser: &mut Browser, salon: &Salon) {
    browser.open(&format!("{}/account/register", url(salon))).await.unwrap();
    browser.fill("input[name=name]", "Ada Lovelace").await.unwrap();
    browser.fill("input[name=email]", "ada@example.org").await.unwrap();
    browser.fill("input[name=password]", PASSWORD).await.unwrap();
    browser.follow("Create the account").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Your account was created."));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_an_account_keeps_the_rules_of_accessibility_and_fits() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let open = async |browser: &mut Browser, path: &str| {
        browser.open(&format!("{}{path}", url(&salon))).await.unwrap();
    };
    for (name, path) in [
        ("login", "/account/login"),
        ("register", "/account/register"),
        ("forgotten", "/account/forgotten"),
        ("forgotten-sent", "/account/forgotten?done=sent&lang=de"),
        ("register-de", "/account/register?lang=de"),
        ("links", "/links"),
        ("links-de", "/links?lang=de"),
        ("links-sent", "/links?done=sent"),
    ] {
        open(&mut browser, path).await;
        check(&mut browser, name).await;
    }
    open(&mut browser, "/account/login").await;
    browser.fill("input[name=email]", "ada@example.org").await.unwrap();
    browser.fill("input[name=password]", "wrong").await.unwrap();
    browser.follow("Log in").await.unwrap();
    check(&mut browser, "login-refused").await;

    register(&mut browser, &salon).await;
    check(&mut browser, "appointments-none").await;
    open(&mut browser, &format!("/book/{}/anyone/20270504T0700Z", salon.service)).await;
    browser.follow("Continue").await.unwrap();
    check(&mut browser, "contact-account").await;
    browser.follow("Book now").await.unwrap();
    for (name, path) in [
        ("appointments", "/account"),
        ("appointments-de", "/account?lang=de"),
        ("profile", "/account/profile"),
        ("profile-de", "/account/profile?lang=de"),
    ] {
        open(&mut browser, path).await;
        check(&mut browser, name).await;
    }
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_link_keeps_the_rules_of_accessibility_and_fits() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let staff = json!({ "email": "maria@example.org" });
    let path = format!("/v1/staff/{}", salon.staff[0]);
    assert_eq!(salon.api.write(reqwest::Method::PATCH, &path, &salon.admin, Some(&staff)).await.status, 200);
    let id = salon.book("09:00").await;
    let customer: String = sqlx::query_scalar("SELECT id::text FROM customers")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    let account = json!({ "email": "eve@example.org", "password": PASSWORD, "name": "Eve" });
    assert_eq!(salon.api.post("/v1/auth/register", None, &account).await.status, 201);
    let reset = json!({ "email": "eve@example.org" });
    assert_eq!(salon.api.post("/v1/auth/password-reset", None, &reset).await.status, 202);
    let mail = async |kind: &str| -> String {
        let mail = "SELECT id::text FROM notifications WHERE kind::text = $1";
        sqlx::query_scalar(mail).bind(kind).fetch_one(salon.api.database.pool()).await.unwrap()
    };
    let pages = [
        ("reminders", salon.link(Purpose::Unsubscribe, &customer, 0)),
        ("verify", salon.link(Purpose::VerifyEmail, &mail("verify_email").await, 0)),
        ("password", salon.link(Purpose::SetPassword, &mail("password_reset").await, 0)),
        ("manage-plain", salon.manage(&id)),
        ("error", "/m/nothing".to_owned()),
        ("error-void", "/v/nothing".to_owned()),
        ("reference", "/docs".to_owned()),
        ("reference-operation", "/docs/createBooking".to_owned()),
        ("reference-schema", "/docs/schemas/Booking".to_owned()),
        ("reference-recipes", "/docs/recipes".to_owned()),
    ];
    for (name, path) in pages {
        browser.open(&format!("{}{path}", salon.api.url)).await.unwrap();
        check(&mut browser, name).await;
    }
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_used_and_deleted_without_scripts() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    register(&mut browser, &salon).await;
    browser.open(&format!("{}/book/{}/anyone/20270504T0700Z", url(&salon), salon.service)).await.unwrap();
    browser.follow("Continue").await.unwrap();
    browser.follow("Book now").await.unwrap();
    assert_eq!(only_booking(&salon).await["status"], "confirmed");
    browser.open(&format!("{}/account", url(&salon))).await.unwrap();
    assert!(browser.text().await.unwrap().contains("Tuesday, 4 May 2027"));
    browser.follow("Profile").await.unwrap();
    tab_to(&mut browser, "Delete the account").await;
    browser.press("Enter").await.unwrap();
    browser.fill("#delete", PASSWORD).await.unwrap();
    browser.follow("Delete the account permanently").await.unwrap();
    assert_eq!(
        salon.api.count("users WHERE email = 'ada@example.org'").await,
        1,
        "an appointment is to come"
    );
    assert!(browser.text().await.unwrap().contains("cancel the appointments to come first"));
    browser.follow("My appointments").await.unwrap();
    browser.follow_containing("4 May 2027").await.unwrap();
    browser.follow("Cancel appointment").await.unwrap();
    browser.follow("Yes, cancel it").await.unwrap();
    browser.open(&format!("{}/account/profile", url(&salon))).await.unwrap();
    tab_to(&mut browser, "Delete the account").await;
    browser.press("Enter").await.unwrap();
    browser.fill("#delete", PASSWORD).await.unwrap();
    browser.follow("Delete the account permanently").await.unwrap();
    assert_eq!(salon.api.count("users WHERE email = 'ada@example.org'").await, 0);
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_used_with_the_keyboard_alone() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    register(&mut browser, &salon).await;
    tab_to(&mut browser, "Log out").await;
    browser.press_to_follow("Enter").await.unwrap();
    browser.open(&format!("{}/account/login", url(&salon))).await.unwrap();
    for (field, text) in [("email", "ada@example.org"), ("password", PASSWORD)] {
        tab_to(&mut browser, field).await;
        browser.type_text(text).await.unwrap();
    }
    browser.press_to_follow("Enter").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Nothing is booked."));
    tab_to(&mut browser, "Profile").await;
    browser.press_to_follow("Enter").await.unwrap();
    tab_to(&mut browser, "Delete the account").await;
    browser.press("Enter").await.unwrap();
    tab_to(&mut browser, "delete").await;
    browser.type_text(PASSWORD).await.unwrap();
    browser.press_to_follow("Enter").await.unwrap();
    assert_eq!(salon.api.count("users WHERE email = 'ada@example.org'").await, 0);
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_elsewhere_books_in_german_on_a_slow_phone() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    browser.look(Look::PHONE).await.unwrap();
    browser.slow().await.unwrap();
    // The figures are for docs/benchmarks.md: a machine with other work to do shows later ones.
    let mut paints = Vec::new();
    let mut seen = async |browser: &mut Browser, page: &'static str| {
        paints.push((page, browser.first_paint().await.unwrap()));
    };
    browser.open(&format!("{}/book?lang=de&tz=America%2FNew_York", salon.api.url)).await.unwrap();
    seen(&mut browser, "services").await;
    browser.follow_containing("Haarschnitt").await.unwrap();
    seen(&mut browser, "times").await;
    assert!(browser.text().await.unwrap().contains("03:00"), "their own clock stands beside ours");
    browser.follow_containing("Nächster freier Termin").await.unwrap();
    seen(&mut browser, "choice").await;
    browser.follow("Weiter").await.unwrap();
    seen(&mut browser, "contact").await;
    browser.fill("input[name=name]", "Ada Lovelace").await.unwrap();
    browser.fill("input[name=email]", "ada@example.org").await.unwrap();
    browser.follow("Jetzt buchen").await.unwrap();
    seen(&mut browser, "manage").await;
    assert!(browser.text().await.unwrap().contains("Ihr Termin ist gebucht."));
    assert_eq!(only_booking(&salon).await["status"], "confirmed");
    println!("first contentful paint, ms: {paints:?}");
    browser.close().await.unwrap();
}

//! The desk in a real browser: without scripts on a phone, by the rules of accessibility, in both languages.

use punctual_testkit::TestRedis;
use punctual_testkit::browser::{Browser, Look, browser};

use super::account_browser::faults;
use super::book_browser::{busy_salon, fits};
use super::desk::{TUESDAY, address};
use super::desk_pages::{self, full_day};
use super::test_pages::Salon;
use crate::api::test_api::{PASSWORD, Session};

/// The salon's address under a name with which browsers keep cookies for secure pages.
pub fn url(salon: &Salon) -> String {
    salon.api.url.replace("127.0.0.1", "localhost")
}

pub async fn log_in(browser: &mut Browser, salon: &Salon) {
    log_in_as(browser, salon, &salon.admin).await;
}

pub async fn log_in_as(browser: &mut Browser, salon: &Salon, session: &Session) {
    let email = address(salon, session).await;
    browser.open(&format!("{}/desk/login", url(salon))).await.unwrap();
    browser.fill("input[name=email]", &email).await.unwrap();
    browser.fill("input[name=password]", PASSWORD).await.unwrap();
    browser.follow("Log in").await.unwrap();
}

pub async fn open(browser: &mut Browser, salon: &Salon, path: &str) {
    browser.open(&format!("{}{path}", url(salon))).await.unwrap();
}

/// The pages from `first` on, every second one: two tests share them.
async fn keep_the_rules(first: usize) {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let pages = desk_pages::pages(&salon).await;
    let mut found = Vec::new();
    if first == 0 {
        open(&mut browser, &salon, "/desk/login").await;
        found.extend(faults(&mut browser, "desk-login").await);
    }
    log_in(&mut browser, &salon).await;
    for (name, path) in pages.into_iter().skip(first).step_by(2) {
        open(&mut browser, &salon, &path).await;
        found.extend(faults(&mut browser, name).await);
    }
    assert_eq!(found, Vec::<String>::new());
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_desk_keep_the_rules_of_accessibility_and_fit() {
    keep_the_rules(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_pages_of_the_desk_keep_the_rules_of_accessibility_and_fit() {
    keep_the_rules(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_move_and_cancel_a_booking_on_a_phone_without_scripts() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = full_day(&salon).await;
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    log_in(&mut browser, &salon).await;
    browser.follow("→").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("Tuesday, 4 May 2027") && text.contains("Grace Hopper"), "{text}");
    assert!(fits(&mut browser).await);
    browser.follow_containing("Ada Lovelace").await.unwrap();
    browser.follow("Move").await.unwrap();
    browser.click_summary(1).await.unwrap();
    browser.follow("Wednesday, 5 May 2027, 09:15").await.unwrap();
    browser.follow("Move it to this time").await.unwrap();
    assert!(browser.text().await.unwrap().contains("The appointment was moved."));
    assert_eq!(salon.booking(&id).await["start"], "2027-05-05T09:15:00+02:00");
    browser.follow("Cancel appointment").await.unwrap();
    browser.fill("textarea[name=message]", "Maria is ill. We are sorry.").await.unwrap();
    browser.follow("Yes, cancel it").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("The appointment is cancelled.") && text.contains("Maria is ill."), "{text}");
    assert_eq!(salon.booking(&id).await["status"], "cancelled");
    browser.close().await.unwrap();
}

/// What a colleague books at another browser appears on an open day that is not loaded again.
async fn a_colleague_books(settings: &[(&str, &str)]) {
    let (Some(mut mine), Some(mut theirs)) = (browser().await, browser().await) else { return };
    let salon = busy_salon(settings).await;
    log_in(&mut mine, &salon).await;
    open(&mut mine, &salon, &format!("/desk?date={TUESDAY}")).await;
    mine.evaluate("window.opened = 'once', ''").await.unwrap();
    log_in(&mut theirs, &salon).await;
    let form = format!("/desk/new?service={}&staff={}&start=20270504T0700Z", salon.service, salon.staff[0]);
    open(&mut theirs, &salon, &form).await;
    theirs.fill("input[name=name]", "Grace Hopper").await.unwrap();
    theirs.fill("input[name=phone]", "+49 30 901820").await.unwrap();
    theirs.follow("Book").await.unwrap();
    assert!(theirs.text().await.unwrap().contains("The appointment is booked."));
    mine.wait_for_text("Grace Hopper").await.unwrap();
    theirs.follow("Cancel appointment").await.unwrap();
    theirs.follow("Yes, cancel it").await.unwrap();
    mine.wait_for("String(!document.body.innerText.includes('Grace Hopper'))").await.unwrap();
    assert_eq!(mine.evaluate("String(window.opened)").await.unwrap(), "once");
    theirs.close().await.unwrap();
    mine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_day_shows_what_a_colleague_books_without_being_loaded_again() {
    let Some(redis) = TestRedis::start().await else { return };
    a_colleague_books(&[("REDIS_URL", &redis.url())]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_an_open_day_shows_what_a_colleague_books_too() {
    a_colleague_books(&[]).await;
}

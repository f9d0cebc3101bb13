//! A week at the desk in a real browser: by keyboard alone, in German on a phone.

use chrono::TimeDelta;
use punctual_testkit::browser::{Browser, Look, browser};
use serde_json::Value;

use super::book_browser::{busy_salon, fits, tab_to};
use super::desk::{TUESDAY, address};
use super::desk_browser::{log_in, open, url};
use super::test_pages::Salon;
use crate::api::test_api::PASSWORD;

/// Tabs to something and presses Enter, which leads to another page.
async fn enter(browser: &mut Browser, wanted: &str) {
    tab_to(browser, wanted).await;
    browser.press_to_follow("Enter").await.unwrap();
}

/// Tabs to a field and writes.
async fn write(browser: &mut Browser, field: &str, text: &str) {
    tab_to(browser, field).await;
    browser.type_text(text).await.unwrap();
}

async fn says(browser: &mut Browser, wanted: &str) {
    let text = browser.text().await.unwrap();
    assert!(text.contains(wanted), "{wanted} in {text}");
}

async fn booking_of(salon: &Salon, name: &str) -> Value {
    let id: String = sqlx::query_scalar(
        "SELECT b.id::text FROM bookings b JOIN customers c ON c.id = b.customer_id WHERE c.name = $1",
    )
    .bind(name)
    .fetch_one(salon.api.database.pool())
    .await
    .unwrap();
    salon.booking(&id).await
}

/// By SQL: a day later the tokens of the API have ended.
async fn status(salon: &Salon, id: &str) -> String {
    sqlx::query_scalar("SELECT status::text FROM bookings WHERE id::text = $1")
        .bind(id)
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_at_the_desk_is_done_with_the_keyboard_alone() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    open(&mut browser, &salon, "/desk/login").await;
    let email = address(&salon, &salon.admin).await;
    write(&mut browser, "email", &email).await;
    write(&mut browser, "password", PASSWORD).await;
    browser.press_to_follow("Enter").await.unwrap();

    // By phone: a booking.
    enter(&mut browser, "New appointment").await;
    enter(&mut browser, "Haircut").await;
    enter(&mut browser, "Maria 1").await;
    enter(&mut browser, "Tuesday, 4 May 2027, 09:30").await;
    write(&mut browser, "name", "Grace Hopper").await;
    write(&mut browser, "phone", "+49 30 901820").await;
    enter(&mut browser, "Book").await;
    says(&mut browser, "The appointment is booked.").await;
    assert_eq!(booking_of(&salon, "Grace Hopper").await["start"], "2027-05-04T09:30:00+02:00");

    // It is moved; the times of Wednesday are folded.
    enter(&mut browser, "Move").await;
    tab_to(&mut browser, "Morning").await;
    enter(&mut browser, "Tuesday, 4 May 2027, 10:00").await;
    enter(&mut browser, "Move it to this time").await;
    says(&mut browser, "The appointment was moved.").await;
    assert_eq!(booking_of(&salon, "Grace Hopper").await["start"], "2027-05-04T10:00:00+02:00");

    // It is called off with a message.
    enter(&mut browser, "Cancel appointment").await;
    write(&mut browser, "message", "Maria is ill. We are sorry.").await;
    enter(&mut browser, "Yes, cancel it").await;
    says(&mut browser, "The appointment is cancelled.").await;
    assert_eq!(booking_of(&salon, "Grace Hopper").await["status"], "cancelled");

    // Somebody did not come.
    let id = salon.book("09:00").await;
    salon.api.clock.advance(TimeDelta::hours(25) + TimeDelta::minutes(30));
    open(&mut browser, &salon, &format!("/desk?date={TUESDAY}")).await;
    enter(&mut browser, "09:00 Ada Lovelace").await;
    enter(&mut browser, "Did not come").await;
    says(&mut browser, "Recorded: did not come.").await;
    assert_eq!(status(&salon, &id).await, "no_show");

    // An hour is blocked, for the second of the two.
    enter(&mut browser, "Block time").await;
    tab_to(&mut browser, "staff").await;
    browser.press("ArrowDown").await.unwrap();
    write(&mut browser, "reason", "Dentist").await;
    enter(&mut browser, "Block this time").await;
    says(&mut browser, "The time is blocked.").await;
    let blocked = "time_off JOIN staff ON staff.id = staff_id WHERE staff.name = 'Maria 2'
        AND upper(during) - lower(during) = interval '1 hour'";
    assert_eq!(salon.api.count(blocked).await, 1);
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_at_the_desk_is_done_in_german_on_a_phone_without_scripts() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    log_in(&mut browser, &salon).await;
    browser.open(&format!("{}/desk?date={TUESDAY}&lang=de", url(&salon))).await.unwrap();
    browser.follow("Neuer Termin").await.unwrap();
    browser.follow_containing("Haarschnitt").await.unwrap();
    assert!(fits(&mut browser).await);
    browser.follow("Dienstag, 4. Mai 2027, 09:30").await.unwrap();
    browser.fill("input[name=name]", "Grace Hopper").await.unwrap();
    browser.fill("input[name=phone]", "+49 30 901820").await.unwrap();
    assert!(fits(&mut browser).await);
    browser.follow("Buchen").await.unwrap();
    says(&mut browser, "Der Termin ist gebucht.").await;
    browser.follow("Verschieben").await.unwrap();
    browser.follow("Dienstag, 4. Mai 2027, 10:00").await.unwrap();
    assert!(fits(&mut browser).await);
    browser.follow("Auf diese Zeit verschieben").await.unwrap();
    says(&mut browser, "Der Termin wurde verschoben.").await;
    assert_eq!(booking_of(&salon, "Grace Hopper").await["start"], "2027-05-04T10:00:00+02:00");
    browser.follow("Termin absagen").await.unwrap();
    browser.fill("textarea[name=message]", "Maria ist krank.").await.unwrap();
    browser.follow("Ja, absagen").await.unwrap();
    says(&mut browser, "Der Termin ist abgesagt.").await;
    says(&mut browser, "Maria ist krank.").await;
    assert!(fits(&mut browser).await);
    let id = salon.book("09:00").await;
    salon.api.clock.advance(TimeDelta::hours(25) + TimeDelta::minutes(30));
    browser.open(&format!("{}/desk/b/{id}?lang=de", url(&salon))).await.unwrap();
    browser.follow("Nicht erschienen").await.unwrap();
    assert_eq!(status(&salon, &id).await, "no_show");
    browser.follow("Zeit sperren").await.unwrap();
    browser.fill("input[name=reason]", "Zahnarzt").await.unwrap();
    browser.follow("Diese Zeit sperren").await.unwrap();
    assert_eq!(salon.api.count("time_off WHERE reason = 'Zahnarzt'").await, 1);
    assert!(fits(&mut browser).await);
    browser.close().await.unwrap();
}

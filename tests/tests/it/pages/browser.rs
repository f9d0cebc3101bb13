//! The pages in a real browser: as on a phone, with clicks, without scripts.

use punctual_testkit::browser::browser;
use punctual_testkit::browser::{Browser, Look};
use serde_json::json;

use super::test_pages::Salon;

/// A phone with scripts turned off.
async fn phone() -> Option<Browser> {
    let mut browser = browser().await?;
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    Some(browser)
}

/// Saves pictures of the page in light and dark mode in `target/pictures/pages`.
pub async fn keep(browser: &mut Browser, name: &str) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pictures/pages");
    std::fs::create_dir_all(&folder).unwrap();
    for (light, look) in [("light", Look::PHONE), ("dark", Look::PHONE.dark())] {
        browser.look(look.picture(1)).await.unwrap();
        let picture = browser.picture().await.unwrap();
        std::fs::write(folder.join(format!("{name}.{light}.png")), picture).unwrap();
    }
    browser.look(Look::PHONE).await.unwrap();
}

/// Whether everything is within the screen's width.
async fn fits(browser: &mut Browser) -> bool {
    let fits = "String(document.documentElement.scrollWidth <= window.innerWidth)";
    browser.evaluate(fits).await.unwrap() == "true"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_moves_and_cancels_a_booking_on_a_phone_without_scripts() {
    let Some(mut browser) = phone().await else { return };
    let salon = Salon::open(1, json!({ "name": "Haircut & colour" })).await;
    let id = salon.book("09:00").await;
    browser.open(&format!("{}{}", salon.api.url, salon.manage(&id))).await.unwrap();
    let text = browser.text().await.unwrap();
    for seen in ["Your appointment", "Tuesday, 4 May 2027", "09:00–10:00", "Haircut & colour", "Maria 1"] {
        assert!(text.contains(seen), "{seen} in {text}");
    }
    assert!(fits(&mut browser).await);
    keep(&mut browser, "manage").await;

    browser.follow("Move").await.unwrap();
    assert!(fits(&mut browser).await);
    keep(&mut browser, "move").await;
    browser.click("With anyone who is free").await.unwrap();
    browser.follow("Show free times").await.unwrap();
    assert!(browser.address().await.unwrap().contains("with=anyone"));
    browser.follow("Wednesday, 5 May 2027, 10:00").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Wednesday, 5 May 2027"));
    assert_eq!(salon.booking(&id).await["rev"], 1, "so far it was only looked at");
    browser.follow("Move it to this time").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("Your appointment was moved.") && text.contains("10:00–11:00"), "{text}");
    assert_eq!(salon.booking(&id).await["start"], "2027-05-05T10:00:00+02:00");

    browser.follow("Cancel appointment").await.unwrap();
    browser.follow("No, keep it").await.unwrap();
    assert_eq!(salon.booking(&id).await["status"], "confirmed");
    browser.follow("Cancel appointment").await.unwrap();
    keep(&mut browser, "cancel").await;
    browser.follow("Yes, cancel it").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Your appointment is cancelled."));
    assert_eq!(salon.booking(&id).await["status"], "cancelled");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_ends_reminders_in_the_browser_and_begins_them_again() {
    let Some(mut browser) = phone().await else { return };
    let salon = Salon::open(1, json!({})).await;
    salon.book("09:00").await;
    let id: String = sqlx::query_scalar("SELECT id::text FROM customers")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    let path = salon.link(punctual_core::links::Purpose::Unsubscribe, &id, 0);
    browser.open(&format!("{}{path}", salon.api.url)).await.unwrap();
    browser.follow("No more reminders").await.unwrap();
    assert!(browser.text().await.unwrap().contains("You get no reminders"));
    assert_eq!(salon.api.count("notifications WHERE outcome = 'unwanted'").await, 1);
    browser.follow("Remind me again").await.unwrap();
    assert_eq!(salon.api.count("notifications WHERE outcome = 'unwanted'").await, 0);
    assert!(fits(&mut browser).await);
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_does_not_work_says_so_in_the_browser() {
    let Some(mut browser) = phone().await else { return };
    let salon = Salon::open(1, json!({})).await;
    browser.open(&format!("{}/m/nothing", salon.api.url)).await.unwrap();
    assert!(browser.text().await.unwrap().contains("This link does not work"));
    assert!(fits(&mut browser).await);
    browser.close().await.unwrap();
}

//! `/d/{token}`

use punctual_core::links::Purpose;
use punctual_testkit::browser::Look;
use punctual_testkit::browser::browser;
use reqwest::Method;
use serde_json::json;

use super::account_browser::check;
use super::browser::keep;
use super::test_pages::Salon;

/// A pending booking for Maria, and the path of the link in her mail.
async fn asked() -> (Salon, String, String) {
    let salon = Salon::open(1, json!({ "requires_confirmation": true })).await;
    let pool = salon.api.database.pool();
    sqlx::query("UPDATE staff SET email = 'maria@example.org'").execute(pool).await.unwrap();
    let booking = salon.book("09:00").await;
    let path = link_of(&salon, "recipient = 'maria@example.org'").await;
    (salon, booking, path)
}

/// The path of the matching link in the mail to staff.
async fn link_of(salon: &Salon, fits: &str) -> String {
    let query = format!("SELECT id::text FROM notifications WHERE kind = 'staff_pending' AND {fits}");
    let id: String =
        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(salon.api.database.pool()).await.unwrap();
    salon.link(Purpose::Decide, &id, 0)
}

#[tokio::test]
async fn staff_confirm_by_link_and_looking_confirms_nothing() {
    let (salon, booking, path) = asked().await;
    for below in ["", "?done=confirmed", "/decline"] {
        let page = salon.get(&format!("{path}{below}")).await;
        assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"), "{below}");
        for seen in ["Ada Lovelace", "Tuesday, 4 May 2027", "Maria 1", "Waiting for confirmation"] {
            assert!(page.text.contains(seen), "{seen} in {}", page.text);
        }
        assert!(!page.text.contains("is confirmed."), "nothing is said that is not true");
        let head = salon.send(salon.request(Method::HEAD, &format!("{path}{below}"))).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    }
    assert_eq!(salon.get(&format!("{path}/confirm")).await.status, 303);
    assert_eq!(salon.booking(&booking).await["rev"], 1);

    let page = salon.get(&path).await;
    let answer = salon.submit(&format!("{path}/confirm"), &[("rev", page.field("rev"))]).await;
    assert_eq!(answer.status, 303);
    let token = path.trim_start_matches("/d/");
    assert_eq!(answer.header("location"), format!("../{token}?done=confirmed"));
    let page = salon.get(&format!("{path}?done=confirmed")).await;
    assert!(page.text.contains("The appointment is confirmed.") && !page.text.contains("<form"));
    assert_eq!(salon.booking(&booking).await["status"], "confirmed");
    let events = salon.api.get(&format!("/v1/bookings/{booking}/events"), Some(&salon.admin)).await.body;
    assert_eq!(
        (&events["data"][1]["change"], &events["data"][1]["actor"]),
        (&json!("confirmed"), &json!("staff"))
    );

    // The other button of a page that was already open.
    let stale = salon.submit(&format!("{path}/decline"), &[("rev", "1")]).await;
    assert_eq!(stale.status, 412);
    assert!(stale.text.contains("had changed in the meantime"));
    let again = salon.submit(&format!("{path}/decline"), &[("rev", "2")]).await;
    assert_eq!(again.status, 409);
    assert_eq!(salon.booking(&booking).await["status"], "confirmed");
}

#[tokio::test]
async fn a_link_to_decide_ends_with_who_may_decide() {
    let (salon, booking, path) = asked().await;
    let pool = salon.api.database.pool();
    assert_eq!(salon.get(&path).await.status, 200);
    let manage = salon.manage(&booking).replace("/m/", "/d/");
    let customers = path.replace("/d/", "/m/");
    for bad in [manage.as_str(), &customers, "/d/x", &path[..path.len() - 2]] {
        assert_eq!(salon.get(bad).await.status, 404, "{bad}");
    }
    sqlx::query("UPDATE staff SET email = 'new@example.org'").execute(pool).await.unwrap();
    assert_eq!(salon.get(&path).await.status, 404, "the old mailbox may be somebody else's");
    let post = salon.submit(&format!("{path}/confirm"), &[("rev", "1")]).await;
    assert_eq!((post.status.as_u16(), post.header("content-type")), (404, "text/html; charset=utf-8"));
    sqlx::query("UPDATE staff SET email = 'maria@example.org', active = false").execute(pool).await.unwrap();
    assert_eq!(salon.get(&path).await.status, 404, "she has left");
    assert_eq!(salon.booking(&booking).await["rev"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_decline_on_a_phone_without_scripts() {
    let Some(mut browser) = browser().await else { return };
    let (salon, booking, path) = asked().await;
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    browser.open(&format!("{}{path}", salon.api.url)).await.unwrap();
    assert!(browser.text().await.unwrap().contains("Confirm this appointment?"));
    keep(&mut browser, "decide").await;
    browser.follow("Decline").await.unwrap();
    keep(&mut browser, "decline").await;
    browser.follow("No, not yet").await.unwrap();
    assert_eq!(salon.booking(&booking).await["status"], "pending");
    browser.follow("Decline").await.unwrap();
    browser.follow("Yes, decline it").await.unwrap();
    assert!(browser.text().await.unwrap().contains("The appointment is declined."));
    assert_eq!(salon.booking(&booking).await["status"], "declined");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_on_which_staff_decide_keep_the_rules_of_accessibility_and_fit() {
    let Some(mut browser) = browser().await else { return };
    let (salon, booking, path) = asked().await;
    for (name, below) in [("decide-rules", ""), ("decline-rules", "/decline")] {
        browser.open(&format!("{}{path}{below}", salon.api.url)).await.unwrap();
        check(&mut browser, name).await;
    }
    browser.follow("Yes, decline it").await.unwrap();
    check(&mut browser, "declined-rules").await;
    assert_eq!(salon.booking(&booking).await["status"], "declined");
    browser.close().await.unwrap();
}

//! `/links`, over HTTP: its answers and the mails it plans. The mail itself is tested in `stories::booking_links`.

use serde_json::json;

use super::test_booking_page::{ADA, Booking, salon, target};

const MAILS: &str = "notifications WHERE kind = 'booking_links'";
const OWED: &str =
    "notifications WHERE kind = 'booking_links' AND recipient = 'ada@example.org' AND outcome IS NULL";
const CALLED_OFF: &str =
    "notifications WHERE kind = 'booking_links' AND recipient IS NULL AND outcome = 'cancelled'";

#[tokio::test]
async fn a_mail_with_links_is_owed_once_while_it_waits_and_ends_with_who_asked() {
    let salon = salon(1, json!({})).await;
    let book = Booking { salon: &salon };
    let form = book.hold("20270504T0700Z").await;
    let manage = target(&form, &salon.submit(&form, &ADA).await);
    let ask = async |email: &str| salon.submit("/links", &[("email", email)]).await;
    for email in ["ada@example.org", " ADA@example.org ", "nobody@example.org"] {
        let answer = ask(email).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, "./links?done=sent"),
            "{email}"
        );
    }
    assert!(salon.get("/links?done=sent").await.text.contains("on its way"));
    assert_eq!((salon.api.count(MAILS).await, salon.api.count(OWED).await), (1, 1));

    let cancel = format!("{}/cancel", manage.split_once('?').unwrap().0);
    let rev = salon.get(&cancel).await.field("rev").to_owned();
    assert_eq!(salon.submit(&cancel, &[("rev", &rev)]).await.status, 303);
    let customer: String =
        sqlx::query_scalar("SELECT id::text FROM customers WHERE email = 'ada@example.org'")
            .fetch_one(salon.api.database.pool())
            .await
            .unwrap();
    let path = format!("/v1/customers/{customer}");
    let erased = salon.api.write(reqwest::Method::DELETE, &path, &salon.admin, None).await;
    assert_eq!(erased.status, 204, "{:?}", erased.body);
    assert_eq!(salon.api.count(CALLED_OFF).await, 1, "whoever is erased gets no mail");
}

#[tokio::test]
async fn an_address_that_is_none_is_said_and_kept() {
    let salon = salon(1, json!({})).await;
    for (email, said) in [("", "please fill this in"), ("ada@<b>", "name@example.org")] {
        let page = salon.submit("/links", &[("email", email)]).await;
        assert_eq!(page.status, 422);
        assert!(page.text.contains(said) && !page.text.contains("<b>\""), "{}", page.text);
    }
    assert_eq!(salon.submit("/links", &[]).await.status, 422);
    assert!(salon.get("/links").await.text.contains("autocomplete=\"email\""));
    assert_eq!(salon.api.count(MAILS).await, 0);
}

#[tokio::test]
async fn a_link_that_is_lost_leads_to_where_a_new_one_is_sent() {
    let salon = salon(1, json!({})).await;
    let page = salon.get("/m/nothing").await;
    assert_eq!(page.status, 404);
    assert!(
        page.text.contains("links?lang=en") && page.text.contains("Send me my links again"),
        "{}",
        page.text
    );
    assert!(
        salon.get("/book").await.text.contains("links\">Send me my links again"),
        "the booking page leads there too"
    );
}

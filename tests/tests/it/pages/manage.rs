//! `/m/{token}`

use chrono::TimeDelta;
use punctual_core::links::Purpose;
use reqwest::Method;
use serde_json::json;

use super::test_pages::Salon;

/// All state that a GET must not change.
async fn state(salon: &Salon) -> String {
    let tables = "SELECT jsonb_build_array((SELECT jsonb_agg(b ORDER BY id) FROM bookings b),
        (SELECT jsonb_agg(e ORDER BY booking_id, rev) FROM booking_events e),
        (SELECT jsonb_agg(n ORDER BY id) FROM notifications n), (SELECT jsonb_agg(c ORDER BY id) FROM customers c),
        (SELECT jsonb_agg(s ORDER BY id) FROM staff s))::text";
    sqlx::query_scalar(tables).fetch_one(salon.api.database.pool()).await.unwrap()
}

#[tokio::test]
async fn a_customer_sees_their_booking_by_its_link_and_looking_changes_nothing() {
    let salon = Salon::open(1, json!({})).await;
    let id = salon.book("09:00").await;
    let path = salon.manage(&id);
    let before = state(&salon).await;
    for below in ["", "/cancel", "/move", "/move?date=2027-05-05&with=anyone", "?done=cancelled"] {
        let page = salon.get(&format!("{path}{below}")).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("script"));
        assert!(page.text.contains("Haircut &amp; &lt;b&gt;colour&lt;&#x2f;b&gt;"), "{}", page.text);
        assert!(!page.text.contains("<script") && !page.text.contains("notice_"));
        assert!(!page.text.contains("is cancelled"), "nothing is said that is not true");
        let head = salon.send(salon.request(Method::HEAD, &format!("{path}{below}"))).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    }
    let page = salon.get(&path).await;
    for text in ["Tuesday, 4 May 2027", "09:00–10:00", "Europe&#x2f;Berlin", "Maria 1", "€45.00", "Confirmed"]
    {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    assert_eq!(state(&salon).await, before);
}

#[tokio::test]
async fn a_customer_cancels_by_link_and_the_slot_is_free_again() {
    let salon = Salon::open(1, json!({})).await;
    let id = salon.book("09:00").await;
    let path = salon.manage(&id);
    let question = salon.get(&format!("{path}/cancel")).await;
    let rev = question.field("rev").to_owned();
    let answer = salon.submit(&format!("{path}/cancel"), &[("rev", &rev)]).await;
    assert_eq!(answer.status, 303);
    let token = path.trim_start_matches("/m/");
    assert_eq!(answer.header("location"), format!("../{token}?done=cancelled"));
    let page = salon.get(&format!("{path}?done=cancelled")).await;
    assert!(page.text.contains("Your appointment is cancelled.") && !page.text.contains("/move\""));
    assert_eq!(salon.booking(&id).await["status"], "cancelled");
    let events = salon.api.get(&format!("/v1/bookings/{id}/events"), Some(&salon.admin)).await.body;
    assert_eq!(
        (&events["data"][1]["change"], &events["data"][1]["actor"]),
        (&json!("cancelled"), &json!("guest"))
    );
    let mails = "notifications WHERE kind = 'cancellation' AND outcome IS NULL";
    assert_eq!(salon.api.count(mails).await, 1);
    salon.book("09:00").await;

    // A double click: the booking is cancelled once.
    assert_eq!(salon.submit(&format!("{path}/cancel"), &[("rev", &rev)]).await.status, 303);
    assert_eq!(salon.api.count(mails).await, 1);
}

#[tokio::test]
async fn a_customer_moves_by_link_to_a_time_of_the_list() {
    let salon = Salon::open(2, json!({})).await;
    let id = salon.book("09:00").await;
    let path = salon.manage(&id);
    let list = salon.get(&format!("{path}/move")).await;
    assert!(list.text.contains("Tuesday, 4 May 2027") && list.text.contains("Wednesday, 5 May 2027"));
    let times = list.text.matches("<li><a href").count();
    let link = list.between("<li><a href=\"..", "\"").replace("&amp;", "&").replace("&#x2f;", "/");
    let chosen = salon.get(&format!("/m{link}")).await;
    assert!(chosen.text.contains("Move it to this time"), "{}", chosen.text);
    let fields = ["rev", "start", "staff"].map(|name| (name, chosen.field(name).to_owned()));
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(salon.submit(&format!("{path}/move"), &fields).await.status, 303);
    let booking = salon.booking(&id).await;
    assert_eq!((&booking["rev"], &booking["staff"]["id"]), (&json!(2), &json!(salon.staff[0])));
    assert_eq!(booking["start"].as_str().unwrap().get(..16), Some("2027-05-04T10:00"), "{times} times");
    assert!(salon.get(&format!("{path}?done=moved")).await.text.contains("Your appointment was moved."));

    // The earlier form is outdated: nothing happens, and the page shows the current state.
    let stale = salon.submit(&format!("{path}/move"), &fields).await;
    assert_eq!(stale.status, 412);
    assert!(stale.text.contains("had changed in the meantime") && stale.text.contains("10:00–11:00"));
    assert_eq!(salon.booking(&id).await["rev"], 2);
}

#[tokio::test]
async fn a_taken_time_is_answered_with_alternatives() {
    let salon = Salon::open(1, json!({})).await;
    let id = salon.book("09:00").await;
    salon.book("10:00").await;
    let path = format!("{}/move", salon.manage(&id));
    let start = "2027-05-04T08:00:00Z";
    let taken = salon.submit(&path, &[("rev", "1"), ("start", start), ("staff", &salon.staff[0])]).await;
    assert_eq!(taken.status, 409);
    assert!(taken.text.contains("not free any more") && taken.text.contains("11:00"), "{}", taken.text);
    let odd = [("rev", "1"), ("start", "2027-05-04T08:01:00Z"), ("staff", salon.staff[0].as_str())];
    assert_eq!(salon.submit(&path, &odd).await.status, 422);
    assert_eq!(salon.booking(&id).await["rev"], 1);
}

#[tokio::test]
async fn actions_after_the_notice_are_not_offered_and_refused() {
    let salon = Salon::open(1, json!({ "cancel_notice_min": 1440, "reschedule_notice_min": 60 })).await;
    let id = salon.book("10:00").await;
    let path = salon.manage(&id);
    let offered = async || {
        let text = salon.get(&path).await.text;
        (text.contains("/cancel\""), text.contains("/move\""))
    };
    assert_eq!(offered().await, (true, true));
    salon.api.clock.advance(TimeDelta::hours(3));
    assert_eq!(offered().await, (false, true));
    assert!(salon.get(&path).await.text.contains("cancelled here until 1 day before"));
    assert_eq!(salon.get(&format!("{path}/cancel")).await.status, 303);
    let late = salon.submit(&format!("{path}/cancel"), &[("rev", "1")]).await;
    assert_eq!(late.status, 422);
    assert!(late.text.contains("too late"));
    assert_eq!(salon.api.count("bookings WHERE status = 'confirmed' AND rev = 1").await, 1);
}

#[tokio::test]
async fn a_move_of_a_service_that_staff_confirm_is_pending() {
    let salon = Salon::open(1, json!({ "requires_confirmation": true })).await;
    let id = salon.book("09:00").await;
    let path = salon.manage(&id);
    assert!(salon.get(&path).await.text.contains("Waiting for confirmation"));
    let fields = [("rev", "1"), ("start", "2027-05-05T08:00:00Z"), ("staff", salon.staff[0].as_str())];
    assert_eq!(salon.submit(&format!("{path}/move"), &fields).await.status, 303);
    assert!(salon.get(&format!("{path}?done=moved")).await.text.contains("your request for the new time"));
}

#[tokio::test]
async fn invalid_links_are_reported_in_the_readers_language() {
    let salon = Salon::open(1, json!({})).await;
    let id = salon.book("09:00").await;
    let good = salon.manage(&id);
    let revoked = salon.link(Purpose::Manage, &id, 1);
    let another = salon.link(Purpose::Unsubscribe, &id, 0).replace("/u/", "/m/");
    let cut = &good[..good.len() - 2];
    for bad in [revoked.as_str(), &another, cut, "/m/x", "/m/", &format!("{good}/nothing")] {
        let page =
            salon.send(salon.request(Method::GET, bad).header("accept-language", "de-DE,en;q=0.5")).await;
        assert_eq!(
            (page.status.as_u16(), page.header("content-type")),
            (404, "text/html; charset=utf-8"),
            "{bad}"
        );
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(
            page.text.contains("<html lang=\"de\">") && page.text.contains("Dieser Link funktioniert nicht")
        );
        assert!(!page.text.contains(good.trim_start_matches("/m/")));
    }
    let put = salon.send(salon.request(Method::PUT, &good)).await;
    assert_eq!((put.status.as_u16(), put.header("allow")), (405, "GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let salon = Salon::open(1, json!({})).await;
    let id = salon.book("09:00").await;
    let path = format!("{}/cancel", salon.manage(&id));
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = salon.request(Method::POST, &path).header(name, value).form(&[("rev", "1")]);
        let page = salon.send(request).await;
        assert_eq!(page.status, 403);
        assert!(page.text.contains("another site"));
    }
    let bad = salon.submit(&path, &[("rev", "x")]).await;
    assert_eq!((bad.status.as_u16(), bad.header("content-type")), (400, "text/html; charset=utf-8"));
    assert_eq!(salon.booking(&id).await["status"], "confirmed");
}

#[tokio::test]
async fn the_page_speaks_the_customer_s_language_whatever_the_browser_asks_for() {
    let salon = Salon::open(1, json!({})).await;
    let patch = salon.api.request(Method::PATCH, "/v1/me").bearer_auth(&salon.customer.access);
    let patch = patch.json(&json!({ "locale": "de", "zone": "America/New_York" }));
    assert_eq!(salon.api.send(patch).await.status, 200);
    let id = salon.book("09:00").await;
    let request = salon.request(Method::GET, &salon.manage(&id)).header("accept-language", "en");
    let page = salon.send(request).await;
    for text in
        ["lang=\"de\"", "Dienstag, 4. Mai 2027", "Bestätigt", "Ihre Zeit", "03:00–04:00 Uhr", "45,00 €"]
    {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
}

//! API keys at the desk.

use super::desk::{Visitor, salon};
use super::test_booking_page::target;
use super::test_pages::Salon;
use crate::api::test_api::Session;

async fn status(salon: &Salon, path: &str, key: &str) -> u16 {
    let program = Session { access: key.to_owned(), refresh: String::new() };
    salon.api.get(path, Some(&program)).await.status.as_u16()
}

#[tokio::test]
async fn an_administrator_makes_a_key_that_is_shown_once_and_revokes_it() {
    let salon = salon().await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    let empty = [("name", ""), ("last_day", "2027-05-01")];
    let refused = visitor.send("/desk/keys", &empty).await;
    assert_eq!(refused.status, 422);
    for said in ["that day has passed", "choose at least one", "value=\"2027-05-01\""] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    assert_eq!(salon.api.count("api_keys").await, 0);

    // Today is Monday; the key ends with Tuesday, in Berlin.
    let wish = [
        ("name", "Till & <b>CRM</b>"),
        ("last_day", "2027-05-04"),
        ("scope", "bookings:read"),
        ("scope", "events:read"),
    ];
    let made = visitor.send("/desk/keys", &wish).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.header("cache-control"), "no-store");
    let key = made.between("readonly autocomplete=\"off\" spellcheck=\"false\" value=\"", "\"").to_owned();
    assert!(key.starts_with("pk_"), "{key}");
    assert_eq!(status(&salon, "/v1/bookings", &key).await, 200);
    assert_eq!(status(&salon, "/v1/customers", &key).await, 403);
    let ends: String =
        sqlx::query_scalar("SELECT expires_at::timestamptz AT TIME ZONE 'UTC' || '' FROM api_keys")
            .fetch_one(salon.api.database.pool())
            .await
            .unwrap();
    assert_eq!(ends, "2027-05-04 22:00:00");

    let list = visitor.get("/desk/keys").await;
    assert!(!list.text.contains(&key), "it is shown once");
    for seen in ["Till &amp; &lt;b&gt;CRM", "bookings:read, events:read", "Tuesday, 4 May 2027", "last used"]
    {
        assert!(list.text.contains(seen), "{seen}: {}", list.text);
    }
    let german = visitor.get("/desk/keys?lang=de").await;
    assert!(german.text.contains("Dienstag, 4. Mai 2027"), "{}", german.text);

    let id = list.between("name=\"revoke\" value=\"", "\"").to_owned();
    let revoked = visitor.send("/desk/keys", &[("revoke", &id)]).await;
    assert_eq!(target("/desk/keys", &revoked), "/desk/keys?done=revoked");
    assert_eq!(status(&salon, "/v1/bookings", &key).await, 401);
    let list = visitor.get("/desk/keys?done=revoked").await;
    assert!(
        list.text.contains("The key is revoked.") && !list.text.contains("name=\"revoke\""),
        "{}",
        list.text
    );
}

#[tokio::test]
async fn keys_are_listed_in_pages_the_newest_first() {
    let salon = salon().await;
    let visitor = Visitor::of(&salon, &salon.admin).await;
    for number in 1..=51 {
        let name = format!("Key {number} of many");
        let wish = serde_json::json!({ "name": name, "scopes": ["events:read"] });
        assert_eq!(salon.api.post("/v1/api-keys", Some(&salon.admin), &wish).await.status, 201);
        // Ids are in the order of time, not within one instant.
        salon.api.clock.advance(chrono::TimeDelta::seconds(1));
    }
    let first = visitor.get("/desk/keys").await;
    assert!(first.text.contains("Key 51 of many") && !first.text.contains("Key 1 of many"), "{}", first.text);
    let href = first.between("<p><a href=\"", "\"").replace("&#x2f;", "/");
    let next = format!("/desk/keys{}", &href[href.find('?').unwrap()..]);
    let second = visitor.get(&next).await;
    assert!(
        second.text.contains("Key 1 of many") && !second.text.contains("Key 2 of many"),
        "{}",
        second.text
    );

    let page = salon.api.get("/v1/api-keys?limit=50", Some(&salon.admin)).await;
    assert_eq!(page.body["data"].as_array().unwrap().len(), 50);
    let path = format!("/v1/api-keys?cursor={}", page.body["next_cursor"].as_str().unwrap());
    let last = salon.api.get(&path, Some(&salon.admin)).await;
    assert_eq!(last.body["data"][0]["name"], "Key 1 of many");
    assert!(last.body["next_cursor"].is_null() && last.body["data"].as_array().unwrap().len() == 1);
}

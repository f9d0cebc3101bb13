//! `/account`: somebody who has an account, over HTTP.

use reqwest::Method;
use serde_json::json;

use super::test_booking_page::{Booking, change_business, target};
use super::test_pages::{Page, Salon};
use crate::api::test_api::PASSWORD;

/// A browser that keeps one cookie.
struct Visitor<'a> {
    salon: &'a Salon,
    cookie: String,
}

impl Visitor<'_> {
    async fn get(&self, path: &str) -> Page {
        self.salon.send(self.salon.request(Method::GET, path).header("cookie", &self.cookie)).await
    }

    async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.salon.request(Method::POST, path).header("cookie", &self.cookie);
        let page = self.salon.send(request.header("sec-fetch-site", "same-origin").form(fields)).await;
        if let Some((cookie, _)) = page.header("set-cookie").split_once(';') {
            cookie.clone_into(&mut self.cookie);
        }
        page
    }

    /// Submits a form of the session.
    async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.get("/account/profile").await.field("form_token").to_owned();
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.submit(path, &all).await
    }
}

async fn ada(salon: &Salon) -> Visitor<'_> {
    let mut visitor = Visitor { salon, cookie: String::new() };
    let fields = [("name", "Ada Lovelace"), ("email", "ada@example.org"), ("password", PASSWORD)];
    let made = visitor.submit("/account/register", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let cookie = made.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-account=") && cookie.contains("; Secure; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    visitor
}

#[tokio::test]
async fn who_is_not_logged_in_is_led_to_the_login() {
    let salon = Salon::open(1, json!({})).await;
    for path in ["/account", "/account/profile", "/account/export"] {
        assert_eq!(target(path, &salon.get(path).await), "/account/login");
    }
    for path in ["/account/profile", "/account/password", "/account/logout", "/account/delete"] {
        assert_eq!(target(path, &salon.submit(path, &[]).await), "/account/login");
    }
    let mut visitor = ada(&salon).await;
    let without = visitor.submit("/account/delete", &[("password", PASSWORD)]).await;
    assert_eq!(without.status, 403, "a form of another site has no token of the session");
    assert_eq!(visitor.get("/account").await.status, 200);
}

#[tokio::test]
async fn an_account_logs_in_by_its_password_and_out_again() {
    let salon = Salon::open(1, json!({})).await;
    let mut visitor = ada(&salon).await;
    let page = visitor.get("/account").await;
    assert!(page.text.contains("Ada Lovelace") && page.text.contains("not confirmed yet"), "{}", page.text);
    let old = visitor.cookie.clone();
    assert_eq!(visitor.send("/account/logout", &[]).await.status, 303);
    visitor.cookie = old;
    assert_eq!(visitor.get("/account").await.status, 303, "the session is over, whoever has its cookie");

    let wrong =
        visitor.submit("/account/login", &[("email", "ada@example.org"), ("password", "wrong horse")]).await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.text.contains("Wrong e-mail address or password") && wrong.text.contains("ada@example.org")
    );
    let right =
        visitor.submit("/account/login", &[("email", "ADA@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(target("/account/login", &right), "/account");
    let mut elsewhere = Visitor { salon: &salon, cookie: visitor.cookie.clone() };
    assert_eq!(elsewhere.send("/account/logout", &[("everywhere", "1")]).await.status, 303);
    assert_eq!(visitor.get("/account").await.status, 303);
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_said_and_nothing_is_lost() {
    let salon = Salon::open(1, json!({})).await;
    drop(ada(&salon).await);
    let mut visitor = Visitor { salon: &salon, cookie: String::new() };
    for (email, password, said) in [
        ("ada@example.org", PASSWORD, "there is an account with this address"),
        ("bob@example.org", "short", "fewer than 8 characters"),
        ("bob", PASSWORD, "name@example.org"),
    ] {
        let fields = [("name", "Bob <b>"), ("email", email), ("password", password)];
        let page = visitor.submit("/account/register", &fields).await;
        assert_eq!(page.status, 422, "{email}");
        assert!(page.text.contains(said) && page.text.contains("Bob &lt;b&gt;"), "{said} in {}", page.text);
        assert!(!page.text.contains(password), "a password is not shown");
    }
}

#[tokio::test]
async fn who_forgot_the_password_asks_for_a_link_where_they_log_in() {
    let salon = Salon::open(1, json!({})).await;
    drop(ada(&salon).await);
    assert!(salon.get("/account/login").await.text.contains("Forgot your password?"));
    for email in ["nobody@example.org", "ada@example.org"] {
        let answer = salon.submit("/account/forgotten", &[("email", email)]).await;
        assert_eq!(target("/account/forgotten", &answer), "/account/forgotten?done=sent", "{email}");
    }
    assert!(salon.get("/account/forgotten?done=sent").await.text.contains("on its way"));
    let mails = "notifications WHERE kind = 'password_reset' AND recipient = 'ada@example.org'";
    assert_eq!(salon.api.count(mails).await, 1);
    assert_eq!(salon.api.count("notifications WHERE kind = 'password_reset'").await, 1);
    let bad = salon.submit("/account/forgotten", &[("email", "ada@<b>")]).await;
    assert!(bad.status == 422 && bad.text.contains("name@example.org"), "{}", bad.text);
}

#[tokio::test]
async fn an_account_books_where_guests_cannot_and_finds_its_appointments() {
    let salon = Salon::open(1, json!({})).await;
    change_business(&salon, json!({ "phone": "+49 30 1234" })).await;
    let book = Booking { salon: &salon };
    let (path, token) = book.choose("20270504T0700Z").await;
    let refused = salon.submit(&path, &[("token", &token)]).await;
    assert_eq!(refused.status, 401);
    assert!(
        refused.text.contains("Only with an account") && refused.text.contains("account/login"),
        "{}",
        refused.text
    );

    let mut visitor = ada(&salon).await;
    let held = visitor.submit(&path, &[("token", &token)]).await;
    let form = target(&path, &held);
    let page = visitor.get(&form).await;
    assert!(page.text.contains("name=\"note\"") && !page.text.contains("name=\"email\""), "{}", page.text);
    assert!(page.text.contains("Who comes, if not you"), "{}", page.text);
    let long = "Byron ".repeat(40);
    let refused = visitor.submit(&form, &[("note", "Hello"), ("for_whom", &long)]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("for_whom-fault") && refused.text.contains("Hello"), "{}", refused.text);
    let booked = visitor.submit(&form, &[("note", "Hello"), ("for_whom", "Annabella Byron")]).await;
    assert_eq!(booked.status, 303, "{}", booked.text);
    let comes: String = sqlx::query_scalar("SELECT for_whom FROM bookings WHERE status = 'confirmed'")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    assert_eq!(comes, "Annabella Byron");
    let list = visitor.get("/account").await;
    assert!(
        list.text.contains("Tuesday, 4 May 2027, 09:00–10:00") && list.text.contains("Book this again"),
        "{}",
        list.text
    );
    let manage = list.between("<li class=\"appointment\"><a href=\".", "\"").replace("&#x2f;", "/");
    assert_eq!(visitor.get(&manage).await.status, 200, "{manage}");
    let owner: String = sqlx::query_scalar(
        "SELECT u.email::text FROM bookings b JOIN customers c ON c.id = b.customer_id JOIN users u ON u.id = c.user_id",
    )
    .fetch_one(salon.api.database.pool())
    .await
    .unwrap();
    assert_eq!(owner, "ada@example.org");

    let kept = visitor.send("/account/delete", &[("password", PASSWORD)]).await;
    assert_eq!(target("/account/delete", &kept), "/account/profile?done=bookings");
    let rev = visitor.get(&format!("{manage}/cancel")).await.field("rev").to_owned();
    assert_eq!(visitor.submit(&format!("{manage}/cancel"), &[("rev", &rev)]).await.status, 303);
    let wrong = visitor.send("/account/delete", &[("password", "wrong horse")]).await;
    assert_eq!(target("/account/delete", &wrong), "/account/profile?done=wrong");
    let gone = visitor.send("/account/delete", &[("password", PASSWORD)]).await;
    assert_eq!(target("/account/delete", &gone), "/book");
    assert_eq!(salon.api.count("users WHERE email = 'ada@example.org'").await, 0);
}

#[tokio::test]
async fn profile_password_and_data_are_the_owners() {
    let salon = Salon::open(1, json!({})).await;
    let mut visitor = ada(&salon).await;
    let fields = [("name", "Ada King"), ("phone", "+44 20 1234"), ("language", "de")];
    assert_eq!(visitor.send("/account/profile", &fields).await.status, 303);
    let page = visitor.get("/account/profile?done=saved").await;
    assert!(
        page.text.contains("value=\"Ada King\"") && page.text.contains("value=\"de\" selected"),
        "{}",
        page.text
    );
    let bad = visitor.send("/account/profile", &[("name", ""), ("phone", "x"), ("language", "")]).await;
    assert_eq!(bad.status, 422);

    let (weak, new) = ("password1", "another good passphrase");
    let answer = visitor.send("/account/password", &[("password", PASSWORD), ("new_password", weak)]).await;
    assert!(answer.header("location").contains("done=password_"), "{}", answer.header("location"));
    let old = visitor.cookie.clone();
    let answer = visitor.send("/account/password", &[("password", PASSWORD), ("new_password", new)]).await;
    assert_eq!(target("/account/password", &answer), "/account?done=password");
    assert_eq!(visitor.get("/account").await.status, 200);
    visitor.cookie = old;
    assert_eq!(visitor.get("/account").await.status, 303, "other sessions have ended");
    let again = visitor.submit("/account/login", &[("email", "ada@example.org"), ("password", new)]).await;
    assert_eq!(again.status, 303);
    let file = visitor.get("/account/export").await;
    assert!(file.header("content-disposition").contains("account.json") && file.text.contains("Ada King"));
}

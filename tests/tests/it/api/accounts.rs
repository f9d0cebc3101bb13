//! Account links in mails, and what owners do without them.

use chrono::TimeDelta;
use punctual_core::links::{Link, Purpose};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::test_api::{PASSWORD, Session};
use super::{Salon, TestApi, brief};

const NEW: &str = "another password of hers";

impl TestApi {
    /// The tokens of the links in mails of this kind to this address, oldest first.
    async fn tokens(&self, kind: &str, email: &str) -> Vec<String> {
        let rows =
            "SELECT id, rev FROM notifications WHERE kind = $1::notification_kind AND recipient = $2::citext
                    ORDER BY created_at, id";
        let rows: Vec<(Uuid, i32)> =
            sqlx::query_as(rows).bind(kind).bind(email).fetch_all(self.database.pool()).await.unwrap();
        let purpose = if kind == "verify_email" { Purpose::VerifyEmail } else { Purpose::SetPassword };
        rows.into_iter().map(|(id, epoch)| Link { purpose, id, epoch }.token(&self.links)).collect()
    }

    async fn verify(&self, token: &str) -> (u16, String) {
        let body = json!({ "token": token, "password": PASSWORD });
        let answer = self.post("/v1/auth/verify-email", None, &body).await;
        (answer.status.as_u16(), answer.code().to_owned())
    }

    async fn set_password(&self, token: &str, password: &str) -> (u16, String) {
        let body = json!({ "token": token, "password": password });
        let answer = self.post("/v1/auth/password-reset/confirm", None, &body).await;
        (answer.status.as_u16(), answer.code().to_owned())
    }

    async fn ask_for_reset(&self, email: &str) {
        let asked = self.post("/v1/auth/password-reset", None, &json!({ "email": email })).await;
        assert_eq!((asked.status.as_u16(), &asked.body), (202, &Value::Null));
    }

    async fn log_in(&self, email: &str, password: &str) -> u16 {
        let body = json!({ "email": email, "password": password });
        self.post("/v1/auth/login", None, &body).await.status.as_u16()
    }

    /// Whether the session can be refreshed, and whether its access token can still write.
    async fn lives(&self, session: &Session) -> (bool, bool) {
        let patch = json!({ "name": "Ada" });
        let request = self.request(Method::PATCH, "/v1/me").bearer_auth(&session.access).json(&patch);
        let writes = self.send(request).await;
        assert!(writes.status == 200 || writes.code() == "session_ended", "{}", writes.body);
        let refresh = json!({ "refresh_token": session.refresh });
        let refreshed = self.post("/v1/auth/refresh", None, &refresh).await;
        assert!(refreshed.status == 200 || refreshed.code() == "invalid_refresh_token", "{}", refreshed.body);
        (refreshed.status == 200, writes.status == 200)
    }
}

fn void() -> (u16, String) {
    (410, "link_void".to_owned())
}

fn done() -> (u16, String) {
    (204, String::new())
}

#[tokio::test]
async fn bookings_of_a_guest_belong_to_the_account_once_its_address_is_proven() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let allow = json!({ "guests_allowed": true });
    assert_eq!(api.write(Method::PATCH, "/v1/business", &salon.admin, Some(&allow)).await.status, 200);
    for (time, email) in [("09:00", "grace@example.org"), ("10:00", "alan@example.org")] {
        let mut wish = salon.wish(time);
        wish["contact"] = json!({ "email": email, "name": "A guest" });
        let booked = api.create("/v1/bookings", None, &wish).await;
        assert_eq!(booked.status, 201, "{}", booked.body);
    }
    api.register("grace@example.org").await;
    let grace = api.login("grace@example.org").await;
    let own = async || {
        let list = api.get("/v1/bookings", Some(&grace)).await.body;
        let starts = list["data"].as_array().unwrap().iter();
        starts.map(|booking| booking["start"].as_str().unwrap()[11..16].to_owned()).collect::<Vec<_>>()
    };
    assert!(own().await.is_empty(), "anybody can sign up with any address");
    let token = api.tokens("verify_email", "grace@example.org").await.remove(0);
    assert_eq!(api.verify(&token).await, done());
    assert_eq!(own().await, ["09:00"]);
    assert!(api.get("/v1/me", Some(&grace)).await.body["email_verified"] == true);
    assert_eq!(api.verify(&token).await, void(), "once");
}

#[tokio::test]
async fn a_link_is_void_when_it_is_old_or_for_something_else_or_changed() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let ada = api.login("ada@example.org").await;
    let verify = api.tokens("verify_email", "ada@example.org").await.remove(0);
    api.ask_for_reset("ada@example.org").await;
    let reset = api.tokens("password_reset", "ada@example.org").await.remove(0);
    for bad in [reset.as_str(), &verify[1..], &format!("{verify}A"), "x"] {
        assert_eq!(api.verify(bad).await, void(), "{bad}");
    }
    assert_eq!(api.set_password(&verify, NEW).await, void());
    api.clock.advance(TimeDelta::minutes(61));
    assert_eq!(api.set_password(&reset, NEW).await, void(), "after an hour");
    api.clock.advance(TimeDelta::days(3));
    assert_eq!(api.verify(&verify).await, void(), "after three days");
    assert_eq!(api.log_in("ada@example.org", PASSWORD).await, 200);

    let ada = api.post("/v1/auth/refresh", None, &json!({ "refresh_token": ada.refresh })).await.body;
    let ada = Session { access: ada["access_token"].as_str().unwrap().to_owned(), refresh: String::new() };
    let resend = async || api.post("/v1/auth/verify-email/resend", Some(&ada), &json!({})).await.status;
    assert_eq!(resend().await, 202);
    let tokens = api.tokens("verify_email", "ada@example.org").await;
    assert_eq!((tokens.len(), api.verify(&tokens[1]).await), (2, done()));
    assert_eq!(resend().await, 202);
    assert_eq!(api.tokens("verify_email", "ada@example.org").await.len(), 2, "it is proven");
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_and_voids_all_links() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let (phone, laptop) = (api.login("ada@example.org").await, api.login("ada@example.org").await);
    api.ask_for_reset("nobody@example.org").await;
    assert_eq!(api.count("notifications").await, 1, "no mail to whom we do not know");
    api.ask_for_reset("ADA@example.org").await;
    api.ask_for_reset("ada@example.org").await;
    let tokens = api.tokens("password_reset", "ada@example.org").await;
    let weak = json!({ "token": tokens[0], "password": "Password1" });
    let weak = api.post("/v1/auth/password-reset/confirm", None, &weak).await;
    assert_eq!((weak.code(), weak.faults()), ("unprocessable", vec!["body /password breached".to_owned()]));
    assert_eq!(api.set_password(&tokens[1], NEW).await, done());
    assert_eq!(api.set_password(&tokens[1], PASSWORD).await, void(), "once");
    assert_eq!(api.set_password(&tokens[0], PASSWORD).await, void(), "the other one too");
    assert_eq!(
        (api.log_in("ada@example.org", PASSWORD).await, api.log_in("ada@example.org", NEW).await),
        (401, 200)
    );
    assert_eq!((api.lives(&phone).await, api.lives(&laptop).await), ((false, false), (false, false)));
    assert_eq!(
        api.count("users WHERE email_verified_at IS NOT NULL").await,
        1,
        "the link proves the address"
    );
    assert_eq!(api.count("notifications WHERE outcome IS NULL").await, 0, "no mail with a void link is sent");
    assert_eq!(api.count("queue.jobs WHERE state <> 'cancelled'").await, 0);
}

#[tokio::test]
async fn two_uses_of_one_link_at_once_set_one_password() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    api.ask_for_reset("ada@example.org").await;
    let token = api.tokens("password_reset", "ada@example.org").await.remove(0);
    let (one, other) =
        tokio::join!(api.set_password(&token, NEW), api.set_password(&token, "and another one"));
    let mut answers = [one, other];
    answers.sort();
    assert_eq!(answers, [done(), void()]);
}

#[tokio::test]
async fn changing_the_password_keeps_the_owners_session_and_ends_all_others() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let (ada, other) = (api.login("ada@example.org").await, api.login("ada@example.org").await);
    api.ask_for_reset("ada@example.org").await;
    let change = async |session: &Session, current: &str, password: &str| {
        let body = json!({ "current_password": current, "password": password });
        api.post("/v1/me/password", Some(session), &body).await
    };
    let wrong = change(&ada, "not her password", NEW).await;
    assert_eq!(brief(&wrong), (401, "invalid_credentials"));
    for (password, code) in [("iloveyou1", "breached"), ("ada@example.org", "personal")] {
        let weak = change(&ada, PASSWORD, password).await;
        assert_eq!(
            (brief(&weak), weak.faults()),
            ((422, "unprocessable"), vec![format!("body /password {code}")])
        );
    }
    assert_eq!(api.lives(&other).await, (true, true), "nothing has happened yet");

    let changed = change(&ada, PASSWORD, NEW).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let token = |name: &str| changed.body[name].as_str().unwrap().to_owned();
    let session = Session { access: token("access_token"), refresh: token("refresh_token") };
    assert_eq!((api.lives(&ada).await, api.lives(&other).await), ((false, false), (false, false)));
    assert_eq!(api.lives(&session).await, (true, true));
    assert_eq!(
        (api.log_in("ada@example.org", PASSWORD).await, api.log_in("ada@example.org", NEW).await),
        (401, 200)
    );
    let reset = api.tokens("password_reset", "ada@example.org").await.remove(0);
    assert_eq!(api.set_password(&reset, PASSWORD).await, void(), "links of before are void");
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_of_one_account() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let (phone, laptop) = (api.login("ada@example.org").await, api.login("ada@example.org").await);
    let grace = api.somebody("customer").await;
    assert_eq!(api.post("/v1/auth/logout-everywhere", Some(&phone), &json!({})).await.status, 204);
    assert_eq!((api.lives(&phone).await, api.lives(&laptop).await), ((false, false), (false, false)));
    assert_eq!(api.lives(&grace).await, (true, true));
    assert_eq!(api.log_in("ada@example.org", PASSWORD).await, 200);
}

#[tokio::test]
async fn a_member_of_staff_is_invited_by_mail_and_dismissed() {
    let api = TestApi::start().await;
    let admin = api.somebody("admin").await;
    let member = api.post("/v1/staff", Some(&admin), &json!({ "name": "Maria" })).await.body;
    let path = format!("/v1/staff/{}", member["id"].as_str().unwrap());
    let invite = async || api.post(&format!("{path}/invitation"), Some(&admin), &json!({})).await;
    assert_eq!(brief(&invite().await), (422, "unprocessable"), "there is no address");
    let change = async |patch: Value| api.write(Method::PATCH, &path, &admin, Some(&patch)).await.status;
    assert_eq!(change(json!({ "email": "maria@example.org" })).await, 200);

    // Another person registered her address before; the mailbox's owner gets the account.
    api.register("maria@example.org").await;
    let stranger = api.login("maria@example.org").await;
    assert_eq!(invite().await.status, 202);
    assert_eq!(
        (api.lives(&stranger).await, api.log_in("maria@example.org", PASSWORD).await),
        ((false, false), 401)
    );
    assert_eq!(invite().await.status, 202, "the mail was lost, say");
    let tokens = api.tokens("set_password", "maria@example.org").await;
    assert_eq!((tokens.len(), api.set_password(&tokens[0], PASSWORD).await), (2, done()));
    assert_eq!(api.set_password(&tokens[1], NEW).await, void());
    let maria = api.login("maria@example.org").await;
    assert_eq!(api.get("/v1/me", Some(&maria)).await.body["role"], "staff");
    assert_eq!(api.get("/v1/customers", Some(&maria)).await.status, 200);
    let off = json!({ "start": "2027-05-04T10:00:00Z", "end": "2027-05-04T11:00:00Z" });
    assert_eq!(
        api.post(&format!("{path}/time-off"), Some(&maria), &off).await.status,
        201,
        "her own calendar"
    );

    assert_eq!(change(json!({ "user_id": null })).await, 200);
    assert_eq!(
        brief(&api.post(&format!("{path}/time-off"), Some(&maria), &off).await),
        (401, "session_ended")
    );
    let maria = api.login("maria@example.org").await;
    assert_eq!(brief(&api.get("/v1/customers", Some(&maria)).await), (403, "forbidden"));
}

#[tokio::test]
async fn mailboxes_are_not_flooded_and_limits_do_not_reveal_accounts() {
    let api = TestApi::start_with(&[("PUNCTUAL_LIMITS", "on")]).await;
    api.register("ada@example.org").await;
    let ada = api.login("ada@example.org").await;
    for email in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..3 {
            api.ask_for_reset(email).await;
        }
        let fourth = api.post("/v1/auth/password-reset", None, &json!({ "email": email })).await;
        assert_eq!(brief(&fourth), (429, "too_many_requests"), "{email}");
    }
    assert_eq!(api.tokens("password_reset", "ada@example.org").await.len(), 3);
    let resend =
        async || api.post("/v1/auth/verify-email/resend", Some(&ada), &json!({})).await.status.as_u16();
    assert_eq!([resend().await, resend().await, resend().await, resend().await], [202, 202, 202, 429]);
}

#[tokio::test]
async fn an_account_that_somebody_else_made_is_lost_to_them_once_its_address_is_proven() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    salon.allow_guests().await;
    let mut wish = salon.wish("09:00");
    wish["contact"] = json!({ "email": "victim@example.org", "name": "Victim" });
    assert_eq!(api.create("/v1/bookings", None, &wish).await.status, 201);

    for (how, password) in [("with a password of her own", Some(NEW)), ("without one", None)] {
        let email = if password.is_some() { "victim@example.org" } else { "other@example.org" };
        api.register(email).await;
        let attacker = api.login(email).await;
        let token = api.tokens("verify_email", email).await.remove(0);
        let mut proof = json!({ "token": token });
        if let Some(password) = password {
            proof["password"] = password.into();
        }
        assert_eq!(api.post("/v1/auth/verify-email", None, &proof).await.status, 204, "{how}");
        assert_eq!(api.lives(&attacker).await, (false, false), "{how}");
        assert_eq!(api.log_in(email, PASSWORD).await, 401, "the attacker's password, {how}");
    }
    assert_eq!(api.log_in("victim@example.org", NEW).await, 200);
}

#[tokio::test]
async fn the_link_of_a_mail_asks_for_the_password_and_sessions_of_who_knows_it_go_on() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let ada = api.login("ada@example.org").await;
    let token = api.tokens("verify_email", "ada@example.org").await.remove(0);
    let page = api.client.get(format!("{}/v/{token}", api.url)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("name=\"password\""), "{page}");
    let form = async |password: &str| {
        let request = api.client.post(format!("{}/v/{token}", api.url));
        request.form(&[("password", password)]).send().await.unwrap().status().as_u16()
    };
    assert_eq!(form("Password1").await, 422, "another password, and a weak one");
    assert!(api.lives(&ada).await.1);
    assert_eq!(form(PASSWORD).await, 200);
    assert_eq!(api.log_in("ada@example.org", PASSWORD).await, 200);
    assert_eq!(api.count("users WHERE email_verified_at IS NOT NULL").await, 1);
    let patch = json!({ "name": "Ada" });
    assert_eq!(api.write(Method::PATCH, "/v1/me", &ada, Some(&patch)).await.status, 200);
}

#[tokio::test]
async fn who_no_longer_works_here_has_no_role_no_session_and_no_feed() {
    let api = TestApi::start().await;
    let admin = api.somebody("admin").await;
    let new = json!({ "name": "Maria", "email": "maria@example.org" });
    let member = api.post("/v1/staff", Some(&admin), &new).await.body;
    let path = format!("/v1/staff/{}", member["id"].as_str().unwrap());
    assert_eq!(api.post(&format!("{path}/invitation"), Some(&admin), &json!({})).await.status, 202);
    let token = api.tokens("set_password", "maria@example.org").await.remove(0);
    assert_eq!(api.set_password(&token, PASSWORD).await, done());
    let maria = api.login("maria@example.org").await;
    let feed = api.post(&format!("{path}/calendar-feed"), Some(&maria), &Value::Null).await;
    let feed = feed.body["url"].as_str().unwrap().replace("http://localhost:8080", &api.url);
    let reads = async || api.client.get(&feed).send().await.unwrap().status().as_u16();
    assert_eq!((reads().await, api.get("/v1/customers", Some(&maria)).await.status.as_u16()), (200, 200));

    let active = async |active: bool| {
        let body = json!({ "active": active });
        assert_eq!(api.write(Method::PATCH, &path, &admin, Some(&body)).await.status, 200);
    };
    active(false).await;
    assert_eq!(brief(&api.get("/v1/customers", Some(&maria)).await), (401, "session_ended"));
    assert_eq!(reads().await, 404);
    let maria = api.login("maria@example.org").await;
    assert_eq!(api.get("/v1/me", Some(&maria)).await.body["role"], "customer");
    assert_eq!(brief(&api.get("/v1/customers", Some(&maria)).await), (403, "forbidden"));
    let invited = api.post(&format!("{path}/invitation"), Some(&admin), &json!({})).await;
    assert_eq!(brief(&invited), (422, "unprocessable"), "an invitation would give the role back");

    active(true).await;
    assert_eq!(reads().await, 404, "the address of the feed was lost with the job");
    let maria = api.login("maria@example.org").await;
    assert_eq!(api.get("/v1/customers", Some(&maria)).await.status, 200);
}

#[tokio::test]
async fn a_language_with_region_is_understood_and_one_without_texts_falls_back() {
    let api = TestApi::start().await;
    for (number, (tag, locale)) in
        [("de-AT", json!("de")), ("DE", json!("de")), ("fr", Value::Null)].into_iter().enumerate()
    {
        let email = format!("ada{number}@example.org");
        let new = json!({ "email": email, "password": PASSWORD, "name": "Ada", "locale": tag });
        let account = api.post("/v1/auth/register", None, &new).await;
        assert_eq!((account.status.as_u16(), &account.body["locale"]), (201, &locale), "{tag}");
    }
}

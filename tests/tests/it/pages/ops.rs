//! The ops page: access, actions, and appearance in a browser.

use punctual_queue::Clock as _;
use punctual_testkit::browser::Look;
use punctual_testkit::browser::browser;
use reqwest::Method;
use serde_json::json;

use super::axe::violations;
use super::ops_webhooks::{failed_delivery, webhook};
use super::test_pages::{Page, Salon};
use crate::api::test_api::{PASSWORD, TestApi};

/// An administrator's address.
async fn administrator(salon: &Salon) -> String {
    salon.api.get("/v1/me", Some(&salon.admin)).await.body["email"].as_str().unwrap().to_owned()
}

/// What the browser sends back of a cookie.
fn cookie(page: &Page) -> String {
    page.header("set-cookie").split(';').next().unwrap().to_owned()
}

pub async fn log_in(salon: &Salon) -> String {
    let email = administrator(salon).await;
    let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", "ops/jobs")];
    let page = salon.submit("/ops/login", &fields).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (303, "../ops/jobs"), "{}", page.text);
    cookie(&page)
}

pub async fn see(salon: &Salon, cookie: &str, path: &str) -> Page {
    salon.send(salon.request(Method::GET, path).header("cookie", cookie)).await
}

pub async fn submit(salon: &Salon, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Page {
    salon.send(salon.request(Method::POST, path).header("cookie", cookie).form(fields)).await
}

#[tokio::test]
async fn only_an_administrator_gets_in_and_only_until_they_log_out() {
    let salon = Salon::open(1, json!({})).await;
    for path in [
        "/ops",
        "/ops/jobs",
        "/ops/jobs/1",
        "/ops/jobs/1/retry",
        "/ops/queues/mails/pause",
        "/ops/actions",
        "/ops/all-jobs/retry",
        "/ops/webhooks",
        "/ops/webhooks/0199c3f0-0000-7000-8000-000000000000",
        "/ops/webhooks/0199c3f0-0000-7000-8000-000000000000/test",
        "/ops/webhooks/0199c3f0-0000-7000-8000-000000000000/deliveries/0199c3f0-0000-7000-8000-000000000001",
        "/ops/bookings/0199c3f0-0000-7000-8000-000000000000",
        "/ops/bookings/0199c3f0-0000-7000-8000-000000000000/0199c3f0-0000-7000-8000-000000000001",
    ] {
        let page = salon.get(path).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(page.header("location").contains("ops/login?next=ops"), "{path}");
        let posted = salon.submit(path, &[]).await;
        assert!(matches!(posted.status.as_u16(), 303 | 405), "{path}");
    }
    let customer =
        salon.api.get("/v1/me", Some(&salon.customer)).await.body["email"].as_str().unwrap().to_owned();
    for (email, password) in [(customer.as_str(), PASSWORD), ("nobody@example.org", PASSWORD), ("x", "")] {
        let page = salon.submit("/ops/login", &[("email", email), ("password", password)]).await;
        assert_eq!((page.status.as_u16(), page.header("set-cookie")), (401, ""), "{email}");
        assert!(page.text.contains("not those of an administrator"));
    }
    let email = administrator(&salon).await;
    let page = salon.submit("/ops/login", &[("email", &email), ("password", PASSWORD)]).await;
    let field = page.header("set-cookie");
    assert!(
        field.starts_with("__Host-ops=") && field.contains("; Secure; HttpOnly; SameSite=Strict"),
        "{field}"
    );

    let cookie = cookie(&page);
    let overview = see(&salon, &cookie, "/ops").await;
    assert_eq!((overview.status.as_u16(), overview.header("cache-control")), (200, "no-store"));
    assert!(overview.header("content-security-policy").contains("script-src 'self'"));
    let token = cookie.split_once('=').unwrap().1.to_owned();
    let refresh = salon.api.post("/v1/auth/refresh", None, &json!({ "refresh_token": token })).await;
    assert_eq!(refresh.code(), "invalid_refresh_token", "the cookie is good for nothing else");

    let form_token = overview.field("form_token").to_owned();
    assert_eq!(submit(&salon, &cookie, "/ops/logout", &[]).await.status, 403);
    let out = submit(&salon, &cookie, "/ops/logout", &[("form_token", &form_token)]).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(see(&salon, &cookie, "/ops").await.status, 303, "the session is over on the server too");

    let cookie = log_in(&salon).await;
    sqlx::query("UPDATE users SET role = 'staff' WHERE email = $1::citext")
        .bind(&email)
        .execute(salon.api.database.pool())
        .await
        .unwrap();
    assert_eq!(see(&salon, &cookie, "/ops").await.status, 303, "whoever is no administrator any more is out");
}

#[tokio::test]
async fn password_guesses_are_counted_over_the_api_and_the_ops_page() {
    let limits = [("PUNCTUAL_LIMITS", "on"), ("PUNCTUAL_LIMIT_LOGIN_GUESSES", "2/15m")];
    let api = TestApi::start_with(&limits).await;
    let client = reqwest::Client::new();
    let guess = || {
        let fields = [("email", "owner@example.org"), ("password", "a wrong password")];
        client.post(format!("{}/ops/login", api.url)).form(&fields).send()
    };
    for _ in 0..2 {
        assert_eq!(guess().await.unwrap().status(), 401);
    }
    let refused = guess().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let login = json!({ "email": "owner@example.org", "password": "a wrong password" });
    assert_eq!(api.post("/v1/auth/login", None, &login).await.code(), "too_many_requests");
}

#[tokio::test]
async fn an_action_is_confirmed_by_a_form_of_the_session_and_audited() {
    let salon = Salon::open(1, json!({})).await;
    salon.book("09:00").await;
    let cookie = log_in(&salon).await;
    let id: i64 =
        sqlx::query_scalar("SELECT id FROM queue.jobs").fetch_one(salon.api.database.pool()).await.unwrap();
    let path = format!("/ops/jobs/{id}/cancel");
    let asked = see(&salon, &cookie, &path).await;
    assert!(asked.text.contains(&format!("Cancel job {id}")));
    assert_eq!(salon.api.count("operator_actions").await, 0, "looking changes nothing");
    assert_eq!(submit(&salon, &cookie, &path, &[("form_token", "forged")]).await.status, 403);
    let other = log_in(&salon).await;
    let foreign = see(&salon, &other, &path).await.field("form_token").to_owned();
    assert_eq!(submit(&salon, &cookie, &path, &[("form_token", &foreign)]).await.status, 403);
    assert_eq!(salon.api.count("operator_actions").await, 0);
    let token = asked.field("form_token").to_owned();
    let done = submit(&salon, &cookie, &path, &[("form_token", &token)]).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, &*format!("../../../ops/jobs/{id}")));
    assert_eq!(salon.api.count("queue.jobs WHERE stop = 'cancelled'").await, 1);
    assert_eq!(salon.api.count("operator_actions WHERE operator = 'admin'").await, 1);
    assert!(
        see(&salon, &cookie, &format!("/ops/jobs/{id}"))
            .await
            .text
            .contains("A worker is to end it as cancelled.")
    );
    assert_eq!(see(&salon, &cookie, "/ops/jobs/999999").await.status, 404);
    assert_eq!(see(&salon, &cookie, "/ops/queues/none/pause").await.status, 404);

    let fields = [
        ("form_token", token.as_str()),
        ("limit_count", "50"),
        ("limit_seconds", "0.5"),
        ("limit_burst", "5"),
    ];
    assert_eq!(submit(&salon, &cookie, "/ops/queues/mails/limits", &fields).await.status, 303);
    assert_eq!(salon.api.count("queue.queues WHERE limit_per_ms = 500 AND key_limit_count IS NULL").await, 1);
    let wrong = [("form_token", token.as_str()), ("limit_count", "many")];
    assert_eq!(submit(&salon, &cookie, "/ops/queues/mails/limits", &wrong).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_pauses_a_queue_on_a_phone_without_scripts() {
    let Some(mut browser) = browser().await else { return };
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    let salon = Salon::open(1, json!({})).await;
    salon.book("09:00").await;
    browser.open(&format!("{}/ops", salon.api.url)).await.unwrap();
    browser.fill("[name=email]", &administrator(&salon).await).await.unwrap();
    browser.fill("[name=password]", PASSWORD).await.unwrap();
    browser.follow("Log in").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("mails") && text.contains("3 available"), "{text}");
    let fits = "String(document.documentElement.scrollWidth <= window.innerWidth)";
    assert_eq!(browser.evaluate(fits).await.unwrap(), "true");
    browser.follow("Pause mails").await.unwrap();
    assert!(browser.text().await.unwrap().contains("Pause the queue mails?"));
    assert_eq!(salon.api.count("queue.queues WHERE paused").await, 0);
    browser.follow("Pause").await.unwrap();
    assert!(browser.text().await.unwrap().contains("paused"));
    assert_eq!(salon.api.count("queue.queues WHERE paused").await, 1);
    browser.follow("Actions").await.unwrap();
    assert!(browser.text().await.unwrap().contains("pause"));
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_follows_what_happens_without_being_reloaded() {
    let Some(mut browser) = browser().await else { return };
    let salon = Salon::open(1, json!({})).await;
    salon.book("09:00").await;
    browser.open(&format!("{}/ops", salon.api.url)).await.unwrap();
    browser.fill("[name=email]", &administrator(&salon).await).await.unwrap();
    browser.fill("[name=password]", PASSWORD).await.unwrap();
    browser.follow("Log in").await.unwrap();
    browser.wait_for_text("3 available").await.unwrap();
    browser.evaluate("window.same = 'the same page'").await.unwrap();
    salon.book("10:00").await;
    browser.wait_for_text("4 available").await.unwrap();
    assert_eq!(browser.evaluate("window.same").await.unwrap(), "the same page");
    browser.close().await.unwrap();
}

/// Jobs that send mails, for so many mails of one booking.
async fn enqueue_mails(salon: &Salon) {
    let insert = "INSERT INTO queue.jobs (queue, kind, state, max_attempts, run_at, created_at, finalized_at, args, unique_key, limit_key)
                  SELECT 'mails', 'mail.send.v1', 'discarded', 12, send_at, send_at, send_at,
                         jsonb_build_object('notification_id', id), id::text || '-old', 'mailbox.example'
                  FROM notifications";
    sqlx::query(insert).execute(salon.api.database.pool()).await.unwrap();
}

#[tokio::test]
async fn all_jobs_that_match_are_acted_on_at_once_and_no_other() {
    let salon = Salon::open(1, json!({})).await;
    salon.book("09:00").await;
    let waiting = salon.api.count("queue.jobs WHERE state = 'available' AND queue = 'mails'").await;
    let other = "INSERT INTO queue.jobs (queue, kind, state, max_attempts, run_at, created_at, args)
                 SELECT 'other', 'other.v1', 'available', 5, at, at, '{}' FROM (SELECT clock_timestamp() AS at) AS now";
    sqlx::query(other).execute(salon.api.database.pool()).await.unwrap();
    let cookie = log_in(&salon).await;
    let list = see(&salon, &cookie, "/ops/jobs?state=available&queue=mails").await;
    let links = list.text.replace("&#x2f;", "/").replace("&amp;", "&");
    let cancel = "/ops/all-jobs/cancel?state=available&queue=mails&kind=&q=";
    assert!(links.contains(&format!("href=\"..{cancel}\"")), "{links}");
    let asked = see(&salon, &cookie, cancel).await;
    assert!(
        asked.text.contains(&format!("Cancel all {waiting} jobs with state available, queue mails?")),
        "{}",
        asked.text
    );
    assert_eq!(salon.api.count("queue.jobs WHERE stop IS NOT NULL").await, 0, "looking changes nothing");

    let token = asked.field("form_token").to_owned();
    let done = submit(&salon, &cookie, cancel, &[("form_token", &token)]).await;
    assert!(done.text.contains(&format!("Done to {waiting} jobs")), "{}", done.text);
    assert_eq!(salon.api.count("queue.jobs WHERE stop = 'cancelled' AND queue = 'mails'").await, waiting);
    assert_eq!(salon.api.count("queue.jobs WHERE stop IS NOT NULL AND queue = 'other'").await, 0);
    assert_eq!(
        salon.api.count("operator_actions WHERE verb = 'cancel'").await,
        waiting,
        "each is written down"
    );
}

#[tokio::test]
async fn a_job_leads_to_its_booking_and_a_mail_in_doubt_is_sent_again_from_there() {
    let salon = Salon::open(1, json!({})).await;
    let booking = salon.book("09:00").await;
    let cookie = log_in(&salon).await;
    let list = see(&salon, &cookie, "/ops/jobs?state=available&queue=mails").await;
    assert!(list.text.contains(&format!("ops/bookings/{booking}")), "{}", list.text);
    assert!(list.text.contains("example.org") && !list.text.contains("@example.org"), "the domain only");

    let doubt = "UPDATE notifications SET outcome = 'in_doubt', outcome_at = send_at, tries = 2, doubts = 2
                 WHERE kind = 'confirmation' AND booking_id = $1::uuid RETURNING id::text";
    let mail: String =
        sqlx::query_scalar(doubt).bind(&booking).fetch_one(salon.api.database.pool()).await.unwrap();
    sqlx::query("DELETE FROM queue.jobs WHERE unique_key = $1")
        .bind(&mail)
        .execute(salon.api.database.pool())
        .await
        .unwrap();
    let page = see(&salon, &cookie, &format!("/ops/bookings/{booking}")).await;
    assert!(page.text.contains("in_doubt") && page.text.contains("Send again"), "{}", page.text);
    assert!(!page.text.contains("@example.org"), "no address");
    let path = format!("/ops/bookings/{booking}/{mail}");
    let asked = see(&salon, &cookie, &path).await;
    assert!(asked.text.contains("Send the confirmation again?"), "{}", asked.text);
    let token = asked.field("form_token").to_owned();
    let sent = submit(&salon, &cookie, &path, &[("form_token", &token)]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    assert_eq!(salon.api.count("notifications WHERE outcome = 'in_doubt'").await, 0);
    assert_eq!(salon.api.count("operator_actions WHERE verb = 'resend' AND user_id IS NOT NULL").await, 1);
    assert_eq!(see(&salon, &cookie, &format!("/ops/bookings/{mail}")).await.status, 404);
}

#[tokio::test]
async fn the_overview_shows_the_version_of_each_worker_and_the_last_and_next_run_of_periodic_jobs() {
    let salon = Salon::open(1, json!({})).await;
    let session = "INSERT INTO queue.sessions (id, name, version, queues, kinds)
                   VALUES (gen_random_uuid(), 'a worker', '7.8.9', ARRAY['mails'], ARRAY['mail.send.v1'])";
    sqlx::query(session).execute(salon.api.database.pool()).await.unwrap();
    let periodic = "INSERT INTO queue.periodic (name, tick, period)
                    VALUES ('often.v1', $1 - interval '20 minutes', '3 hours'),
                           ('forgotten.v1', $1 - interval '5 hours', '1 hour'), ('older-version.v1', $1, NULL)";
    let now = salon.api.clock.now();
    sqlx::query(periodic).bind(now).execute(salon.api.database.pool()).await.unwrap();
    let cookie = log_in(&salon).await;
    let page = see(&salon, &cookie, "/ops").await;
    let row = |name: &str| {
        let rows: Vec<_> = page.text.split("<tr").filter(|row| row.contains(name)).collect();
        assert_eq!(rows.len(), 1, "{name}: {}", page.text);
        rows[0].to_owned()
    };
    assert!(row("a worker").contains("7.8.9"));
    let often = row("often.v1");
    assert!(often.contains("20 min ago") && often.contains("in 2 h"), "{often}");
    assert!(!often.starts_with(" class=\"alert\"") && row("forgotten.v1").starts_with(" class=\"alert\""));
    row("older-version.v1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_finds_a_mail_in_doubt_on_the_overview_and_sends_it_again_in_a_browser() {
    let Some(mut browser) = browser().await else { return };
    let salon = Salon::open(1, json!({})).await;
    let booking = salon.book("09:00").await;
    let doubt = "UPDATE notifications SET outcome = 'in_doubt', outcome_at = send_at, tries = 2, doubts = 2
                 WHERE kind = 'confirmation' AND booking_id = $1::uuid RETURNING id::text";
    let mail: String =
        sqlx::query_scalar(doubt).bind(&booking).fetch_one(salon.api.database.pool()).await.unwrap();
    // The job that left it in doubt has ended.
    sqlx::query("UPDATE queue.jobs SET state = 'discarded', finalized_at = run_at WHERE unique_key = $1")
        .bind(&mail)
        .execute(salon.api.database.pool())
        .await
        .unwrap();
    browser.open(&format!("{}/ops", salon.api.url)).await.unwrap();
    browser.fill("[name=email]", &administrator(&salon).await).await.unwrap();
    browser.fill("[name=password]", PASSWORD).await.unwrap();
    browser.follow("Log in").await.unwrap();
    browser.follow("1 to send again by hand").await.unwrap();
    assert!(browser.text().await.unwrap().contains(&mail));
    browser.follow("Send again").await.unwrap();
    browser.wait_for_text("Send the confirmation again?").await.unwrap();
    browser.follow("Send again").await.unwrap();
    assert_eq!(salon.api.count("notifications WHERE outcome = 'in_doubt'").await, 0);
    browser.open(&format!("{}/ops/mails", salon.api.url)).await.unwrap();
    assert!(!browser.text().await.unwrap().contains(&mail));
    browser.open(&format!("{}/ops/actions", salon.api.url)).await.unwrap();
    assert!(browser.text().await.unwrap().contains("resend"));
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_ops_pages_is_cut_off_on_a_desktop_or_on_a_phone() {
    let Some(mut browser) = browser().await else { return };
    let salon = Salon::open(1, json!({})).await;
    let booking = salon.book("09:00").await;
    enqueue_mails(&salon).await;
    let endpoint = webhook(&salon).await;
    let delivery = failed_delivery(&salon).await;
    let session = "INSERT INTO queue.sessions (id, name, started_at, beat_at, queues, kinds)
                   SELECT '0199c3f0-0000-7000-8000-000000000009', 'punctual-worker a-host-with-a-long-name.example.org 4711',
                          at, at, ARRAY['mails', 'periodic'], ARRAY['mail.send.v1'] FROM (SELECT clock_timestamp() AS at) AS now";
    sqlx::query(session).execute(salon.api.database.pool()).await.unwrap();
    let admin = administrator(&salon).await;
    let action = "INSERT INTO operator_actions (id, at, operator, user_id, verb, queue, details)
                  SELECT gen_random_uuid(), clock_timestamp(), 'admin', id, 'set_limits', 'mails',
                         '{\"limit\": {\"count\": 600, \"per_ms\": 60000, \"burst\": 20}, \"key_limit\": {\"count\": 5, \"per_ms\": 1000, \"burst\": 1}}'
                  FROM users WHERE email = $1::citext";
    sqlx::query(action).bind(&admin).execute(salon.api.database.pool()).await.unwrap();
    browser.open(&format!("{}/ops", salon.api.url)).await.unwrap();
    browser.fill("[name=email]", &admin).await.unwrap();
    browser.fill("[name=password]", PASSWORD).await.unwrap();
    browser.follow("Log in").await.unwrap();
    // The page, and each table in it, is as wide as what it holds.
    let cut_off = "String([document.documentElement, ...document.querySelectorAll('.wide')]
                   .filter(one => one.scrollWidth > one.clientWidth).length)";
    for look in [Look::DESKTOP, Look::PHONE] {
        browser.look(look).await.unwrap();
        for path in [
            "ops",
            "ops/actions",
            "ops/mails",
            "ops/jobs?state=discarded",
            &format!("ops/bookings/{booking}"),
            "ops/webhooks",
            &format!("ops/webhooks/{endpoint}"),
            &format!("ops/webhooks/{endpoint}/stop"),
            &format!("ops/webhooks/{endpoint}/deliveries/{delivery}"),
        ] {
            browser.open(&format!("{}/{path}", salon.api.url)).await.unwrap();
            assert_eq!(browser.evaluate(cut_off).await.unwrap(), "0", "{path} {look:?}");
            if path.contains("webhooks") {
                assert_eq!(violations(&mut browser).await, Vec::<String>::new(), "{path} {look:?}");
            }
        }
    }
    browser.close().await.unwrap();
}

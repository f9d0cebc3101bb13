//! Request limits with the defaults of `defaults.env`.

use punctual_testkit::{TestDatabase, TestRedis};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::salon::Salon;
use super::test_api::{Answer, PASSWORD, TestApi};

const ON: (&str, &str) = ("PUNCTUAL_LIMITS", "on");

async fn login(api: &TestApi, email: &str, password: &str) -> Answer {
    api.post("/v1/auth/login", None, &json!({ "email": email, "password": password })).await
}

fn refused(answer: &Answer) -> bool {
    let refused = answer.status == StatusCode::TOO_MANY_REQUESTS;
    if refused {
        assert_eq!(answer.code(), "too_many_requests");
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=86_400).contains(&seconds), "{seconds}");
        assert!(answer.header("ratelimit").contains(&format!(";r=0;t={seconds}")), "{:?}", answer.headers);
    }
    refused
}

#[tokio::test]
async fn guessing_a_password_is_limited_and_correct_logins_are_not_counted() {
    let api = TestApi::start_with(&[ON]).await;
    api.register("ada@example.org").await;
    for _ in 0..12 {
        assert_eq!(login(&api, "ada@example.org", PASSWORD).await.status, 200);
    }
    for guess in 0..10_usize {
        let answer = login(&api, "ada@example.org", "a wrong password").await;
        assert_eq!(answer.status, 401);
        let left = 9 - guess;
        assert!(answer.header("ratelimit").contains(&format!("\"login-guesses\";r={left};t=")), "{answer:?}");
    }
    assert!(refused(&login(&api, "ada@example.org", "a wrong password").await));
    assert!(
        refused(&login(&api, "Ada@Example.org", PASSWORD).await),
        "also the right one, however it is written"
    );
    assert_eq!(
        login(&api, "bob@example.org", PASSWORD).await.status,
        401,
        "another account is not concerned"
    );
}

#[tokio::test]
async fn deleting_an_account_is_no_way_around_the_limit_of_guesses() {
    let salon = Salon::open_with(&[ON]).await;
    let api = &salon.api;
    let email = "ada@example.org";
    api.register(email).await;
    let ada = api.login(email).await;
    salon.book(&ada, "10:00").await;
    let delete = async |password: &str| {
        let body = json!({ "password": password });
        api.write(Method::DELETE, "/v1/me", &ada, Some(&body)).await
    };
    for _ in 0..10 {
        assert_eq!(delete("a wrong password").await.status, 401);
    }
    assert!(refused(&delete("a wrong password").await));
    assert!(refused(&delete(PASSWORD).await), "the right one is told apart by nothing");
    assert!(refused(&login(api, email, PASSWORD).await), "a login has the same limit");
    let change = json!({ "current_password": PASSWORD, "password": "another password of hers" });
    assert!(refused(&api.post("/v1/me/password", Some(&ada), &change).await));
}

#[tokio::test]
async fn a_verified_account_holds_so_many_slots_at_a_time_and_books_so_many_a_day() {
    let salon = Salon::open_with(&[ON, ("PUNCTUAL_LIMIT_BOOKING_ACCOUNT", "2/1d")]).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let verify = "UPDATE users SET email_verified_at = clock_timestamp()";
    sqlx::query(verify).execute(api.database.pool()).await.unwrap();
    // Four hours can be held at once, and an appointment takes one.
    for time in ["08:00", "09:00", "10:00", "11:00"] {
        let held = api.create("/v1/holds", Some(&ada), &salon.wish(time)).await;
        assert_eq!(held.status, 201, "{held:?}");
    }
    let more = api.create("/v1/holds", Some(&ada), &salon.wish("13:00")).await;
    assert_eq!((more.status.as_u16(), more.code()), (429, "too_many_requests"), "{more:?}");
    for time in ["13:00", "14:00"] {
        assert_eq!(api.create("/v1/bookings", Some(&ada), &salon.wish(time)).await.status, 201);
    }
    assert!(refused(&api.create("/v1/bookings", Some(&ada), &salon.wish("15:00")).await));
    let eve = api.somebody("customer").await;
    assert_eq!(api.create("/v1/bookings", Some(&eve), &salon.wish("15:00")).await.status, 201);
    assert_eq!(
        api.create("/v1/bookings", Some(&salon.admin), &{
            let mut wish = salon.wish("16:00");
            wish["contact"] = json!({ "email": "grace@example.org", "name": "Grace" });
            wish
        })
        .await
        .status,
        201,
        "staff are not counted"
    );
}

#[tokio::test]
async fn sub_addresses_of_one_mailbox_share_the_limits_of_mails_to_it() {
    let api = TestApi::start_with(&[ON]).await;
    for email in ["victim+1@example.org", "Victim+2@example.org", "victim@example.org"] {
        let asked = api.post("/v1/auth/password-reset", None, &json!({ "email": email })).await;
        assert_eq!(asked.status, 202);
    }
    let fourth = json!({ "email": "victim+4@example.org" });
    assert!(refused(&api.post("/v1/auth/password-reset", None, &fourth).await));
}

#[tokio::test]
async fn an_unknown_account_is_limited_like_a_known_one() {
    let api = TestApi::start_with(&[ON]).await;
    for _ in 0..10 {
        assert_eq!(login(&api, "nobody@example.org", PASSWORD).await.status, 401);
    }
    assert!(refused(&login(&api, "nobody@example.org", PASSWORD).await));
}

#[tokio::test]
async fn the_fields_name_every_limit_that_counted() {
    let api = TestApi::start_with(&[ON]).await;
    let answer = login(&api, "ada@example.org", PASSWORD).await;
    assert_eq!(
        answer.header("ratelimit-policy"),
        r#""login-address";q=50;w=900, "login-guesses";q=10;w=900, "login-account";q=100;w=86400"#
    );
    assert_eq!(
        answer.header("ratelimit"),
        r#""login-address";r=49;t=900, "login-guesses";r=9;t=900, "login-account";r=99;t=86400"#
    );
    let unlimited = api.get("/v1/services", None).await;
    assert_eq!(unlimited.header("ratelimit"), "");
}

#[tokio::test]
async fn registrations_per_address_are_limited_and_a_taken_one_has_its_own_error() {
    let api = TestApi::start_with(&[ON, ("PUNCTUAL_LIMIT_REGISTER_ADDRESS", "3/1h")]).await;
    assert_eq!(api.register("ada@example.org").await.status, 201);
    let again = api.register("ada@example.org").await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "email_taken"));
    assert_eq!(api.register("bob@example.org").await.status, 201);
    assert!(refused(&api.register("cleo@example.org").await));
    assert_eq!(api.count("users").await, 2);
}

#[tokio::test]
async fn an_address_of_a_deleted_account_registers_once_a_day() {
    let api = TestApi::start_with(&[ON]).await;
    assert_eq!(api.register("ada@example.org").await.status, 201);
    sqlx::query("DELETE FROM users").execute(api.database.pool()).await.unwrap();
    assert!(refused(&api.register("ada@example.org").await));
    assert_eq!(api.count("users").await, 0);
}

#[tokio::test]
async fn an_unverified_address_books_or_holds_three_times_a_day_and_a_verified_one_as_often_as_it_likes() {
    let salon = Salon::open_with(&[ON]).await;
    let ada = salon.api.somebody("customer").await;
    let held = salon.api.create("/v1/holds", Some(&ada), &salon.wish("10:00")).await;
    assert_eq!(held.status, 201, "{held:?}");
    let kept = json!({ "hold_id": held.body["id"] });
    let booked = salon.api.create("/v1/bookings", Some(&ada), &kept).await;
    assert_eq!(booked.status, 201, "a hold that is booked was counted when it was made");
    for time in ["10:00", "10:00"] {
        let taken = salon.api.create("/v1/bookings", Some(&ada), &salon.wish(time)).await;
        assert_eq!(taken.status, 409, "what makes nothing does not count");
    }
    for time in ["11:00", "12:00"] {
        let answer = salon.api.create("/v1/bookings", Some(&ada), &salon.wish(time)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    assert!(refused(&salon.api.create("/v1/bookings", Some(&ada), &salon.wish("13:00")).await));
    assert!(refused(&salon.api.create("/v1/holds", Some(&ada), &salon.wish("13:00")).await));
    assert_eq!(salon.api.count("bookings").await, 3);
    sqlx::query("UPDATE users SET email_verified_at = clock_timestamp()")
        .execute(salon.api.database.pool())
        .await
        .unwrap();
    for time in ["13:00", "14:00", "15:00"] {
        let answer = salon.api.create("/v1/bookings", Some(&ada), &salon.wish(time)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert!(!answer.header("ratelimit").contains("booking-email"), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn a_booking_that_was_made_is_answered_again_whatever_the_limit() {
    let salon = Salon::open_with(&[ON, ("PUNCTUAL_LIMIT_BOOKING_EMAIL", "1/1d")]).await;
    let ada = salon.api.somebody("customer").await;
    let ask = async |key: &str, time: &str| {
        let request = salon.api.request(Method::POST, "/v1/bookings").header("idempotency-key", key);
        let request = request.bearer_auth(&ada.access).json(&salon.wish(time));
        salon.api.send(request).await
    };
    let first = ask("one", "10:00").await;
    assert_eq!(first.status, 201);
    let again = ask("one", "10:00").await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.body, first.body);
    assert!(refused(&ask("two", "11:00").await));
}

#[tokio::test]
async fn sixteen_at_once_for_one_slot_are_one_booking_and_fifteen_conflicts() {
    let salon = Salon::open_with(&[ON]).await;
    let ada = salon.api.somebody("customer").await;
    let wish = salon.wish("10:00");
    let asked = (0..16).map(|_| salon.api.create("/v1/bookings", Some(&ada), &wish));
    let answers = futures::future::join_all(asked).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![201], vec![409; 15]].concat());
}

#[tokio::test]
async fn guests_are_limited_by_client_address_and_by_e_mail_address() {
    let salon = Salon::open_with(&[
        ON,
        ("PUNCTUAL_LIMIT_BOOKING_ADDRESS", "4/1h"),
        ("PUNCTUAL_TRUSTED_PROXIES", "127.0.0.1"),
    ])
    .await;
    salon.allow_guests().await;
    let book = async |from: &str, email: &str, time: &str| {
        let mut body = salon.wish(time);
        body["contact"] = json!({ "email": email, "name": "Guest" });
        let request = salon.api.request(Method::POST, "/v1/bookings").header("x-forwarded-for", from);
        salon.api.send(request.header("idempotency-key", time).json(&body)).await
    };
    for time in ["08:00", "09:00", "10:00"] {
        assert_eq!(book("192.0.2.1", "victim@example.org", time).await.status, 201);
    }
    assert!(refused(&book("192.0.2.2", "Victim@Example.org", "11:00").await), "from wherever");
    assert_eq!(book("192.0.2.1", "other@example.org", "11:00").await.status, 201);
    assert!(refused(&book("192.0.2.1", "third@example.org", "12:00").await), "whomever for");
    assert_eq!(book("192.0.2.2", "third@example.org", "12:00").await.status, 201);
    // A client that is not behind our proxy cannot claim to be.
    let direct = TestApi::start_with(&[ON, ("PUNCTUAL_LIMIT_REGISTER_ADDRESS", "1/1h")]).await;
    for (number, status) in [(1, 201), (2, 429)] {
        let body = json!({ "email": format!("{number}@example.org"), "password": PASSWORD, "name": "A" });
        let request = direct.request(Method::POST, "/v1/auth/register");
        let request = request.header("x-forwarded-for", format!("192.0.2.{number}")).json(&body);
        assert_eq!(direct.send(request).await.status, status);
    }
}

#[tokio::test]
async fn two_guests_with_one_key_have_a_hold_each() {
    let salon = Salon::open_with(&[("PUNCTUAL_TRUSTED_PROXIES", "127.0.0.1")]).await;
    salon.allow_guests().await;
    let hold = async |from: &str, time: &str| -> Answer {
        let request = salon.api.request(Method::POST, "/v1/holds").header("x-forwarded-for", from);
        salon.api.send(request.header("idempotency-key", "1").json(&salon.wish(time))).await
    };
    let (one, other) = (hold("192.0.2.1", "10:00").await, hold("192.0.2.2", "11:00").await);
    assert_eq!((one.status, other.status), (StatusCode::CREATED, StatusCode::CREATED));
    let again = hold("192.0.2.1", "10:00").await;
    assert_eq!((again.header("idempotency-replayed"), &again.body["id"]), ("true", &one.body["id"]));
    let same = hold("192.0.2.2", "10:00").await;
    assert_eq!(same.code(), "idempotency_key_reused");
}

#[tokio::test]
async fn a_mailbox_is_not_flooded_by_moving_one_booking() {
    let salon = Salon::open_with(&[ON, ("PUNCTUAL_LIMIT_MOVE_EMAIL", "2/1d")]).await;
    let ada = salon.api.somebody("customer").await;
    let booked = salon.api.create("/v1/bookings", Some(&ada), &salon.wish("10:00")).await;
    let path = format!("/v1/bookings/{}/reschedule", booked.body["id"].as_str().unwrap());
    let to = async |time: &str| {
        let body: Value = json!({ "start": salon.wish(time)["start"] });
        salon.api.change(&path, &ada, "*", Some(&body)).await
    };
    for time in ["11:00", "12:00"] {
        assert_eq!(to(time).await.status, 200);
    }
    assert!(refused(&to("13:00").await));
}

#[tokio::test]
async fn processes_share_the_limits_through_redis_and_each_keeps_them_alone_without_it() {
    let Some(mut redis) = TestRedis::start().await else { return };
    let vars = [ON, ("REDIS_URL", &*redis.url()), ("PUNCTUAL_LIMIT_LOGIN_GUESSES", "4/1h")];
    let one = TestApi::start_with(&vars).await;
    let database = one.database.url().to_owned();
    let other = TestApi::start_with(&[vars[0], vars[1], vars[2], ("DATABASE_URL", &*database)]).await;
    // Databases of tests are copies of one, its deployment's id included.
    let second = TestDatabase::create().await;
    let renamed = "UPDATE queue.deployment SET id = gen_random_uuid()";
    sqlx::query(renamed).execute(second.pool()).await.unwrap();
    let elsewhere = TestApi::start_with(&[vars[0], vars[1], vars[2], ("DATABASE_URL", second.url())]).await;
    for api in [&one, &other, &one, &other] {
        assert_eq!(login(api, "ada@example.org", PASSWORD).await.status, 401);
    }
    for api in [&one, &other] {
        assert!(refused(&login(api, "ada@example.org", PASSWORD).await));
    }
    let answer = login(&elsewhere, "ada@example.org", PASSWORD).await;
    assert_eq!(answer.status, 401, "another deployment on the same Redis counts by itself");
    let client = redis::Client::open(redis.url()).unwrap();
    let mut conn = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut conn).await.unwrap();
    assert!(keys.len() >= 3);
    for key in keys {
        let text = String::from_utf8_lossy(&key).into_owned();
        assert!(
            text.starts_with("punctual:")
                && text.contains(":limit:login-")
                && !text.contains("ada@")
                && !text.contains("127.0"),
            "{text}"
        );
    }
    redis.stop().await;
    for _ in 0..2 {
        assert_eq!(login(&one, "ada@example.org", PASSWORD).await.status, 401, "it has seen two itself");
    }
    assert!(refused(&login(&one, "ada@example.org", PASSWORD).await));
}

//! Sessions and accounts.

use chrono::TimeDelta;
use punctual_core::sessions::{self, TokenHash};
use punctual_core::types::{Actor, Role};
use punctual_core::users::{self, NewUser};
use punctual_core::{Error, Result};
use uuid::Uuid;

use super::salon::{Salon, email, name};

async fn start(salon: &Salon, user_id: Uuid, token: &str) -> Result<sessions::Session> {
    let now = salon.core.now();
    let epoch = users::get(&salon.core.pool, user_id).await?.token_epoch;
    sessions::start(&salon.core.pool, now, user_id, epoch, &TokenHash::of(token), now + TimeDelta::days(30))
        .await
}

async fn rotate(salon: &Salon, from: &str, to: &str) -> Result<sessions::Session> {
    let now = salon.core.now();
    let (from, to) = (TokenHash::of(from), TokenHash::of(to));
    Ok(sessions::rotate(&salon.core.pool, now, &from, &to, now + TimeDelta::days(30)).await?.0)
}

async fn user(salon: &Salon) -> Uuid {
    let Actor::Account { user_id, .. } = salon.customer().await else { unreachable!() };
    user_id
}

#[tokio::test]
async fn a_reused_refresh_token_ends_its_family_and_no_other() {
    let salon = Salon::open(0).await;
    let user_id = user(&salon).await;
    let session = start(&salon, user_id, "a1").await.unwrap();
    start(&salon, user_id, "b1").await.unwrap();
    let next = rotate(&salon, "a1", "a2").await.unwrap();
    assert_eq!(next, session);
    let reused = rotate(&salon, "a1", "a3").await;
    assert!(matches!(reused, Err(Error::InvalidRefreshToken)), "{reused:?}");
    let newest = rotate(&salon, "a2", "a3").await;
    assert!(matches!(newest, Err(Error::InvalidRefreshToken)), "{newest:?}");
    rotate(&salon, "b1", "b2").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_uses_of_a_token_one_succeeds_until_the_family_ends() {
    let salon = Salon::open(0).await;
    let user_id = user(&salon).await;
    start(&salon, user_id, "a1").await.unwrap();
    let (one, other) = tokio::join!(rotate(&salon, "a1", "a2"), rotate(&salon, "a1", "a3"));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert!(rotate(&salon, "a2", "a4").await.is_err());
    assert!(rotate(&salon, "a3", "a4").await.is_err());
}

#[tokio::test]
async fn logging_out_ends_one_login_and_everywhere_ends_all() {
    let salon = Salon::open(0).await;
    let user_id = user(&salon).await;
    let session = start(&salon, user_id, "a1").await.unwrap();
    let other = start(&salon, user_id, "b1").await.unwrap();
    sessions::logout(&salon.core.pool, salon.core.now(), &TokenHash::of("a1")).await.unwrap();
    assert!(rotate(&salon, "a1", "a2").await.is_err());
    rotate(&salon, "b1", "b2").await.unwrap();
    let ended = sessions::check(&salon.core.pool, session.reference()).await;
    assert!(matches!(ended, Err(Error::SessionEnded)), "{ended:?}");
    let now = sessions::check(&salon.core.pool, other.reference()).await.unwrap();
    assert_eq!((now.role, now.verified), (Role::Customer, false));

    sessions::logout_everywhere(&salon.core.pool, salon.core.now(), user_id).await.unwrap();
    assert!(rotate(&salon, "b2", "b3").await.is_err());
    let ended = sessions::check(&salon.core.pool, other.reference()).await;
    assert!(matches!(ended, Err(Error::SessionEnded)), "{ended:?}");
    // A login that checked the password before is too late.
    let now = salon.core.now();
    let late = sessions::start(
        &salon.core.pool,
        now,
        user_id,
        session.token_epoch,
        &TokenHash::of("c1"),
        now + TimeDelta::days(30),
    )
    .await;
    assert!(matches!(late, Err(Error::SessionEnded)), "{late:?}");
}

#[tokio::test]
async fn tokens_run_out_and_are_removed() {
    let salon = Salon::open(0).await;
    let user_id = user(&salon).await;
    start(&salon, user_id, "a1").await.unwrap();
    salon.wait(TimeDelta::days(30));
    assert!(rotate(&salon, "a1", "a2").await.is_err());
    assert_eq!(sessions::prune(&salon.core.pool, salon.core.now()).await.unwrap(), 0);
    salon.wait(TimeDelta::days(1) + TimeDelta::seconds(1));
    assert_eq!(sessions::prune(&salon.core.pool, salon.core.now()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_session_ends_ninety_days_after_its_login_however_often_it_is_refreshed() {
    let salon = Salon::open(0).await;
    let user_id = user(&salon).await;
    start(&salon, user_id, "a0").await.unwrap();
    for day in 0..89 {
        salon.wait(TimeDelta::days(1));
        rotate(&salon, &format!("a{day}"), &format!("a{}", day + 1)).await.unwrap();
        sessions::prune(&salon.core.pool, salon.core.now()).await.unwrap();
    }
    let listed = sessions::list(&salon.core.pool, salon.core.now(), user_id).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].expires_at, listed[0].started_at + TimeDelta::days(90), "not 30 days from now");
    salon.wait(TimeDelta::days(1));
    assert!(matches!(rotate(&salon, "a89", "a90").await, Err(Error::InvalidRefreshToken)));
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let salon = Salon::open(0).await;
    let new =
        |local| NewUser { email: email(local), name: name("Uma"), phone: None, locale: None, zone: None };
    let made = users::register(&salon.core, new("uma"), "hash".to_owned()).await.unwrap();
    let taken = users::register(&salon.core, new("UMA"), "other".to_owned()).await;
    assert!(matches!(taken, Err(Error::EmailTaken)), "{taken:?}");
    let found = users::find_for_login(&salon.core.pool, &email("Uma")).await.unwrap().unwrap();
    assert_eq!((found.id, found.password_hash.as_deref()), (made.id, Some("hash")));
    assert!(users::find_for_login(&salon.core.pool, &email("nobody")).await.unwrap().is_none());
}

//! Repeated requests.

use punctual_core::Error;
use punctual_core::bookings;
use punctual_core::idempotency::IdempotencyKey;

use super::salon::{Salon, booking_of, tuesday};

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_twice_at_once_makes_one_booking_and_two_equal_answers() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let (key, new) = (key("one"), booking_of(service, None, tuesday("10:00")));
    let (first, second) = tokio::join!(
        bookings::create(&salon.core, &customer, Some(&key), new.clone()),
        bookings::create(&salon.core, &customer, Some(&key), new.clone()),
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.value, second.value);
    assert_ne!(first.replayed, second.replayed);
    let later = bookings::create(&salon.core, &customer, Some(&key), new).await.unwrap();
    assert!(later.replayed);
    assert_eq!(later.value, first.value);
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 1);
    assert_eq!(salon.count("SELECT count(*) FROM notifications WHERE kind = 'confirmation'").await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let (one, other) = (salon.customer().await, salon.customer().await);
    let new = |time| booking_of(service, None, tuesday(time));
    bookings::create(&salon.core, &one, Some(&key("k")), new("10:00")).await.unwrap();
    let reused = bookings::create(&salon.core, &one, Some(&key("k")), new("11:00")).await;
    assert!(matches!(reused, Err(Error::IdempotencyKeyReused)), "{reused:?}");
    let others = bookings::create(&salon.core, &other, Some(&key("k")), new("11:00")).await.unwrap();
    assert!(!others.replayed);
}

#[tokio::test]
async fn a_request_that_failed_frees_its_key() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let off_grid = booking_of(service, None, tuesday("10:10"));
    let refused = bookings::create(&salon.core, &customer, Some(&key("k")), off_grid).await;
    assert!(matches!(refused, Err(Error::OffGrid)), "{refused:?}");
    let on_grid = booking_of(service, None, tuesday("10:30"));
    let booked = bookings::create(&salon.core, &customer, Some(&key("k")), on_grid).await.unwrap();
    assert!(!booked.replayed);
}

#[tokio::test]
async fn a_request_whose_key_is_in_progress_elsewhere_gets_in_progress() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    // Another process has claimed the key and not yet committed.
    let mut twin = salon.core.pool.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO idempotency_keys (scope, key, request_hash, created_at, expires_at)
         VALUES ('bookings.create:' || $1, 'k', '', '2027-05-01Z', '2027-05-02Z')",
    )
    .bind(customer.user_id().unwrap().to_string())
    .execute(&mut *twin)
    .await
    .unwrap();
    let new = booking_of(service, None, tuesday("10:00"));
    let refused = bookings::create(&salon.core, &customer, Some(&key("k")), new.clone()).await;
    assert!(matches!(refused, Err(Error::IdempotencyInProgress)), "{refused:?}");
    // It rolls back, so the key is free.
    twin.rollback().await.unwrap();
    assert!(!bookings::create(&salon.core, &customer, Some(&key("k")), new).await.unwrap().replayed);
}

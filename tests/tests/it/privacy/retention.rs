//! Erasure after the retention time.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::privacy::{self, RetentionRun};
use punctual_core::settings::{self, BusinessPatch};
use punctual_core::types::{Actor, ExpectedRev};
use punctual_testkit::wait_for;

use super::dump::Dump;
use crate::core::salon::{Salon, tuesday};
use crate::mails::test_worker::TestWorker;

async fn keep_for(salon: &Salon, days: Option<u16>) {
    let patch = BusinessPatch { retention_days: Some(days), ..BusinessPatch::default() };
    assert_eq!(
        settings::update(&salon.core, ExpectedRev::Any, patch).await.unwrap().value.retention_days,
        days
    );
}

/// A customer with one appointment at this time.
async fn with_appointment(salon: &Salon, service: uuid::Uuid, start: DateTime<Utc>) -> Actor {
    let customer = salon.customer().await;
    salon.book(&customer, service, None, start).await.unwrap();
    customer
}

const KEPT: &str = "SELECT count(*) FROM customers WHERE erased_at IS NULL";

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_erased_exactly_after_their_retention_days() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let regular = with_appointment(&salon, service, tuesday("09:00")).await;
    with_appointment(&salon, service, tuesday("10:00")).await;
    salon.book(&regular, service, None, tuesday("09:00") + TimeDelta::days(60)).await.unwrap();
    salon.clock.set(tuesday("11:00") + TimeDelta::days(30));
    assert_eq!(
        privacy::erase_outdated(&salon.core, 100).await.unwrap(),
        RetentionRun::default(),
        "nobody has said so"
    );
    keep_for(&salon, Some(30)).await;
    salon.wait(TimeDelta::seconds(-1));
    assert_eq!(privacy::erase_outdated(&salon.core, 100).await.unwrap(), RetentionRun::default());
    salon.wait(TimeDelta::seconds(1));
    assert_eq!(
        privacy::erase_outdated(&salon.core, 100).await.unwrap(),
        RetentionRun { erased: 1, more: false },
        "the one at ten; the regular has an appointment to come"
    );
    assert_eq!(salon.count(KEPT).await, 1);
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 3, "bookings stay");
    assert_eq!(salon.count("SELECT count(*) FROM users").await, 3, "accounts are their owners' to delete");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_erases_at_most_its_limit_and_the_next_continues() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    for time in ["09:00", "10:00", "11:00", "12:00", "13:00"] {
        with_appointment(&salon, service, tuesday(time)).await;
    }
    keep_for(&salon, Some(1)).await;
    salon.wait(TimeDelta::days(10));
    assert_eq!(
        privacy::erase_outdated(&salon.core, 2).await.unwrap(),
        RetentionRun { erased: 2, more: true }
    );
    assert_eq!(salon.count(KEPT).await, 3);
    assert_eq!(
        privacy::erase_outdated(&salon.core, 3).await.unwrap(),
        RetentionRun { erased: 3, more: false }
    );
    assert_eq!(privacy::erase_outdated(&salon.core, 3).await.unwrap(), RetentionRun::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leading_worker_erases_by_the_clock() {
    let setup = TestWorker::open().await;
    let booking = setup.book(tuesday("10:00")).await;
    let address = booking.customer.unwrap().email.unwrap();
    setup.sink.wait_for_mails(1).await;
    keep_for(&setup.salon, Some(365)).await;
    setup.salon.clock.set(tuesday("11:00") + TimeDelta::days(365) + TimeDelta::hours(1));
    wait_for("the customer to be erased", async || setup.salon.count(KEPT).await == 0).await;
    let left = Dump::of(&setup.salon.core.pool).await;
    let tables: Vec<_> = left
        .rows_with(address.as_str())
        .iter()
        .map(|row| row.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(tables, ["public.users"], "the account is its owner's");
    setup.close().await;
}

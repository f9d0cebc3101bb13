//! The feed of events over HTTP.

use punctual_core::changes::{self, Event, Position, Subject};
use punctual_core::types::PageSize;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::test_hooks::until_readable;
use crate::api::salon::{Salon, brief};
use crate::core::salon::Salon as CoreSalon;

async fn all(salon: &CoreSalon, after: Position) -> Vec<Event> {
    changes::list(&salon.core.pool, after, &[], PageSize::new(100).unwrap()).await.unwrap().events
}

#[tokio::test]
async fn a_slower_writers_event_is_never_skipped() {
    let salon = CoreSalon::open(2).await;
    until_readable(&salon.core.pool).await;
    let from = all(&salon, Position::START).await.last().unwrap().position;
    let touch = async |conn: &mut PgConnection, staff: Uuid| {
        let touch = "UPDATE staff SET updated_at = updated_at + interval '1 second' WHERE id = $1";
        sqlx::query(touch).bind(staff).execute(conn).await.unwrap();
    };
    let mut slow = PgConnection::connect(salon.database_url()).await.unwrap();
    let mut slow = slow.begin().await.unwrap();
    touch(&mut slow, salon.staff[0]).await;
    let mut fast = salon.core.pool.begin().await.unwrap();
    touch(&mut fast, salon.staff[1]).await;
    fast.commit().await.unwrap();
    // The fast one has the greater number and committed first: a reader that took it would lose the other one.
    assert_eq!(all(&salon, from).await, []);
    let later = salon.core.now() + chrono::TimeDelta::seconds(31);
    assert_eq!(changes::lag(&salon.core.pool, later).await.unwrap(), 30);
    slow.commit().await.unwrap();
    until_readable(&salon.core.pool).await;
    let both: Vec<_> = all(&salon, from).await.into_iter().map(|event| event.subject).collect();
    assert_eq!(both, [Subject::Staff(salon.staff[0]), Subject::Staff(salon.staff[1])]);
    assert_eq!(changes::lag(&salon.core.pool, later).await.unwrap(), 0);
}

#[tokio::test]
async fn a_program_reads_the_feed_page_by_page_and_sees_each_event_once() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let booked = api.create("/v1/bookings", Some(&ada), &salon.wish("10:00")).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    assert_eq!(brief(&api.get("/v1/events", Some(&ada)).await), (403, "forbidden"));

    until_readable(api.database.pool()).await;
    let mut seen = Vec::new();
    let mut path = "/v1/events?limit=1".to_owned();
    let last = loop {
        let page = api.get(&path, Some(&salon.admin)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        seen.extend(page.body["data"].as_array().unwrap().clone());
        let next = page.body["next_cursor"].as_str().unwrap().to_owned();
        if page.body["has_more"] == false {
            break next;
        }
        path = format!("/v1/events?limit=1&after={next}");
    };
    let whole = api.get("/v1/events?limit=100", Some(&salon.admin)).await;
    assert_eq!(whole.body["data"].as_array().unwrap(), &seen);
    assert_eq!(whole.body["next_cursor"], last.as_str());
    let types: Vec<_> = seen.iter().map(|event| event["type"].as_str().unwrap()).collect();
    for expected in ["business.created", "staff.created", "service.created", "booking.created"] {
        assert!(types.contains(&expected), "{types:?}");
    }
    assert!(!whole.body.to_string().contains("example.org"), "no event names a person");

    let only = api.get("/v1/events?types=booking.created&types=booking.cancelled", Some(&salon.admin)).await;
    let only = only.body["data"].as_array().unwrap();
    assert_eq!(only.len(), 1);
    assert_eq!(only[0]["data"]["booking"]["id"], booked.body["id"]);
    assert_eq!(only[0]["data"]["booking"]["start"], booked.body["start"]);
    let odd = api.get("/v1/events?types=booking.eaten&after=yesterday", Some(&salon.admin)).await;
    assert_eq!(odd.status, 400, "{}", odd.body);
    assert_eq!(odd.faults().len(), 2, "{}", odd.body);
}

#[tokio::test]
async fn a_cursor_from_before_what_was_removed_is_refused() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    until_readable(api.database.pool()).await;
    let first = api.get("/v1/events?limit=1", Some(&salon.admin)).await;
    let old = first.body["next_cursor"].as_str().unwrap().to_owned();
    let now = punctual_queue::Clock::now(&*api.clock);
    let removed = changes::remove_old(api.database.pool(), now + chrono::TimeDelta::days(31)).await.unwrap();
    assert!(removed > 1, "{removed}");
    let refused = api.get(&format!("/v1/events?after={old}"), Some(&salon.admin)).await;
    assert_eq!(brief(&refused), (410, "cursor_expired"));
    assert_eq!(api.get("/v1/events", Some(&salon.admin)).await.status, 200);
}

//! Creating requests sent twice with one key.

use reqwest::Method;
use serde_json::{Value, json};

use super::salon::Salon;
use super::test_api::Answer;

async fn with_key(salon: &Salon, path: &str, key: &str, body: &Value) -> Answer {
    let request = salon.api.request(Method::POST, path).header("idempotency-key", key);
    salon.api.send(request.bearer_auth(&salon.admin.access).json(body)).await
}

#[tokio::test]
async fn every_creating_operation_creates_once_per_key() {
    let salon = Salon::open(1).await;
    let time_off = format!("/v1/staff/{}/time-off", salon.staff[0]);
    let range = |day: u8| json!({ "start": format!("2027-06-0{day}T08:00:00Z"), "end": format!("2027-06-0{day}T18:00:00Z") });
    for (path, table, body, other) in [
        ("/v1/staff", "staff", json!({ "name": "Zoe" }), json!({ "name": "Yan" })),
        (
            "/v1/services",
            "services",
            json!({ "name": "Shave", "duration_min": 30 }),
            json!({ "name": "Shave", "duration_min": 45 }),
        ),
        (&time_off, "time_off", range(1), range(2)),
    ] {
        let before = salon.api.count(table).await;
        let made = with_key(&salon, path, "one", &body).await;
        assert_eq!((made.status.as_u16(), made.header("idempotency-replayed")), (201, ""), "{path}");
        let (again, beside) =
            tokio::join!(with_key(&salon, path, "one", &body), with_key(&salon, path, "one", &body));
        for again in [again, beside] {
            assert_eq!(
                (again.status.as_u16(), again.header("idempotency-replayed")),
                (201, "true"),
                "{path}"
            );
            assert_eq!((&again.body, again.header("location")), (&made.body, made.header("location")));
        }
        let reused = with_key(&salon, path, "one", &other).await;
        assert_eq!((reused.status.as_u16(), reused.code()), (422, "idempotency_key_reused"), "{path}");
        assert_eq!(salon.api.count(table).await, before + 1, "{path}");
        assert_eq!(with_key(&salon, path, "two", &body).await.status, 201, "another key makes another");
        let unkeyed = salon.api.post(path, Some(&salon.admin), &body).await;
        assert_eq!((unkeyed.status.as_u16(), salon.api.count(table).await), (201, before + 3), "{path}");
    }
}

#[tokio::test]
async fn a_request_that_failed_frees_its_key() {
    let salon = Salon::open(1).await;
    let body = |staff: &str| json!({ "name": "Shave", "duration_min": 30, "staff_ids": [staff] });
    let unknown = "0196a1f0-7c1e-7000-8000-000000000000";
    assert_eq!(with_key(&salon, "/v1/services", "one", &body(unknown)).await.status, 422);
    assert_eq!(with_key(&salon, "/v1/services", "one", &body(&salon.staff[0])).await.status, 201);
}

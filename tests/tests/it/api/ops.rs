//! Operators' queries and actions over HTTP, and their audit.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Salon, brief};

/// Creates one job per time, without the jobs of verification mails.
async fn books(salon: &Salon, times: &[&str]) {
    let ada = salon.api.somebody("customer").await;
    sqlx::query("DELETE FROM queue.jobs").execute(salon.api.database.pool()).await.unwrap();
    for time in times {
        salon.book(&ada, time).await;
    }
}

/// Reads a list of jobs in pages of one; returns the ids.
async fn walk(salon: &Salon, query: &str) -> Vec<i64> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = salon.api.get(&format!("/v1/ops/jobs?limit=1&{query}{cursor}"), Some(&salon.admin)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        ids.extend(page.body["data"].as_array().unwrap().iter().map(|job| job["id"].as_i64().unwrap()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn operators_see_queues_jobs_and_one_job_with_its_errors() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    books(&salon, &["09:00", "10:00", "11:00"]).await;
    let queues = api.get("/v1/ops/queues", Some(&salon.admin)).await;
    let mails = &queues.body["data"][0];
    assert_eq!(
        (&mails["queue"], &mails["available"], &mails["paused"]),
        (&json!("mails"), &json!(3), &json!(false))
    );
    assert!(mails["oldest_due_at"].is_string() && mails.get("limit").is_none(), "{mails}");

    let ids = walk(&salon, "state=available&queue=mails&kind=mail.send.v1").await;
    assert_eq!(ids.len(), 3);
    assert_eq!(walk(&salon, "state=available&kind=another.v1").await.len(), 0);
    assert_eq!(walk(&salon, "state=discarded").await.len(), 0);
    let path = format!("/v1/ops/jobs/{}", ids[1]);
    let job = api.get(&path, Some(&salon.admin)).await.body;
    let key = job["job"]["unique_key"].as_str().unwrap();
    assert_eq!(walk(&salon, &format!("state=available&q={}", key.to_uppercase())).await, [ids[1]]);
    assert_eq!(
        serde_json::from_str::<Value>(job["payload"].as_str().unwrap()).unwrap()["notification_id"],
        key
    );

    let failed = json!([{ "at": "2027-05-03T06:00:00Z", "attempt": 12, "error": "the printer is on fire" }]);
    sqlx::query("UPDATE queue.jobs SET state = 'discarded', finalized_at = run_at, attempt = 12, errors = $2 WHERE id = $1")
        .bind(ids[1])
        .bind(failed)
        .execute(api.database.pool())
        .await
        .unwrap();
    let job = api.get(&path, Some(&salon.admin)).await.body;
    assert_eq!((&job["job"]["state"], &job["errors"][0]["attempt"]), (&json!("discarded"), &json!(12)));
    assert_eq!(walk(&salon, "state=discarded&q=PRINTER").await, [ids[1]]);
    assert_eq!(walk(&salon, "state=discarded&q=plumber").await.len(), 0);

    assert_eq!(brief(&api.get("/v1/ops/jobs/999999", Some(&salon.admin)).await), (404, "not_found"));
    let wrong = api.get("/v1/ops/jobs?state=lost&cursor=1.2&queue=a%20b", Some(&salon.admin)).await;
    assert_eq!(wrong.faults().len(), 3, "{}", wrong.body);
    assert_eq!(api.get("/v1/ops/workers", Some(&salon.admin)).await.body, json!({ "data": [] }));
}

#[tokio::test]
async fn exactly_the_actions_of_operators_are_audited() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    books(&salon, &["09:00", "10:00"]).await;
    let me = api.get("/v1/me", Some(&salon.admin)).await.body["id"].clone();
    let [first, second] = walk(&salon, "state=available").await[..] else { panic!("two jobs") };
    let second_passes = || api.clock.advance(chrono::TimeDelta::seconds(1));
    let post = async |path: String| {
        second_passes();
        api.post(&path, Some(&salon.admin), &json!({})).await
    };
    let job =
        async |id: i64| api.get(&format!("/v1/ops/jobs/{id}"), Some(&salon.admin)).await.body["job"].clone();

    assert_eq!(post("/v1/ops/queues/mails/pause".to_owned()).await.status, 200);
    let queues = api.get("/v1/ops/queues", Some(&salon.admin)).await.body;
    assert_eq!(queues["data"][0]["paused"], true);
    let cancelled = post(format!("/v1/ops/jobs/{first}/cancel")).await;
    assert_eq!(
        (&cancelled.body["verb"], &cancelled.body["job_state"]),
        (&json!("cancel"), &json!("available"))
    );
    assert_eq!((&job(first).await["stop"], job(second).await.get("stop")), (&json!("cancelled"), None));
    sqlx::query(
        "UPDATE queue.jobs SET state = 'cancelled', stop = NULL, finalized_at = run_at WHERE id = $1",
    )
    .bind(first)
    .execute(api.database.pool())
    .await
    .unwrap();
    let over = post(format!("/v1/ops/jobs/{first}/discard")).await;
    assert_eq!((brief(&over), &over.body["detail"]), ((409, "job_not_eligible"), &json!("It has ended.")));
    assert_eq!(post(format!("/v1/ops/jobs/{first}/retry")).await.status, 200);
    assert_eq!(job(first).await["state"], "available");
    assert_eq!(post(format!("/v1/ops/jobs/{second}/discard")).await.status, 200);
    assert_eq!(post("/v1/ops/queues/mails/resume".to_owned()).await.status, 200);
    let limits = json!({ "limit": { "count": 50, "per_ms": 1000, "burst": 5 } });
    second_passes();
    let set = api.write(Method::PUT, "/v1/ops/queues/mails/limits", &salon.admin, Some(&limits)).await;
    assert_eq!(
        (set.status.as_u16(), &set.body["limit"], set.body.get("key_limit")),
        (200, &limits["limit"], None)
    );
    assert_eq!(api.get("/v1/ops/queues", Some(&salon.admin)).await.body["data"][0]["limit"], limits["limit"]);
    second_passes();
    let none = api.write(Method::PUT, "/v1/ops/queues/mails/limits", &salon.admin, Some(&json!({}))).await;
    assert_eq!(none.status, 200);
    let queues = api.get("/v1/ops/queues", Some(&salon.admin)).await.body;
    assert_eq!((&queues["data"][0]["paused"], queues["data"][0].get("limit")), (&json!(false), None));

    assert_eq!(brief(&post("/v1/ops/queues/nails/pause".to_owned()).await), (404, "not_found"));
    assert_eq!(brief(&post("/v1/ops/jobs/999999/retry".to_owned()).await), (404, "not_found"));
    let page = api.get("/v1/ops/actions?limit=5", Some(&salon.admin)).await.body;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = api.get(&format!("/v1/ops/actions?limit=5&cursor={cursor}"), Some(&salon.admin)).await.body;
    let mut listed = page["data"].as_array().unwrap().clone();
    listed.extend(rest["data"].as_array().unwrap().iter().cloned());
    let told: Vec<_> =
        listed.iter().map(|done| (done["verb"].as_str().unwrap(), done["job_id"].as_i64())).collect();
    let want = [
        ("set_limits", None),
        ("set_limits", None),
        ("resume", None),
        ("discard", Some(second)),
        ("retry", Some(first)),
        ("cancel", Some(first)),
        ("pause", None),
    ];
    assert_eq!(told, want, "the last first, and what was refused is not there");
    assert!(
        listed
            .iter()
            .all(|done| done["user_id"] == me && done["operator"] == "admin" && done["queue"] == "mails")
    );
    let of_one = api.get(&format!("/v1/ops/actions?job_id={first}"), Some(&salon.admin)).await.body;
    assert_eq!(of_one["data"].as_array().unwrap().len(), 2);
    assert_eq!(api.count("operator_actions").await, 7);
}

#[tokio::test]
async fn queues_can_be_paused_before_their_first_job_and_worker() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    books(&salon, &[]).await;
    for queue in ["mails", "webhooks"] {
        let paused = api.post(&format!("/v1/ops/queues/{queue}/pause"), Some(&salon.admin), &json!({})).await;
        assert_eq!(paused.status, 200, "{}", paused.body);
    }
    let resumed = api.post("/v1/ops/queues/webhooks/resume", Some(&salon.admin), &json!({})).await;
    assert_eq!(resumed.status, 200, "{}", resumed.body);
    let queues = api.get("/v1/ops/queues", Some(&salon.admin)).await.body;
    let listed: Vec<_> =
        queues["data"].as_array().unwrap().iter().map(|queue| (&queue["queue"], &queue["paused"])).collect();
    assert_eq!(listed, [(&json!("mails"), &json!(true)), (&json!("webhooks"), &json!(false))]);
}

#[tokio::test]
async fn the_history_of_a_queue_is_what_was_sampled() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    books(&salon, &["09:00", "10:00"]).await;
    let core = punctual_core::Core::new(
        api.database.pool().clone(),
        api.clock.clone(),
        punctual_queue::Wake::polling(),
    );
    punctual_core::operators::sample(&core).await.unwrap();
    sqlx::query("UPDATE queue.jobs SET state = 'completed', finalized_at = $1 WHERE id = (SELECT min(id) FROM queue.jobs)")
        .bind(core.now() + chrono::TimeDelta::seconds(10))
        .execute(api.database.pool())
        .await
        .unwrap();
    for _ in 0..2 {
        api.clock.advance(chrono::TimeDelta::seconds(30));
        punctual_core::operators::sample(&core).await.unwrap();
    }
    let history = api.get("/v1/ops/queues/mails/history", Some(&salon.admin)).await.body;
    let seen: Vec<_> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sample| {
            ["available", "over_seconds", "completed", "failed"].map(|name| sample[name].as_i64().unwrap())
        })
        .collect();
    assert_eq!(seen, [[2, 0, 0, 0], [1, 30, 1, 0], [1, 30, 0, 0]], "what ended is counted once");
    assert_eq!(api.get("/v1/ops/queues/none/history", Some(&salon.admin)).await.body, json!({ "data": [] }));
    api.clock.advance(chrono::TimeDelta::hours(25));
    punctual_core::operators::sample(&core).await.unwrap();
    assert_eq!(api.count("queue_samples").await, 1, "older ones are forgotten");
}

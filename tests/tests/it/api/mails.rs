//! Manual resend of mails that failed or are in doubt.

use serde_json::json;

use super::{Salon, brief};

#[tokio::test]
async fn a_mail_in_doubt_is_sent_again_by_a_person_once_for_each_time() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let booking = salon.book(&ada, "10:00").await;
    let mails = api.get(&format!("{booking}/notifications"), Some(&ada)).await;
    let mail =
        mails.body["data"].as_array().unwrap().iter().find(|mail| mail["kind"] == "confirmation").unwrap();
    let resend = format!("{booking}/notifications/{}/resend", mail["id"].as_str().unwrap());
    let post = async |path: &str| api.post(path, Some(&salon.admin), &json!({})).await;

    let untouched = post(&resend).await;
    assert_eq!(brief(&untouched), (409, "not_resendable"), "it waits for its first try");
    assert_eq!(brief(&api.post(&resend, Some(&ada), &json!({})).await), (403, "forbidden"));

    // The state after a second copy without a reply.
    let sql = |text: &'static str| sqlx::raw_sql(text).execute(api.database.pool());
    let doubt = "UPDATE notifications SET outcome = 'in_doubt', outcome_at = send_at, doubts = 2, tries = 2
                 WHERE kind = 'confirmation';
                 UPDATE queue.jobs SET state = 'completed', finalized_at = run_at";
    sql(doubt).await.unwrap();
    let again = post(&resend).await;
    assert_eq!((again.status.as_u16(), &again.body["id"]), (200, &mail["id"]), "{}", again.body);
    assert_eq!(again.body["state"], "queued");
    assert_eq!(api.count("queue.jobs WHERE state = 'available'").await, 1);
    assert_eq!(
        api.count("notifications WHERE doubts = 1 AND outcome IS NULL").await,
        1,
        "no third copy by itself"
    );
    assert_eq!(brief(&post(&resend).await), (409, "not_resendable"), "it is on its way");

    let unknown = format!("{booking}/notifications/0196a1f0-7c1e-7000-8000-000000000000/resend");
    assert_eq!(brief(&post(&unknown).await), (404, "not_found"));
    sql(doubt).await.unwrap();
    assert_eq!(api.change(&format!("{booking}/cancel"), &ada, "*", None).await.status, 200);
    assert_eq!(brief(&post(&resend).await), (409, "not_resendable"), "it is no longer true");
}

#[tokio::test]
async fn a_resent_mail_goes_to_the_corrected_address() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let booking = salon.book(&ada, "10:00").await;
    let refused = "UPDATE notifications SET outcome = 'failed', outcome_at = send_at, reply = '550 no such user', tries = 1
                   WHERE kind = 'confirmation';
                   UPDATE queue.jobs SET state = 'completed', finalized_at = run_at";
    sqlx::raw_sql(refused).execute(api.database.pool()).await.unwrap();
    let booked = api.get(&booking, Some(&salon.admin)).await;
    let customer = format!("/v1/customers/{}", booked.body["customer"]["id"].as_str().unwrap());
    let right = json!({ "email": "right@example.org" });
    let corrected = api.write(reqwest::Method::PATCH, &customer, &salon.admin, Some(&right)).await;
    assert_eq!(corrected.status, 200, "{}", corrected.body);
    let mails = api.get(&format!("{booking}/notifications"), Some(&salon.admin)).await;
    let mail = mails.body["data"].as_array().unwrap().iter().find(|mail| mail["state"] == "failed").unwrap();
    assert_eq!(mail["reply"], "550 no such user");
    let resend = format!("{booking}/notifications/{}/resend", mail["id"].as_str().unwrap());
    assert_eq!(api.post(&resend, Some(&salon.admin), &json!({})).await.body["state"], "queued");
    let to =
        "notifications WHERE kind = 'confirmation' AND recipient = 'right@example.org' AND outcome IS NULL";
    assert_eq!(api.count(to).await, 2, "the one of the correction, and the one that was sent again");
}

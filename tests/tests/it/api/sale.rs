//! A sale opens: many ask for few places at one instant.

use futures::future::join_all;
use serde_json::json;

use super::{Salon, TestApi, brief};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_too_late_when_a_sale_opens_is_told_that_the_slot_is_taken_and_what_is_free() {
    let salon = Salon::on(TestApi::start().await, 2, "08:00-18:00").await;
    salon.allow_guests().await;
    let ada = salon.api.somebody("customer").await;
    let attempts = (0..600).map(|number| {
        let (salon, ada) = (&salon, &ada);
        // 16 of the 20 places.
        let place = number % 16;
        let mut wish = salon.wish(&format!("{:02}:00", 8 + place / 2));
        wish["staff_id"] = json!(salon.staff[place % 2]);
        let session = (number % 5 == 0).then_some(ada);
        if session.is_none() {
            let email = format!("guest{number}@example.org");
            wish["contact"] = json!({ "email": email, "name": format!("Guest {number}") });
        }
        async move { salon.api.create("/v1/bookings", session, &wish).await }
    });
    let answers = join_all(attempts).await;
    let booked = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(booked, 16);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(brief(answer), (409, "slot_taken"), "{}", answer.body);
        // Others may take what it names, but four places stay free.
        assert!(!answer.body["alternatives"].as_array().unwrap().is_empty(), "{}", answer.body);
    }
    let overlaps = "SELECT count(*) FROM bookings a JOIN bookings b
                    ON a.id < b.id AND a.staff_id = b.staff_id AND a.blocked && b.blocked AND a.blocks AND b.blocks";
    let overlaps: i64 = sqlx::query_scalar(overlaps).fetch_one(salon.api.database.pool()).await.unwrap();
    assert_eq!(overlaps, 0);
}

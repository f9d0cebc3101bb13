//! Duration and price of a service by member of staff, over HTTP and on the pages.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Salon, brief};

#[tokio::test]
async fn an_administrator_sets_what_differs_with_a_member_of_staff_and_slots_and_bookings_show_it() {
    let salon = Salon::open(2).await;
    let api = &salon.api;
    let path = format!("/v1/services/{}/staff-terms", salon.service);
    let put = async |rev: &str, body: Value| {
        let request =
            api.request(Method::PUT, &path).header("if-match", rev).bearer_auth(&salon.admin.access);
        api.send(request.json(&body)).await
    };
    let terms = json!([{ "staff_id": salon.staff[0], "duration_min": 90, "price_minor": 9000 }]);
    assert_eq!(brief(&put("\"7\"", json!({ "terms": terms })).await), (412, "precondition_failed"));
    let done = put("\"1\"", json!({ "terms": terms })).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!((&done.body["staff_terms"], done.header("etag")), (&terms, "W/\"2\""));
    let service = api.get(&format!("/v1/services/{}", salon.service), None).await;
    assert_eq!(service.body["staff_terms"], terms, "everybody sees it");
    let unknown = json!({ "terms": [{ "staff_id": salon.service, "price_minor": 1 }] });
    assert_eq!(put("*", unknown).await.faults(), ["body /terms not_performed"]);

    let slots = format!(
        "/v1/slots?service_id={}&staff_id={}&from=2027-05-04&to=2027-05-04",
        salon.service, salon.staff[0]
    );
    let slots = api.get(&slots, None).await;
    let first = &slots.body["days"][0]["slots"][0];
    assert_eq!(
        (&first["start"], &first["end"]),
        (&json!("2027-05-04T09:00:00+02:00"), &json!("2027-05-04T10:30:00+02:00"))
    );
    let mut wish = salon.wish("09:00");
    wish["staff_id"] = json!(salon.staff[0]);
    let booked = api.create("/v1/bookings", Some(&salon.admin), &wish).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    assert_eq!(booked.body["end"], "2027-05-04T10:30:00+02:00");
    assert_eq!(
        (&booked.body["service"]["duration_min"], &booked.body["service"]["price"]["minor"]),
        (&json!(90), &json!(9000))
    );
}

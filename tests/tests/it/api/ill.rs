//! A member of staff is ill: whom to tell, where they could go, and one message to all.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Salon, brief};

fn place(slot: &Value) -> (&str, &Value) {
    (slot["start"].as_str().unwrap(), &slot["staff_ids"])
}

#[tokio::test]
async fn a_member_of_staff_is_ill_and_the_desk_settles_the_day_with_one_message() {
    let salon = Salon::open(2).await;
    let api = &salon.api;
    let (ill, well) = (&salon.staff[0], &salon.staff[1]);
    let desk = api.somebody("front_desk").await;
    let book = async |time: &str, staff: &str, contact: Value| {
        let mut wish = salon.wish(time);
        wish["staff_id"] = json!(staff);
        wish["contact"] = contact;
        let booked = api.create("/v1/bookings", Some(&desk), &wish).await;
        assert_eq!(booked.status, 201, "{}", booked.body);
        booked.body
    };
    let ada = book("09:00", ill, json!({ "name": "Ada", "phone": "030 1234567" })).await;
    let bea = book("10:00", ill, json!({ "name": "Bea", "email": "bea@example.org" })).await;
    let cem = book("11:00", ill, json!({ "name": "Cem", "email": "cem@example.org" })).await;
    book("10:00", well, json!({ "name": "Dora", "email": "dora@example.org" })).await;

    let day = json!({ "start": "2027-05-04T00:00:00+02:00", "end": "2027-05-05T00:00:00+02:00" });
    let off = api.create(&format!("/v1/staff/{ill}/time-off"), Some(&desk), &day).await;
    assert_eq!(off.status, 201, "{}", off.body);
    assert_eq!(Salon::stranded(&off), ["09:00", "10:00", "11:00"]);
    let proposals = off.body["proposals"].as_array().unwrap();
    assert_eq!(proposals[0]["booking"], ada, "name, phone number, service and revision");
    let places = |number: usize| -> Vec<(&str, &Value)> {
        proposals[number]["alternatives"].as_array().unwrap().iter().map(place).collect()
    };
    let (on_well, on_ill) = (json!([well]), json!([ill]));
    assert_eq!(
        places(0),
        [
            ("2027-05-04T09:00:00+02:00", &on_well),
            ("2027-05-11T09:00:00+02:00", &on_ill),
            ("2027-05-11T10:00:00+02:00", &on_ill),
        ],
        "a colleague at the same time, then the same member of staff"
    );
    assert_eq!(places(1)[0], ("2027-05-11T09:00:00+02:00", &on_ill), "the colleague is busy at that time");

    let id = |booking: &Value| booking["id"].clone();
    let changes = json!({
        "changes": [
            { "id": id(&ada), "rev": 1, "action": "move", "start": "2027-05-04T09:00:00+02:00", "staff_id": well },
            { "id": id(&bea), "rev": 1, "action": "cancel" },
            { "id": id(&cem), "rev": 1, "action": "move", "start": "2027-05-04T10:00:00+02:00", "staff_id": well },
        ],
        "message": "Maria has caught the flu.",
    });
    let done = api.post("/v1/bookings/batch", Some(&desk), &changes).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let results = |answer: &Value| -> Vec<(u64, String)> {
        let results = answer["results"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let result = |result: &Value| {
            let what = result["booking"]["status"].as_str().or(result["problem"]["code"].as_str());
            (result["status"].as_u64().unwrap(), what.unwrap().to_owned())
        };
        results.iter().map(result).collect()
    };
    let expected =
        [(200, "confirmed"), (200, "cancelled"), (409, "slot_taken")].map(|(s, w)| (s, w.to_owned()));
    assert_eq!(results(&done.body), expected);
    assert_eq!(done.body["results"][0]["booking"]["staff"]["id"], *well);
    assert!(!done.body["results"][2]["problem"]["alternatives"].as_array().unwrap().is_empty());
    let again = api.post("/v1/bookings/batch", Some(&desk), &changes).await;
    assert_eq!(again.body["results"][0], done.body["results"][0], "nothing is done twice");
    assert_eq!(results(&again.body), expected);
    assert_eq!(api.count("booking_events WHERE change <> 'created'").await, 2);
    assert_eq!(
        api.count("booking_events WHERE details ->> 'message' = 'Maria has caught the flu.'").await,
        2
    );
    assert_eq!(
        api.count("notifications WHERE kind = 'cancellation' AND recipient = 'bea@example.org'").await,
        1
    );
    let late = json!({ "changes": [{ "id": id(&cem), "rev": 7, "action": "cancel" }] });
    let late = api.post("/v1/bookings/batch", Some(&desk), &late).await;
    assert_eq!(results(&late.body), [(412, "precondition_failed".to_owned())]);
}

#[tokio::test]
async fn a_batch_that_makes_no_sense_changes_nothing() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let booking = salon.book(&salon.admin, "09:00").await;
    let id = booking.rsplit('/').next().unwrap();
    let changes = json!({ "changes": [
        { "id": id, "rev": 1, "action": "cancel" },
        { "id": id, "rev": 1, "action": "move" },
        { "id": id, "rev": 1, "action": "cancel", "start": "2027-05-04T09:00:00+02:00" },
    ] });
    let refused = api.post("/v1/bookings/batch", Some(&salon.admin), &changes).await;
    assert_eq!(refused.faults(), ["body /changes/1/start required", "body /changes/2/action conflict"]);
    assert_eq!(api.get(&booking, Some(&salon.admin)).await.body["status"], "confirmed");
    let ada = api.somebody("customer").await;
    let cancel = json!({ "changes": [{ "id": id, "rev": 1, "action": "cancel" }] });
    assert_eq!(brief(&api.post("/v1/bookings/batch", Some(&ada), &cancel).await), (403, "forbidden"));
    let none =
        api.write(Method::POST, "/v1/bookings/batch", &salon.admin, Some(&json!({ "changes": [] }))).await;
    assert_eq!(none.status, 400, "{}", none.body);
}

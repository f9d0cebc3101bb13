//! Customers as seen by staff.

use punctual_core::links::{Link, Purpose};
use reqwest::Method;
use serde_json::json;

use super::{Salon, brief};

#[tokio::test]
async fn staff_search_customers_and_correct_an_address() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let maria = api.somebody("staff").await;
    for (time, name, email) in [
        ("09:00", "Grace Hopper", "grace@example.org"),
        ("10:00", "Alan Turing", "alan@exmaple.org"),
        ("11:00", "Ada King", "ada@example.org"),
    ] {
        let mut wish = salon.wish(time);
        wish["contact"] = json!({ "name": name, "email": email });
        assert_eq!(api.create("/v1/bookings", Some(&maria), &wish).await.status, 201);
    }
    let names = async |path: &str| {
        let page = api.get(path, Some(&maria)).await.body;
        let data = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
        let mut names: Vec<_> =
            data.iter().map(|customer| customer["name"].as_str().unwrap().to_owned()).collect();
        // All were created at one instant of the test's clock, so they are sorted by id.
        names.sort_unstable();
        (names, page["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(names("/v1/customers?q=TURING").await.0, ["Alan Turing"]);
    assert_eq!(names("/v1/customers?q=example.org").await.0, ["Ada King", "Grace Hopper"]);
    assert_eq!(names("/v1/customers?q=100%25_").await.0, Vec::<String>::new(), "no character is special");
    let (first, cursor) = names("/v1/customers?limit=2").await;
    assert_eq!(first.len(), 2);
    let (rest, end) = names(&format!("/v1/customers?limit=2&cursor={}", cursor.unwrap())).await;
    let mut all = [first, rest].concat();
    all.sort_unstable();
    assert_eq!((all, end), (["Ada King", "Alan Turing", "Grace Hopper"].map(str::to_owned).to_vec(), None));

    let alan = api.get("/v1/customers?q=turing", Some(&maria)).await.body["data"][0].clone();
    let path = format!("/v1/customers/{}", alan["id"].as_str().unwrap());
    assert_eq!(api.get(&path, Some(&maria)).await.body, alan);
    let corrected =
        api.write(Method::PATCH, &path, &maria, Some(&json!({ "email": "alan@example.org" }))).await;
    assert_eq!((corrected.status.as_u16(), &corrected.body["email"]), (200, &json!("alan@example.org")));
    assert_eq!(
        api.count("notifications WHERE recipient = 'alan@exmaple.org'").await,
        0,
        "planned mails follow"
    );
    assert_eq!(
        api.count("notifications WHERE recipient = 'grace@example.org' AND kind = 'confirmation'").await,
        1
    );

    let made_up = format!("/v1/customers?cursor={}", "0".repeat(32));
    assert_eq!(
        api.get(&made_up, Some(&maria)).await.faults(),
        ["query /cursor bad_cursor"],
        "not a fault of ours"
    );
    let nobody = "/v1/customers/0196a1f0-7c1e-7000-8000-000000000000";
    assert_eq!(brief(&api.get(nobody, Some(&maria)).await), (404, "not_found"));
    let ada = api.somebody("customer").await;
    assert_eq!(brief(&api.get(&path, Some(&ada)).await), (403, "forbidden"));
}

#[tokio::test]
async fn correcting_an_address_voids_the_links_that_went_to_the_wrong_one() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let mut wish = salon.wish("09:00");
    wish["contact"] = json!({ "name": "Alan Turing", "email": "alan@exmaple.org" });
    let booked = api.create("/v1/bookings", Some(&salon.admin), &wish).await.body;
    let id = booked["id"].as_str().unwrap().parse().unwrap();
    let opens = async |epoch: i32| {
        let token = Link { purpose: Purpose::Manage, id, epoch }.token(&api.links);
        api.client.get(format!("{}/m/{token}", api.url)).send().await.unwrap().status().as_u16()
    };
    assert_eq!(opens(0).await, 200);
    let path = format!("/v1/customers/{}", booked["customer"]["id"].as_str().unwrap());
    let correct = async |email: &str| {
        let body = json!({ "email": email });
        assert_eq!(api.write(Method::PATCH, &path, &salon.admin, Some(&body)).await.status, 200);
    };
    correct("alan@exmaple.org").await;
    assert_eq!(opens(0).await, 200, "nothing was corrected");
    correct("alan@example.org").await;
    assert_eq!((opens(0).await, opens(1).await), (404, 200));
}

//! Every page of the desk as every role.

use std::collections::BTreeSet;

use serde_json::json;

use super::desk::{TUESDAY, Visitor, salon};

/// Pages that only administrators see.
const FOR_ADMINS: [&str; 12] = [
    "/desk/business",
    "/desk/closures",
    "/desk/keys",
    "/desk/numbers",
    "/desk/resources",
    "/desk/resources/:id",
    "/desk/services",
    "/desk/services/:id",
    "/desk/services/:id/resources",
    "/desk/services/:id/staff-terms",
    "/desk/services/:id/timetable",
    "/desk/team/:id",
];

/// Those that have no content of the business.
const OPEN: [&str; 5] = ["/desk/login", "/desk/style.css", "/desk/live.js", "/desk/drag.js", "/desk/logout"];

/// The routes as they are written in the source.
fn routes() -> BTreeSet<String> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/src/pages/desk/mod.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let parts = source.split(".at(").skip(1);
    parts.map(|part| part.split('"').nth(1).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_page_of_the_desk_is_for_exactly_its_roles() {
    let salon = salon().await;
    let booking = salon.book("09:00").await;
    let room = json!({ "name": "Room 1", "kind": "Room" });
    let room = salon.api.post("/v1/resources", Some(&salon.admin), &room).await.body["id"].clone();
    let series = json!({ "service_id": salon.service, "start": "2027-05-04T10:00:00+02:00", "count": 2,
        "every": { "weeks": 1 }, "contact": { "name": "Grace Hopper", "email": "grace@example.org" } });
    let series = salon.api.create("/v1/series", Some(&salon.admin), &series).await.body;
    let customer = series["series"]["bookings"][0]["customer"]["id"].as_str().unwrap();
    let of_series = series["series"]["bookings"][0]["id"].as_str().unwrap();
    let off = json!({ "start": "2027-05-04T11:00:00+02:00", "end": "2027-05-04T12:00:00+02:00" });
    let off =
        salon.api.post(&format!("/v1/staff/{}/time-off", salon.staff[0]), Some(&salon.admin), &off).await;
    let off = off.body["time_off"]["id"].as_str().or(off.body["id"].as_str()).unwrap_or_default().to_owned();
    let path_of = |route: &str| match route {
        "/desk/week/:staff" => format!("/desk/week/{}", salon.staff[0]),
        "/desk/away/:staff/:id" => format!("/desk/away/{}/{off}?date={TUESDAY}", salon.staff[0]),
        "/desk/customers/:id" => format!("/desk/customers/{customer}"),
        "/desk/team/:id" => format!("/desk/team/{}", salon.staff[0]),
        "/desk/hours/:staff" => format!("/desk/hours/{}", salon.staff[0]),
        "/desk/resources/:id" => format!("/desk/resources/{}", room.as_str().unwrap()),
        "/desk/b/:id" => format!("/desk/b/{booking}"),
        "/desk/b/:id/move" => format!("/desk/b/{booking}/move"),
        "/desk/b/:id/series" => format!("/desk/b/{of_series}/series"),
        "/desk/b/:id/:verb" => format!("/desk/b/{booking}/cancel"),
        "/desk/class/:service/:staff/:start" => {
            format!("/desk/class/{}/{}/20270504T0700Z", salon.service, salon.staff[0])
        }
        of_service if of_service.starts_with("/desk/services/:id") => {
            of_service.replace(":id", &salon.service)
        }
        plain => {
            assert!(!plain.contains(':'), "{plain} has no example here");
            plain.to_owned()
        }
    };
    let admins: BTreeSet<&str> = FOR_ADMINS.into();
    let (staff, desk) = (salon.api.somebody("staff").await, salon.api.somebody("front_desk").await);
    let customer = Visitor::of(&salon, &salon.customer).await;
    let (staff, desk) = (Visitor::of(&salon, &staff).await, Visitor::of(&salon, &desk).await);
    let admin = Visitor::of(&salon, &salon.admin).await;
    let routes = routes();
    assert!(routes.len() > 25 && admins.iter().all(|route| routes.contains(*route)), "{routes:?}");
    for route in routes.iter().filter(|route| !OPEN.contains(&route.as_str())) {
        let path = path_of(route);
        let for_staff = if admins.contains(route.as_str()) { 403 } else { 200 };
        // The stream of changes does not end, and the class of a one-to-one service is none.
        if route == "/desk/changes" {
            assert_eq!(salon.get(&path).await.status, 403, "{path} as a guest");
            assert_eq!(customer.get(&path).await.status, 403, "{path} as a customer");
            continue;
        }
        let for_staff = if route.starts_with("/desk/class") { 404 } else { for_staff };
        let found = [
            salon.get(&path).await.status.as_u16(),
            customer.get(&path).await.status.as_u16(),
            staff.get(&path).await.status.as_u16(),
            desk.get(&path).await.status.as_u16(),
        ];
        assert_eq!(found, [303, 403, for_staff, for_staff], "{path}: guest, customer, staff, front desk");
        let for_admin = if route.starts_with("/desk/class") { 404 } else { 200 };
        assert_eq!(admin.get(&path).await.status, for_admin, "{path} as an administrator");
    }
}

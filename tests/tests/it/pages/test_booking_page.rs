//! A salon that takes guests, and the steps of a booking on `/book`.

use reqwest::Method;
use serde_json::{Value, json};

use super::test_pages::{Page, Salon};

/// A salon that takes guests.
pub async fn salon(staff: usize, service: Value) -> Salon {
    let salon = Salon::open(staff, service).await;
    let patch =
        json!({ "guests_allowed": true, "phone": "+49 30 1234", "address": "Sonnenallee 1\n12047 Berlin" });
    change_business(&salon, patch).await;
    salon
}

pub async fn change_business(salon: &Salon, patch: Value) {
    let answer = salon.api.write(Method::PATCH, "/v1/business", &salon.admin, Some(&patch)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

/// Where a page's redirect leads, as a path of the site.
pub fn target(from: &str, page: &Page) -> String {
    let location = page.header("location");
    assert!(!location.is_empty(), "{} without a location: {}", page.status, page.text);
    let base = reqwest::Url::parse("http://salon.test").unwrap().join(from).unwrap();
    let url = base.join(location).unwrap();
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// A guest's contact.
pub const ADA: [(&str, &str); 4] = [
    ("name", "Ada Lovelace"),
    ("email", "ada@example.org"),
    ("phone", ""),
    ("note", "By the window,\r\nplease"),
];

pub struct Booking<'a> {
    pub salon: &'a Salon,
}

impl Booking<'_> {
    /// Path of the times with anyone.
    pub fn times(&self) -> String {
        format!("/book/{}/anyone", self.salon.service)
    }

    /// The page of a chosen time: its path with the key, and its token.
    pub async fn choose(&self, start: &str) -> (String, String) {
        let path = format!("{}/{start}", self.times());
        let first = self.salon.get(&path).await;
        assert_eq!(first.status, 303, "{}", first.text);
        let keyed = target(&path, &first);
        let page = self.salon.get(&keyed).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let token = page.field("token").to_owned();
        (keyed, token)
    }

    /// Keeps a time; answers the path of the contact form.
    pub async fn hold(&self, start: &str) -> String {
        let (path, token) = self.choose(start).await;
        let answer = self.salon.submit(&path, &[("token", &token)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        target(&path, &answer)
    }

    pub async fn statuses(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT status::text FROM bookings ORDER BY created_at, id")
            .fetch_all(self.salon.api.database.pool())
            .await
            .unwrap()
    }
}

pub const NINE: &str = "20270504T0700Z";
pub const TEN: &str = "20270504T0800Z";

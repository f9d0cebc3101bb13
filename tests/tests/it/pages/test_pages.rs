use chrono::Weekday;
use punctual_core::links::{Link, Purpose};
use punctual_testkit::{BusinessBuilder, week};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::test_api::{Session, TestApi};

/// Haircuts of an hour, Tuesdays and Wednesdays from 9 to 12, and a customer; it is Monday 8 o'clock.
pub struct Salon {
    pub api: TestApi,
    pub admin: Session,
    pub customer: Session,
    pub service: String,
    pub staff: Vec<String>,
    browser: reqwest::Client,
}

/// What a person gets to see.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// The value of a hidden field.
    pub fn field(&self, name: &str) -> &str {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&start).unwrap_or_else(|| panic!("no {name} in {}", self.text));
        rest.split_once('"').unwrap().0
    }

    /// The text between two texts of the page.
    pub fn between(&self, before: &str, after: &str) -> &str {
        let (_, rest) =
            self.text.split_once(before).unwrap_or_else(|| panic!("no {before} in {}", self.text));
        rest.split_once(after).unwrap().0
    }
}

impl Salon {
    pub async fn open(staff: usize, service: Value) -> Self {
        Self::open_with(staff, service, &[]).await
    }

    pub async fn open_with(staff: usize, service: Value, settings: &[(&str, &str)]) -> Self {
        let api = TestApi::start_with(settings).await;
        let admin = api.somebody("admin").await;
        let customer = api.somebody("customer").await;
        let names = (1..=staff).map(|number| format!("Maria {number}"));
        let week = week(&[Weekday::Tue, Weekday::Wed], "09:00-12:00");
        let opened = BusinessBuilder::default().staff(names, &week).open(&api.core()).await;
        let staff: Vec<String> = opened.staff.iter().map(Uuid::to_string).collect();
        let mut spec = json!({ "name": "Haircut & <b>colour</b>", "duration_min": 60, "price_minor": 4500,
            "staff_ids": staff, "reminders": [{ "kind": "offset", "minutes": 60 }] });
        spec.as_object_mut().unwrap().extend(service.as_object().cloned().unwrap_or_default());
        let made = api.post("/v1/services", Some(&admin), &spec).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let service = made.body["id"].as_str().unwrap().to_owned();
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { api, admin, customer, service, staff, browser }
    }

    /// The customer's booking of Tuesday at this time; returns its id.
    pub async fn book(&self, time: &str) -> String {
        let wish = json!({ "service_id": self.service, "staff_id": self.staff[0],
            "start": format!("2027-05-04T{time}:00+02:00") });
        let made = self.api.create("/v1/bookings", Some(&self.customer), &wish).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        made.body["id"].as_str().unwrap().to_owned()
    }

    pub async fn booking(&self, id: &str) -> Value {
        self.api.get(&format!("/v1/bookings/{id}"), Some(&self.admin)).await.body
    }

    /// Path of a link as a mail has it.
    pub fn link(&self, purpose: Purpose, id: &str, epoch: i32) -> String {
        Link { purpose, id: Uuid::parse_str(id).unwrap(), epoch }.url(&self.api.links, "")
    }

    pub fn manage(&self, id: &str) -> String {
        self.link(Purpose::Manage, id, 0)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, headers, text: response.text().await.unwrap() }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.browser.request(method, format!("{}{path}", self.api.url))
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(self.request(Method::POST, path).header("sec-fetch-site", "same-origin").form(fields)).await
    }
}

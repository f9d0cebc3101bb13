//! A business with a real api and the real clock, and a customer who registered over HTTP.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use punctual_testkit::smtp_sink::SmtpSink;
use punctual_testkit::{Process, Programs, wait_for};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::core::salon::Salon;

pub struct TestStack {
    pub salon: Salon,
    pub sink: SmtpSink,
    pub programs: Programs,
    pub api: Process,
    pub service: Uuid,
    client: Client,
    token: String,
}

impl TestStack {
    /// This many members of staff, and programs configured by `change`; no worker yet.
    pub async fn open(staff: usize, change: impl FnOnce(Programs) -> Programs) -> Self {
        Self::on(Salon::open(staff).await, change).await
    }

    /// As [`Self::open`], with a salon that is there already.
    pub async fn on(salon: Salon, change: impl FnOnce(Programs) -> Programs) -> Self {
        let service = salon.service(|_| ()).await;
        let sink = SmtpSink::start().await;
        let programs = change(Programs::on(salon.database()).smtp(&sink.url()));
        let api = programs.api().await;
        let (client, token) = (Client::new(), String::new());
        let mut stack = Self { salon, sink, programs, api, service, client, token };
        let account =
            json!({ "email": "ada@example.org", "password": "a long enough password", "name": "Ada" });
        assert_eq!(stack.post("/v1/auth/register", None, &account).await.status(), 201);
        stack.renew_token().await;
        // Only booking mails are wanted here: a verified address gets no verification mail.
        let prove = "UPDATE users SET email_verified_at = created_at";
        sqlx::query(prove).execute(&stack.salon.core.pool).await.unwrap();
        stack
    }

    /// Logs the customer in: from now on with a fresh access token.
    pub async fn renew_token(&mut self) {
        self.token.clear();
        let login = json!({ "email": "ada@example.org", "password": "a long enough password" });
        let session: Value = self.post("/v1/auth/login", None, &login).await.json().await.unwrap();
        session["access_token"].as_str().unwrap().clone_into(&mut self.token);
    }

    async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Response {
        let mut request = self.client.post(format!("{}{path}", self.api.url())).json(body);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        request.send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.api.url())).bearer_auth(&self.token);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The free starts of the day after tomorrow, as listed by the api.
    pub async fn starts(&self) -> Vec<String> {
        let now: DateTime<Utc> =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.salon.core.pool).await.unwrap();
        let date: NaiveDate = (now + TimeDelta::days(2)).date_naive();
        let path = format!("/v1/slots?service_id={}&from={date}&to={date}", self.service);
        let slots = self.get(&path).await;
        let slots = slots["days"][0]["slots"].as_array().unwrap();
        slots.iter().map(|slot| slot["start"].as_str().unwrap().to_owned()).collect()
    }

    /// Requests a booking; returns the api's answer.
    pub async fn request_booking(&self, key: &str, start: &str) -> (u16, Value) {
        let wish = json!({ "service_id": self.service, "start": start });
        let answer = self.post("/v1/bookings", Some(key), &wish).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Requests a booking; an error where the api closes the connection.
    pub async fn try_request_booking(&self, key: &str, start: &str) -> reqwest::Result<Response> {
        let request = self.client.post(format!("{}/v1/bookings", self.api.url())).bearer_auth(&self.token);
        let body = json!({ "service_id": self.service, "start": start });
        request.header("Idempotency-Key", key).json(&body).send().await
    }

    /// Requests a booking as part of a trace.
    pub async fn request_booking_in_trace(&self, key: &str, start: &str, traceparent: &str) -> Response {
        let request = self.client.post(format!("{}/v1/bookings", self.api.url())).bearer_auth(&self.token);
        let request = request.header("Idempotency-Key", key).header("traceparent", traceparent);
        request.json(&json!({ "service_id": self.service, "start": start })).send().await.unwrap()
    }

    /// Books, and gives the id.
    pub async fn book(&self, key: &str, start: &str) -> String {
        let (status, booking) = self.request_booking(key, start).await;
        assert_eq!(status, 201, "{booking}");
        booking["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the api's entry for the booking's confirmation fits, and returns it.
    pub async fn wait_for_confirmation(&self, booking: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for("the confirmation", async || {
            let listed = self.get(&format!("/v1/bookings/{booking}/notifications")).await;
            let mails = listed["data"].as_array().unwrap();
            let mail = mails.iter().find(|mail| mail["kind"] == "confirmation").unwrap();
            if fits(mail) { Ok(mail.clone()) } else { Err(mail.clone()) }
        })
        .await
    }
}

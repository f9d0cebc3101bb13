use chrono::Weekday;
use punctual_core::calendar::ReminderRule;
use punctual_testkit::{BusinessBuilder, week};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, TestApi};
use crate::api::test_api::Session;

/// A business that takes bookings.
pub struct Salon {
    pub api: TestApi,
    pub admin: Session,
    pub service: String,
    pub staff: Vec<String>,
}

impl Salon {
    /// One-hour haircuts by this many members of staff, Tuesdays from 9 to 12.
    pub async fn open(staff: usize) -> Self {
        Self::on(TestApi::start().await, staff, "09:00-12:00").await
    }

    /// One member of staff, Tuesdays from 8 to 18, with additional configuration.
    pub async fn open_with(more: &[(&str, &str)]) -> Self {
        Self::on(TestApi::start_with(more).await, 1, "08:00-18:00").await
    }

    /// So many members of staff who work on Tuesdays between these times.
    pub async fn on(api: TestApi, staff: usize, hours: &str) -> Self {
        let admin = api.somebody("admin").await;
        let opened = BusinessBuilder::default()
            .staff((0..staff).map(|number| format!("Maria {number}")), &week(&[Weekday::Tue], hours))
            .service(|service| {
                service.reminders = vec![
                    ReminderRule::Offset { minutes: 60 },
                    ReminderRule::DayBeforeAt { at: "18:00".parse().unwrap() },
                ];
            })
            .open(&api.core())
            .await;
        let staff = opened.staff.iter().map(Uuid::to_string).collect();
        Self { api, admin, service: opened.services[0].to_string(), staff }
    }

    /// Allows guests to book.
    pub async fn allow_guests(&self) {
        let changed = self
            .api
            .write(
                reqwest::Method::PATCH,
                "/v1/business",
                &self.admin,
                Some(&json!({ "guests_allowed": true })),
            )
            .await;
        assert_eq!(changed.status, 200, "{:?}", changed.body);
    }

    /// Times of the free slots on Tuesday.
    pub async fn starts(&self) -> Vec<String> {
        let path = format!("/v1/slots?service_id={}&from=2027-05-04&to=2027-05-04", self.service);
        let answer = self.api.get(&path, None).await;
        let slots = answer.body["days"][0]["slots"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
        slots.iter().map(|slot| slot["start"].as_str().unwrap()[11..16].to_owned()).collect()
    }

    /// The request body for a haircut on Tuesday.
    pub fn wish(&self, time: &str) -> Value {
        json!({ "service_id": self.service, "start": format!("2027-05-04T{time}:00+02:00") })
    }

    /// Books a haircut on Tuesday; returns its path.
    pub async fn book(&self, session: &Session, time: &str) -> String {
        let booked = self.api.create("/v1/bookings", Some(session), &self.wish(time)).await;
        assert_eq!(booked.status, 201, "{}", booked.body);
        format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap())
    }

    /// The start times of the bookings that a change leaves outside of hours.
    pub fn stranded(answer: &Answer) -> Vec<String> {
        let stranded = answer.body["stranded"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
        stranded.iter().map(|booking| booking["start"].as_str().unwrap()[11..16].to_owned()).collect()
    }
}

/// Status and code of an answer.
pub fn brief(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.code())
}

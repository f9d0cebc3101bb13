//! A customer and their actions.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::simulation::{Answer, Session, Simulation};
use super::{Outcome, Result};
use crate::checker::Acknowledged;
use crate::dice::Dice;

/// Four of five have an account; for the others staff act.
pub(super) struct Customer {
    number: usize,
    session: Option<Session>,
    bookings: Vec<Known>,
    keys: u64,
}

/// A booking as this customer knows it.
struct Known {
    id: String,
    rev: i64,
    service: String,
    start: DateTime<Utc>,
    active: bool,
}

/// Allowed problem codes beside success. Anything else is unexpected, above all a refused slot that was listed at this
/// instant and not taken by another client.
const RACES: [&str; 5] = [
    "409 slot_taken",
    "409 invalid_transition",
    "409 idempotency_in_progress",
    "412 precondition_failed",
    "503 overloaded",
];

impl Customer {
    pub(super) async fn join(simulation: &Simulation, number: usize) -> Result<Self> {
        let session = match number % 5 {
            4 => None,
            _ => Some(simulation.sign_up(&address(number), &format!("Person {number}")).await?),
        };
        Ok(Self { number, session, bookings: Vec::new(), keys: 0 })
    }

    pub(super) async fn act(&mut self, simulation: &Simulation, mut dice: Dice) -> Result<Outcome> {
        if let Some(session) = &self.session {
            self.session = Some(simulation.refreshed(session).await?);
        }
        let mut outcome = Outcome::default();
        let now = simulation.now();
        let active: Vec<usize> = (0..self.bookings.len())
            .filter(|at| self.bookings[*at].active && self.bookings[*at].start > now)
            .collect();
        match (dice.below(10), dice.pick(&active).copied()) {
            (0..=2, Some(at)) => self.move_to(simulation, at, &mut dice, &mut outcome).await?,
            (3..=4, Some(at)) => self.cancel(simulation, at, &mut outcome).await?,
            (5, _) => self.hold(simulation, &mut dice, &mut outcome).await?,
            _ => self.book(simulation, &mut dice, &mut outcome).await?,
        }
        Ok(outcome)
    }

    fn token<'a>(&'a self, simulation: &'a Simulation) -> &'a str {
        self.session.as_ref().map_or_else(|| simulation.admin(), |session| &session.access)
    }

    /// Adds the customer's data where staff book.
    fn for_whom(&self, mut wish: Value) -> Value {
        if self.session.is_none() {
            wish["contact"] =
                json!({ "email": address(self.number), "name": format!("Person {}", self.number) });
        }
        wish
    }

    fn key(&mut self) -> (&'static str, String) {
        self.keys += 1;
        ("idempotency-key", format!("{}-{}", self.number, self.keys))
    }

    /// A slot of the next days, preferably an early one, to cause conflicts.
    async fn slot(
        &self,
        simulation: &Simulation,
        service: &str,
        exclude: Option<&str>,
        dice: &mut Dice,
    ) -> Result<Option<Value>> {
        let from = (simulation.now() + TimeDelta::days(i64::try_from(dice.below(10))?)).date_naive();
        let to = from + TimeDelta::days(2);
        let exclude = exclude.map(|id| format!("&exclude_booking={id}")).unwrap_or_default();
        let path = format!("/v1/slots?service_id={service}&from={from}&to={to}{exclude}");
        let answer = simulation.request(Method::GET, &path, Some(self.token(simulation)), None, None).await?;
        let days = answer.body["days"].as_array().ok_or_else(|| format!("{path}: {}", answer.body))?;
        let slots: Vec<&Value> = days.iter().filter_map(|day| day["slots"].as_array()).flatten().collect();
        let few = if dice.below(2) == 0 { slots.len().min(6) } else { slots.len() };
        Ok(dice.pick(&slots[..few]).map(|slot| (*slot).clone()))
    }

    async fn book(&mut self, simulation: &Simulation, dice: &mut Dice, outcome: &mut Outcome) -> Result<()> {
        let service = dice.pick(&simulation.services).cloned().unwrap_or_default();
        let Some(slot) = self.slot(simulation, &service, None, dice).await? else { return Ok(()) };
        let mut wish = json!({ "service_id": service, "start": slot["start"], "customer_note": "on time" });
        if dice.below(3) == 0 {
            wish["staff_id"] = slot["staff_ids"][0].clone();
        }
        let (wish, key) = (self.for_whom(wish), self.key());
        let twice = dice.below(8) == 0;
        let post = async || {
            simulation
                .request(
                    Method::POST,
                    "/v1/bookings",
                    Some(self.token(simulation)),
                    Some(key.clone()),
                    Some(&wish),
                )
                .await
        };
        let answer = if twice {
            let (one, other) = tokio::join!(post(), post());
            let (one, other) = (one?, other?);
            if one.status == 201 && other.status == 201 && one.body != other.body {
                outcome.surprises.push(format!("one key, two answers: {} {}", one.body, other.body));
            }
            if one.status == 201 { one } else { other }
        } else {
            post().await?
        };
        let taken = answer.body["code"] == "slot_taken";
        let alternative = answer.body["alternatives"][0].clone();
        self.note("book", &service, &answer, outcome);
        if taken && !alternative.is_null() {
            let wish = json!({ "service_id": service, "start": alternative["start"] });
            let (wish, key) = (self.for_whom(wish), self.key());
            let second = simulation
                .request(Method::POST, "/v1/bookings", Some(self.token(simulation)), Some(key), Some(&wish))
                .await?;
            self.note("book an alternative", &service, &second, outcome);
        }
        Ok(())
    }

    /// Half of the holds are booked; the others are left to expire.
    async fn hold(&mut self, simulation: &Simulation, dice: &mut Dice, outcome: &mut Outcome) -> Result<()> {
        let service = dice.pick(&simulation.services).cloned().unwrap_or_default();
        let Some(slot) = self.slot(simulation, &service, None, dice).await? else { return Ok(()) };
        let wish = json!({ "service_id": service, "start": slot["start"] });
        let key = self.key();
        let held = simulation
            .request(Method::POST, "/v1/holds", Some(self.token(simulation)), Some(key), Some(&wish))
            .await?;
        record("hold", &held, outcome);
        if held.status == 201 && dice.below(2) == 0 {
            let (wish, key) = (self.for_whom(json!({ "hold_id": held.body["id"] })), self.key());
            let booked = simulation
                .request(Method::POST, "/v1/bookings", Some(self.token(simulation)), Some(key), Some(&wish))
                .await?;
            self.note("book a hold", &service, &booked, outcome);
        }
        Ok(())
    }

    async fn move_to(
        &mut self,
        simulation: &Simulation,
        at: usize,
        dice: &mut Dice,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let (id, service) = (self.bookings[at].id.clone(), self.bookings[at].service.clone());
        let Some(slot) = self.slot(simulation, &service, Some(&id), dice).await? else { return Ok(()) };
        let to = json!({ "start": slot["start"], "staff_id": slot["staff_ids"][0] });
        self.change(simulation, at, "reschedule", Some(&to), outcome).await
    }

    async fn cancel(&mut self, simulation: &Simulation, at: usize, outcome: &mut Outcome) -> Result<()> {
        self.change(simulation, at, "cancel", None, outcome).await
    }

    /// A change based on the known revision; after a conflict the booking is read again.
    async fn change(
        &mut self,
        simulation: &Simulation,
        at: usize,
        what: &str,
        body: Option<&Value>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let known = &self.bookings[at];
        let path = format!("/v1/bookings/{}", known.id);
        let rev = Some(("if-match", format!("\"{}\"", known.rev)));
        let token = self.token(simulation);
        let answer =
            simulation.request(Method::POST, &format!("{path}/{what}"), Some(token), rev, body).await?;
        record(what, &answer, outcome);
        let now_known = match answer.status {
            200 => answer.body,
            _ => simulation.request(Method::GET, &path, Some(token), None, None).await?.body,
        };
        self.bookings[at].learn(&now_known);
        Ok(())
    }

    /// Records a new booking.
    fn note(&mut self, what: &str, service: &str, answer: &Answer, outcome: &mut Outcome) {
        record(what, answer, outcome);
        if answer.status == 201 {
            let mut known = Known {
                id: answer.body["id"].as_str().unwrap_or_default().to_owned(),
                rev: 0,
                service: service.to_owned(),
                start: DateTime::UNIX_EPOCH,
                active: false,
            };
            known.learn(&answer.body);
            self.bookings.push(known);
        }
    }
}

impl Known {
    fn learn(&mut self, booking: &Value) {
        self.rev = booking["rev"].as_i64().unwrap_or_default();
        self.active = matches!(booking["status"].as_str(), Some("pending" | "confirmed"));
        self.start = booking["start"].as_str().and_then(|start| start.parse().ok()).unwrap_or_default();
    }
}

/// Counts the answer, records an acknowledged change, and reports unexpected answers.
pub(super) fn record(what: &str, answer: &Answer, outcome: &mut Outcome) {
    let brief = answer.brief();
    if matches!(answer.status, 200 | 201) {
        let booking = &answer.body;
        let id = booking["id"].as_str().and_then(|id| Uuid::try_parse(id).ok());
        let rev = booking["rev"].as_i64().and_then(|rev| i32::try_from(rev).ok());
        if let (Some(booking_id), Some(rev), Some(status)) = (id, rev, booking["status"].as_str()) {
            outcome.acknowledged.push(Acknowledged { booking_id, rev, status: status.to_owned() });
        }
    } else if !RACES.contains(&brief.as_str()) {
        outcome.surprises.push(format!("{what}: {}", answer.body));
    }
    outcome.tally.push(format!("{what}: {brief}"));
}

fn address(number: usize) -> String {
    format!("person-{number}@example.org")
}

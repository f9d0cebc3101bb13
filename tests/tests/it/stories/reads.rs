//! Slot lists during writes, in two api processes: no list is older than a write acknowledged before the list was
//! requested.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures::future::join_all;
use punctual_testkit::{Process, Programs};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::core::salon::Salon;

/// How often each fact is changed and restored.
const ROUNDS: usize = 25;
/// Concurrent readers.
const READERS: usize = 8;
/// An idempotency key for each write.
static KEYS: AtomicU64 = AtomicU64::new(0);

/// A start with a member of staff that only one writer changes. Its phase counts up: 0 listed, 1 being taken, 2 not
/// listed, 3 being given back, 4 listed again, and so on.
struct Fact {
    start: String,
    staff: Uuid,
    phase: AtomicU64,
}

impl Fact {
    fn new(start: &str, staff: Uuid) -> Arc<Self> {
        Arc::new(Self { start: start.to_owned(), staff, phase: AtomicU64::new(0) })
    }

    /// The writer is about to write, or received its answer.
    fn step(&self) {
        self.phase.fetch_add(1, Ordering::SeqCst);
    }
}

struct Shop {
    salon: Salon,
    apis: [Process; 2],
    client: Client,
    token: String,
    service: Uuid,
    date: NaiveDate,
}

impl Shop {
    async fn open(staff: usize) -> Self {
        let salon = Salon::open(staff).await;
        let service = salon.service(|_| ()).await;
        let programs = Programs::on(salon.database());
        let apis = [programs.api().await, programs.api().await];
        let now: DateTime<Utc> =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&salon.core.pool).await.unwrap();
        let date = (now + TimeDelta::days(2)).date_naive();
        let mut shop = Self { salon, apis, client: Client::new(), token: String::new(), service, date };
        let account =
            json!({ "email": "boss@example.org", "password": "a long enough password", "name": "Ada" });
        shop.write(0, Method::POST, "/v1/auth/register", &account).await;
        sqlx::query("UPDATE users SET role = 'admin', email_verified_at = created_at WHERE email = 'boss@example.org'")
            .execute(&shop.salon.core.pool)
            .await
            .unwrap();
        let login = json!({ "email": account["email"], "password": account["password"] });
        let session = shop.write(0, Method::POST, "/v1/auth/login", &login).await;
        session["access_token"].as_str().unwrap().clone_into(&mut shop.token);
        shop
    }

    /// Writes through one of the processes and expects success.
    async fn write(&self, api: usize, method: Method, path: &str, body: &Value) -> Value {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.apis[api % 2].url()))
            .header("Idempotency-Key", format!("key-{}", KEYS.fetch_add(1, Ordering::Relaxed)));
        // Auth operations take neither.
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token).header("If-Match", "*");
        }
        let answer = if body.is_null() { request } else { request.json(body) }.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Bookable starts with staff, as listed by one process.
    async fn list(&self, api: usize) -> BTreeSet<(String, Uuid)> {
        let path = format!("/v1/slots?service_id={}&from={date}&to={date}", self.service, date = self.date);
        let answer = self.client.get(format!("{}{path}", self.apis[api % 2].url())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let list: Value = answer.json().await.unwrap();
        let slots = list["days"][0]["slots"].as_array().unwrap();
        slots
            .iter()
            .flat_map(|slot| {
                let start = slot["start"].as_str().unwrap();
                let staff = slot["staff_ids"].as_array().unwrap();
                staff.iter().map(move |id| (start.to_owned(), id.as_str().unwrap().parse().unwrap()))
            })
            .collect()
    }

    /// Books the fact's slot and cancels it again.
    async fn book_and_cancel(&self, fact: &Fact, api: usize) {
        for round in api..api + ROUNDS {
            fact.step();
            let wish = json!({ "service_id": self.service, "staff_id": fact.staff, "start": fact.start });
            let booking = self.write(round, Method::POST, "/v1/bookings", &wish).await;
            fact.step();
            let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
            fact.step();
            self.write(round / 2, Method::POST, &path, &Value::Null).await;
            fact.step();
        }
    }

    /// Adds and removes time off.
    async fn leave_and_return(&self, fact: &Fact) {
        let path = format!("/v1/staff/{}/time-off", fact.staff);
        let start: DateTime<Utc> = fact.start.parse().unwrap();
        let away = json!({ "start": start, "end": start + TimeDelta::minutes(30) });
        for round in 0..ROUNDS {
            fact.step();
            let taken = self.write(round, Method::POST, &path, &away).await;
            fact.step();
            fact.step();
            let id = taken["time_off"]["id"].as_str().unwrap();
            self.write(round / 2, Method::DELETE, &format!("{path}/{id}"), &Value::Null).await;
            fact.step();
        }
    }

    /// Stops performing the service, and performs it again.
    async fn stop_and_begin(&self, fact: &Fact) {
        let path = format!("/v1/services/{}", self.service);
        let others: Vec<Uuid> =
            self.salon.staff.iter().copied().filter(|staff| *staff != fact.staff).collect();
        for round in 0..ROUNDS {
            fact.step();
            self.write(round, Method::PATCH, &path, &json!({ "staff_ids": others })).await;
            fact.step();
            fact.step();
            self.write(round / 2, Method::PATCH, &path, &json!({ "staff_ids": self.salon.staff })).await;
            fact.step();
        }
    }

    /// Stops taking new bookings, and takes them again.
    async fn pause_and_resume(&self, fact: &Fact) {
        let path = format!("/v1/staff/{}", fact.staff);
        for round in 0..ROUNDS {
            fact.step();
            self.write(round, Method::PATCH, &path, &json!({ "active": false })).await;
            fact.step();
            fact.step();
            self.write(round / 2, Method::PATCH, &path, &json!({ "active": true })).await;
            fact.step();
        }
    }

    /// Reads until the writers have ended. Each list must agree with every fact that was stable from before the request
    /// until after the answer. Returns the number of such facts.
    async fn read(&self, facts: &[Arc<Fact>], reader: usize, ended: &AtomicBool) -> u64 {
        let phases = || facts.iter().map(|fact| fact.phase.load(Ordering::SeqCst)).collect::<Vec<_>>();
        let mut seen = 0;
        while !ended.load(Ordering::SeqCst) {
            let before = phases();
            let list = self.list(reader).await;
            for ((fact, before), after) in facts.iter().zip(before).zip(phases()) {
                if before == after && before % 2 == 0 {
                    let listed = list.contains(&(fact.start.clone(), fact.staff));
                    assert_eq!(listed, before % 4 == 0, "{} of {} in phase {before}", fact.start, fact.staff);
                    seen += 1;
                }
            }
        }
        seen
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_is_older_than_a_write_that_was_acknowledged_before_it_was_asked_for() {
    let shop = Arc::new(Shop::open(4).await);
    let starts: Vec<String> = shop
        .list(0)
        .await
        .into_iter()
        .filter(|(_, staff)| *staff == shop.salon.staff[0])
        .map(|(start, _)| start)
        .collect();
    let [first, second, third, away, stopping, pausing] = [(0, 0), (2, 0), (4, 0), (0, 1), (0, 2), (0, 3)]
        .map(|(start, staff): (usize, usize)| Fact::new(&starts[start], shop.salon.staff[staff]));
    let facts: Vec<_> = [&first, &second, &third, &away, &stopping, &pausing].map(Arc::clone).into();
    let ended = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let (shop, facts, ended) = (Arc::clone(&shop), facts.clone(), Arc::clone(&ended));
            tokio::spawn(async move { shop.read(&facts, reader, &ended).await })
        })
        .collect();
    tokio::join!(
        shop.book_and_cancel(&first, 0),
        shop.book_and_cancel(&second, 1),
        shop.book_and_cancel(&third, 0),
        shop.leave_and_return(&away),
        shop.stop_and_begin(&stopping),
        shop.pause_and_resume(&pausing),
    );
    ended.store(true, Ordering::SeqCst);
    let seen: u64 = join_all(readers).await.into_iter().map(Result::unwrap).sum();
    assert!(seen > u64::try_from(ROUNDS).unwrap(), "the readers saw {seen} facts that stood");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closure_made_in_one_process_empties_the_list_of_the_other() {
    let shop = Shop::open(1).await;
    let open = shop.list(1).await;
    assert!(!open.is_empty());
    let path = format!("/v1/closures/{}", shop.date);
    shop.write(0, Method::PUT, &path, &json!({ "reason": "painters" })).await;
    assert_eq!(shop.list(1).await, BTreeSet::new());
    shop.write(0, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(shop.list(1).await, open);
}

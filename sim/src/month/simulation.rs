//! A business with a real api and two real workers, all in this process with one clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::calendar::ReminderRule;
use punctual_core::config::Config;
use punctual_core::{Core, settings};
use punctual_queue::runtime::Timing;
use punctual_queue::{Clock as _, ManualClock, Shutdown, Wake};
use punctual_testkit::smtp_sink::SmtpSink;
use punctual_testkit::{BusinessBuilder, EVERY_DAY, TestDatabase, business, try_wait_for, week};
use punctual_worker::Options;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Result;

/// How long the system may take to become idle.
const WAIT_TIMEOUT: Duration = Duration::from_mins(2);

pub(super) const PASSWORD: &str = "correct horse battery staple";

/// Monday, eight o'clock in Berlin.
const BEGIN: &str = "2027-03-08T08:00:00+01:00";

pub(super) struct Simulation {
    pub(super) database: TestDatabase,
    pub(super) sink: SmtpSink,
    pub(super) services: Vec<String>,
    admin: Session,
    clock: Arc<ManualClock>,
    url: String,
    client: reqwest::Client,
    api: punctual_api::Running,
    workers: Vec<punctual_worker::Running>,
}

/// A login session.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    pub(super) access: String,
    refresh: String,
    until: DateTime<Utc>,
}

/// An answer of the api.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    /// Status and problem code, as used in tallies.
    pub(super) fn brief(&self) -> String {
        match self.body["code"].as_str() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}

impl Simulation {
    /// Creates four members of staff who work from nine to six except on Sundays, and four services: a short one with
    /// two reminders, a long one with buffers, a class, and one that staff confirm.
    pub(super) async fn open() -> Result<Self> {
        let database = TestDatabase::create().await;
        let clock = ManualClock::at(BEGIN.parse()?);
        settings::put(database.pool(), clock.now(), &business()).await?;
        let sink = SmtpSink::start().await;
        let variables: BTreeMap<String, String> = [
            ("DATABASE_URL", database.url()),
            ("SMTP_URL", &sink.url()),
            ("PUNCTUAL_API_LISTEN", "127.0.0.1:0"),
            ("PUNCTUAL_API_METRICS_LISTEN", ""),
            ("PUNCTUAL_WORKER_METRICS_LISTEN", ""),
            ("PUNCTUAL_API_DRAIN_SECONDS", "0"),
            ("PUNCTUAL_LIMITS", "off"),
            ("PUNCTUAL_ACCESS_TOKEN_SECONDS", "3600"),
            ("PUNCTUAL_REFRESH_TOKEN_DAYS", "365"),
            ("PUNCTUAL_PASSWORD_QUEUE", "1000"),
            ("PUNCTUAL_JWT_KEYS", "local-1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
            ("PUNCTUAL_LINK_KEYS", "local-1:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let config = Config::parse(variables, |path| std::fs::read_to_string(path))?;
        let api = punctual_api::start(&config, Some(clock.clone())).await?;
        let mut workers = Vec::new();
        for _ in 0..2 {
            let mut timing = Timing::default();
            timing.poll = Duration::from_millis(20);
            timing.leader_round = Duration::from_millis(20);
            let options = Options { clock: Some(clock.clone()), timing, ..Options::default() };
            workers.push(punctual_worker::start(&config, options, Shutdown::new()).await?);
        }
        let url = format!("http://{}", api.address);
        let (client, admin, services) = (reqwest::Client::new(), Session::default(), Vec::new());
        let mut simulation = Self { database, sink, services, admin, clock, url, client, api, workers };
        simulation.open_business().await?;
        Ok(simulation)
    }

    async fn open_business(&mut self) -> Result<()> {
        self.admin = self.sign_up("admin@example.org", "Ada Admin").await?;
        sqlx::query("UPDATE users SET role = 'admin'").execute(self.database.pool()).await?;
        self.admin = self.log_in("admin@example.org").await?;
        let hour = ReminderRule::Offset { minutes: 60 };
        let evening = ReminderRule::DayBeforeAt { at: "18:00".parse()? };
        let opened = BusinessBuilder::default()
            .staff(["Maria", "Jonas", "Lena", "Piet"], &week(&EVERY_DAY[..6], "09:00-18:00"))
            .service(move |trim| {
                (trim.duration_min, trim.slot_step_min) = (30, 30);
                trim.reminders = vec![hour, evening];
            })
            .service(move |colour| {
                (colour.duration_min, colour.slot_step_min, colour.min_notice_min) = (90, 30, 120);
                (colour.buffer_before_min, colour.buffer_after_min) = (10, 15);
                colour.staff_ids.truncate(3);
                colour.reminders = vec![evening];
            })
            .service(move |class| {
                class.capacity = 6;
                class.staff_ids.drain(..2);
                class.reminders = vec![hour];
            })
            .service(move |advice| {
                (advice.duration_min, advice.slot_step_min) = (45, 15);
                advice.requires_confirmation = true;
                advice.staff_ids.truncate(2);
                advice.reminders = vec![hour, evening];
            })
            .open(&Core::new(self.database.pool().clone(), self.clock.clone(), Wake::polling()))
            .await;
        self.services = opened.services.iter().map(Uuid::to_string).collect();
        Ok(())
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Creates an account and logs it in.
    pub(super) async fn sign_up(&self, email: &str, name: &str) -> Result<Session> {
        let account = json!({ "email": email, "password": PASSWORD, "name": name });
        let answer = self.request(Method::POST, "/v1/auth/register", None, None, Some(&account)).await?;
        if answer.status != 201 {
            return Err(format!("registering: {}", answer.body).into());
        }
        self.log_in(email).await
    }

    async fn log_in(&self, email: &str) -> Result<Session> {
        let login = json!({ "email": email, "password": PASSWORD });
        let answer = self.request(Method::POST, "/v1/auth/login", None, None, Some(&login)).await?;
        self.session(&answer)
    }

    /// The session, renewed if it is about to end.
    pub(super) async fn refreshed(&self, session: &Session) -> Result<Session> {
        if self.now() < session.until {
            return Ok(session.clone());
        }
        let token = json!({ "refresh_token": session.refresh });
        let answer = self.request(Method::POST, "/v1/auth/refresh", None, None, Some(&token)).await?;
        self.session(&answer)
    }

    pub(super) async fn refresh_admin(&mut self) -> Result<()> {
        self.admin = self.refreshed(&self.admin).await?;
        Ok(())
    }

    fn session(&self, answer: &Answer) -> Result<Session> {
        let token = |name: &str| answer.body[name].as_str().map(str::to_owned);
        let tokens = token("access_token").zip(token("refresh_token"));
        let (access, refresh) = tokens.ok_or_else(|| format!("no session: {}", answer.body))?;
        Ok(Session { access, refresh, until: self.now() + TimeDelta::minutes(50) })
    }

    /// The access token of the administrator.
    pub(super) fn admin(&self) -> &str {
        &self.admin.access
    }

    /// A request, with an additional header if given.
    pub(super) async fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        header: Option<(&str, String)>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        request = if let Some((name, value)) = header { request.header(name, value) } else { request };
        request = if let Some(body) = body { request.json(body) } else { request };
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or_default() })
    }

    /// Advances the clock to an instant, stopping whenever a mail falls due.
    pub(super) async fn advance_to(&self, instant: DateTime<Utc>) -> Result<()> {
        while let Some(due) = self.next_due().await?.filter(|due| *due < instant) {
            self.clock.set(due.max(self.now()));
            self.wait_until_idle().await?;
        }
        self.clock.set(instant);
        self.wait_until_idle().await
    }

    /// Advances until no mail is to come and every appointment is over and marked.
    pub(super) async fn run_to_end(&self) -> Result<()> {
        while let Some(due) = self.next_due().await? {
            self.advance_to(due).await?;
        }
        let last: Option<DateTime<Utc>> = sqlx::query_scalar("SELECT max(upper(during)) FROM bookings")
            .fetch_one(self.database.pool())
            .await?;
        self.clock.set(last.unwrap_or_else(|| self.now()) + TimeDelta::days(2));
        self.wait(
            "every appointment is judged",
            "SELECT count(*) FROM bookings WHERE blocks AND $1 > 'epoch'::timestamptz",
        )
        .await?;
        self.wait_until_idle().await
    }

    /// When the next mail falls due or is retried.
    async fn next_due(&self) -> Result<Option<DateTime<Utc>>> {
        let due = "SELECT least((SELECT min(send_at) FROM notifications WHERE outcome IS NULL AND enqueued_at IS NULL),
                                (SELECT min(run_at) FROM queue.jobs
                                 WHERE kind = 'mail.send.v1' AND state IN ('scheduled', 'available', 'retryable')))";
        Ok(sqlx::query_scalar(due).fetch_one(self.database.pool()).await?)
    }

    /// Waits until everything due at this instant is done.
    pub(super) async fn wait_until_idle(&self) -> Result<()> {
        let busy = "SELECT (SELECT count(*) FROM notifications
                            WHERE outcome IS NULL AND enqueued_at IS NULL AND send_at <= $1)
                         + (SELECT count(*) FROM queue.jobs
                            WHERE state = 'running' OR (state IN ('scheduled', 'available', 'retryable') AND run_at <= $1))";
        self.wait("all that is due is done", busy).await
    }

    async fn wait(&self, what: &str, count: &'static str) -> Result<()> {
        let waited = try_wait_for(WAIT_TIMEOUT, async || {
            let left = sqlx::query_scalar(count).bind(self.now()).fetch_one(self.database.pool()).await;
            match left {
                Ok(0_i64) => Ok(()),
                left => Err(left),
            }
        });
        waited.await.map_err(|left| format!("at {}, waited until {what}: {left}", self.now()).into())
    }

    pub(super) async fn close(self) -> Result<()> {
        for worker in self.workers {
            worker.stop().await?;
        }
        self.api.stop().await;
        Ok(())
    }
}

//! A salon with a worker in process and a sink as its mail server. Both clocks of a mail are the setup's: due times by the
//! salon's clock, leases and the relay's timeouts shortened.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mail_parser::{MessageParser, MimeHeaders, PartType};
use punctual_core::bookings::Booking;
use punctual_core::calendar::local_to_instants;
use punctual_core::config::{Config, Keys};
use punctual_core::types::{Actor, Zone};
use punctual_queue::runtime::Timing;
use punctual_queue::testing::{StoredJob, jobs};
use punctual_queue::{Clock, JobState, Shutdown};
use punctual_testkit::smtp_sink::{ReceivedMail, SmtpSink};
use punctual_testkit::wait_for;
use punctual_worker::smtp::Timeouts;
use punctual_worker::{Options, Running};
use uuid::Uuid;

use crate::core::salon::Salon;

pub struct TestWorker {
    pub salon: Salon,
    pub sink: SmtpSink,
    pub customer: Actor,
    pub service: Uuid,
    workers: Vec<Running>,
    /// Time limits of SMTP of workers hired from now on.
    pub timeouts: Timeouts,
}

/// The fields of a ledger row about sending.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    pub kind: String,
    pub outcome: Option<String>,
    pub tries: i32,
    pub doubts: i16,
    pub dot: bool,
    pub accepted: bool,
    pub reply: Option<String>,
}

/// A row sent at the first attempt.
pub fn sent(kind: &str) -> Row {
    Row {
        kind: kind.to_owned(),
        outcome: Some("sent".to_owned()),
        tries: 1,
        doubts: 0,
        dot: true,
        accepted: true,
        reply: Some("250 2.0.0 taken".to_owned()),
    }
}

/// A waiting row with the relay's last reply.
pub fn waiting(kind: &str, tries: i32, reply: &str) -> Row {
    let reply = Some(reply.to_owned());
    Row { outcome: None, tries, dot: false, accepted: false, reply, ..sent(kind) }
}

/// A row that ended unsent.
pub fn ended(kind: &str, outcome: &str, tries: i32, reply: Option<&str>) -> Row {
    let (outcome, reply) = (Some(outcome.to_owned()), reply.map(str::to_owned));
    Row { outcome, tries, dot: false, accepted: false, reply, ..sent(kind) }
}

/// The address of a customer with an account.
pub fn address(customer: &Actor) -> String {
    format!("{}@example.org", customer.user_id().unwrap().simple())
}

/// A mail's decoded plain text.
pub fn text(mail: &ReceivedMail) -> String {
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    parsed.body_text(0).unwrap().into_owned()
}

/// A mail's calendar entry, if it has one.
pub fn calendar(mail: &ReceivedMail) -> Option<String> {
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    parsed.parts.iter().find_map(|part| match &part.body {
        PartType::Text(body) if part.content_type()?.subtype() == Some("calendar") => Some(body.to_string()),
        _ => None,
    })
}

impl TestWorker {
    /// A salon with one member of staff, a service and a customer, and one worker.
    pub async fn open() -> Self {
        let mut setup = Self::without_worker().await;
        setup.hire_worker().await;
        setup
    }

    /// As [`Self::open`]; the worker waits for the relay for as long as in production.
    pub async fn patient() -> Self {
        let mut setup = Self::without_worker().await;
        setup.timeouts = Timeouts::default();
        setup.hire_worker().await;
        setup
    }

    pub async fn without_worker() -> Self {
        Self::with_staff(1).await
    }

    /// This many members of staff, and no worker yet.
    pub async fn with_staff(staff: usize) -> Self {
        let salon = Salon::open(staff).await;
        let (service, customer) = (salon.service(|_| ()).await, salon.customer().await);
        // Long enough for a busy machine: the clock stands still, and a mail that is put off waits for it.
        let short = Duration::from_secs(3);
        let timeouts = Timeouts {
            connect: short,
            greeting: short,
            command: short,
            data: short,
            end_of_data: short,
            ..Timeouts::default()
        };
        Self { salon, sink: SmtpSink::start().await, customer, service, workers: Vec::new(), timeouts }
    }

    pub async fn hire_worker(&mut self) {
        self.hire_worker_with(&[]).await;
    }

    /// A worker with further settings.
    pub async fn hire_worker_with(&mut self, settings: &[(&str, &str)]) {
        let variables = [
            ("DATABASE_URL", self.salon.database_url().to_owned()),
            ("SMTP_URL", self.sink.url()),
            ("PUNCTUAL_LINK_KEYS", Keys::write_local(1, &[7; 32])),
            ("PUNCTUAL_WORKER_METRICS_LISTEN", String::new()),
        ];
        let further = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let variables = variables.into_iter().chain(further).map(|(name, value)| (name.to_owned(), value));
        let config =
            Config::parse(variables.collect(), |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        let mut timing = Timing::default();
        timing.poll = Duration::from_millis(50);
        timing.control = Duration::from_millis(50);
        timing.beat = Duration::from_millis(100);
        timing.leader_round = Duration::from_millis(50);
        timing.unknown = Duration::from_millis(50);
        timing.redis = Duration::from_secs(2);
        let options = Options {
            clock: Some(self.salon.clock.clone()),
            timeouts: self.timeouts,
            timing,
            ..Options::default()
        };
        self.workers.push(punctual_worker::start(&config, options, Shutdown::new()).await.unwrap());
    }

    /// Books, which plans a confirmation.
    pub async fn book(&self, start: DateTime<Utc>) -> Booking {
        self.salon.book(&self.customer, self.service, None, start).await.unwrap()
    }

    /// Another customer books.
    pub async fn book_as(&self, customer: &Actor, start: DateTime<Utc>) -> Booking {
        self.salon.book(customer, self.service, None, start).await.unwrap()
    }

    /// Books for the day after tomorrow by the real clock, to which the test's clock is set: processes have no other.
    pub async fn book_soon(&self) -> Booking {
        let now: DateTime<Utc> =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.salon.core.pool).await.unwrap();
        self.salon.clock.set(now);
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let ten = berlin.wall(now + TimeDelta::days(2)).date().and_hms_opt(10, 0, 0).unwrap();
        self.book(local_to_instants(berlin, ten).first).await
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.salon.clock.now()
    }

    /// Moves the clock.
    pub fn pass(&self, time: TimeDelta) {
        self.salon.wait(time);
    }

    /// All rows of a booking's mails, except reminders that are not due yet, in planned order.
    pub async fn ledger(&self, booking: &Booking) -> Vec<Row> {
        sqlx::query_as(
            "SELECT kind::text, outcome::text, tries, doubts, dot_at IS NOT NULL AS dot,
                    accepted_at IS NOT NULL AS accepted, reply
             FROM notifications WHERE booking_id = $1 AND NOT (outcome IS NULL AND enqueued_at IS NULL)
             ORDER BY created_at, kind",
        )
        .bind(booking.id)
        .fetch_all(&self.salon.core.pool)
        .await
        .unwrap()
    }

    /// Waits until the ledger of a booking equals this.
    pub async fn wait_for_ledger(&self, booking: &Booking, expected: &[Row]) {
        wait_for(format!("the ledger to be {expected:#?}"), async || {
            let found = self.ledger(booking).await;
            if found == expected { Ok(()) } else { Err(found) }
        })
        .await;
    }

    /// Waits until this many mails of a kind were sent about a booking.
    pub async fn wait_for_sent(&self, booking: &Booking, kind: &str, count: usize) {
        wait_for(format!("{count} sent mails of kind {kind}"), async || {
            let rows = self.ledger(booking).await;
            let sent = rows.iter().filter(|row| row.kind == kind && row.accepted).count();
            if sent == count { Ok(()) } else { Err(rows) }
        })
        .await;
    }

    /// The jobs that send mails, in the order they were enqueued.
    pub async fn jobs(&self) -> Vec<StoredJob> {
        let mut conn = self.salon.core.pool.acquire().await.unwrap();
        jobs(&mut conn, Some("mail.send.v1")).await
    }

    /// Waits until the jobs that send mails are in these states.
    pub async fn wait_for_jobs(&self, states: &[JobState]) -> Vec<StoredJob> {
        self.wait_for_jobs_that(|jobs| jobs.iter().map(|job| job.state).eq(states.iter().copied())).await
    }

    /// Waits until the jobs that send mails are as wanted.
    pub async fn wait_for_jobs_that(&self, fit: impl Fn(&[StoredJob]) -> bool) -> Vec<StoredJob> {
        wait_for("the jobs", async || {
            let jobs = self.jobs().await;
            if fit(&jobs) { Ok(jobs) } else { Err(jobs) }
        })
        .await
    }

    /// Stops the worker that was hired first.
    pub async fn stop_first_worker(&mut self) {
        self.workers.remove(0).stop().await.unwrap();
    }

    /// Stops the workers; all jobs are finished or given back.
    pub async fn close(self) -> SmtpSink {
        for worker in self.workers {
            worker.stop().await.unwrap();
        }
        self.sink
    }
}

//! A small business for stories: Berlin, open every day from 09:00 to 18:00, any number of staff. Its clock shows
//! Saturday 2027-05-01 10:00 until it is moved.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::bookings::{self, Booker, Booking, NewBooking, RequestedSlot, SlotSource};
use punctual_core::calendar::ReminderRule;
use punctual_core::pool::PoolSettings;
use punctual_core::services::{self, ServiceSpec};
use punctual_core::settings::Business;
use punctual_core::types::{Actor, EmailAddress, Note, PersonName, Role};
use punctual_core::users::{self, NewUser};
use punctual_core::{Core, CoreLimits, Result, Writer, pool};
use punctual_queue::{ManualClock, Wake, new_id};
use punctual_testkit::{BusinessBuilder, EVERY_DAY, TestDatabase, business, haircut, week};
use sqlx::PgPool;
use uuid::Uuid;

pub struct Salon {
    pub core: Core,
    pub clock: Arc<ManualClock>,
    pub staff: Vec<Uuid>,
    pub admin: Actor,
    /// Dropped last: the pool above closes first.
    database: TestDatabase,
}

/// An instant as it is written in requests.
pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// A start on the Tuesday after the clock's day.
pub fn tuesday(time: &str) -> DateTime<Utc> {
    at(&format!("2027-05-04T{time}:00+02:00"))
}

fn connect(url: &str) -> PgPool {
    let settings = PoolSettings {
        program: "tests",
        connections: 20,
        statement_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(5),
    };
    pool::connect(url, &settings).unwrap()
}

impl Salon {
    /// Opens with so many members of staff.
    pub async fn open(staff: usize) -> Self {
        Self::on(TestDatabase::create().await, staff).await
    }

    /// Opens on a database of the test's own.
    pub async fn on(database: TestDatabase, staff: usize) -> Self {
        let pool = connect(database.url());
        let clock = ManualClock::at(at("2027-05-01T10:00:00+02:00"));
        let core = Core::new(pool, clock.clone(), Wake::polling());
        let names = (1..=staff).map(|number| format!("Staff {number}"));
        let opened = BusinessBuilder::default()
            .settings(settings_of_salon())
            .staff(names, &week(&EVERY_DAY, "09:00-18:00"))
            .open(&core)
            .await;
        let admin =
            NewUser { email: email("admin"), name: name("Ada Admin"), phone: None, locale: None, zone: None };
        let admin = users::create_admin(&core.pool, core.now(), &admin, None).await.unwrap();
        let admin = Actor::Account { user_id: admin.id, role: Role::Admin };
        let mut staff = opened.staff;
        staff.sort_unstable();
        Self { core, clock, staff, admin, database }
    }

    /// Another process on the same database: its own connections and keyed mutexes, and so many batches at the same time.
    pub fn second_process(&self, booking_batches: usize) -> Core {
        let limits = CoreLimits { booking_batches };
        let pool = connect(self.database_url());
        Core::with_writer(pool.clone(), Writer::shared(pool), self.clock.clone(), Wake::polling(), limits)
    }

    /// A service of an hour, each half hour, by all staff, with a reminder a day before; changed as wanted.
    pub async fn service(&self, change: impl FnOnce(&mut ServiceSpec)) -> Uuid {
        let mut spec = ServiceSpec {
            slot_step_min: 30,
            reminders: vec![ReminderRule::Offset { minutes: 1440 }],
            ..haircut(&self.staff)
        };
        change(&mut spec);
        services::create(&self.core, &self.admin, None, spec).await.unwrap().value.id
    }

    /// A customer with an account, for which no verification mail is planned.
    pub async fn customer(&self) -> Actor {
        let user_id = new_id(self.core.now());
        let insert = "INSERT INTO users (id, email, password_hash, name, created_at, updated_at)
                      VALUES ($1, $2, 'hash', 'Carla Customer', $3, $3)";
        let insert = sqlx::query(insert).bind(user_id).bind(format!("{}@example.org", user_id.simple()));
        insert.bind(self.core.now()).execute(&self.core.pool).await.unwrap();
        Actor::Account { user_id, role: Role::Customer }
    }

    /// So many of them.
    pub async fn customers(&self, count: usize) -> Vec<Actor> {
        let mut customers = Vec::with_capacity(count);
        for _ in 0..count {
            customers.push(self.customer().await);
        }
        customers
    }

    /// Books for the actor without a key.
    pub async fn book(
        &self,
        actor: &Actor,
        service_id: Uuid,
        staff_id: Option<Uuid>,
        start: DateTime<Utc>,
    ) -> Result<Booking> {
        let new = booking_of(service_id, staff_id, start);
        bookings::create(&self.core, actor, None, new).await.map(|answer| answer.value)
    }

    /// Moves the clock.
    pub fn wait(&self, time: TimeDelta) {
        self.clock.advance(time);
    }

    /// URL of its database.
    pub fn database_url(&self) -> &str {
        self.database.url()
    }

    /// The database, for what runs as a process.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// How many rows the query counts.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.core.pool).await.unwrap()
    }
}

/// A booking for the one who asks.
pub fn booking_of(service_id: Uuid, staff_id: Option<Uuid>, start: DateTime<Utc>) -> NewBooking {
    NewBooking {
        slot: SlotSource::Slot(RequestedSlot { service_id, staff_id, start, seats: 1 }),
        booker: Booker::Myself,
        for_whom: None,
        customer_note: Note::empty(),
        staff_note: Note::empty(),
        reminders: true,
        overriding: false,
        no_mail: false,
    }
}

pub fn email(local: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{local}@example.org")).unwrap()
}

pub fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

fn settings_of_salon() -> Business {
    Business {
        name: "Salon Zeit".to_owned(),
        address: "Am Markt 1, Berlin".to_owned(),
        reply_to: email("hello"),
        sender: email("no-reply"),
        guests_allowed: false,
        ..business()
    }
}

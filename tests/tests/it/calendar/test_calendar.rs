//! A small business for tests of core: Berlin, two members of staff, an hourly one-hour service.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use punctual_core::Core;
use punctual_core::calendar::{Span, WeeklyWindow};
use punctual_core::services::{self, ServiceSpec};
use punctual_core::types::{Actor, Label};
use punctual_queue::{ManualClock, Wake};
pub(crate) use punctual_testkit::window;
use punctual_testkit::{BusinessBuilder, EVERY_DAY, TestDatabase, business, haircut};
use sqlx::postgres::types::PgRange;
use uuid::Uuid;

/// The current time is Saturday, 12:00 in Berlin; most tests book Tuesday 2027-05-04.
pub(crate) const NOW: &str = "2027-05-01T12:00:00+02:00";

pub(crate) struct TestCalendar {
    pub(crate) database: TestDatabase,
    pub(crate) core: Core,
    pub(crate) clock: Arc<ManualClock>,
    /// Ada, then Ben.
    pub(crate) staff: [Uuid; 2],
    pub(crate) service: Uuid,
    customer: Uuid,
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An hour on Tuesday 2027-05-04 in Berlin.
pub(crate) fn tuesday(time: &str) -> DateTime<Utc> {
    at(&format!("2027-05-04T{time}:00+02:00"))
}

/// Monday to Friday with these windows.
pub(crate) fn week(windows: &str) -> Vec<WeeklyWindow> {
    punctual_testkit::week(&EVERY_DAY[..5], windows)
}

pub(crate) fn hour_long(staff_ids: &[Uuid]) -> ServiceSpec {
    ServiceSpec {
        name: Label::parse("Consultation").unwrap(),
        horizon_days: 60,
        price_minor: 5000,
        ..haircut(staff_ids)
    }
}

impl TestCalendar {
    /// Ada works 09:00–12:00, Ben 10:00–13:00.
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        // Ids sort by creation time in milliseconds: Ada's must be lower.
        let clock = ManualClock::at(at(NOW) - TimeDelta::milliseconds(2));
        let core = Core::new(database.pool().clone(), clock.clone(), Wake::polling());
        BusinessBuilder::default().settings(business()).open(&core).await;
        let mut staff = [Uuid::nil(); 2];
        for (id, (name, windows)) in staff.iter_mut().zip([("Ada", "09:00-12:00"), ("Ben", "10:00-13:00")]) {
            clock.advance(TimeDelta::milliseconds(1));
            *id = BusinessBuilder::default().staff([name], &week(windows)).open(&core).await.staff[0];
        }
        let service =
            services::create(&core, &Actor::System, None, hour_long(&staff)).await.unwrap().value.id;
        let customer = Uuid::from_u128(0xc0);
        sqlx::query(
            "INSERT INTO customers (id, origin, email, name, created_at, updated_at)
             VALUES ($1, 'guest', 'cleo@example.org', 'Cleo', $2, $2)",
        )
        .bind(customer)
        .bind(at(NOW))
        .execute(database.pool())
        .await
        .unwrap();
        Self { database, core, clock, staff, service, customer }
    }

    /// Inserts a booking without a use case.
    pub(crate) async fn book(&self, staff_id: Uuid, start: DateTime<Utc>, status: &str) -> Uuid {
        let id = punctual_queue::new_id(self.core.now());
        self.seat(id, self.service, staff_id, start, status, id, 1).await;
        id
    }

    /// A hold until an instant.
    pub(crate) async fn hold(&self, staff_id: Uuid, start: DateTime<Utc>, until: DateTime<Utc>) {
        let id = self.book(staff_id, start, "confirmed").await;
        sqlx::query(
            "UPDATE bookings SET status = 'held', hold_expires_at = $2, customer_id = NULL WHERE id = $1",
        )
        .bind(id)
        .bind(until)
        .execute(self.database.pool())
        .await
        .unwrap();
    }

    /// One seat of a class.
    #[expect(clippy::too_many_arguments, reason = "one row")]
    pub(crate) async fn seat(
        &self,
        id: Uuid,
        service_id: Uuid,
        staff_id: Uuid,
        start: DateTime<Utc>,
        status: &str,
        class_id: Uuid,
        seat_no: i32,
    ) {
        let range = PgRange::from(start..start + TimeDelta::hours(1));
        sqlx::query(
            "INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone,
                                   local_start, service_name, duration_min, price_minor, currency, ics_uid, created_at,
                                   updated_at)
             VALUES ($1, $2, $3, $4, $5::booking_status, $6, $6, $7, $8, 'Europe/Berlin', '2027-05-04', 'Consultation', 60,
                     5000, 'EUR', $1::text, $9, $9)",
        )
        .bind(id)
        .bind(service_id)
        .bind(staff_id)
        .bind(self.customer)
        .bind(status)
        .bind(range)
        .bind(class_id)
        .bind(seat_no)
        .bind(at(NOW))
        .execute(self.database.pool())
        .await
        .unwrap();
    }

    /// An account, as an actor.
    pub(crate) async fn account(&self, role: punctual_core::types::Role, staff_id: Option<Uuid>) -> Actor {
        let user_id = punctual_queue::new_id(self.core.now());
        sqlx::query(
            "INSERT INTO users (id, email, name, role, created_at, updated_at)
             VALUES ($1, $1::text || '@example.org', 'Account', $2::user_role, $3, $3)",
        )
        .bind(user_id)
        .bind(role.as_str())
        .bind(at(NOW))
        .execute(self.database.pool())
        .await
        .unwrap();
        if let Some(staff_id) = staff_id {
            sqlx::query("UPDATE staff SET user_id = $1 WHERE id = $2")
                .bind(user_id)
                .bind(staff_id)
                .execute(self.database.pool())
                .await
                .unwrap();
        }
        Actor::Account { user_id, role }
    }

    /// How often each calendar changed.
    pub(crate) async fn calendar_revs(&self) -> [i64; 2] {
        let mut revs = [0; 2];
        for (rev, id) in revs.iter_mut().zip(self.staff) {
            *rev = sqlx::query_scalar("SELECT calendar_rev FROM staff WHERE id = $1")
                .bind(id)
                .fetch_one(self.database.pool())
                .await
                .unwrap();
        }
        revs
    }

    /// The statuses of all bookings by start, to check that a change of hours leaves them unchanged.
    pub(crate) async fn statuses(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT status::text || ' ' || rev FROM bookings ORDER BY lower(during), id")
            .fetch_all(self.database.pool())
            .await
            .unwrap()
    }
}

pub(crate) fn span(start: DateTime<Utc>, end: DateTime<Utc>) -> Span {
    Span::new(start, end).unwrap()
}

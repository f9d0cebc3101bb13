//! The terms of a service: its rules, price and staff, as needed by a booking.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Revisions;
use crate::calendar::{Need, ReminderRule, ServiceRules};
use crate::services::{StaffTerms, stored_rules};
use crate::types::{Currency, Money, Zone};
use crate::{Error, Result};

/// Days ahead in which slots near an occurrence of a series are searched: as far as an occurrence can be.
const SERIES_DAYS: u32 = 3653;

/// A service with its rules, the terms promised to customers, and the staff who perform it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTerms {
    /// Rules of when it can be booked.
    pub rules: ServiceRules,
    /// The business's zone.
    pub zone: Zone,
    /// Name.
    pub name: String,
    /// Price of one seat.
    pub price: Money,
    /// Whether new bookings are accepted.
    pub active: bool,
    /// Whether staff must confirm a booking.
    pub requires_confirmation: bool,
    /// Customers may cancel until this many minutes before the start, inclusive.
    pub cancel_notice_min: u32,
    /// Customers may move until this many minutes before the start, inclusive.
    pub reschedule_notice_min: u32,
    /// Reminder rules with their place, 1 to 5.
    pub reminders: Vec<(i16, ReminderRule)>,
    /// Active staff who perform it, ordered by id; only the requested one if there is one.
    pub staff_ids: Vec<Uuid>,
    /// Different terms of single members of staff.
    pub staff_terms: Vec<StaffTerms>,
    /// Revisions of this data and of what is read after it.
    pub revisions: Revisions,
}

impl ServiceTerms {
    /// The rules with this member of staff.
    #[must_use]
    pub fn rules_with(&self, staff_id: Uuid) -> Cow<'_, ServiceRules> {
        match self.own(staff_id).and_then(|own| own.duration_min) {
            Some(duration_min) => Cow::Owned(ServiceRules { duration_min, ..self.rules.clone() }),
            None => Cow::Borrowed(&self.rules),
        }
    }

    /// The price with this member of staff.
    #[must_use]
    pub fn price_with(&self, staff_id: Uuid) -> Money {
        let minor = self.own(staff_id).and_then(|own| own.price_minor);
        Money { minor: minor.unwrap_or(self.price.minor), currency: self.price.currency }
    }

    fn own(&self, staff_id: Uuid) -> Option<&StaffTerms> {
        self.staff_terms.iter().find(|own| own.staff_id == staff_id)
    }

    /// The terms with this member of staff alone.
    fn narrowed_to(&self, staff_id: Uuid) -> Result<Self> {
        if !self.staff_ids.contains(&staff_id) {
            return Err(Error::NotFound("staff"));
        }
        let mut terms = Self { staff_ids: vec![staff_id], ..self.clone() };
        terms.staff_terms.retain(|own| own.staff_id == staff_id);
        terms.revisions.staff.retain(|(id, _)| *id == staff_id);
        Ok(terms)
    }

    /// The terms for an occurrence of a series: without notice and horizon.
    pub(crate) fn for_series(mut self) -> Self {
        self.rules.min_notice_min = 0;
        self.rules.horizon_days = SERIES_DAYS;
        self
    }
}

/// The terms of services, with the staff for whom the condition holds.
macro_rules! query_terms {
    ($staff:literal, $service_ids:expr $(, $value:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT s.id, s.name, s.duration_min, s.slot_step_min, s.buffer_before_min, s.buffer_after_min, s.capacity,
                      s.min_notice_min, s.horizon_days, s.cancel_notice_min, s.reschedule_notice_min,
                      s.requires_confirmation, s.price_minor, s.active,
                      EXISTS (SELECT FROM class_windows AS w WHERE w.service_id = s.id) AS "timetabled!", settings.zone, settings.currency,
                      needs.nos AS "need_nos!", needs.any_of AS "need_any!", needs.ids AS "need_ids!: Vec<Option<Uuid>>",
                      needs.active AS "need_active!", needs.revs AS "need_revs!",
                      performers.own_ids AS "own_ids!", performers.own_minutes AS "own_minutes!: Vec<Option<i32>>",
                      performers.own_prices AS "own_prices!: Vec<Option<i64>>",
                      performers.active_ids AS "staff_ids!", performers.ids AS "seen_ids!", performers.revs AS "seen_revs!",
                      settings.calendar_rev AS business_rev, pg_postmaster_start_time() AS "server!",
                      reminders.rules AS "rules!", reminders.kinds AS "rule_kinds!", reminders.minutes AS "rule_minutes!"
               FROM services AS s CROSS JOIN settings
               CROSS JOIN LATERAL (
                   SELECT coalesce(array_agg(staff.id ORDER BY staff.id) FILTER (WHERE staff.active), '{}') AS active_ids,
                          coalesce(array_agg(staff.id ORDER BY staff.id), '{}') AS ids,
                          coalesce(array_agg(staff.calendar_rev ORDER BY staff.id), '{}') AS revs,
                          coalesce(array_agg(staff.id ORDER BY staff.id) FILTER (WHERE own), '{}') AS own_ids,
                          coalesce(array_agg(service_staff.duration_min ORDER BY staff.id) FILTER (WHERE own), '{}')
                              AS own_minutes,
                          coalesce(array_agg(service_staff.price_minor ORDER BY staff.id) FILTER (WHERE own), '{}')
                              AS own_prices
                   FROM service_staff JOIN staff ON staff.id = service_staff.staff_id
                   CROSS JOIN LATERAL (
                       SELECT num_nonnulls(service_staff.duration_min, service_staff.price_minor) > 0 AS own) AS terms
                   WHERE service_staff.service_id = s.id AND "# + $staff + r#") AS performers
               CROSS JOIN LATERAL (
                   SELECT coalesce(array_agg(rule ORDER BY rule), '{}') AS rules,
                          coalesce(array_agg(kind::text ORDER BY rule), '{}') AS kinds,
                          coalesce(array_agg(minutes ORDER BY rule), '{}') AS minutes
                   FROM service_reminders WHERE service_id = s.id) AS reminders
               CROSS JOIN LATERAL (
                   SELECT coalesce(array_agg(need.no ORDER BY need.no, r.id), '{}') AS nos,
                          coalesce(array_agg(need.kind IS NOT NULL ORDER BY need.no, r.id), '{}') AS any_of,
                          coalesce(array_agg(r.id ORDER BY need.no, r.id), '{}') AS ids,
                          coalesce(array_agg(coalesce(r.active, false) ORDER BY need.no, r.id), '{}') AS active,
                          coalesce(array_agg(coalesce(r.calendar_rev, 0) ORDER BY need.no, r.id), '{}') AS revs
                   FROM service_resources AS need
                   LEFT JOIN resources AS r ON r.id = need.resource_id OR r.kind = need.kind
                   WHERE need.service_id = s.id) AS needs
               WHERE s.id = ANY($1)"#,
            $service_ids
            $(, $value)*
        )
    };
}

/// The terms of a service, with `staff_id` narrowed to that one. Inactive services have terms too: their bookings
/// can still be moved.
///
/// # Errors
/// [`Error::NotFound`] for an unknown service, or when the requested member of staff does not perform it.
pub async fn terms(db: &mut PgConnection, service_id: Uuid, staff_id: Option<Uuid>) -> Result<ServiceTerms> {
    let found = terms_of_each(db, &[(service_id, staff_id)]).await?;
    found.into_iter().next().unwrap_or(Err(Error::NotFound("service")))
}

/// [`terms`] of several services, each with the requested member of staff: one statement, a second one for those that anyone
/// may perform. The results are in the order of `wanted`.
///
/// # Errors
/// Those of the database.
pub(super) async fn terms_of_each(
    db: &mut PgConnection,
    wanted: &[(Uuid, Option<Uuid>)],
) -> Result<Vec<Result<ServiceTerms>>> {
    let (mut by_anyone, mut by_one, mut staff_ids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (service_id, staff_id) in wanted {
        match staff_id {
            Some(staff_id) => {
                by_one.insert(*service_id);
                staff_ids.insert(*staff_id);
            }
            None => {
                by_anyone.insert(*service_id);
            }
        }
    }
    let ids = |ids: BTreeSet<Uuid>| ids.into_iter().collect::<Vec<Uuid>>();
    let (by_anyone, by_one, staff_ids) = (ids(by_anyone), ids(by_one), ids(staff_ids));
    let (anyone, one) = loop {
        let mut anyone: HashMap<Uuid, ServiceTerms> = HashMap::new();
        if !by_anyone.is_empty() {
            anyone = parse_all(query_terms!("true", &by_anyone).fetch_all(&mut *db).await?)?;
        }
        let mut one: HashMap<Uuid, ServiceTerms> = HashMap::new();
        if !by_one.is_empty() {
            one = terms_of(db, &by_one, &staff_ids).await?;
        }
        // The settings may have changed between the two statements, and the zone with them.
        let mut revs = anyone.values().chain(one.values()).map(|terms| terms.revisions.business);
        let first = revs.next();
        if revs.all(|rev| Some(rev) == first) {
            break (anyone, one);
        }
    };
    let found = |(service_id, staff_id): &(Uuid, Option<Uuid>)| match staff_id {
        None => anyone.get(service_id).cloned().ok_or(Error::NotFound("service")),
        Some(staff_id) => one.get(service_id).ok_or(Error::NotFound("service"))?.narrowed_to(*staff_id),
    };
    Ok(wanted.iter().map(found).collect())
}

/// The terms of several services by id, with their staff narrowed to those among `staff_ids`; unknown services are omitted.
/// A batch names the calendars that it has locked, so that its cost does not grow with the number of staff.
pub(crate) async fn terms_of(
    db: &mut PgConnection,
    service_ids: &[Uuid],
    staff_ids: &[Uuid],
) -> Result<HashMap<Uuid, ServiceTerms>> {
    parse_all(query_terms!("service_staff.staff_id = ANY($2)", service_ids, staff_ids).fetch_all(db).await?)
}

fn parse_all(rows: Vec<Row>) -> Result<HashMap<Uuid, ServiceTerms>> {
    rows.into_iter().map(|row| row.parse().map(|terms| (terms.rules.service_id, terms))).collect()
}

/// A row of [`query_terms`].
struct Row {
    id: Uuid,
    name: String,
    duration_min: i32,
    slot_step_min: i32,
    buffer_before_min: i32,
    buffer_after_min: i32,
    capacity: i32,
    timetabled: bool,
    min_notice_min: i32,
    horizon_days: i32,
    cancel_notice_min: i32,
    reschedule_notice_min: i32,
    requires_confirmation: bool,
    price_minor: i64,
    active: bool,
    zone: String,
    currency: String,
    need_nos: Vec<i16>,
    need_any: Vec<bool>,
    need_ids: Vec<Option<Uuid>>,
    need_active: Vec<bool>,
    need_revs: Vec<i64>,
    own_ids: Vec<Uuid>,
    own_minutes: Vec<Option<i32>>,
    own_prices: Vec<Option<i64>>,
    staff_ids: Vec<Uuid>,
    seen_ids: Vec<Uuid>,
    seen_revs: Vec<i64>,
    business_rev: i64,
    server: DateTime<Utc>,
    rules: Vec<i16>,
    rule_kinds: Vec<String>,
    rule_minutes: Vec<i32>,
}

impl Row {
    /// What the service needs, and the revisions of the resources that it can need.
    fn needs(&self) -> (Vec<Need>, Vec<(Uuid, i64)>) {
        let mut needs: Vec<(i16, Need)> = Vec::new();
        let mut resources: Vec<(Uuid, i64)> = Vec::new();
        let candidates = self.need_ids.iter().zip(&self.need_active).zip(&self.need_revs);
        for ((no, any), ((id, active), rev)) in self.need_nos.iter().zip(&self.need_any).zip(candidates) {
            if needs.last().is_none_or(|(last, _)| last != no) {
                needs.push((*no, Need { candidates: Vec::new(), any: *any }));
            }
            resources.extend(id.map(|id| (id, *rev)));
            if let (Some((_, need)), Some(id), true) = (needs.last_mut(), id, *active) {
                need.candidates.push(*id);
            }
        }
        (needs.into_iter().map(|(_, need)| need).collect(), resources)
    }

    fn staff_terms(&self) -> Vec<StaffTerms> {
        let own = self.own_ids.iter().zip(&self.own_minutes).zip(&self.own_prices);
        own.map(|((staff_id, minutes), price_minor)| StaffTerms {
            staff_id: *staff_id,
            duration_min: minutes.map(i32::unsigned_abs),
            price_minor: *price_minor,
        })
        .collect()
    }

    fn parse(self) -> Result<ServiceTerms> {
        let stored = |error| Error::internal("settings hold a bad value", error);
        let ((needs, resources), staff_terms) = (self.needs(), self.staff_terms());
        Ok(ServiceTerms {
            rules: ServiceRules {
                service_id: self.id,
                duration_min: self.duration_min.unsigned_abs(),
                slot_step_min: self.slot_step_min.unsigned_abs(),
                buffer_before_min: self.buffer_before_min.unsigned_abs(),
                buffer_after_min: self.buffer_after_min.unsigned_abs(),
                capacity: self.capacity.unsigned_abs(),
                timetabled: self.timetabled,
                min_notice_min: self.min_notice_min.unsigned_abs(),
                horizon_days: self.horizon_days.unsigned_abs(),
                needs,
            },
            zone: Zone::parse(&self.zone).map_err(stored)?,
            name: self.name,
            price: Money {
                minor: self.price_minor,
                currency: Currency::parse(&self.currency).map_err(stored)?,
            },
            active: self.active,
            requires_confirmation: self.requires_confirmation,
            cancel_notice_min: self.cancel_notice_min.unsigned_abs(),
            reschedule_notice_min: self.reschedule_notice_min.unsigned_abs(),
            reminders: self
                .rules
                .into_iter()
                .zip(stored_rules(&self.rule_kinds, &self.rule_minutes)?)
                .collect(),
            staff_terms,
            staff_ids: self.staff_ids,
            revisions: Revisions {
                server: self.server,
                business: self.business_rev,
                staff: self.seen_ids.into_iter().zip(self.seen_revs).collect(),
                resources,
            },
        })
    }
}

/// [`terms`] with the promised terms of a booking instead of the service's current ones: name, duration, buffers and price.
/// They apply to a move.
///
/// # Errors
/// As [`terms`].
pub async fn terms_of_booking(
    db: &mut PgConnection,
    booking_id: Uuid,
    service_id: Uuid,
    staff_id: Option<Uuid>,
) -> Result<ServiceTerms> {
    let mut terms = terms(db, service_id, staff_id).await?;
    let promised = sqlx::query!(
        r#"SELECT b.service_name, lower(b.during) AS "start!", upper(b.during) AS "end!",
                  lower(b.blocked) AS "blocked_from!", upper(b.blocked) AS "blocked_to!", b.price_minor / b.seats AS "price_minor!",
                  b.currency AS "currency: Currency", staff.id AS staff_id, staff.calendar_rev
           FROM bookings AS b JOIN staff ON staff.id = b.staff_id WHERE b.id = $1 AND b.service_id = $2"#,
        booking_id,
        service_id,
    )
    .fetch_optional(db)
    .await?;
    let Some(promised) = promised else { return Ok(terms) };
    let minutes = |length: TimeDelta| u32::try_from(length.num_minutes()).unwrap_or_default();
    terms.staff_terms.clear();
    terms.name = promised.service_name;
    terms.price = Money { minor: promised.price_minor, currency: promised.currency };
    terms.rules.duration_min = minutes(promised.end - promised.start);
    terms.rules.buffer_before_min = minutes(promised.start - promised.blocked_from);
    terms.rules.buffer_after_min = minutes(promised.blocked_to - promised.end);
    // Promised terms change only under the lock of the booking's calendar.
    if !terms.revisions.staff.iter().any(|(id, _)| *id == promised.staff_id) {
        terms.revisions.staff.push((promised.staff_id, promised.calendar_rev));
    }
    Ok(terms)
}

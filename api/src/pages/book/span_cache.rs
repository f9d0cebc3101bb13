//! A cache of rendered pages of free times. A page is reused while a check finds the revisions of its list unchanged. All
//! other data on such a page increments a revision of that list when it changes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use chrono::{Days, NaiveDate};
use poem::{Body, Response, http::StatusCode};
use punctual_core::{
    slots::SlotQuery,
    types::{Locale, Zone},
};
use uuid::Uuid;

use super::{Visitor, staff_choice::StaffChoice};
use crate::{
    http::compress::CachedGzip,
    pages::html::{self, PageOptions},
    views::{ListPage, SlotsPage},
};

/// How many dates are shown at once.
pub const DAYS: u64 = 7;

/// Most cached spans.
const MAX_SPANS: usize = 10_000;

/// The dates that a page can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The business's zone.
    pub zone: Zone,
    /// How many dates ahead can be booked.
    pub horizon_days: u32,
}

impl Span {
    /// First and last date of the requested page, and the last that can be booked.
    pub fn dates(self, visitor: &Visitor) -> (NaiveDate, NaiveDate, NaiveDate) {
        let today = self.zone.at(visitor.visit.state.core.now()).date_naive();
        let last = today.checked_add_days(Days::new(u64::from(self.horizon_days))).unwrap_or(today);
        let from = requested_date(visitor).unwrap_or(today).clamp(today, last);
        (from, from.checked_add_days(Days::new(DAYS - 1)).unwrap_or(from).min(last), last)
    }
}

/// The date of the URL.
pub fn requested_date(visitor: &Visitor) -> Option<NaiveDate> {
    visitor.visit.query_param("from").and_then(|text| text.parse().ok())
}

/// Spans of services as last read. An outdated span only causes a page to be rendered again.
static SPANS: Mutex<Option<Spans>> = Mutex::new(None);

/// By service and member of staff; none: anyone.
type Spans = HashMap<(Uuid, Option<Uuid>), Span>;

/// Stores the span of a service and member of staff.
pub fn remember(service_id: Uuid, who: StaffChoice, span: Span) {
    let mut spans = SPANS.lock().unwrap_or_else(PoisonError::into_inner);
    let spans = spans.get_or_insert_default();
    if spans.len() >= MAX_SPANS {
        spans.clear();
    }
    spans.insert((service_id, who.id()), span);
}

/// The requested page, if it is cached and current.
pub async fn find(visitor: &Visitor, service_id: Uuid, who: StaffChoice) -> Option<Response> {
    let way = way(visitor)?;
    let span = {
        let spans = SPANS.lock().unwrap_or_else(PoisonError::into_inner);
        *spans.as_ref()?.get(&(service_id, who.id()))?
    };
    let (from, to, _) = span.dates(visitor);
    let query = SlotQuery { service_id, staff_id: who.id(), from, to, seats: 1, exclude_booking: None };
    let state = &visitor.visit.state;
    // Rendering the page reports the same error.
    let list = state.slots.read(&state.core, &query).await.ok()?;
    let page = list.page(way)?;
    Some(respond(visitor, page))
}

/// Caches a page.
pub fn keep(visitor: &Visitor, query: &SlotQuery, list: &SlotsPage, text: String, shown: &PageOptions<'_>) {
    let Some(way) = way(visitor) else { return };
    let page = ListPage {
        body: Bytes::from(text),
        packed: CachedGzip::default(),
        accent: shown.accent,
        public: shown.public,
    };
    list.keep(way, page);
    visitor.visit.state.slots.reweigh(query);
}

/// The response of a cached page for this visitor.
pub fn respond(visitor: &Visitor, page: &ListPage) -> Response {
    let framed_by = visitor.visit.state.config.embed_origins.join(" ");
    let shown = PageOptions {
        accent: page.accent,
        framed_by: &framed_by,
        script: !framed_by.is_empty(),
        public: page.public,
        ..PageOptions::default()
    };
    let body = Body::from_bytes(page.body.clone());
    let mut response = html::respond(StatusCode::OK, body, visitor.locale, &shown);
    response.set_data(page.packed.clone());
    response
}

/// The variant of the page in the cache; none for a page that only this visitor sees.
fn way(visitor: &Visitor) -> Option<usize> {
    let bits = [
        visitor.locale == Locale::De,
        visitor.requested_locale().is_some(),
        visitor.visit.query_param("from").is_some(),
    ];
    let way = bits.into_iter().fold(0, |way, bit| way * 2 + usize::from(bit));
    visitor.is_plain().then_some(way)
}

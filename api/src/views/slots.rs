use std::sync::OnceLock;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, NaiveDate};
use poem::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::Object;
use punctual_core::{
    Error,
    slots::{DaySlots, OfferedSlot, Page, SlotList},
    types::AccentColour,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::http::{compress::CachedGzip, etag, values::TimeZone};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Free slots by date.
#[derive(Debug, Object, Serialize)]
pub struct Slots {
    /// The business's time zone; the dates are in it.
    pub tz: TimeZone,
    /// Every requested date, in order.
    #[oai(validator(min_items = 1, max_items = 31))]
    pub days: Vec<Day>,
}

/// The free slots that start on one date.
#[derive(Debug, Object, Serialize)]
pub struct Day {
    /// The date.
    pub date: NaiveDate,
    /// Its slots by start; empty when there are none.
    #[oai(validator(max_items = 1000))]
    pub slots: Vec<Slot>,
}

/// A start that can be booked.
#[derive(Debug, Object, Serialize)]
pub struct Slot {
    /// When it starts, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// When it ends.
    pub end: DateTime<FixedOffset>,
    /// The members of staff who can be booked.
    #[oai(validator(min_items = 1, max_items = 50))]
    pub staff_ids: Vec<Uuid>,
    /// Seats left at this start, summed over `staff_ids`.
    #[oai(validator(minimum(value = "1")))]
    pub seats_left: u32,
}

impl From<SlotList> for Slots {
    fn from(list: SlotList) -> Self {
        let slot = |slot: OfferedSlot| Slot {
            start: slot.start,
            end: slot.end,
            staff_ids: slot.staff_ids,
            seats_left: slot.seats_left,
        };
        let day = |day: DaySlots| Day { date: day.date, slots: day.slots.into_iter().map(slot).collect() };
        Self { tz: TimeZone(list.tz), days: list.days.into_iter().map(day).collect() }
    }
}

/// A serialised list of slots, shared by all requests for it.
#[derive(Debug)]
pub struct SlotsPage {
    body: Bytes,
    /// The body in gzip, made at the first request that accepts gzip.
    packed: CachedGzip,
    etag: HeaderValue,
    list: SlotList,
    /// HTML pages rendered from the list, one for each variant.
    pages: [OnceLock<ListPage>; VARIANTS],
}

/// An HTML page rendered from a list.
#[derive(Debug)]
pub struct ListPage {
    /// Its HTML.
    pub body: Bytes,
    /// The same in gzip, made at the first request that accepts gzip.
    pub packed: CachedGzip,
    /// The business's colour, for the page's style policy.
    pub accent: Option<AccentColour>,
    /// Whether search engines may list it.
    pub public: bool,
}

/// Variants of a page: two languages, each chosen by the browser or by the URL, with or without a date in the URL.
const VARIANTS: usize = 8;

impl SlotsPage {
    /// The list.
    #[must_use]
    pub const fn list(&self) -> &SlotList {
        &self.list
    }

    /// The page of this variant, if it was rendered.
    #[must_use]
    pub fn page(&self, way: usize) -> Option<&ListPage> {
        self.pages.get(way).and_then(OnceLock::get)
    }

    /// Caches a page. It must not be rendered from older data than the list.
    pub fn keep(&self, way: usize, page: ListPage) {
        // Another request may have rendered the same page.
        let _ = self.pages.get(way).map(|kept| kept.set(page));
    }

    /// The list as JSON, with its `ETag`.
    #[must_use]
    pub fn response(&self) -> Response {
        let mut response = Response::from(Body::from_bytes(self.body.clone()));
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response.headers_mut().insert(header::ETAG, self.etag.clone());
        response.set_data(self.packed.clone());
        response
    }

    /// 304 with the `ETag`, for a client that has this list.
    #[must_use]
    pub fn not_modified(&self) -> Response {
        let mut response: Response = StatusCode::NOT_MODIFIED.into();
        response.headers_mut().insert(header::ETAG, self.etag.clone());
        response
    }

    /// The opaque part of the `ETag`.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.etag.to_str().ok().and_then(etag::opaque).unwrap_or_default()
    }
}

impl Page for SlotsPage {
    fn of(list: SlotList) -> Result<Self, Error> {
        let body = serde_json::to_vec(&Slots::from(list.clone()))
            .map_err(|error| Error::internal("slots cannot be written", error))?;
        let digest = Sha256::digest(&body);
        let tag = digest.iter().take(12).fold(String::new(), |tag, byte| format!("{tag}{byte:02x}"));
        let etag = HeaderValue::from_str(&format!("W/\"{tag}\""))
            .map_err(|error| Error::internal("an ETag cannot be written", error))?;
        Ok(Self {
            body: body.into(),
            packed: CachedGzip::default(),
            etag,
            list,
            pages: std::array::from_fn(|_| OnceLock::new()),
        })
    }

    /// Estimates compressed copies as half the size. Counts the pages cached so far.
    fn bytes(&self) -> usize {
        let slots = self.list.days.iter().flat_map(|day| &day.slots);
        let list: usize =
            slots.map(|slot| size_of::<OfferedSlot>() + slot.staff_ids.len() * size_of::<Uuid>()).sum();
        let pages: usize =
            self.pages.iter().filter_map(OnceLock::get).map(|page| page.body.len() * 3 / 2).sum();
        self.body.len() * 3 / 2 + list + pages
    }
}

#[cfg(test)]
mod tests {
    use punctual_core::types::Zone;

    use super::*;

    fn empty_day() -> SlotsPage {
        let date = NaiveDate::from_ymd_opt(2027, 5, 4).unwrap();
        let tz = Zone::parse("Europe/Berlin").unwrap();
        SlotsPage::of(SlotList { tz, days: vec![DaySlots { date, slots: Vec::new() }] }).unwrap()
    }

    #[test]
    fn a_list_is_counted_without_pages_that_nobody_asked_for() {
        let list = empty_day();
        assert!(list.bytes() < 1024, "{}", list.bytes());
        let body = Bytes::from(vec![b' '; 20_000]);
        list.keep(0, ListPage { body, packed: CachedGzip::default(), accent: None, public: false });
        assert!(list.bytes() > 20_000, "{}", list.bytes());
    }
}

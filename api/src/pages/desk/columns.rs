//! A day of one member of staff as a column: hours, time off, bookings and free time in order.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use punctual_core::{
    agenda::StaffAgenda,
    bookings::{Booking, BookingStatus, allowed_actions},
    calendar::{Span, after_date, day_start},
    types::{Actor, BookingAction, Zone},
    wording::clock,
};
use serde::Serialize;
use uuid::Uuid;

use super::look::ROW_MIN;
use crate::pages::times::compact;

/// Minutes of a day.
const DAY_MIN: u32 = 24 * 60;
/// The shortest free time that is shown.
const MIN_FREE_MINUTES: u32 = 15;
/// Colours of services.
const COLOURS: usize = 6;
/// Minutes that a dragged booking's start is a multiple of: the first that divides the step of its service and the openings
/// of the board, from which usual starts are counted.
const SNAPS: [u32; 3] = [15, 10, ROW_MIN];

/// A column of the board.
#[derive(Serialize)]
pub struct Column {
    pub title: String,
    /// Link of its heading.
    pub href: String,
    pub note: Option<String>,
    pub current: bool,
    /// Appointments of the day.
    pub count: usize,
    /// Whose day it is; none: of former staff, to whom nothing can be dragged.
    pub staff_id: Option<Uuid>,
    pub date: NaiveDate,
    pub items: Vec<Item>,
}

/// An entry of a column; entries are in order of their start.
#[derive(Clone, Serialize)]
pub struct Item {
    kind: &'static str,
    /// First row of the board.
    row: u32,
    /// Number of rows, at least 1.
    rows: u32,
    /// `10:00`
    from: String,
    /// `10:45`
    to: String,
    href: String,
    /// The customer, or the reason for time off.
    title: String,
    /// The service.
    what: String,
    status: &'static str,
    colour: usize,
    /// Position among simultaneous entries, from 0, and their number.
    subcolumn: u32,
    subcolumns: u32,
    /// How it can be dragged; none: it cannot be moved.
    drag: Option<Drag>,
    /// First and last minute, counted from the board's first row.
    #[serde(skip)]
    minutes: (u32, u32),
}

/// What `drag.js` needs to drag a booking.
#[derive(Clone, Serialize)]
struct Drag {
    /// The form that moves it, with the revision shown here.
    href: String,
    /// Its start, in wall-clock minutes of the day.
    from: u32,
    /// Minutes on the board.
    minutes: u32,
    /// Its start becomes a multiple of these minutes.
    step: u32,
}

/// Data for a column.
pub struct DayOf<'a> {
    pub agenda: &'a StaffAgenda,
    pub date: NaiveDate,
    pub zone: Zone,
    pub now: DateTime<Utc>,
    /// Who looks at it.
    pub actor: Actor,
    /// The services; the position decides the colour.
    pub services: &'a [Offered],
    /// Makes the link to a page of the desk from its path and query.
    pub link: &'a Link<'a>,
}

/// The data of a service that a board shows.
pub struct Offered {
    pub id: Uuid,
    pub name: String,
    pub seats: u32,
    /// Minutes between its usual starts.
    pub step_min: u32,
}

/// Makes the URL of a page from its path and query.
pub type Link<'a> = dyn Fn(&str, &[(&str, &str)]) -> String + Sync + 'a;

/// First and last minute that a board shows, both full hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub first: u32,
    pub last: u32,
}

/// What the columns of a board have in common.
pub struct Scale {
    pub extent: Extent,
    /// Those of [`SNAPS`] that divide all openings.
    pub snaps: Vec<u32>,
}

impl DayOf<'_> {
    fn whole(&self) -> Option<Span> {
        Span::new(day_start(self.zone, self.date), day_start(self.zone, after_date(self.date)))
    }

    /// The part of the span on the date, in wall-clock minutes.
    fn minutes(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> Option<(u32, u32)> {
        let day = self.whole()?;
        let part = Span::new(start.max(day.start()), end.min(day.end()))?;
        let minute = |instant| {
            let time: NaiveTime = self.zone.wall(instant).time();
            time.hour() * 60 + time.minute()
        };
        let from = minute(part.start());
        let length = u32::try_from((part.end() - part.start()).num_minutes()).unwrap_or(DAY_MIN);
        let to = if part.end() == day.end() { DAY_MIN } else { minute(part.end()) };
        // In a repeated hour the end can be before the start on the clock.
        Some((from, if to > from { to } else { (from + length).min(DAY_MIN) }))
    }

    /// The minutes that the board must include.
    pub fn shown(&self) -> Vec<(u32, u32)> {
        let open = self.agenda.open.iter().filter_map(|span| self.minutes(span.start(), span.end()));
        let booked =
            self.agenda.bookings.iter().map(|booking| (booking.start.to_utc(), booking.end.to_utc()));
        let planned = self.agenda.classes.iter().map(|class| (class.during.start(), class.during.end()));
        open.chain(booked.chain(planned).filter_map(|(from, to)| self.minutes(from, to))).collect()
    }

    /// When it opens, in wall-clock minutes.
    pub fn openings(&self) -> Vec<u32> {
        let open = self.agenda.open.iter().filter_map(|span| self.minutes(span.start(), span.end()));
        open.map(|(from, _)| from).collect()
    }

    /// All entries of the day in order of their start.
    pub fn items(&self, scale: &Scale) -> (Vec<Item>, usize) {
        let extent = scale.extent;
        let mut cards = self.cards(&scale.snaps);
        let count = cards.iter().filter(|card| card.status != "held" && !card.what.starts_with("0/")).count();
        subcolumns(&mut cards);
        let mut items = self.free(&cards);
        items.extend(self.closed(extent));
        items.extend(self.away());
        items.extend(cards);
        items.extend(self.now_line());
        items.sort_by_key(|item| (item.minutes.0, item.kind != "closed", item.minutes.1));
        for item in &mut items {
            item.place(extent);
        }
        (items, count)
    }

    fn item(kind: &'static str, minutes: (u32, u32)) -> Item {
        Item {
            kind,
            row: 0,
            rows: 1,
            from: wall(minutes.0),
            to: wall(minutes.1),
            href: String::new(),
            title: String::new(),
            what: String::new(),
            status: "",
            colour: 0,
            subcolumn: 0,
            subcolumns: 1,
            drag: None,
            minutes,
        }
    }

    /// Bookings; those of one class are one card.
    fn cards(&self, snaps: &[u32]) -> Vec<Item> {
        let mut cards: Vec<Item> = Vec::new();
        let mut classes: Vec<(Uuid, DateTime<Utc>)> = Vec::new();
        for booking in &self.agenda.bookings {
            let (start, end) = (booking.start.to_utc(), booking.end.to_utc());
            let Some(minutes) = self.minutes(start, end) else { continue };
            let place = self.services.iter().position(|service| service.id == booking.service.id);
            let seats = place.map_or(1, |place| self.services[place].seats);
            let mut card = Self::item("card", minutes);
            card.from = clock(booking.start.time());
            card.to = clock(booking.end.time());
            card.colour = place.unwrap_or_default() % COLOURS;
            if seats > 1 || booking.seat_no > 1 {
                let class = (booking.service.id, start);
                if classes.contains(&class) {
                    continue;
                }
                classes.push(class);
                let taken = self.taken(booking);
                card.title.clone_from(&booking.service.name);
                card.what = format!("{taken}/{seats}");
                card.status = "class";
                let path =
                    format!("/class/{}/{}/{}", booking.service.id, self.agenda.member.id, compact(start));
                card.href = (self.link)(&path, &[]);
            } else {
                let name = booking.customer.as_ref().and_then(|customer| customer.name.as_ref());
                card.title = name.map(|name| name.as_str().to_owned()).unwrap_or_default();
                card.what.clone_from(&booking.service.name);
                card.status = booking.status.as_str();
                card.href = (self.link)(&format!("/b/{}", booking.id), &[]);
                let step_min = place.map_or(1, |place| self.services[place].step_min);
                let snap = snaps.iter().find(|snap| step_min.is_multiple_of(**snap));
                card.drag = self.drag(booking, minutes, snap.copied().unwrap_or(ROW_MIN));
            }
            cards.push(card);
        }
        cards.extend(self.empty_classes(&classes));
        cards
    }

    /// None if this user cannot move the booking, or it began the day before.
    fn drag(&self, booking: &Booking, (from, to): (u32, u32), step: u32) -> Option<Drag> {
        let movable = allowed_actions(booking, &self.actor, self.now).contains(&BookingAction::Reschedule);
        let begins_here = self.zone.wall(booking.start.to_utc()).date() == self.date;
        (movable && begins_here).then(|| Drag {
            href: (self.link)(&format!("/b/{}/move", booking.id), &[("rev", &booking.rev.0.to_string())]),
            from,
            minutes: to - from,
            step,
        })
    }

    /// Planned classes that nobody has booked.
    fn empty_classes(&self, booked: &[(Uuid, DateTime<Utc>)]) -> Vec<Item> {
        let mut cards = Vec::new();
        for class in &self.agenda.classes {
            let (start, end) = (class.during.start(), class.during.end());
            let known = self.services.iter().enumerate().find(|(_, one)| one.id == class.service_id);
            let Some((minutes, (place, service))) = self.minutes(start, end).zip(known) else { continue };
            if booked.contains(&(class.service_id, start)) {
                continue;
            }
            let mut card = Self::item("card", minutes);
            card.colour = place % COLOURS;
            card.title.clone_from(&service.name);
            card.what = format!("0/{}", service.seats);
            card.status = "class";
            let path = format!("/class/{}/{}/{}", service.id, self.agenda.member.id, compact(start));
            card.href = (self.link)(&path, &[]);
            cards.push(card);
        }
        cards
    }

    /// Booked seats of this booking's class.
    fn taken(&self, of: &Booking) -> i32 {
        let same = |other: &&Booking| other.service.id == of.service.id && other.start == of.start;
        let counts = |other: &&Booking| other.status != BookingStatus::NoShow;
        self.agenda.bookings.iter().filter(same).filter(counts).map(|other| other.seats).sum()
    }

    /// Future open time between bookings.
    fn free(&self, cards: &[Item]) -> Vec<Item> {
        let staff = self.agenda.member.id.to_string();
        let mut free = Vec::new();
        for open in &self.agenda.open {
            let from = open.start().max(self.now);
            let Some((mut from, to)) = self.minutes(from, open.end()) else { continue };
            let mut push = |from: u32, to: u32| {
                if to >= from + MIN_FREE_MINUTES {
                    let mut item = Self::item("free", (from, to));
                    let (date, time) = (self.date.to_string(), wall(from));
                    item.href = (self.link)("/new", &[("staff", &staff), ("date", &date), ("time", &time)]);
                    free.push(item);
                }
            };
            from = from.div_ceil(ROW_MIN) * ROW_MIN;
            for card in cards.iter().filter(|card| card.status != "no_show") {
                if card.minutes.1 <= from || card.minutes.0 >= to {
                    continue;
                }
                push(from, card.minutes.0.min(to));
                from = from.max(card.minutes.1);
            }
            push(from, to);
        }
        free
    }

    /// Time of the board outside of open hours.
    fn closed(&self, extent: Extent) -> Vec<Item> {
        let mut closed = Vec::new();
        let mut from = extent.first;
        let open = self.agenda.open.iter().filter_map(|span| self.minutes(span.start(), span.end()));
        for (opens, closes) in open {
            if opens > from {
                closed.push(Self::item("closed", (from, opens)));
            }
            from = from.max(closes);
        }
        if extent.last > from {
            closed.push(Self::item("closed", (from, extent.last)));
        }
        closed
    }

    fn away(&self) -> Vec<Item> {
        let off = self.agenda.time_off.iter().filter_map(|off| {
            let mut item = Self::item("away", self.minutes(off.start.to_utc(), off.end.to_utc())?);
            off.reason.as_str().clone_into(&mut item.title);
            let path = format!("/away/{}/{}", off.staff_id, off.id);
            item.href = (self.link)(&path, &[("date", &self.date.to_string())]);
            Some(item)
        });
        off.collect()
    }

    fn now_line(&self) -> Option<Item> {
        let (minute, _) = self.minutes(self.now, self.now + TimeDelta::minutes(1))?;
        Some(Self::item("now", (minute, minute)))
    }
}

impl Item {
    /// Its rows of the board.
    fn place(&mut self, extent: Extent) {
        let row =
            |minute: u32| minute.clamp(extent.first, extent.last).saturating_sub(extent.first) / ROW_MIN;
        self.row = row(self.minutes.0);
        self.rows = row(self.minutes.1).saturating_sub(self.row).max(1);
    }
}

/// Divides the width among cards that overlap.
fn subcolumns(cards: &mut [Item]) {
    let mut first = 0;
    while first < cards.len() {
        let (mut end, mut next) = (cards[first].minutes.1, first + 1);
        while next < cards.len() && cards[next].minutes.0 < end {
            end = end.max(cards[next].minutes.1);
            next += 1;
        }
        let group = &mut cards[first..next];
        let mut ends: Vec<u32> = Vec::new();
        for card in group.iter_mut() {
            let subcolumn = ends.iter().position(|end| *end <= card.minutes.0).unwrap_or(ends.len());
            if subcolumn == ends.len() {
                ends.push(0);
            }
            ends[subcolumn] = card.minutes.1;
            card.subcolumn = u32::try_from(subcolumn).unwrap_or_default();
        }
        for card in group {
            card.subcolumns = u32::try_from(ends.len()).unwrap_or(1);
        }
        first = next;
    }
}

/// These minutes, extended to full hours; the default working day if there are none.
pub fn extent(minutes: &[(u32, u32)]) -> Extent {
    let first = minutes.iter().map(|(from, _)| *from).min().unwrap_or(9 * 60);
    let last = minutes.iter().map(|(_, to)| *to).max().unwrap_or(18 * 60);
    Extent { first: first / 60 * 60, last: (last.div_ceil(60) * 60).min(DAY_MIN) }
}

/// Those of [`SNAPS`] that divide all openings.
pub fn snaps(openings: &[u32]) -> Vec<u32> {
    SNAPS.into_iter().filter(|snap| openings.iter().all(|minute| minute.is_multiple_of(*snap))).collect()
}

fn wall(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(from: u32, to: u32) -> Item {
        Item {
            kind: "card",
            row: 0,
            rows: 1,
            from: String::new(),
            to: String::new(),
            href: String::new(),
            title: String::new(),
            what: String::new(),
            status: "confirmed",
            colour: 0,
            subcolumn: 0,
            subcolumns: 1,
            drag: None,
            minutes: (from, to),
        }
    }

    #[test]
    fn cards_at_the_same_time_share_the_width_and_others_have_all_of_it() {
        let mut cards = [card(540, 600), card(600, 660), card(630, 690), card(690, 700)];
        subcolumns(&mut cards);
        let placed: Vec<_> = cards.iter().map(|card| (card.subcolumn, card.subcolumns)).collect();
        assert_eq!(placed, [(0, 1), (0, 2), (1, 2), (0, 1)]);
    }

    #[test]
    fn a_board_shows_whole_hours_around_what_there_is() {
        assert_eq!(extent(&[(545, 600), (800, 1085)]), Extent { first: 540, last: 1140 });
        assert_eq!(extent(&[]), Extent { first: 540, last: 1080 });
        assert_eq!(extent(&[(0, 1440)]), Extent { first: 0, last: 1440 });
    }

    #[test]
    fn a_drop_snaps_to_what_divides_all_openings() {
        assert_eq!(snaps(&[540, 780]), [15, 10, 5]);
        assert_eq!(snaps(&[540, 550]), [10, 5]);
        assert_eq!(snaps(&[540, 545]), [5]);
        assert_eq!(snaps(&[543]), [0; 0]);
    }

    #[test]
    fn neighbours_touch_on_the_board_whatever_their_minute() {
        let extent = Extent { first: 540, last: 1080 };
        let (mut one, mut other) = (card(540, 563), card(563, 600));
        one.place(extent);
        other.place(extent);
        assert_eq!((one.row, one.rows, other.row), (0, 4, 4));
    }
}

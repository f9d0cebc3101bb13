//! Random histories of holds, bookings, requests, moves, hand-overs, closures, time off, leavers, changes of terms,
//! corrections, erasures and expiry, each step compared with a model that knows the rules of docs/histories.md.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::bookings::{
    self, BookingStatus as Status, Move, NewBooking, NewHold, RequestedSlot, SlotSource,
};
use punctual_core::calendar::Span;
use punctual_core::hours::{self, Closure, NewTimeOff};
use punctual_core::services::{self, ServicePatch};
use punctual_core::staff::{self, StaffPatch};
use punctual_core::types::{Actor, ExpectedRev, PageSize, Reason};
use punctual_core::{Error, customers, privacy};
use punctual_sim::dice::Dice;
use uuid::Uuid;

use super::salon::{Salon, booking_of, email, tuesday};

/// A booking as the model expects it.
#[derive(Debug, Clone)]
struct Expected {
    id: Uuid,
    service: usize,
    staff: usize,
    start: DateTime<Utc>,
    minutes: i64,
    price: i64,
    status: Status,
    held_until: Option<DateTime<Utc>>,
    owner: usize,
}

/// The terms of a service as it offers them now.
struct Service {
    id: Uuid,
    requires_confirmation: bool,
    minutes: i64,
    price: i64,
}

struct Walk {
    salon: Salon,
    dice: Dice,
    customers: Vec<Actor>,
    services: Vec<Service>,
    bookings: Vec<Expected>,
    closed: bool,
    active: [bool; 2],
    away: [Option<Uuid>; 2],
    corrections: usize,
}

impl Expected {
    fn end(&self) -> DateTime<Utc> {
        self.start + TimeDelta::minutes(self.minutes)
    }

    fn blocks(&self) -> bool {
        matches!(self.status, Status::Held | Status::Pending | Status::Confirmed)
    }

    fn stands(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Confirmed)
    }
}

impl Walk {
    async fn open(seed: u64) -> Self {
        let salon = Salon::open(2).await;
        let mut services = Vec::new();
        for requires_confirmation in [false, true] {
            let change =
                |spec: &mut services::ServiceSpec| spec.requires_confirmation = requires_confirmation;
            let id = salon.service(change).await;
            services.push(Service { id, requires_confirmation, minutes: 60, price: 4500 });
        }
        salon.clock.set(tuesday("06:00"));
        let customers = salon.customers(2).await;
        Self {
            salon,
            dice: Dice::new(seed),
            customers,
            services,
            bookings: Vec::new(),
            closed: false,
            active: [true; 2],
            away: [None; 2],
            corrections: 0,
        }
    }

    /// Whether the calendar takes an appointment of this length with this member of staff.
    fn is_open(&self, staff: usize) -> bool {
        !self.closed && self.away[staff].is_none()
    }

    fn is_free(&self, staff: usize, start: DateTime<Utc>, minutes: i64, except: Option<usize>) -> bool {
        let end = start + TimeDelta::minutes(minutes);
        !self.bookings.iter().enumerate().any(|(index, other)| {
            Some(index) != except
                && other.blocks()
                && other.staff == staff
                && other.start < end
                && start < other.end()
        })
    }

    fn takes(&self, staff: usize, start: DateTime<Utc>, minutes: i64, except: Option<usize>) -> bool {
        self.active[staff] && self.is_open(staff) && self.is_free(staff, start, minutes, except)
    }

    fn place(&mut self) -> (usize, DateTime<Utc>) {
        let start = tuesday("09:00") + TimeDelta::minutes(i64::try_from(self.dice.index(14)).unwrap() * 30);
        (self.dice.index(2), start)
    }

    fn any(&mut self) -> Option<usize> {
        (!self.bookings.is_empty()).then(|| self.dice.index(self.bookings.len()))
    }

    async fn step(&mut self) {
        // What is closed opens soon, so that most steps find an open calendar.
        if self.closed && self.dice.index(3) == 0 {
            self.closed = false;
            return hours::reopen(&self.salon.core, tuesday("12:00").date_naive()).await.unwrap();
        }
        let gone = self.active.iter().position(|active| !active);
        if let Some(staff) = gone.filter(|_| self.dice.index(3) == 0) {
            return self.leave_or_return(staff).await;
        }
        match self.dice.index(20) {
            0..=2 => self.book(false).await,
            3..=5 => self.book(true).await,
            6..=8 => self.use_hold().await,
            9 | 10 => self.reschedule().await,
            11 => self.decide().await,
            12 => self.cancel().await,
            13 => self.release().await,
            14 => self.close_or_reopen().await,
            15 => {
                let staff = self.dice.index(2);
                self.leave_or_return(staff).await;
            }
            16 => self.change_terms().await,
            17 => self.correct_or_erase().await,
            _ => self.wait().await,
        }
    }

    async fn book(&mut self, hold: bool) {
        let (staff, start) = self.place();
        let (service, owner) = (self.dice.index(2), self.dice.index(2));
        let Service { id, requires_confirmation, minutes, price } = self.services[service];
        let (core, actor) = (&self.salon.core, self.customers[owner]);
        let slot = RequestedSlot { service_id: id, staff_id: Some(self.salon.staff[staff]), start, seats: 1 };
        let made = if hold {
            bookings::hold(core, &actor, "", None, NewHold { slot, minutes: 10 }).await
        } else {
            let new = NewBooking { slot: SlotSource::Slot(slot), ..booking_of(id, None, start) };
            bookings::create(core, &actor, None, new).await
        };
        let expected = self.takes(staff, start, minutes, None);
        if matches!(made, Err(Error::TooManyHolds)) {
            let mine = self.bookings.iter().filter(|held| held.owner == owner && held.status == Status::Held);
            assert!(mine.map(|held| held.minutes).sum::<i64>() + minutes > 240);
            return;
        }
        assert_eq!(made.is_ok(), expected, "hold: {hold}, {made:?}");
        let Ok(made) = made else { return };
        let status = match (hold, requires_confirmation) {
            (true, _) => Status::Held,
            (false, true) => Status::Pending,
            (false, false) => Status::Confirmed,
        };
        let held_until = hold.then(|| self.salon.core.now() + TimeDelta::minutes(10));
        let id = made.value.id;
        self.bookings.push(Expected { id, service, staff, start, minutes, price, status, held_until, owner });
    }

    async fn use_hold(&mut self) {
        let Some(index) = self.any() else { return };
        let hold = self.bookings[index].clone();
        let new = booking_of(Uuid::nil(), None, hold.start);
        let new = NewBooking { slot: SlotSource::Hold(hold.id), ..new };
        let booked = bookings::create(&self.salon.core, &self.customers[hold.owner], None, new).await;
        let expected = hold.status == Status::Held && self.active[hold.staff] && self.is_open(hold.staff);
        assert_eq!(booked.is_ok(), expected, "{hold:?}: {booked:?}");
        if expected {
            let waits = self.services[hold.service].requires_confirmation;
            self.bookings[index].status = if waits { Status::Pending } else { Status::Confirmed };
        }
    }

    async fn reschedule(&mut self) {
        let Some(index) = self.any() else { return };
        let booking = self.bookings[index].clone();
        let (mut staff, mut start) = self.place();
        match self.dice.index(3) {
            // To a colleague at the same time.
            0 => (staff, start) = (1 - booking.staff, booking.start),
            1 => staff = booking.staff,
            _ => {}
        }
        let by_staff = self.dice.index(2) == 0;
        let actor = if by_staff { self.salon.admin } else { self.customers[booking.owner] };
        let to = Move::to(start, Some(self.salon.staff[staff]));
        let moved = bookings::reschedule(&self.salon.core, &actor, booking.id, ExpectedRev::Any, to).await;
        let stays = (staff, start) == (booking.staff, booking.start);
        let fits = stays || (self.is_open(staff) && self.is_free(staff, start, booking.minutes, Some(index)));
        let expected = booking.stands() && self.active[staff] && fits;
        assert_eq!(moved.is_ok(), expected, "{booking:?} to {staff} {start}: {moved:?}");
        if expected && !stays {
            let asks_again = self.services[booking.service].requires_confirmation && !by_staff;
            let known = &mut self.bookings[index];
            (known.staff, known.start) = (staff, start);
            if asks_again {
                known.status = Status::Pending;
            }
        }
    }

    async fn decide(&mut self) {
        let Some(index) = self.any() else { return };
        let booking = self.bookings[index].clone();
        let (core, admin) = (&self.salon.core, &self.salon.admin);
        let pending = booking.status == Status::Pending;
        if self.dice.index(3) == 0 {
            let declined = bookings::decline(core, admin, booking.id, ExpectedRev::Any).await;
            assert_eq!(declined.is_ok(), pending, "{booking:?}: {declined:?}");
            if pending {
                self.bookings[index].status = Status::Declined;
            }
        } else {
            let confirmed = bookings::confirm(core, admin, booking.id, ExpectedRev::Any).await;
            let expected = pending && self.active[booking.staff] && self.is_open(booking.staff);
            assert_eq!(confirmed.is_ok(), expected, "{booking:?}: {confirmed:?}");
            if expected {
                self.bookings[index].status = Status::Confirmed;
            }
        }
    }

    async fn cancel(&mut self) {
        let Some(index) = self.any() else { return };
        let booking = self.bookings[index].clone();
        let cancelled =
            bookings::cancel(&self.salon.core, &self.salon.admin, booking.id, ExpectedRev::Any).await;
        let expected = booking.stands() || booking.status == Status::Cancelled;
        assert_eq!(cancelled.is_ok(), expected, "{booking:?}: {cancelled:?}");
        if expected {
            self.bookings[index].status = Status::Cancelled;
        }
    }

    async fn release(&mut self) {
        let Some(index) = self.any() else { return };
        let hold = self.bookings[index].clone();
        let owner = &self.customers[hold.owner];
        let released = bookings::release_hold(&self.salon.core, owner, false, hold.id).await;
        assert_eq!(released.is_ok(), hold.status == Status::Held, "{hold:?}: {released:?}");
        if released.is_ok() {
            self.bookings[index].status = Status::Expired;
        }
    }

    async fn close_or_reopen(&mut self) {
        let date = tuesday("12:00").date_naive();
        let (core, admin) = (&self.salon.core, &self.salon.admin);
        let before = self.stranded();
        let stranded = if self.dice.index(2) == 0 {
            self.closed = !self.closed;
            if !self.closed {
                return hours::reopen(core, date).await.unwrap();
            }
            hours::close(core, Closure::of_day(date, Reason::default())).await.unwrap().stranded
        } else {
            let staff = self.dice.index(2);
            let id = self.salon.staff[staff];
            if let Some(time_off) = self.away[staff].take() {
                return hours::remove_time_off(core, admin, id, time_off).await.unwrap();
            }
            let during = Span::new(tuesday("08:00"), tuesday("19:00")).unwrap();
            let new = NewTimeOff { during, reason: Reason::default() };
            let away = hours::add_time_off(core, admin, None, id, new).await.unwrap().value;
            self.away[staff] = Some(away.value.id);
            away.stranded
        };
        let told: BTreeSet<Uuid> = stranded.iter().map(|booking| booking.booking_id).collect();
        assert_eq!(told, &self.stranded() - &before, "a change tells what it strands");
    }

    async fn leave_or_return(&mut self, staff: usize) {
        self.active[staff] = !self.active[staff];
        let patch = StaffPatch { active: Some(self.active[staff]), ..StaffPatch::default() };
        staff::update(&self.salon.core, self.salon.staff[staff], ExpectedRev::Any, patch).await.unwrap();
    }

    async fn change_terms(&mut self) {
        let index = self.dice.index(2);
        let (minutes, price) = ([30_u32, 60, 90][self.dice.index(3)], [1000, 3000][self.dice.index(2)]);
        let service = &mut self.services[index];
        (service.minutes, service.price) = (minutes.into(), price);
        let patch =
            ServicePatch { duration_min: Some(minutes), price_minor: Some(price), ..ServicePatch::default() };
        services::update(&self.salon.core, service.id, ExpectedRev::Any, patch).await.unwrap();
    }

    async fn correct_or_erase(&mut self) {
        let Some(index) = self.any() else { return };
        let (core, admin) = (&self.salon.core, &self.salon.admin);
        let booking = bookings::get(core, admin, self.bookings[index].id).await.unwrap();
        let Some(customer) = booking.customer else { return };
        if self.dice.index(2) == 0 {
            self.corrections += 1;
            let address = email(&format!("corrected-{}", self.corrections));
            let corrected = customers::correct(core, admin, customer.id, ExpectedRev::Any, &address).await;
            assert_eq!(corrected.is_ok(), customer.email.is_some(), "{corrected:?}");
            if let Some(former) = customer.email {
                let left = "SELECT count(*) FROM notifications
                            WHERE NOT to_staff AND outcome IS NULL AND recipient = $1::text::citext";
                let left: i64 =
                    sqlx::query_scalar(left).bind(former.as_str()).fetch_one(&core.pool).await.unwrap();
                assert_eq!(left, 0, "no mail goes to the former address");
            }
        } else {
            let owner = self.bookings[index].owner;
            let standing = self.bookings.iter().any(|booking| booking.owner == owner && booking.stands());
            let erased = privacy::erase_customer(core, admin, customer.id).await;
            // One who was erased before stays so.
            let expected = !standing || customer.email.is_none();
            assert_eq!(erased.is_ok(), expected, "{erased:?}");
        }
    }

    async fn wait(&mut self) {
        if self.salon.core.now() > tuesday("08:30") {
            return;
        }
        self.salon.wait(TimeDelta::minutes(i64::try_from(self.dice.index(8)).unwrap() + 1));
        let now = self.salon.core.now();
        bookings::expire_holds(&self.salon.core).await.unwrap();
        for hold in self.bookings.iter_mut().filter(|hold| hold.status == Status::Held) {
            if hold.held_until.is_some_and(|end| end <= now) {
                hold.status = Status::Expired;
            }
        }
    }

    fn stranded(&self) -> BTreeSet<Uuid> {
        let stranded = |booking: &&Expected| {
            booking.blocks() && !(self.active[booking.staff] && self.is_open(booking.staff))
        };
        self.bookings.iter().filter(stranded).map(|booking| booking.id).collect()
    }

    /// Every booking is as the model expects it, and the list of stranded ones is the model's.
    async fn compare(&self, step: usize) {
        let core = &self.salon.core;
        for expected in &self.bookings {
            let found = bookings::get(core, &self.salon.admin, expected.id).await.unwrap();
            let shown = (found.status, found.staff.id, found.start.to_utc(), found.end.to_utc());
            let staff_id = self.salon.staff[expected.staff];
            assert_eq!(shown, (expected.status, staff_id, expected.start, expected.end()), "step {step}");
            assert_eq!(found.service.price.minor, expected.price, "step {step}: the promised price");
        }
        let limit = PageSize::new(100).unwrap();
        let listed = hours::list_stranded(core, &self.salon.admin, limit, None).await.unwrap();
        let listed: BTreeSet<Uuid> = listed.data.iter().map(|booking| booking.booking_id).collect();
        assert_eq!(listed, self.stranded(), "step {step}");
    }
}

#[tokio::test]
async fn random_histories_go_as_the_model_says() {
    for seed in [1, 2, 3] {
        let mut walk = Walk::open(seed).await;
        for step in 0..120 {
            walk.step().await;
            walk.compare(step).await;
        }
        assert!(walk.bookings.len() >= 10, "seed {seed}: {} bookings", walk.bookings.len());
    }
}

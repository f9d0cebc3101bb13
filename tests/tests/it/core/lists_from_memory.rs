//! Slot lists from memory: after any change they are as computed.

use chrono::{Days, NaiveDate, TimeDelta};
use punctual_core::calendar::Span;
use punctual_core::hours::{self, Closure, DateOverride, NewTimeOff};
use punctual_core::resources::{self, NewResource, ResourcePatch, ServiceNeeds};
use punctual_core::services::{self, ServicePatch, StaffTerms};
use punctual_core::settings::{self, BusinessPatch};
use punctual_core::slots::{self, Page, SlotList, SlotQuery, Snapshots};
use punctual_core::staff::{self, StaffPatch};
use punctual_core::types::{ExpectedRev, Label, Reason, Zone};
use punctual_core::{Core, Result};
use punctual_testkit::{EVERY_DAY, week, window};
use uuid::Uuid;

use super::salon::{Salon, tuesday};

const ANY: ExpectedRev = ExpectedRev::Any;

struct Whole(SlotList);

impl Page for Whole {
    fn of(list: SlotList) -> Result<Self> {
        Ok(Self(list))
    }

    fn bytes(&self) -> usize {
        0
    }
}

fn day() -> NaiveDate {
    "2027-05-04".parse().unwrap()
}

fn query(service_id: Uuid, staff_id: Option<Uuid>, days: u64) -> SlotQuery {
    let to = day() + Days::new(days - 1);
    SlotQuery { service_id, staff_id, from: day(), to, seats: 1, exclude_booking: None }
}

/// A salon, its service, and the lists of it that are read: with anyone, and with each member of staff.
struct Lists {
    salon: Salon,
    service: Uuid,
    snapshots: Snapshots<Whole>,
    queries: Vec<SlotQuery>,
}

impl Lists {
    async fn of(staff: usize) -> Self {
        let salon = Salon::open(staff).await;
        let service = salon.service(|_| ()).await;
        let staff = salon.staff.iter().copied().map(Some);
        let queries = std::iter::once(None).chain(staff).map(|id| query(service, id, 2)).collect();
        let lists = Self { snapshots: Snapshots::new(&salon.core, 1_000_000), salon, service, queries };
        lists.are_as_computed("at first").await;
        lists
    }

    fn core(&self) -> &Core {
        &self.salon.core
    }

    async fn read(&self, query: &SlotQuery) -> Result<SlotList> {
        self.snapshots.read(self.core(), query).await.map(|page| page.0.clone())
    }

    async fn are_as_computed(&self, when: &str) {
        for query in &self.queries {
            let (read, computed) = (self.read(query).await, slots::list(self.core(), query).await);
            assert_eq!(format!("{read:?}"), format!("{computed:?}"), "{when}: {query:?}");
        }
    }

    /// Books the first start that is free after a change. That changes one calendar.
    async fn book(&self, after: &str) {
        let list = slots::list(self.core(), &self.queries[0]).await.unwrap();
        if let Some(first) = list.days.iter().flat_map(|day| &day.slots).next() {
            let customer = self.salon.customer().await;
            self.salon.book(&customer, self.service, None, first.start.to_utc()).await.unwrap();
        } else {
            assert_eq!(after, "room out of use");
        }
    }

    async fn update(&self, patch: ServicePatch) {
        services::update(self.core(), self.service, ANY, patch).await.unwrap();
    }

    async fn set_zone(&self, name: &str) {
        let zone = Some(Zone::parse(name).unwrap());
        let patch = BusinessPatch { zone, ..BusinessPatch::default() };
        settings::update(self.core(), ANY, patch).await.unwrap();
    }

    async fn set_active(&self, staff: usize, active: bool) {
        let patch = StaffPatch { active: Some(active), ..StaffPatch::default() };
        staff::update(self.core(), self.salon.staff[staff], ANY, patch).await.unwrap();
    }

    /// Makes the n-th change, and says which.
    async fn change(&self, number: usize) -> Option<&'static str> {
        let (core, admin, staff) = (self.core(), &self.salon.admin, &self.salon.staff);
        let room = async || resources::list(core).await.unwrap()[0].id;
        Some(match number {
            0 => {
                self.update(ServicePatch { duration_min: Some(90), ..ServicePatch::default() }).await;
                "duration"
            }
            1 => {
                let own = StaffTerms { staff_id: staff[1], duration_min: Some(30), price_minor: None };
                services::put_staff_terms(core, self.service, ANY, vec![own]).await.unwrap();
                "terms of one"
            }
            2 => {
                let during = Span::new(tuesday("10:00"), tuesday("12:00")).unwrap();
                let new = NewTimeOff { during, reason: Reason::default() };
                hours::add_time_off(core, admin, None, staff[0], new).await.unwrap();
                "time off"
            }
            3 => {
                let windows = week(&EVERY_DAY, "08:00-19:00");
                hours::put_week(core, admin, staff[1], ANY, windows).await.unwrap();
                "week"
            }
            4 => {
                let own = DateOverride { date: day(), windows: vec![window("07:00-20:00")] };
                hours::put_override(core, admin, staff[0], own).await.unwrap();
                "override"
            }
            5 => {
                self.set_active(1, false).await;
                "inactive"
            }
            6 => {
                self.set_active(1, true).await;
                "active"
            }
            7 => {
                let (name, kind) = (Label::parse("Room 1").unwrap(), Label::parse("room").unwrap());
                resources::create(core, admin, None, NewResource { name, kind: kind.clone() }).await.unwrap();
                let needs = ServiceNeeds { all: Vec::new(), any: vec![kind], rev: None };
                resources::put_needs(core, self.service, ANY, needs).await.unwrap();
                "needs a room"
            }
            8 => {
                let patch = ResourcePatch { active: Some(false), ..ResourcePatch::default() };
                resources::update(core, room().await, ANY, patch).await.unwrap();
                "room out of use"
            }
            9 => {
                let patch = ResourcePatch { active: Some(true), ..ResourcePatch::default() };
                resources::update(core, room().await, ANY, patch).await.unwrap();
                "room in use"
            }
            10 => {
                self.set_zone("Europe/Lisbon").await;
                "zone"
            }
            11 => {
                hours::close(core, Closure::of_day(day() + Days::new(1), Reason::default())).await.unwrap();
                "closure"
            }
            12 => {
                let staff_ids = Some(vec![staff[0]]);
                self.update(ServicePatch { staff_ids, ..ServicePatch::default() }).await;
                "one performs it"
            }
            _ => return None,
        })
    }
}

const CHANGES: usize = 13;

#[tokio::test]
async fn after_any_change_between_bookings_they_are_as_computed() {
    let lists = Lists::of(2).await;
    for number in 0..CHANGES {
        let change = lists.change(number).await.unwrap();
        lists.are_as_computed(change).await;
        lists.book(change).await;
        lists.are_as_computed(&format!("booked after {change}")).await;
    }
    assert_eq!(lists.change(CHANGES).await, None);
}

#[tokio::test]
async fn a_booking_and_another_change_before_the_next_read_are_both_seen() {
    for (number, booked_first) in (0..6).flat_map(|number| [(number, true), (number, false)]) {
        let lists = Lists::of(2).await;
        if booked_first {
            lists.book("nothing").await;
        }
        let change = lists.change(number).await.unwrap();
        if !booked_first {
            lists.book(change).await;
        }
        lists.are_as_computed(&format!("{change} and booked, booked first: {booked_first}")).await;
    }
}

#[tokio::test]
async fn a_service_repaired_by_sql_is_seen_within_a_minute() {
    let lists = Lists::of(1).await;
    let repair = "UPDATE services SET duration_min = 120, rev = rev + 1";
    sqlx::query(repair).execute(&lists.core().pool).await.unwrap();
    lists.salon.wait(TimeDelta::seconds(61));
    lists.are_as_computed("repaired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_loaded_together_while_the_zone_changes_are_each_of_one_zone() {
    let lists = Lists::of(4).await;
    for round in 0..100 {
        let name = ["America/New_York", "Europe/Berlin"][round % 2];
        let reads = futures::future::join_all(lists.queries.iter().map(|query| lists.read(query)));
        let (read, ()) = tokio::join!(reads, lists.set_zone(name));
        for list in read {
            let list = list.unwrap();
            for day in &list.days {
                let first = day.slots[0].start;
                assert_eq!(first.naive_local(), day.date.and_hms_opt(9, 0, 0).unwrap(), "{}", list.tz);
            }
        }
    }
}

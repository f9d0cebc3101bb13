//! Rooms and equipment that services need.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use punctual_core::bookings::{self, Booking, BookingPatch, Move, NewHold, RequestedSlot};
use punctual_core::calendar::Span;
use punctual_core::hours::{self, StrandedReason};
use punctual_core::resources::{self, NewOutage, NewResource, ResourcePatch, ServiceNeeds};
use punctual_core::slots::{Page, SlotList, SlotQuery, Snapshots};
use punctual_core::types::{Actor, ExpectedRev, Label, PageSize, Reason};
use punctual_core::{Error, Result};
use uuid::Uuid;

use super::salon::{Salon, booking_of, tuesday};

/// No resource is used twice at once, and each booking that needs a room has one.
const DOUBLED: &str = "SELECT count(*) FROM booking_resources a JOIN booking_resources b
    ON a.booking_id < b.booking_id AND a.resource_id = b.resource_id AND a.blocked && b.blocked
       AND a.blocks AND b.blocks AND a.class_id <> b.class_id";
const WITHOUT: &str = "SELECT count(*) FROM bookings b WHERE b.blocks
    AND NOT EXISTS (SELECT FROM booking_resources r
                    WHERE r.booking_id = b.id AND r.blocks AND r.blocked = b.blocked AND r.class_id = b.class_id)";

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

async fn rooms(salon: &Salon, count: usize) -> Vec<Uuid> {
    let mut rooms = Vec::new();
    for number in 1..=count {
        let new = NewResource { name: label(&format!("Room {number}")), kind: label("room") };
        rooms.push(resources::create(&salon.core, &salon.admin, None, new).await.unwrap().value.id);
    }
    rooms.sort_unstable();
    rooms
}

async fn needs(salon: &Salon, service: Uuid, all: &[Uuid], any: &[&str]) {
    let any = any.iter().map(|kind| label(kind)).collect();
    let needs = ServiceNeeds { all: all.to_vec(), any, rev: None };
    resources::put_needs(&salon.core, service, ExpectedRev::Any, needs).await.unwrap();
}

async fn used(salon: &Salon, booking: &Booking) -> Vec<Uuid> {
    let used = bookings::used_resources(&salon.core, &salon.admin, booking.id).await.unwrap();
    used.into_iter().map(|used| used.id).collect()
}

#[tokio::test]
async fn two_members_of_staff_share_one_room_and_the_refusal_names_it() {
    let salon = Salon::open(2).await;
    let (cut, massage) = (salon.service(|_| ()).await, salon.service(|_| ()).await);
    let room = rooms(&salon, 1).await[0];
    needs(&salon, cut, &[room], &[]).await;
    needs(&salon, massage, &[], &["room"]).await;
    let customer = salon.customer().await;
    let first = salon.book(&customer, cut, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
    assert_eq!(used(&salon, &first).await, [room]);
    let refused = salon.book(&customer, massage, Some(salon.staff[1]), tuesday("10:30")).await;
    let Err(Error::SlotTaken { alternatives, blocked_by: Some(blocked_by) }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (blocked_by.kind.as_deref(), blocked_by.any, blocked_by.resource_id),
        (Some("room"), true, None)
    );
    assert_eq!(alternatives.len(), 3, "free for the room too");
    assert!(alternatives.iter().all(|slot| {
        let start = slot.start.to_utc();
        start >= tuesday("11:00") || start + TimeDelta::hours(1) <= tuesday("10:00")
    }));
    let refused = salon.book(&customer, cut, Some(salon.staff[1]), tuesday("10:00")).await;
    let Err(Error::SlotTaken { blocked_by: Some(blocked_by), .. }) = refused else { panic!("{refused:?}") };
    assert_eq!((blocked_by.name.as_deref(), blocked_by.resource_id), (Some("Room 1"), Some(room)));
    let other = salon.service(|_| ()).await;
    salon.book(&customer, other, Some(salon.staff[1]), tuesday("10:00")).await.unwrap();
    bookings::cancel(&salon.core, &customer, first.id, ExpectedRev::Any).await.unwrap();
    let next = salon.book(&customer, massage, Some(salon.staff[0]), tuesday("10:30")).await.unwrap();
    assert_eq!(used(&salon, &next).await, [room], "a cancelled booking gives its room back");
}

#[tokio::test]
async fn a_hold_keeps_its_room_until_it_expires_and_its_booking_has_it() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let room = rooms(&salon, 1).await[0];
    needs(&salon, service, &[], &["room"]).await;
    let (one, other) = (salon.customer().await, salon.customer().await);
    let slot = |staff, time| RequestedSlot {
        service_id: service,
        staff_id: Some(staff),
        start: tuesday(time),
        seats: 1,
    };
    let new = NewHold { slot: slot(salon.staff[0], "10:00"), minutes: 10 };
    let hold = bookings::hold(&salon.core, &one, "", None, new).await.unwrap().value;
    assert!(salon.book(&other, service, Some(salon.staff[1]), tuesday("10:00")).await.is_err());
    let from_hold = punctual_core::bookings::NewBooking {
        slot: punctual_core::bookings::SlotSource::Hold(hold.id),
        ..booking_of(service, None, tuesday("10:00"))
    };
    let booked = bookings::create(&salon.core, &one, None, from_hold).await.unwrap().value;
    assert_eq!(used(&salon, &booked).await, [room]);
    let new = NewHold { slot: slot(salon.staff[0], "12:00"), minutes: 10 };
    bookings::hold(&salon.core, &one, "", None, new).await.unwrap();
    salon.wait(TimeDelta::minutes(11));
    salon.book(&other, service, Some(salon.staff[1]), tuesday("12:00")).await.unwrap();
    assert_eq!(salon.count(DOUBLED).await, 0);
}

#[tokio::test]
async fn a_move_takes_another_room_where_its_own_is_in_use_and_a_change_of_service_gives_rooms_back() {
    let salon = Salon::open(2).await;
    let (service, plain) = (salon.service(|_| ()).await, salon.service(|_| ()).await);
    let rooms = rooms(&salon, 2).await;
    needs(&salon, service, &[], &["room"]).await;
    let customer = salon.customer().await;
    let (one, two) = (salon.staff[0], salon.staff[1]);
    let first = salon.book(&customer, service, Some(one), tuesday("10:00")).await.unwrap();
    let second = salon.book(&customer, service, Some(two), tuesday("12:00")).await.unwrap();
    assert_eq!((used(&salon, &first).await, used(&salon, &second).await), (vec![rooms[0]], vec![rooms[0]]));
    let to = Move::to(tuesday("10:30"), None);
    let moved = bookings::reschedule(&salon.core, &customer, second.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!(used(&salon, &moved).await, [rooms[1]]);
    let patch = BookingPatch { service_id: Some(plain), ..BookingPatch::default() };
    let changed =
        bookings::update(&salon.core, &salon.admin, first.id, ExpectedRev::Any, patch).await.unwrap();
    assert!(used(&salon, &changed).await.is_empty());
    assert_eq!(salon.count(DOUBLED).await, 0);
}

#[tokio::test]
async fn a_class_has_one_room_for_all_its_seats() {
    let salon = Salon::open(2).await;
    let yoga = salon.service(|spec| spec.capacity = 3).await;
    let cut = salon.service(|_| ()).await;
    let room = rooms(&salon, 1).await[0];
    needs(&salon, yoga, &[room], &[]).await;
    needs(&salon, cut, &[room], &[]).await;
    let customers = salon.customers(3).await;
    for customer in &customers {
        let seat = salon.book(customer, yoga, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
        assert_eq!(used(&salon, &seat).await, [room]);
    }
    assert!(salon.book(&customers[0], cut, Some(salon.staff[1]), tuesday("10:00")).await.is_err());
}

async fn stranded(salon: &Salon) -> Vec<(Uuid, Vec<StrandedReason>)> {
    let page = hours::list_stranded(&salon.core, &salon.admin, PageSize::default(), None).await.unwrap();
    page.data.into_iter().map(|booking| (booking.booking_id, booking.reasons)).collect()
}

#[tokio::test]
async fn a_room_that_goes_out_of_service_strands_its_bookings_and_a_move_gives_them_another() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let rooms = rooms(&salon, 2).await;
    needs(&salon, service, &[], &["room"]).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    assert_eq!(used(&salon, &booking).await, [rooms[0]]);
    let during = Span::new(tuesday("09:00"), tuesday("13:00")).unwrap();
    let new = NewOutage { during, reason: Reason::default() };
    let outage = resources::add_outage(&salon.core, &salon.admin, None, rooms[0], new).await.unwrap().value;
    assert_eq!(outage.stranded.iter().map(|booking| booking.booking_id).collect::<Vec<_>>(), [booking.id]);
    let unavailable = vec![StrandedReason::ResourceUnavailable];
    assert_eq!(stranded(&salon).await, [(booking.id, unavailable.clone())]);
    let to = Move::to(tuesday("11:00"), None);
    let moved = bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!((used(&salon, &moved).await, stranded(&salon).await), (vec![rooms[1]], Vec::new()));

    let off = ResourcePatch { active: Some(false), ..ResourcePatch::default() };
    let changed = resources::update(&salon.core, rooms[1], ExpectedRev::Any, off).await.unwrap();
    assert_eq!(changed.stranded.len(), 1);
    let refused = salon.book(&customer, service, None, tuesday("12:00")).await;
    assert!(matches!(refused, Err(Error::SlotTaken { blocked_by: Some(_), .. })), "{refused:?}");
    resources::remove_outage(&salon.core, rooms[0], outage.value.id).await.unwrap();
    let other = salon.book(&customer, service, None, tuesday("12:00")).await.unwrap();
    assert_eq!(used(&salon, &other).await, [rooms[0]]);
    assert_eq!(stranded(&salon).await, [(booking.id, unavailable)]);
}

struct Starts(Vec<DateTime<Utc>>);

impl Page for Starts {
    fn of(list: SlotList) -> Result<Self> {
        let slots = list.days.into_iter().flat_map(|day| day.slots);
        Ok(Self(slots.map(|slot| slot.start.to_utc()).collect()))
    }

    fn bytes(&self) -> usize {
        self.0.len() * size_of::<DateTime<Utc>>()
    }
}

#[tokio::test]
async fn a_cached_list_of_slots_follows_the_use_of_a_room_by_somebody_else() {
    let salon = Salon::open(2).await;
    let mine = salon.service(|spec| spec.staff_ids = vec![salon.staff[0]]).await;
    let theirs = salon.service(|spec| spec.staff_ids = vec![salon.staff[1]]).await;
    let room = rooms(&salon, 1).await[0];
    needs(&salon, mine, &[room], &[]).await;
    needs(&salon, theirs, &[room], &[]).await;
    let snapshots: Snapshots<Starts> = Snapshots::new(&salon.core, 1_000_000);
    let day = "2027-05-04".parse().unwrap();
    let query =
        SlotQuery { service_id: mine, staff_id: None, from: day, to: day, seats: 1, exclude_booking: None };
    let has_ten = async || {
        let list = snapshots.read(&salon.core, &query).await.unwrap();
        list.0.contains(&tuesday("10:00"))
    };
    assert!(has_ten().await);
    let customer = salon.customer().await;
    let booking = salon.book(&customer, theirs, None, tuesday("10:00")).await.unwrap();
    assert!(!has_ten().await, "the room is in use");
    let to = Move::to(tuesday("14:00"), None);
    bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert!(has_ten().await);
    let to = Move::to(tuesday("10:00"), None);
    bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert!(!has_ten().await);
    bookings::cancel(&salon.core, &customer, booking.id, ExpectedRev::Any).await.unwrap();
    assert!(has_ten().await);
    let during = Span::new(tuesday("10:00"), tuesday("10:30")).unwrap();
    let new = NewOutage { during, reason: Reason::default() };
    resources::add_outage(&salon.core, &salon.admin, None, room, new).await.unwrap();
    assert!(!has_ten().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_that_book_move_and_cancel_never_use_a_room_twice() {
    let salon = Salon::open(5).await;
    let service = salon.service(|_| ()).await;
    let other = salon.service(|_| ()).await;
    let rooms = rooms(&salon, 2).await;
    needs(&salon, service, &[], &["room"]).await;
    needs(&salon, other, &[rooms[1]], &["room"]).await;
    let processes = [salon.core.clone(), salon.second_process(3), salon.second_process(3)];
    let customers = salon.customers(30).await;
    let hour = |number: usize| tuesday(&format!("{:02}:00", 9 + number % 9));
    let attempts = (0..120).map(|number| {
        let core = &processes[number % 3];
        let actor: &Actor = &customers[number % 30];
        let staff = (number % 6 < 5).then(|| salon.staff[number % 5]);
        let new = booking_of(if number % 7 == 0 { other } else { service }, staff, hour(number / 3));
        async move {
            let booking = bookings::create(core, actor, None, new).await?.value;
            match number % 4 {
                0 => {
                    let to = Move::to(hour(number), None);
                    let moved = bookings::reschedule(core, actor, booking.id, ExpectedRev::Any, to).await;
                    moved.map(drop)
                }
                1 => bookings::cancel(core, actor, booking.id, ExpectedRev::Any).await.map(drop),
                _ => Ok(()),
            }
        }
    });
    let results: Vec<Result<()>> = join_all(attempts).await;
    let unexpected: Vec<_> =
        results.iter().filter(|result| !matches!(result, Ok(()) | Err(Error::SlotTaken { .. }))).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    assert_eq!((salon.count(DOUBLED).await, salon.count(WITHOUT).await), (0, 0));
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(salon.count(deadlocks).await, 0);
    // After all have tried again, both rooms are in use at each hour.
    for number in 0..18 {
        for staff in &salon.staff {
            let _ = salon.book(&customers[0], service, Some(*staff), hour(number)).await;
        }
    }
    let most = "SELECT coalesce(max(used), 0) FROM (SELECT count(*) AS used FROM booking_resources
                WHERE blocks GROUP BY lower(blocked)) AS hours";
    assert_eq!(salon.count(most).await, 2);
    assert_eq!(salon.count(DOUBLED).await, 0);
}

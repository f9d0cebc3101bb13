//! Batches of bookings: several processes on one database, requests that cannot be committed, and locks held elsewhere.

use std::future::Future;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use punctual_core::bookings::{self, Booker, Booking, NewBooking, NewHold, RequestedSlot, SlotSource};
use punctual_core::calendar::Span;
use punctual_core::customers::Contact;
use punctual_core::hours::{self, NewTimeOff};
use punctual_core::idempotency::{Answer, IdempotencyKey};
use punctual_core::types::{Actor, Note, Reason};
use punctual_core::{Core, Error, Result, settings};
use punctual_testkit::wait_for;
use sqlx::PgPool;
use uuid::Uuid;

use super::salon::{Salon, booking_of, email, name, tuesday};

/// Pairs of bookings that block one member of staff at the same time.
pub(super) const OVERLAPS: &str = "SELECT count(*) FROM bookings a JOIN bookings b
    ON a.id < b.id AND a.staff_id = b.staff_id AND a.blocked && b.blocked AND a.blocks AND b.blocks";

async fn book(core: &Core, actor: &Actor, new: NewBooking) -> Result<Booking> {
    bookings::create(core, actor, None, new).await.map(|answer| answer.value)
}

/// The whole hours at which the salon has room: 9 of a day.
fn hour(number: usize) -> DateTime<Utc> {
    tuesday(&format!("{:02}:00", 9 + number % 9))
}

/// Waits until a connection waits for a lock.
pub(super) async fn until_blocked(pool: &PgPool) {
    let blocked = "SELECT EXISTS (SELECT FROM pg_stat_activity
                                  WHERE datname = current_database() AND wait_event_type = 'Lock')";
    wait_for("a connection that waits for a lock", async || {
        sqlx::query_scalar::<_, bool>(blocked).fetch_one(pool).await.unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_sell_the_same_slots_in_batches_sell_each_once() {
    let salon = Salon::open(3).await;
    let service = salon.service(|_| ()).await;
    let processes = [salon.core.clone(), salon.second_process(3)];
    let customers = salon.customers(40).await;
    let attempts = (0..400).map(|number| {
        let staff = (number % 4 < 3).then(|| salon.staff[number % 3]);
        let new = booking_of(service, staff, hour(number / 4));
        let (core, actor) = (&processes[number % 2], &customers[number % 40]);
        async move { book(core, actor, new).await }
    });
    let results = join_all(attempts).await;
    let booked = results.iter().filter(|result| result.is_ok()).count();
    let unexpected: Vec<_> =
        results.iter().filter(|result| !matches!(result, Ok(_) | Err(Error::SlotTaken { .. }))).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    assert_eq!(booked, 27, "nine hours of three members of staff");
    assert_eq!(salon.count(OVERLAPS).await, 0);
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 27);
    assert_eq!(salon.count("SELECT count(*) FROM booking_events").await, 27);
    let mails = "SELECT count(DISTINCT booking_id) FROM notifications WHERE kind = 'confirmation'";
    assert_eq!(salon.count(mails).await, 27);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_in_two_processes_makes_one_booking() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let other = salon.second_process(2);
    let customer = salon.customer().await;
    for number in 0..9 {
        let key = IdempotencyKey::parse(&format!("key {number}")).unwrap();
        let attempt = async |core: &Core| -> Answer<Booking> {
            let new = booking_of(service, None, hour(number));
            bookings::create(core, &customer, Some(&key), new).await.unwrap()
        };
        let (one, two) = tokio::join!(attempt(&salon.core), attempt(&other));
        assert_eq!(one.value, two.value);
        assert_ne!(one.replayed, two.replayed, "one of them is the stored answer");
    }
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_committed_fails_alone() {
    let salon = Salon::open(4).await;
    let service = salon.service(|_| ()).await;
    sqlx::raw_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON bookings FOR EACH ROW
         WHEN (new.customer_note = 'poison') EXECUTE FUNCTION refuse()",
    )
    .execute(salon.database().pool())
    .await
    .unwrap();
    let core = salon.second_process(1);
    let customers = salon.customers(16).await;
    // The first request waits within its batch, so that all others are in the next one.
    let mut lock = salon.database().pool().begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE weekly_hours IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let attempts: Vec<_> = (0..16)
        .map(|number| {
            let mut new = booking_of(service, Some(salon.staff[number % 4]), hour(number / 4));
            if number == 7 {
                new.customer_note = Note::parse("poison").unwrap();
            }
            let (core, actor) = (core.clone(), customers[number]);
            tokio::spawn(async move { book(&core, &actor, new).await })
        })
        .collect();
    until_blocked(salon.database().pool()).await;
    lock.rollback().await.unwrap();
    for (number, result) in join_all(attempts).await.into_iter().enumerate() {
        match result.unwrap() {
            Ok(_) => assert_ne!(number, 7),
            Err(Error::Internal { .. }) => assert_eq!(number, 7),
            Err(other) => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 15);
    assert_eq!(salon.count("SELECT count(*) FROM notifications WHERE kind = 'confirmation'").await, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_is_locked_elsewhere_holds_up_no_stranger() {
    let salon = Salon::open(4).await;
    let service = salon.service(|_| ()).await;
    let customers = salon.customers(12).await;
    let mut lock = salon.database().pool().begin().await.unwrap();
    let statement = "SELECT id FROM staff WHERE id = $1 FOR UPDATE";
    sqlx::query(statement).bind(salon.staff[0]).fetch_one(&mut *lock).await.unwrap();
    let attempt = |number: usize, staff: Option<Uuid>| {
        let (core, actor) = (salon.core.clone(), customers[number]);
        let new = booking_of(service, staff, hour(number));
        tokio::spawn(async move { book(&core, &actor, new).await })
    };
    // Of the locked calendar, of anyone, and of the others.
    let waiting = [attempt(0, Some(salon.staff[0])), attempt(1, Some(salon.staff[0]))];
    until_blocked(salon.database().pool()).await;
    let strangers: Vec<_> = (2..9).map(|number| attempt(number, Some(salon.staff[1 + number % 3]))).collect();
    for stranger in strangers {
        assert!(stranger.await.unwrap().is_ok());
    }
    assert!(waiting.iter().all(|attempt| !attempt.is_finished()));
    lock.rollback().await.unwrap();
    for attempt in waiting {
        assert!(attempt.await.unwrap().is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_sale_opens_all_who_come_too_late_are_told_that_it_is_taken() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let customers = salon.customers(50).await;
    let attempts = (0..2000).map(|number| {
        let new = booking_of(service, Some(salon.staff[number % 2]), hour(number / 2 % 8));
        let (core, actor) = (salon.core.clone(), customers[number % 50]);
        tokio::spawn(async move { book(&core, &actor, new).await })
    });
    let (mut booked, mut taken) = (0, 0);
    for result in join_all(attempts).await {
        match result.unwrap() {
            Ok(_) => booked += 1,
            Err(Error::SlotTaken { alternatives, .. }) => {
                assert!(!alternatives.is_empty());
                taken += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((booked, taken), (16, 1984));
    assert_eq!(salon.count(OVERLAPS).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_of_one_class_in_one_batch_are_different() {
    let salon = Salon::open(1).await;
    let class = salon.service(|spec| spec.capacity = 12).await;
    let customers = salon.customers(16).await;
    let attempts = customers.iter().map(|customer| salon.book(customer, class, None, tuesday("10:00")));
    let mut seats: Vec<i32> =
        join_all(attempts).await.into_iter().flatten().map(|booking| booking.seat_no).collect();
    seats.sort_unstable();
    assert_eq!(seats, (1..=12).collect::<Vec<_>>());
}

/// Makes the attempts, of which all but the first few wait for one batch of `core`, which commits one batch at a time.
async fn in_one_batch<T>(salon: &Salon, attempts: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T>
where
    T: Send + 'static,
{
    let mut lock = salon.database().pool().begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE weekly_hours IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let attempts: Vec<_> = attempts.into_iter().map(|attempt| tokio::spawn(attempt)).collect();
    until_blocked(salon.database().pool()).await;
    lock.rollback().await.unwrap();
    join_all(attempts).await.into_iter().map(Result::unwrap).collect()
}

async fn allow_guests(salon: &Salon) {
    let mut business = settings::get(&salon.core.pool).await.unwrap();
    business.guests_allowed = true;
    settings::put(&salon.core.pool, salon.core.now(), &business).await.unwrap();
}

fn guest(who: &str, address: &str, separate: bool) -> Booker {
    let (email, name) = (email(address), name(who));
    Booker::Person(Contact { email: Some(email), name, phone: None, locale: None, zone: None, separate })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_new_address_in_one_batch_is_one_customer_and_each_booking_keeps_the_name_it_was_given() {
    let salon = Salon::open(4).await;
    let service = salon.service(|_| ()).await;
    allow_guests(&salon).await;
    let core = salon.second_process(1);
    let attempts = (0..24).map(|number| {
        let (core, salon_admin) = (core.clone(), salon.admin);
        let (who, separate) = (format!("Gina {}", number % 3), number == 20);
        let actor = if separate { salon_admin } else { Actor::Guest };
        let booker = guest(&who, if number % 2 == 0 { "gina" } else { "Gina" }, separate);
        let new =
            NewBooking { booker, ..booking_of(service, Some(salon.staff[number % 4]), hour(number / 4)) };
        async move { (number, who, book(&core, &actor, new).await.unwrap()) }
    });
    let booked = in_one_batch(&salon, attempts.collect()).await;
    let separate = booked[20].2.customer.as_ref().unwrap().id;
    let shared = booked[0].2.customer.as_ref().unwrap().id;
    assert_ne!(separate, shared);
    for (number, who, booking) in booked {
        let stored = bookings::get(&core, &salon.admin, booking.id).await.unwrap();
        let customer = stored.customer.unwrap();
        assert_eq!(customer.id, if number == 20 { separate } else { shared });
        assert_eq!(customer.name.unwrap().as_str(), who);
    }
    assert_eq!(salon.count("SELECT count(*) FROM customers").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_of_one_guest_in_one_batch_stay_within_the_time_that_may_be_held() {
    let salon = Salon::open(4).await;
    let service = salon.service(|_| ()).await;
    allow_guests(&salon).await;
    let core = salon.second_process(1);
    let attempts = (0..24).map(|number| {
        let slot = RequestedSlot {
            service_id: service,
            staff_id: Some(salon.staff[number % 4]),
            start: hour(number / 4),
            seats: 1,
        };
        let core = core.clone();
        let from = if number % 2 == 0 { "one" } else { "other" };
        async move {
            let held = bookings::hold(&core, &Actor::Guest, from, None, NewHold { slot, minutes: 5 }).await;
            (from, held)
        }
    });
    let results = in_one_batch(&salon, attempts.collect()).await;
    for (from, result) in &results {
        assert!(matches!(result, Ok(_) | Err(Error::TooManyHolds)), "{from}: {result:?}");
    }
    let held_by_one = "SELECT count(*) FROM bookings WHERE status = 'held' AND held_by = 'guest:one'";
    let held = "SELECT count(*) FROM bookings WHERE status = 'held'";
    assert_eq!((salon.count(held_by_one).await, salon.count(held).await), (4, 8), "four hours each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_whose_place_was_closed_is_refused_and_its_neighbours_in_the_batch_are_booked() {
    let salon = Salon::open(3).await;
    let service = salon.service(|_| ()).await;
    let core = salon.second_process(1);
    let customers = salon.customers(6).await;
    let mut holds = Vec::new();
    for (number, customer) in customers.iter().enumerate() {
        let slot = RequestedSlot {
            service_id: service,
            staff_id: Some(salon.staff[number % 3]),
            start: hour(number),
            seats: 1,
        };
        let new = NewHold { slot, minutes: 10 };
        holds.push(bookings::hold(&core, customer, "somewhere", None, new).await.unwrap().value);
    }
    // The first member of staff has the holds 0 and 3, and is away from noon.
    let during = Span::new(tuesday("12:00"), tuesday("18:00")).unwrap();
    let away = NewTimeOff { during, reason: Reason::parse("").unwrap() };
    hours::add_time_off(&core, &salon.admin, None, salon.staff[0], away).await.unwrap();
    let mut attempts = Vec::new();
    // A slot first, so that the batch of the others waits.
    let first = booking_of(service, Some(salon.staff[0]), hour(1));
    let holds = holds.iter().zip(&customers).map(|(hold, customer)| {
        (*customer, NewBooking { slot: SlotSource::Hold(hold.id), ..booking_of(service, None, hour(0)) })
    });
    for (actor, new) in [(customers[0], first)].into_iter().chain(holds) {
        let core = core.clone();
        attempts.push(async move { book(&core, &actor, new).await });
    }
    let results = in_one_batch(&salon, attempts).await;
    for (number, result) in results.iter().enumerate() {
        match number {
            4 => assert!(matches!(result, Err(Error::OutsideHours)), "{number}: {result:?}"),
            _ => assert!(result.is_ok(), "{number}: {result:?}"),
        }
    }
    assert_eq!(salon.count("SELECT count(*) FROM bookings WHERE status = 'confirmed'").await, 6);
    assert_eq!(salon.count("SELECT count(*) FROM bookings WHERE status = 'held'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_locked_elsewhere_holds_up_no_stranger() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    allow_guests(&salon).await;
    let core = salon.second_process(1);
    let mut lock = salon.database().pool().begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('gina@example.org', 0))")
        .execute(&mut *lock)
        .await
        .unwrap();
    let attempt = |address: &str, staff: usize, number: usize| {
        let booker = guest("Somebody", address, false);
        let new = NewBooking { booker, ..booking_of(service, Some(salon.staff[staff]), hour(number)) };
        let core = core.clone();
        tokio::spawn(async move { book(&core, &Actor::Guest, new).await })
    };
    let waiting = attempt("gina", 0, 0);
    until_blocked(salon.database().pool()).await;
    for number in 0..4 {
        assert!(attempt(&format!("stranger{number}"), 1, number).await.unwrap().is_ok());
    }
    assert!(!waiting.is_finished());
    lock.rollback().await.unwrap();
    assert!(waiting.await.unwrap().is_ok());
}

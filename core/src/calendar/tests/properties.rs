//! Properties of every calendar.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
    "America/St_Johns",
    "Pacific/Chatham",
];

/// Dates near clock changes in some of the zones.
const DATES: [&str; 6] = ["2027-03-14", "2027-03-28", "2027-04-04", "2027-04-30", "2027-10-31", "2027-11-07"];

fn day_window() -> impl Strategy<Value = DayWindow> {
    (0..288_u16, 0..=288_u16).prop_map(|(opens, closes)| {
        let time = |fives: u16| CivilTime::from_minutes(fives * 5).unwrap();
        DayWindow::new(time(opens), time(closes)).unwrap()
    })
}

prop_compose! {
    fn rules()(
        duration_min in 1..20_u32, slot_step_min in 1..20_u32, before in 0..5_u32, after in 0..5_u32,
        capacity in 1..4_u32, notice in 0..30_u32, horizon_days in 1..5_u32,
    ) -> ServiceRules {
        ServiceRules {
            service_id: SERVICE, duration_min: duration_min * 5, slot_step_min: slot_step_min * 5,
            buffer_before_min: before * 5, buffer_after_min: after * 5, capacity, timetabled: false, min_notice_min: notice * 60,
            horizon_days, needs: Vec::new(),
        }
    }
}

prop_compose! {
    /// A calendar of the week around a date, with bookings at random minutes.
    fn world()(
        zone in prop::sample::select(&ZONES[..]).prop_map(zone),
        around in prop::sample::select(&DATES[..]),
        weekly in prop::collection::vec((prop::sample::select(&WEEK[..]), day_window()), 0..14),
        own in prop::collection::vec((-3..4_i64, prop::collection::vec(day_window(), 0..3)), 0..3),
        closed_days in prop::collection::vec(-3..4_i64, 0..2),
        away in prop::collection::vec((0..2000_i64, 1..200_i64), 0..3),
        booked in prop::collection::vec((0..2000_i64, 1..24_i64, 0..6_u32, any::<bool>()), 0..12),
        rules in rules(),
        minute_of_now in 0..4000_i64,
    ) -> (Calendar, ServiceRules, NaiveDate, DateTime<Utc>) {
        let around = date(around);
        let begin = day_start(zone, around) - TimeDelta::days(3);
        let span_at = |fives: i64, length: i64| {
            let start = begin + TimeDelta::minutes(fives * 5);
            Span::new(start, start + TimeDelta::minutes(length * 5)).unwrap()
        };
        let mut calendar = closed(zone);
        calendar.weekly = weekly.into_iter().map(|(weekday, window)| WeeklyWindow { weekday, window }).collect();
        calendar.overrides = own.into_iter().map(|(offset, windows)| (around + TimeDelta::days(offset), windows)).collect();
        calendar.closures = Arc::new(closed_days.into_iter().map(|offset| around + TimeDelta::days(offset)).collect());
        calendar.time_off = away.into_iter().map(|(from, length)| span_at(from, length)).collect();
        let seats = booked.into_iter().enumerate().map(|(index, (from, length, buffer, ours))| {
            let during = span_at(from, length);
            let class = class_id(SERVICE, STAFF, during.start());
            Seats {
                class_id: if ours { class } else { Uuid::from_u128(index as u128) },
                during,
                blocked: during.padded(buffer * 5, buffer * 5),
                count: 1, held_until: None,
            }
        });
        calendar.busy = Busy::new(seats);
        (calendar, rules, around, begin + TimeDelta::minutes(minute_of_now))
    }
}

proptest! {
    // Each case checks some 8,000 minutes.
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Checks every minute of five days: the list contains exactly the bookable starts, on their dates, for any range
    /// of dates.
    #[test]
    fn what_is_offered_can_be_booked_and_nothing_else((calendar, rules, around, now) in world()) {
        let (from, to) = (around - TimeDelta::days(1), around + TimeDelta::days(1));
        let listed = slots(&calendar, &rules, from, to, now);
        let mut one_by_one = Vec::new();
        let mut start = day_start(calendar.zone, from) - TimeDelta::hours(12);
        while start < day_start(calendar.zone, to) + TimeDelta::hours(36) {
            if (from..=to).contains(&local_date(calendar.zone, start))
                && let Ok(place) = is_bookable(&calendar, &rules, start, now, Limits::Enforced)
            {
                one_by_one.push(Slot { start: place.during.start(), end: place.during.end(), seats_left: place.seats_left });
            }
            start += TimeDelta::minutes(1);
        }
        prop_assert_eq!(&listed, &one_by_one);
        let day_by_day: Vec<Slot> = from
            .iter_days()
            .take_while(|day| *day <= to)
            .flat_map(|day| slots(&calendar, &rules, day, day, now))
            .collect();
        prop_assert_eq!(listed, day_by_day);
    }
}

proptest! {
    /// The place of a listed slot meets every limit, checked against the plain inputs.
    #[test]
    fn an_offered_place_is_open_free_and_within_its_limits((calendar, rules, around, now) in world(), seat_of in any::<prop::sample::Index>()) {
        let listed = slots(&calendar, &rules, around, around, now);
        prop_assume!(!listed.is_empty());
        let slot = listed[seat_of.index(listed.len())];
        let place = is_bookable(&calendar, &rules, slot.start, now, Limits::Enforced).unwrap();
        prop_assert!(slot.start >= now + TimeDelta::minutes(i64::from(rules.min_notice_min)));
        let booked = BookedTime { service_id: rules.service_id, timetabled: false, during: place.during, blocked: place.blocked };
        prop_assert!(calendar.takes(booked));
        prop_assert!(!calendar.time_off.iter().any(|off| off.overlaps(place.during)));
        prop_assert!(!calendar.closures.contains(&local_date(calendar.zone, slot.start)));
        prop_assert!(place.blocked.contains(place.during));
        prop_assert!((1..=rules.capacity).contains(&place.seats_left));
    }

    /// A booking of a listed slot takes exactly its time: no overlapping start remains.
    #[test]
    fn a_booking_takes_its_time_from_the_list((calendar, rules, around, now) in world(), choice in any::<prop::sample::Index>()) {
        let rules = ServiceRules { capacity: 1, ..rules };
        let before = slots(&calendar, &rules, around, around, now);
        prop_assume!(!before.is_empty());
        let chosen = before[choice.index(before.len())];
        let place = is_bookable(&calendar, &rules, chosen.start, now, Limits::Enforced).unwrap();
        let mut calendar = calendar;
        calendar.busy = Busy::new([Seats { class_id: Uuid::from_u128(1), during: place.during, blocked: place.blocked, count: 1, held_until: None }]);
        let after = slots(&calendar, &rules, around, around, now);
        for slot in &after {
            let blocked = Span::new(slot.start, slot.end).unwrap().padded(rules.buffer_before_min, rules.buffer_after_min);
            prop_assert!(!blocked.overlaps(place.blocked));
        }
        prop_assert!(!after.contains(&chosen));
    }

    /// Until the instant that `unchanged_until` returns, the list stays the same, including the state of holds in the
    /// database.
    #[test]
    fn a_list_stays_as_it_is_until_the_instant_it_names(
        (calendar, rules, around, now) in world(),
        holds in prop::collection::vec((0..2000_i64, 1..24_i64, 1..3000_i64), 0..3),
        later in any::<prop::sample::Index>(),
    ) {
        let begin = day_start(calendar.zone, around) - TimeDelta::days(3);
        let seats: Vec<Seats> = holds.into_iter().enumerate().map(|(index, (from, length, minutes))| {
            let start = begin + TimeDelta::minutes(from * 5);
            let during = Span::new(start, start + TimeDelta::minutes(length * 5)).unwrap();
            let held_until = Some(now + TimeDelta::minutes(minutes));
            Seats { class_id: Uuid::from_u128(index as u128), during, blocked: during, count: 1, held_until }
        }).collect();
        let listed = |now: DateTime<Utc>| {
            let mut calendar = calendar.clone();
            calendar.busy = Busy::new(seats.iter().copied().filter(|seat| seat.held_until > Some(now)));
            // The range of the list of slots: from today to the horizon.
            let from = (around - TimeDelta::days(1)).max(local_date(calendar.zone, now));
            let to = (around + TimeDelta::days(2)).min(last_bookable_date(calendar.zone, &rules, now));
            let slots = if from <= to { slots(&calendar, &rules, from, to, now) } else { Vec::new() };
            let until = unchanged_until(&calendar, &rules, &slots, now);
            (slots, until)
        };
        let (slots, until) = listed(now);
        prop_assert!(until > now);
        let micros = usize::try_from((until - now).num_microseconds().unwrap()).unwrap();
        for then in [later.index(micros), micros - 1] {
            prop_assert_eq!(&listed(now + TimeDelta::microseconds(i64::try_from(then).unwrap())).0, &slots);
        }
    }
}

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use punctual_core::config::RequestLimit;

use super::subject::{LimitDecision, Subject};

/// Maximum number of subjects, about 5 MB. Beyond it the least recent half is dropped.
const CAPACITY: usize = 20_000;

/// The last requests of each subject in this process.
#[derive(Default)]
pub struct Logs {
    logs: HashMap<Subject, Log>,
}

struct Log {
    /// Oldest first.
    times: VecDeque<Instant>,
    per: Duration,
}

impl Log {
    fn forget(&mut self, now: Instant) {
        while self.times.front().is_some_and(|time| now.duration_since(*time) >= self.per) {
            self.times.pop_front();
        }
    }
}

impl Logs {
    /// Counts one more request of the subject, if allowed.
    pub fn take(&mut self, now: Instant, subject: Subject, limit: RequestLimit) -> LimitDecision {
        if self.logs.len() >= CAPACITY && !self.logs.contains_key(&subject) {
            self.make_room(now);
        }
        let log = self.logs.entry(subject).or_insert_with(|| Log { times: VecDeque::new(), per: limit.per });
        log.forget(now);
        let count = usize::try_from(limit.count).unwrap_or(usize::MAX);
        let granted = log.times.len() < count;
        if granted {
            log.times.push_back(now);
        }
        let left = u32::try_from(count.saturating_sub(log.times.len())).unwrap_or(u32::MAX);
        // When the oldest expires, one more is allowed.
        let oldest = log.times.front().map_or(Duration::ZERO, |time| now.duration_since(*time));
        LimitDecision { granted, left, wait: limit.per.saturating_sub(oldest) }
    }

    /// Uncounts the newest.
    pub fn give_back(&mut self, subject: Subject) {
        if let Some(log) = self.logs.get_mut(&subject) {
            log.times.pop_back();
            if log.times.is_empty() {
                self.logs.remove(&subject);
            }
        }
    }

    fn make_room(&mut self, now: Instant) {
        self.logs.retain(|_, log| {
            log.forget(now);
            !log.times.is_empty()
        });
        if self.logs.len() >= CAPACITY {
            let mut newest: Vec<Instant> =
                self.logs.values().filter_map(|log| log.times.back().copied()).collect();
            let half = newest.len() / 2;
            let (_, middle, _) = newest.select_nth_unstable(half);
            let middle = *middle;
            self.logs.retain(|_, log| log.times.back().is_some_and(|time| *time > middle));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: RequestLimit = RequestLimit { count: 3, per: Duration::from_hours(24) };

    fn subject(number: u32) -> Subject {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Subject(bytes)
    }

    #[test]
    fn three_a_day_are_three_in_any_24_hours() {
        let (mut logs, start) = (Logs::default(), Instant::now());
        let mut granted = Vec::new();
        for minute in 0..(3 * 24 * 60) {
            let now = start + Duration::from_mins(minute);
            if logs.take(now, subject(1), THREE).granted {
                granted.push(minute);
            }
        }
        assert_eq!(granted.len(), 9, "{granted:?}");
        assert!(granted.windows(4).all(|four| four[3] - four[0] >= 24 * 60), "{granted:?}");
    }

    #[test]
    fn what_is_left_and_when_there_is_more_is_told() {
        let (mut logs, start) = (Logs::default(), Instant::now());
        let at = |hours| start + Duration::from_hours(hours);
        let decision =
            |granted, left, hours| LimitDecision { granted, left, wait: Duration::from_hours(hours) };
        assert_eq!(logs.take(at(0), subject(1), THREE), decision(true, 2, 24));
        assert_eq!(logs.take(at(1), subject(1), THREE), decision(true, 1, 23));
        assert_eq!(logs.take(at(4), subject(1), THREE), decision(true, 0, 20));
        assert_eq!(logs.take(at(5), subject(1), THREE), decision(false, 0, 19));
        assert_eq!(logs.take(at(5), subject(2), THREE), decision(true, 2, 24), "another is not concerned");
        logs.give_back(subject(1));
        assert_eq!(logs.take(at(6), subject(1), THREE), decision(true, 0, 18));
    }

    #[test]
    fn a_flood_of_subjects_takes_bounded_memory_and_spares_those_that_are_busy() {
        let (mut logs, start) = (Logs::default(), Instant::now());
        let capacity = u32::try_from(CAPACITY).unwrap();
        for number in 0..3 * capacity {
            let now = start + Duration::from_millis(number.into());
            logs.take(now, subject(number), THREE);
            logs.take(now, subject(u32::MAX), THREE);
            assert!(logs.logs.len() <= CAPACITY);
        }
        assert!(!logs.take(start + Duration::from_mins(2), subject(u32::MAX), THREE).granted);
    }
}

//! The busy times of a calendar.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Span;

/// The seats of one booking that blocks its time: held, pending or confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// Shared by the seats of one class; of a one-to-one booking its own id.
    pub class_id: Uuid,
    /// The appointment.
    pub during: Span,
    /// The appointment with its buffers.
    pub blocked: Span,
    /// How many seats of the class it takes.
    pub count: u32,
    /// When a hold stops blocking; none for a booking.
    pub held_until: Option<DateTime<Utc>>,
}

/// The bookings of one member of staff, indexed by time to find those that overlap a span.
#[derive(Debug, Clone, Default)]
pub struct Busy {
    /// By start of `blocked`.
    classes: Vec<Class>,
    /// Latest end of `blocked` among `classes[..=i]`. A search backwards can stop where it is not after the span's start.
    latest_end: Vec<DateTime<Utc>>,
    /// When the first of the holds expires.
    pub(super) first_release: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Class {
    pub(super) id: Uuid,
    pub(super) during: Span,
    pub(super) blocked: Span,
    pub(super) seats_taken: u32,
}

impl Busy {
    /// Indexes the bookings, in any order; seats of one class are counted together.
    #[must_use]
    pub fn new(seats: impl IntoIterator<Item = Seats>) -> Self {
        let mut classes: Vec<Class> = Vec::new();
        let mut by_id: HashMap<Uuid, usize> = HashMap::new();
        let mut first_release: Option<DateTime<Utc>> = None;
        for Seats { class_id, during, blocked, count, held_until } in seats {
            first_release = first_release.into_iter().chain(held_until).min();
            let index = *by_id.entry(class_id).or_insert(classes.len());
            match classes.get_mut(index) {
                Some(class) => class.seats_taken += count,
                None => classes.push(Class { id: class_id, during, blocked, seats_taken: count }),
            }
        }
        classes.sort_unstable_by_key(|class| (class.blocked, class.id));
        let latest_end = classes
            .iter()
            .scan(DateTime::<Utc>::MIN_UTC, |latest, class| {
                *latest = class.blocked.end().max(*latest);
                Some(*latest)
            })
            .collect();
        Self { classes, latest_end, first_release }
    }

    /// The classes whose blocked time overlaps the span, last first.
    pub(super) fn overlapping(&self, span: Span) -> impl Iterator<Item = &Class> {
        let begun = self.classes.partition_point(|class| class.blocked.start() < span.end());
        (0..begun)
            .rev()
            .take_while(move |&i| self.latest_end[i] > span.start())
            .map(|i| &self.classes[i])
            .filter(move |class| class.blocked.overlaps(span))
    }
}

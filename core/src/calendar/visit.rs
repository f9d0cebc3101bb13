//! Several services one after the other.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::bookable::{place, within_limits};
use super::open_time::OpenTime;
use super::{Calendar, Chosen, Limits, Place, Refusal, ServiceRules, slots};

/// Most places that are tried for one start. A visit that needs more counts as one that does not fit, so that one request
/// cannot compute for long.
const MAX_TRIES: usize = 2000;

/// A member of staff who can perform a service.
pub struct Performer<'a> {
    calendar: &'a Calendar,
    rules: Cow<'a, ServiceRules>,
    open: OpenTime,
}

/// A service of a visit: who can perform it, in the order in which they are tried.
pub type Step<'s> = Vec<&'s Performer<'s>>;

/// Where a service of a visit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Who performs it.
    pub staff_id: Uuid,
    /// Its times.
    pub place: Place,
}

/// The service of a visit that has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace {
    /// Its position in the visit, from 0: the last one that was reached.
    pub at: usize,
    /// Why: that the time is taken rather than another reason, if both apply.
    pub refusal: Refusal,
}

impl<'a> Performer<'a> {
    /// For services that start on the dates `from` to `to`, both included.
    #[must_use]
    pub fn new(
        calendar: &'a Calendar,
        rules: Cow<'a, ServiceRules>,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Self {
        Self { calendar, rules, open: OpenTime::around(calendar, from, to) }
    }

    /// The member of staff.
    #[must_use]
    pub const fn staff_id(&self) -> Uuid {
        self.calendar.staff_id
    }

    /// The starts on these dates at which it can perform the service, on their own.
    #[must_use]
    pub fn starts(&self, from: NaiveDate, to: NaiveDate, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        slots(self.calendar, &self.rules, from, to, now).into_iter().map(|slot| slot.start).collect()
    }

    /// [`super::is_bookable`] beside the services of the visit that have their place already.
    fn check(
        &self,
        start: DateTime<Utc>,
        now: DateTime<Utc>,
        limits: Limits,
        placed: &[Placed],
    ) -> Result<Place, Refusal> {
        within_limits(self.calendar, &self.rules, start, now, limits)?;
        let open = (limits != Limits::Overridden).then_some(&self.open);
        let mut found = place(self.calendar, &self.rules, open, start, limits)?;
        let beside = placed.iter().filter(|other| other.place.blocked.overlaps(found.blocked));
        if beside.clone().any(|other| other.staff_id == self.staff_id()) {
            return Err(Refusal::Taken);
        }
        let taken: Vec<Uuid> = beside.flat_map(|other| other.place.resources.ids()).collect();
        if !taken.is_empty() {
            let resources = &self.calendar.resources;
            found.resources = resources
                .choose(&self.rules.needs, found.blocked, found.class_id, &taken)
                .map_err(Refusal::ResourceTaken)?;
        }
        Ok(found)
    }
}

/// The places of all services of a visit that begins at `start`, in their order. Each begins when the one before it ends,
/// or, where buffers stand in the way, as much later as both buffers say. The member of staff of the service before goes
/// on if possible. `limits` are those of the first service; the others are [`Limits::Following`], unless overridden.
///
/// # Errors
/// [`NoPlace`].
pub fn plan_visit(
    steps: &[Step<'_>],
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    limits: Limits,
) -> Result<Vec<Placed>, NoPlace> {
    let mut search = Search { steps, now, limits, tries: 0, failed: HashSet::new(), no_place: None };
    let mut placed = Vec::with_capacity(steps.len());
    if search.place_rest(start, &mut placed) {
        Ok(placed)
    } else {
        Err(search.no_place.unwrap_or(NoPlace { at: 0, refusal: Refusal::Taken }))
    }
}

/// What the rest of a visit depends on: its first service, the end of the one before and of its buffer, and the places
/// before whose blocked time goes on.
type Rest = (usize, DateTime<Utc>, Option<DateTime<Utc>>, Vec<(Uuid, DateTime<Utc>, Chosen)>);

struct Search<'s> {
    steps: &'s [Step<'s>],
    now: DateTime<Utc>,
    limits: Limits,
    tries: usize,
    /// The rests that have no place.
    failed: HashSet<Rest>,
    no_place: Option<NoPlace>,
}

impl Search<'_> {
    /// Adds the places of the services that have none yet. Leaves `placed` as it was if there are none.
    fn place_rest(&mut self, from: DateTime<Utc>, placed: &mut Vec<Placed>) -> bool {
        let at = placed.len();
        let Some(step) = self.steps.get(at) else { return true };
        let rest = self.rest(from, placed);
        if self.failed.contains(&rest) {
            return false;
        }
        let before = placed.last().map(|last| (last.staff_id, last.place.blocked.end()));
        let goes_on = |performer: &&Performer<'_>| before.is_some_and(|(id, _)| id == performer.staff_id());
        let with_buffers = |performer: &Performer<'_>| {
            let buffer = TimeDelta::minutes(i64::from(performer.rules.buffer_before_min));
            before.map(|(_, blocked_until)| blocked_until + buffer).filter(|later| *later > from)
        };
        let same = step.iter().copied().filter(goes_on).flat_map(|performer| {
            [Some((performer, from)), with_buffers(performer).map(|later| (performer, later))]
        });
        let others = || step.iter().copied().filter(|performer| !goes_on(performer));
        let at_once = others().map(|performer| Some((performer, from)));
        let later = others().map(|performer| with_buffers(performer).map(|later| (performer, later)));
        let limits = match self.limits {
            Limits::Overridden => Limits::Overridden,
            first if at == 0 => first,
            _ => Limits::Following,
        };
        for (performer, start) in same.chain(at_once).chain(later).flatten() {
            if self.tries == MAX_TRIES {
                return false;
            }
            self.tries += 1;
            match performer.check(start, self.now, limits, placed) {
                Ok(place) => {
                    placed.push(Placed { staff_id: performer.staff_id(), place });
                    if self.place_rest(place.during.end(), placed) {
                        return true;
                    }
                    placed.pop();
                }
                Err(refusal) => self.note(NoPlace { at, refusal }),
            }
        }
        self.failed.insert(rest);
        false
    }

    fn rest(&self, from: DateTime<Utc>, placed: &[Placed]) -> Rest {
        let at = placed.len();
        let buffers = self.steps[at..].iter().flatten().map(|performer| performer.rules.buffer_before_min);
        let earliest = from - TimeDelta::minutes(i64::from(buffers.max().unwrap_or_default()));
        let going_on = placed.iter().filter(|other| other.place.blocked.end() > earliest);
        (
            at,
            from,
            placed.last().map(|last| last.place.blocked.end()),
            going_on
                .map(|other| (other.staff_id, other.place.blocked.end(), other.place.resources))
                .collect(),
        )
    }

    /// Remembers the refusal of the service that was reached last.
    fn note(&mut self, no_place: NoPlace) {
        let rank = |found: NoPlace| {
            let is_taken = matches!(found.refusal, Refusal::Taken | Refusal::ResourceTaken(_));
            (found.at, is_taken)
        };
        if self.no_place.is_none_or(|known| rank(no_place) > rank(known)) {
            self.no_place = Some(no_place);
        }
    }
}

//! Which rooms and equipment an appointment gets.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Busy, Seats, Span};

/// Most things that one service needs.
pub const MAX_NEEDS: usize = 5;

/// A thing that a service needs for the whole time that its booking blocks: any one of these resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// In the order of their ids; none: nothing meets the need.
    pub candidates: Vec<Uuid>,
    /// Whether any one of a kind will do. Else it is one very resource.
    pub any: bool,
}

/// The resource that prevents a booking for which a member of staff is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Blocker {
    /// The resource; of a kind the first one. None: there is none of the kind.
    pub resource_id: Option<Uuid>,
    /// Whether all of a kind are in use.
    pub any: bool,
}

/// The resources that a booking gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Chosen([Option<Uuid>; MAX_NEEDS]);

impl Chosen {
    /// Their ids, in the order of the needs.
    pub fn ids(&self) -> impl Iterator<Item = Uuid> {
        self.0.iter().copied().flatten()
    }
}

/// When resources are in use or out of service.
#[derive(Debug, Clone, Default)]
pub struct BusyResources(HashMap<Uuid, Busy>);

impl BusyResources {
    /// Indexes the times of each resource.
    #[must_use]
    pub fn new<'a>(times: impl IntoIterator<Item = (&'a Uuid, &'a Vec<Seats>)>) -> Self {
        Self(times.into_iter().map(|(id, seats)| (*id, Busy::new(seats.iter().copied()))).collect())
    }

    /// When the first hold of one of them ends.
    pub(super) fn first_release(&self) -> Option<DateTime<Utc>> {
        self.0.values().filter_map(|busy| busy.first_release).min()
    }

    /// Chooses a free resource for each need, the first of its candidates; of a class that exists, those that it has. Those
    /// that are `taken` are not chosen.
    ///
    /// # Errors
    /// The first need that cannot be met.
    pub(super) fn choose(
        &self,
        needs: &[Need],
        blocked: Span,
        class_id: Option<Uuid>,
        taken: &[Uuid],
    ) -> Result<Chosen, Blocker> {
        let mut chosen = Chosen::default();
        for (place, need) in needs.iter().take(MAX_NEEDS).enumerate() {
            let is_open = |id: &&Uuid| !taken.contains(id) && !chosen.ids().any(|chosen| chosen == **id);
            let is_free = |id: &&Uuid| self.is_free(**id, blocked, class_id);
            let has_class = |id: &&Uuid| self.has_class(**id, blocked, class_id);
            let candidates = || need.candidates.iter().filter(is_open).filter(is_free);
            let found = candidates().find(has_class).or_else(|| candidates().next()).copied();
            let missing = Blocker { resource_id: need.candidates.first().copied(), any: need.any };
            chosen.0[place] = Some(found.ok_or(missing)?);
        }
        Ok(chosen)
    }

    fn is_free(&self, id: Uuid, blocked: Span, class_id: Option<Uuid>) -> bool {
        let busy = self.0.get(&id);
        !busy.is_some_and(|busy| busy.overlapping(blocked).any(|class| Some(class.id) != class_id))
    }

    fn has_class(&self, id: Uuid, blocked: Span, class_id: Option<Uuid>) -> bool {
        let busy = self.0.get(&id).filter(|_| class_id.is_some());
        busy.is_some_and(|busy| busy.overlapping(blocked).any(|class| Some(class.id) == class_id))
    }
}

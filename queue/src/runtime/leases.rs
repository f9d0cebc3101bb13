//! The leases of this process, from claim until their end is written.

use std::collections::HashMap;

use crate::ids::JobId;

/// Fencing tokens by job.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    held: HashMap<JobId, i64>,
    /// Leases whose end Postgres rejects: they last as long as the session.
    stuck: HashMap<JobId, i64>,
}

impl Leases {
    /// Adds a lease that was just claimed.
    pub(crate) fn hold(&mut self, id: JobId, lease_seq: i64) {
        self.stuck.remove(&id);
        self.held.insert(id, lease_seq);
    }

    /// Removes a lease. A newer lease of the same job stays.
    pub(crate) fn release(&mut self, id: JobId, lease_seq: i64) {
        if self.held.get(&id) == Some(&lease_seq) {
            self.held.remove(&id);
        }
    }

    /// Marks a lease whose end can't be written.
    pub(crate) fn give_up(&mut self, id: JobId, lease_seq: i64) {
        self.release(id, lease_seq);
        self.stuck.insert(id, lease_seq);
    }

    /// How many jobs run or wait for their end to be written.
    pub(crate) fn live(&self) -> usize {
        self.held.len()
    }

    /// The job ids of all leases.
    pub(crate) fn jobs(&self) -> Vec<i64> {
        self.held.keys().chain(self.stuck.keys()).map(|id| id.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_end_does_not_release_a_new_lease() {
        let mut leases = Leases::default();
        leases.hold(JobId(7), 1);
        leases.hold(JobId(7), 2);
        leases.release(JobId(7), 1);
        assert_eq!((leases.live(), leases.jobs()), (1, vec![7]));
        leases.release(JobId(7), 2);
        assert_eq!((leases.live(), leases.jobs()), (0, vec![]));
    }

    #[test]
    fn a_lease_whose_end_is_refused_is_known_but_holds_up_nothing() {
        let mut leases = Leases::default();
        leases.hold(JobId(7), 1);
        leases.give_up(JobId(7), 1);
        assert_eq!((leases.live(), leases.jobs()), (0, vec![7]));
    }
}

//! The leases of this process, from their claim until their ends are written down.

use std::collections::HashMap;

use crate::job::JobId;

/// Fencing tokens by job.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    held: HashMap<JobId, i64>,
    /// Those whose ends Postgres refuses for what is in them: they last as long as the session.
    stuck: HashMap<JobId, i64>,
}

impl Leases {
    /// Takes over a lease that was just claimed.
    pub(crate) fn hold(&mut self, id: JobId, lease_seq: i64) {
        self.stuck.remove(&id);
        self.held.insert(id, lease_seq);
    }

    /// Forgets a lease. The job may be leased here anew already: then that one stays.
    pub(crate) fn release(&mut self, id: JobId, lease_seq: i64) {
        if self.held.get(&id) == Some(&lease_seq) {
            self.held.remove(&id);
        }
    }

    /// Keeps a lease that nobody waits for any more.
    pub(crate) fn give_up(&mut self, id: JobId, lease_seq: i64) {
        self.release(id, lease_seq);
        self.stuck.insert(id, lease_seq);
    }

    /// How many run or wait for their ends to be written down.
    pub(crate) fn live(&self) -> usize {
        self.held.len()
    }

    /// The jobs of all leases.
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

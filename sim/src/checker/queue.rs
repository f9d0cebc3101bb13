//! No outage loses work: the invariants of the queue for any kind of job.

use super::{Rule, always, settled};

/// Rules of the queue, each a query for violations.
pub(super) const RULES: &[Rule] = &[
    always(
        "two live jobs have one key",
        "SELECT format('%s %s: %s jobs', kind, unique_key, count(*)) FROM queue.jobs
         WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'available', 'running', 'retryable')
           AND $1::timestamptz IS NOT NULL
         GROUP BY kind, unique_key HAVING count(*) > 1",
    ),
    always(
        "a job was tried more often than it may be, or rescued more often than poison is",
        "SELECT format('%s %s: attempt %s of %s, %s rescues', id, kind, attempt, max_attempts, rescues) FROM queue.jobs
         WHERE (attempt > max_attempts OR rescues > 3) AND $1::timestamptz IS NOT NULL",
    ),
    always(
        "a job began more often than it was leased",
        "SELECT format('%s %s: attempt %s, lease %s', id, kind, attempt, lease_seq) FROM queue.jobs
         WHERE attempt > lease_seq AND $1::timestamptz IS NOT NULL",
    ),
    always(
        "a job succeeded that nobody began",
        "SELECT format('%s %s', id, kind) FROM queue.jobs
         WHERE state = 'completed' AND lease_seq = 0 AND $1::timestamptz IS NOT NULL",
    ),
    settled(
        "a job runs in a session that has ended",
        "SELECT format('%s %s in %s', j.id, j.kind, j.session_id)
         FROM queue.jobs j LEFT JOIN queue.sessions s ON s.id = j.session_id
         WHERE j.state = 'running' AND (s.id IS NULL OR s.ended_at < clock_timestamp() - interval '1 minute') AND $1::timestamptz IS NOT NULL",
    ),
    settled(
        "a job is due and nobody takes it",
        "SELECT format('%s %s (%s), due %s', j.id, j.kind, j.state, j.run_at)
         FROM queue.jobs j LEFT JOIN queue.queues q USING (queue)
         WHERE j.state IN ('scheduled', 'available', 'retryable') AND j.run_at <= $1 - interval '1 minute'
           AND q.paused IS NOT TRUE",
    ),
    settled(
        "a mail's job runs at rest",
        "SELECT format('job %s of %s', id, unique_key) FROM queue.jobs
         WHERE kind = 'mail.send.v1' AND state = 'running' AND $1::timestamptz IS NOT NULL",
    ),
];

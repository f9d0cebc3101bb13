-- The durable queue. Due times (run_at, expires_at) are compared with a bind parameter from the caller's clock;
-- leases, leader and sessions with clock_timestamp(), their durations coming in as parameters.

------------------------------------------------------------------------------------------------ jobs
CREATE TYPE queue.job_state AS ENUM
    ('scheduled', 'available', 'running', 'retryable', 'completed', 'discarded', 'cancelled');
COMMENT ON TYPE queue.job_state IS 'scheduled: waits for run_at. available: due, any worker may claim it. running: leased by a session. '
    'retryable: failed or put off, waits for run_at. completed: done or skipped. discarded: ended without success. cancelled: ended on request.';

CREATE TABLE queue.jobs (
    id            bigint          GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue         text            NOT NULL CHECK (length(queue) BETWEEN 1 AND 100),
    kind          text            NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
    limit_key     text            CHECK (length(limit_key) <= 300),
    priority      smallint        NOT NULL DEFAULT 0,
    state         queue.job_state NOT NULL,
    attempt       integer         NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    max_attempts  integer         NOT NULL CHECK (max_attempts >= 1),
    lease_seq     bigint          NOT NULL DEFAULT 0,
    session_id    uuid,
    run_at        timestamptz     NOT NULL,
    slot_at       timestamptz,
    expires_at    timestamptz,
    rescues       smallint        NOT NULL DEFAULT 0 CHECK (rescues >= 0),
    snoozes       integer         NOT NULL DEFAULT 0 CHECK (snoozes >= 0),
    unique_key    text            CHECK (length(unique_key) <= 300),
    args          jsonb           NOT NULL,
    errors        jsonb           NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(errors) = 'array'),
    note          text,
    stop          queue.job_state CHECK (stop IN ('discarded', 'cancelled')),
    traceparent   text            CHECK (length(traceparent) <= 100),
    tracestate    text            CHECK (length(tracestate) <= 512),
    created_at    timestamptz     NOT NULL,
    attempted_at  timestamptz,
    finalized_at  timestamptz,
    CHECK ((state = 'running') = (session_id IS NOT NULL)),
    CHECK ((state IN ('completed', 'discarded', 'cancelled')) = (finalized_at IS NOT NULL))
) WITH (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

-- Each index serves one statement; see the comments beside the statements.
CREATE INDEX jobs_ready   ON queue.jobs (queue, kind, priority, run_at, id) WHERE state = 'available' AND rescues = 0;
CREATE INDEX jobs_rescued ON queue.jobs (queue, priority, run_at, id) WHERE state = 'available' AND rescues > 0;
CREATE INDEX jobs_stop    ON queue.jobs (id) WHERE state = 'available' AND stop IS NOT NULL;
CREATE INDEX jobs_waiting ON queue.jobs (run_at, id) INCLUDE (state, queue, kind) WHERE state IN ('scheduled', 'retryable');
CREATE INDEX jobs_running ON queue.jobs (session_id) WHERE state = 'running';
CREATE INDEX jobs_final   ON queue.jobs (state, finalized_at, id) WHERE state IN ('completed', 'discarded', 'cancelled');
CREATE UNIQUE INDEX jobs_live_key ON queue.jobs (kind, unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'available', 'running', 'retryable');

COMMENT ON TABLE  queue.jobs IS 'One row for each job, from enqueue until it is pruned.';
COMMENT ON COLUMN queue.jobs.id IS 'Grows in the order of enqueueing, with gaps.';
COMMENT ON COLUMN queue.jobs.queue IS 'Which queue it waits in; workers claim by queue.';
COMMENT ON COLUMN queue.jobs.kind IS 'Versioned name of its payload and handler, such as report.build.v1.';
COMMENT ON COLUMN queue.jobs.limit_key IS 'Jobs of one queue with the same key share its limit per key; null: none.';
COMMENT ON COLUMN queue.jobs.priority IS 'Smaller runs first within a queue.';
COMMENT ON COLUMN queue.jobs.state IS 'Where it stands.';
COMMENT ON COLUMN queue.jobs.attempt IS 'How often it was begun; what burns no attempt takes its claim back off.';
COMMENT ON COLUMN queue.jobs.max_attempts IS 'A failure of this attempt or a later one discards it.';
COMMENT ON COLUMN queue.jobs.lease_seq IS 'Fencing token: goes up with each claim; who holds a lower one can change nothing.';
COMMENT ON COLUMN queue.jobs.session_id IS 'The session that runs it; set exactly while running.';
COMMENT ON COLUMN queue.jobs.run_at IS 'Not before this instant.';
COMMENT ON COLUMN queue.jobs.slot_at IS 'The slot the limit per key reserved for it; claimed soon after it, it needs no further token.';
COMMENT ON COLUMN queue.jobs.expires_at IS 'From this instant on it is discarded, not run; null: never.';
COMMENT ON COLUMN queue.jobs.rescues IS 'How often in a row the process that ran it died; such jobs run one at a time in each process.';
COMMENT ON COLUMN queue.jobs.snoozes IS 'How often it put itself off without burning an attempt.';
COMMENT ON COLUMN queue.jobs.unique_key IS 'At most one live job of its kind has this key; null: no bound.';
COMMENT ON COLUMN queue.jobs.args IS 'The payload: ids, no data that can grow stale.';
COMMENT ON COLUMN queue.jobs.errors IS 'The last 50 failures, oldest first: [{at, attempt, error}].';
COMMENT ON COLUMN queue.jobs.note IS 'Why it was skipped, put off, discarded or cancelled, in words.';
COMMENT ON COLUMN queue.jobs.stop IS 'An operator wants it ended so: its worker stops it, or one that takes its kind ends it unrun, paused or not.';
COMMENT ON COLUMN queue.jobs.traceparent IS 'W3C trace context of what enqueued it.';
COMMENT ON COLUMN queue.jobs.tracestate IS 'W3C vendor data that belongs to traceparent.';
COMMENT ON COLUMN queue.jobs.created_at IS 'When it was enqueued.';
COMMENT ON COLUMN queue.jobs.attempted_at IS 'When it was last claimed.';
COMMENT ON COLUMN queue.jobs.finalized_at IS 'When it was completed, discarded or cancelled.';

------------------------------------------------------------------------------------------------ sessions
CREATE TABLE queue.sessions (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    queues     text[]      NOT NULL,
    kinds      text[]      NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at   timestamptz
);
COMMENT ON TABLE  queue.sessions IS 'Leases of the worker processes: jobs of a session that is ended are given to others.';
COMMENT ON COLUMN queue.sessions.id IS 'UUIDv7 from the process; a process that lost its session opens a new one.';
COMMENT ON COLUMN queue.sessions.name IS 'Host and process id, for people.';
COMMENT ON COLUMN queue.sessions.queues IS 'Queues it serves; a limit is shared among those that serve a queue while Redis is away.';
COMMENT ON COLUMN queue.sessions.kinds IS 'Kinds of jobs it has handlers for.';
COMMENT ON COLUMN queue.sessions.started_at IS 'When it was opened, by the clock of Postgres.';
COMMENT ON COLUMN queue.sessions.beat_at IS 'Last heartbeat, by the clock of Postgres.';
COMMENT ON COLUMN queue.sessions.ended_at IS 'When it was closed or given up; an ended session neither beats nor claims again.';

------------------------------------------------------------------------------------------------ leader
CREATE TABLE queue.leader (
    singleton   boolean     PRIMARY KEY DEFAULT true CHECK (singleton),
    token       uuid        NOT NULL,
    session_id  uuid        NOT NULL,
    acquired_at timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
COMMENT ON TABLE  queue.leader IS 'The one process that promotes, rescues, prunes and starts periodic jobs.';
COMMENT ON COLUMN queue.leader.singleton IS 'Always true: the table has at most one row.';
COMMENT ON COLUMN queue.leader.token IS 'Who leads: the process renews with it, another may take over once expired.';
COMMENT ON COLUMN queue.leader.session_id IS 'The session of that process when it last renewed.';
COMMENT ON COLUMN queue.leader.acquired_at IS 'Since when this process leads, by the clock of Postgres.';
COMMENT ON COLUMN queue.leader.expires_at IS 'Until when it leads unless it renews, by the clock of Postgres.';

------------------------------------------------------------------------------------------------ queues
CREATE TABLE queue.queues (
    queue            text        PRIMARY KEY,
    paused           boolean     NOT NULL DEFAULT false,
    limit_count      integer     CHECK (limit_count >= 1),
    limit_per_ms     integer     CHECK (limit_per_ms >= 1),
    limit_burst      integer     CHECK (limit_burst >= 1),
    key_limit_count  integer     CHECK (key_limit_count >= 1),
    key_limit_per_ms integer     CHECK (key_limit_per_ms >= 1),
    key_limit_burst  integer     CHECK (key_limit_burst >= 1),
    updated_at       timestamptz NOT NULL,
    CHECK (num_nulls(limit_count, limit_per_ms, limit_burst) IN (0, 3)),
    CHECK (num_nulls(key_limit_count, key_limit_per_ms, key_limit_burst) IN (0, 3))
);
COMMENT ON TABLE  queue.queues IS 'What was set for a queue at run time; a queue without a row runs as its workers are configured.';
COMMENT ON COLUMN queue.queues.queue IS 'Name of the queue.';
COMMENT ON COLUMN queue.queues.paused IS 'While true no worker claims its jobs.';
COMMENT ON COLUMN queue.queues.limit_count IS 'So many jobs per limit_per_ms, over all workers; null: as configured.';
COMMENT ON COLUMN queue.queues.limit_per_ms IS 'Period of limit_count in milliseconds.';
COMMENT ON COLUMN queue.queues.limit_burst IS 'How many may start at once after a pause.';
COMMENT ON COLUMN queue.queues.key_limit_count IS 'So many jobs of one limit_key per key_limit_per_ms; null: as configured.';
COMMENT ON COLUMN queue.queues.key_limit_per_ms IS 'Period of key_limit_count in milliseconds.';
COMMENT ON COLUMN queue.queues.key_limit_burst IS 'How many of one limit_key may start at once after a pause.';
COMMENT ON COLUMN queue.queues.updated_at IS 'Last change.';

------------------------------------------------------------------------------------------------ periodic jobs and kinds
CREATE TABLE queue.periodic (
    name text        PRIMARY KEY,
    tick timestamptz NOT NULL
);
COMMENT ON TABLE  queue.periodic IS 'The last tick of each periodic job: a tick makes at most one job, whoever leads.';
COMMENT ON COLUMN queue.periodic.name IS 'Name of the periodic job.';
COMMENT ON COLUMN queue.periodic.tick IS 'The last tick that made a job.';

CREATE TABLE queue.kinds (
    kind    text        PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
COMMENT ON TABLE  queue.kinds IS 'Kinds that workers have handlers for; jobs of one that none takes for a day are discarded.';
COMMENT ON COLUMN queue.kinds.kind IS 'Versioned name of the kind.';
COMMENT ON COLUMN queue.kinds.seen_at IS 'When a worker that takes it was last alive, by the clock of Postgres.';

-- What operators did to the queue, and how full and how busy its queues were.

CREATE TYPE operator_kind AS ENUM ('admin', 'cli');
COMMENT ON TYPE operator_kind IS 'admin: an account of an administrator, over the API or the ops page. cli: whoever may run punctual-worker with the database''s password.';

CREATE TYPE operator_verb AS ENUM ('retry', 'cancel', 'discard', 'pause', 'resume', 'set_limits');
COMMENT ON TYPE operator_verb IS
    'retry, cancel, discard: of one job. pause, resume, set_limits: of a whole queue.';

CREATE TABLE operator_actions (
    id       uuid          PRIMARY KEY,
    at       timestamptz   NOT NULL,
    operator operator_kind NOT NULL,
    user_id  uuid          CHECK ((operator = 'admin') = (user_id IS NOT NULL)),
    verb     operator_verb NOT NULL,
    queue    text          NOT NULL,
    job_id   bigint        CHECK ((verb IN ('retry', 'cancel', 'discard')) = (job_id IS NOT NULL)),
    job_kind text          CHECK ((job_id IS NULL) = (job_kind IS NULL)),
    details  jsonb         NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object')
);
CREATE INDEX operator_actions_at ON operator_actions (at, id);
COMMENT ON TABLE  operator_actions IS 'Append-only audit: one row for each thing an operator did, written with it in one transaction.';
COMMENT ON COLUMN operator_actions.id IS 'UUIDv7 from the process.';
COMMENT ON COLUMN operator_actions.at IS 'When.';
COMMENT ON COLUMN operator_actions.operator IS 'Who, by kind.';
COMMENT ON COLUMN operator_actions.user_id IS 'The administrator''s account, kept also after it is gone; null: the command line.';
COMMENT ON COLUMN operator_actions.verb IS 'What was done.';
COMMENT ON COLUMN operator_actions.queue IS 'To which queue, or to a job of which queue.';
COMMENT ON COLUMN operator_actions.job_id IS 'To which job; the job itself may have been pruned since.';
COMMENT ON COLUMN operator_actions.job_kind IS 'The kind of that job.';
COMMENT ON COLUMN operator_actions.details IS 'state: that of the job before. limit and key_limit: those that were set, null as the workers are configured.';

CREATE TABLE queue_samples (
    queue              text        NOT NULL,
    at                 timestamptz NOT NULL,
    scheduled          bigint      NOT NULL,
    available          bigint      NOT NULL,
    running            bigint      NOT NULL,
    retryable          bigint      NOT NULL,
    discarded          bigint      NOT NULL,
    oldest_due_seconds bigint      NOT NULL,
    over_seconds       integer     NOT NULL CHECK (over_seconds >= 0),
    completed          bigint      NOT NULL,
    failed             bigint      NOT NULL,
    PRIMARY KEY (queue, at)
);
CREATE INDEX queue_samples_at ON queue_samples (at);
COMMENT ON TABLE  queue_samples IS 'Two samples a minute of each queue, kept for a day: what the pictures of the ops page are drawn from.';
COMMENT ON COLUMN queue_samples.queue IS 'The queue.';
COMMENT ON COLUMN queue_samples.at IS 'When it was looked at; the same for all queues of one look.';
COMMENT ON COLUMN queue_samples.scheduled IS 'Jobs that waited for their time.';
COMMENT ON COLUMN queue_samples.available IS 'Jobs that were due and not begun.';
COMMENT ON COLUMN queue_samples.running IS 'Jobs that ran.';
COMMENT ON COLUMN queue_samples.retryable IS 'Jobs that had failed or been put off and waited for their next time.';
COMMENT ON COLUMN queue_samples.discarded IS 'Jobs that had ended without success and were still kept.';
COMMENT ON COLUMN queue_samples.oldest_due_seconds IS 'How long the oldest due job had waited; 0 when none was due.';
COMMENT ON COLUMN queue_samples.over_seconds IS 'Length of the time in which completed and failed were counted; 0: there was no sample before.';
COMMENT ON COLUMN queue_samples.completed IS 'Jobs that ended with success since the sample before.';
COMMENT ON COLUMN queue_samples.failed IS 'Jobs that were discarded or cancelled since the sample before.';

-- The circuit breakers of the workers, so that operators see them and can act on them.

CREATE TABLE mail_relay_circuits (
    process_id    uuid        PRIMARY KEY,
    process_name  text        NOT NULL,
    relay         text        NOT NULL,
    open_until    timestamptz NOT NULL,
    openings      integer     NOT NULL CHECK (openings > 0),
    failure       text        NOT NULL,
    opened_at     timestamptz NOT NULL,
    closed_at     timestamptz,
    seen_at       timestamptz NOT NULL
);
COMMENT ON TABLE  mail_relay_circuits IS
    'One row for each worker process whose circuit to the mail server is open: its mails wait. A closed circuit has no row.';
COMMENT ON COLUMN mail_relay_circuits.process_id IS 'The worker process; a new id at each start.';
COMMENT ON COLUMN mail_relay_circuits.process_name IS 'Its name, as in queue.sessions.';
COMMENT ON COLUMN mail_relay_circuits.relay IS 'Host and port of the mail server, without user and password.';
COMMENT ON COLUMN mail_relay_circuits.open_until IS
    'When the next mail may test the mail server. An operator can move it to the present.';
COMMENT ON COLUMN mail_relay_circuits.openings IS 'How often in a row the circuit has opened; the pauses double with it.';
COMMENT ON COLUMN mail_relay_circuits.failure IS 'SMTP step and reply code of the last failure; no address, no text of the mail server.';
COMMENT ON COLUMN mail_relay_circuits.opened_at IS 'When it opened first, since the last success.';
COMMENT ON COLUMN mail_relay_circuits.closed_at IS
    'Another process has got a mail through since: this one closes its circuit too and removes the row.';
COMMENT ON COLUMN mail_relay_circuits.seen_at IS 'When the process last confirmed the row. A row not confirmed for a minute is of a process that ended.';

ALTER TYPE operator_verb ADD VALUE 'probe';
ALTER TYPE operator_verb ADD VALUE 'resend';
COMMENT ON TYPE operator_verb IS
    'retry, cancel, discard: of one job. pause, resume, set_limits: of a whole queue. probe: the mail server is tested at once. resend: a mail that failed or is in doubt is sent again.';

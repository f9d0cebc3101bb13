-- The test clock of a sandbox (PUNCTUAL_SANDBOX=on): time can be moved ahead.
CREATE TABLE sandbox_clock (
    single   boolean PRIMARY KEY DEFAULT true CHECK (single),
    ahead_us bigint  NOT NULL DEFAULT 0 CHECK (ahead_us >= 0)
);
COMMENT ON TABLE  sandbox_clock IS
    'One row in the database of a sandbox, none elsewhere: a program that is no sandbox does not start where there is one.';
COMMENT ON COLUMN sandbox_clock.single IS 'Always true: there is at most one row.';
COMMENT ON COLUMN sandbox_clock.ahead_us IS
    'By how many microseconds the clock of all programs is ahead of that of Postgres. It only grows.';

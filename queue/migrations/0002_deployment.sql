-- A stable id of this database. Programs prefix every Redis key and channel with it, so that deployments which share a
-- Redis share neither limits nor wake-ups.
CREATE TABLE queue.deployment (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    id        uuid    NOT NULL
);
COMMENT ON TABLE  queue.deployment IS 'The identity of this database. A copy of it that goes live beside the original needs a new id.';
COMMENT ON COLUMN queue.deployment.singleton IS 'Always true: the table has one row.';
COMMENT ON COLUMN queue.deployment.id IS 'Prefix of all Redis keys and channels of the programs on this database.';
INSERT INTO queue.deployment (id) VALUES (gen_random_uuid());
COMMENT ON COLUMN queue.jobs.rescues IS 'How often in a row the process that ran it died; such jobs run one at a time in each process, from three on alone.';

-- What operators see of workers and of periodic jobs.

ALTER TABLE queue.sessions ADD COLUMN version text;
COMMENT ON COLUMN queue.sessions.version IS 'Version of the program; null for one that does not name it.';

ALTER TABLE queue.periodic ADD COLUMN period interval;
COMMENT ON COLUMN queue.periodic.period IS 'Time between two ticks; null until a worker that stores it has made a job.';

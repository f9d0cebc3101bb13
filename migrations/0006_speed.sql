-- Each write to a calendar updates the row of its member of staff (calendar_rev, which is the lock). With room in the
-- page the new version stays beside the old one and no index is touched; dead versions go with the next look.
ALTER TABLE staff SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- The answer of a request is put beside its claim in the same transaction.
ALTER TABLE idempotency_keys SET (fillfactor = 70);

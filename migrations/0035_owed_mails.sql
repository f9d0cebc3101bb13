-- How late the oldest mail that is still owed is: read by every worker several times a minute.
CREATE INDEX notifications_owed ON notifications (send_at) WHERE outcome IS NULL;

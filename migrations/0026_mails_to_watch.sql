-- Which mails only a person may send again.

CREATE INDEX notifications_resendable ON notifications (expires_at) WHERE outcome IN ('failed', 'in_doubt');
COMMENT ON INDEX notifications_resendable IS 'Mails that failed or are in doubt and are not too late: mails_to_resend.';

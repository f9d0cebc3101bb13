-- Checks of hot tables that cost time and that no statement needs.

-- It is the id as text, so the primary key keeps it unique, and no statement looks it up.
ALTER TABLE bookings DROP CONSTRAINT bookings_ics_uid_key;

-- The names come from one enum of the program; the regular expression took a third of the time of inserting an event.
-- NOT VALID: every stored name passed the stricter check.
ALTER TABLE booking_events DROP CONSTRAINT booking_events_change_check;
ALTER TABLE booking_events ADD CONSTRAINT booking_events_change_check CHECK (length(change) BETWEEN 1 AND 40) NOT VALID;

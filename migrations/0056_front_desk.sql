-- The front desk: all calendars and customers, and nothing of the settings or the queue.

ALTER TYPE user_role ADD VALUE 'front_desk' AFTER 'staff';
COMMENT ON TYPE user_role IS
    'customer: own bookings. staff: all bookings and customers, own hours. front_desk: as staff, and the hours and time off of '
    'everybody. admin: everything.';

-- A program that does not know the new role cannot read accounts.
UPDATE schema_compatibility SET min_app = greatest(min_app, 56);

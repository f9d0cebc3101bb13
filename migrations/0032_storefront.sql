-- Pages that show the business are made from memory while this revision stands.
COMMENT ON COLUMN settings.calendar_rev IS
    'Goes up with every change of settings, closures or services that can change a calendar, and of staff, weekly hours and pictures that pages show.';

-- A key that was replaced signs beside the new one until this time, in seconds since 1970.
ALTER TABLE REGISTRATIONS ADD COLUMN OLD_KEY TEXT;
ALTER TABLE REGISTRATIONS ADD COLUMN OLD_KEY_UNTIL INTEGER;

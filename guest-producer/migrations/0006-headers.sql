-- A registration may add headers to its deliveries: their names, a list in JSON, and names with values, an object in
-- JSON that is sealed like the key; the empty text for none.
ALTER TABLE REGISTRATIONS ADD COLUMN HEADER_NAMES TEXT NOT NULL DEFAULT '[]';
ALTER TABLE REGISTRATIONS ADD COLUMN HEADERS TEXT NOT NULL DEFAULT '';

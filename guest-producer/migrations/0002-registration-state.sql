-- A registration has a name of its own, is pending until its handshake succeeds, and has an age.
-- Rows from before had their handshake, so they are active.
ALTER TABLE REGISTRATIONS ADD COLUMN ID VARCHAR(26) NOT NULL DEFAULT '';
ALTER TABLE REGISTRATIONS ADD COLUMN STATE VARCHAR(7) NOT NULL DEFAULT 'active' CHECK (STATE IN ('pending', 'active'));
ALTER TABLE REGISTRATIONS ADD COLUMN CREATED_AT INTEGER NOT NULL DEFAULT 0;
UPDATE REGISTRATIONS SET ID = lower(hex(randomblob(13))), CREATED_AT = CAST(strftime('%s', 'now') AS INTEGER) WHERE ID = '';
CREATE UNIQUE INDEX REGISTRATIONS_ID ON REGISTRATIONS (ID);

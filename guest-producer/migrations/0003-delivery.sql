-- A registration may have a schedule of its own, in JSON, the delays before each attempt in seconds; it is known
-- since when all its deliveries fail; and it can be disabled, for a reason.
ALTER TABLE REGISTRATIONS ADD COLUMN SCHEDULE TEXT NOT NULL DEFAULT '[]';
ALTER TABLE REGISTRATIONS ADD COLUMN FAILING_SINCE INTEGER;
ALTER TABLE REGISTRATIONS ADD COLUMN DISABLED_AT INTEGER;
ALTER TABLE REGISTRATIONS ADD COLUMN DISABLED_REASON TEXT;

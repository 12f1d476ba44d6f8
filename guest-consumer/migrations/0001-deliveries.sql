-- One row for each delivery that was applied or is being applied, so that none is applied twice.
CREATE TABLE IF NOT EXISTS DELIVERIES (
    -- Grows with each row, so the oldest are found first.
    SEQ INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The value of webhook-id.
    ID VARCHAR(256) NOT NULL UNIQUE,
    STATE VARCHAR(7) NOT NULL CHECK (STATE IN ('claimed', 'applied')),
    -- How many requests have claimed it: a claim that was taken over can neither complete nor release it.
    CLAIM INTEGER NOT NULL,
    -- What its body says that it is, if it says so.
    TYPE VARCHAR(64),
    -- When it was claimed or applied, in seconds since 1970.
    AT INTEGER NOT NULL
);

-- The form of a queue's file. Times are milliseconds since the epoch. `phase` is 0 waiting, 1 claimed, 2 done,
-- 3 dead; `at` is when a job is due, when its lease ends, or when it ended. The counts and times of lanes and
-- queues say again what the jobs say, so that no claim has to count.

CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 0,
    claimed INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner, name)
) STRICT;

CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    name TEXT NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 0,
    claimed INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    paused INTEGER NOT NULL DEFAULT 0,
    slow_until INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    opened INTEGER NOT NULL DEFAULT 0,
    open_until INTEGER,
    paced INTEGER NOT NULL DEFAULT 0,
    served_at INTEGER NOT NULL DEFAULT 0,
    turn INTEGER NOT NULL,
    -- When a claim may take a job of it; what a claim goes by, whatever waits.
    wake_at INTEGER,
    UNIQUE (queue, name)
) STRICT;

CREATE INDEX lane_wake ON lane (queue, wake_at, turn) WHERE wake_at IS NOT NULL;
CREATE INDEX lane_idle ON lane (id) WHERE waiting + claimed + done + dead = 0;

CREATE TABLE batch (
    -- Never used again: the jobs of a batch are counted on from it.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    key TEXT,
    digest BLOB NOT NULL,
    accepted_at INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    -- How many of them there still are.
    remaining INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX batch_key ON batch (owner, key) WHERE key IS NOT NULL;
CREATE INDEX batch_over ON batch (owner, accepted_at) WHERE remaining = 0;

CREATE TABLE job (
    -- Its batch times 65,536, and its place there.
    seq INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    at INTEGER NOT NULL,
    token INTEGER NOT NULL DEFAULT 0,
    begun_at INTEGER NOT NULL DEFAULT 0,
    number INTEGER NOT NULL DEFAULT 0,
    tried INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    own BLOB,
    detail BLOB NOT NULL
) STRICT;

CREATE INDEX job_due ON job (lane, at, seq) WHERE phase = 0;
CREATE INDEX job_lane ON job (lane, phase, seq);
CREATE INDEX job_lease ON job (queue, at, seq) WHERE phase = 1;
CREATE INDEX job_ended ON job (queue, phase, at, seq) WHERE phase >= 2;

CREATE TABLE attempt (
    job INTEGER NOT NULL,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    -- 0 done, 1 retry, 2 dead, 3 expired.
    ended INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

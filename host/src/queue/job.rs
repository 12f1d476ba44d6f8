//! Jobs as they are seen from outside: where they stand, who works on them, and what came of it. These are
//! words alone; nothing here decides.

use super::{BatchId, JobId, QueueName};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where a job stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It waits for its time or for its turn.
    Waiting,
    /// Somebody works on it.
    Claimed,
    /// It was done.
    Done,
    /// It was given up: a dead letter.
    Dead,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Claimed, Self::Done, Self::Dead];

    /// The word itself.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is not taken before `due_at`.
    Waiting {
        /// In milliseconds since the epoch, as are all times here.
        due_at: u64,
    },
    /// Somebody works on it, and has it until then unless that is extended.
    Claimed {
        /// When the lease ends.
        until: u64,
    },
    /// It was done.
    Done {
        /// When.
        ended_at: u64,
    },
    /// It was given up.
    Dead {
        /// When.
        ended_at: u64,
        /// Why.
        reason: String,
    },
}

impl State {
    /// The state in one word.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Waiting { .. } => Phase::Waiting,
            Self::Claimed { .. } => Phase::Claimed,
            Self::Done { .. } => Phase::Done,
            Self::Dead { .. } => Phase::Dead,
        }
    }
}

/// A job, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// Its queue.
    pub queue: QueueName,
    /// Its lane.
    pub lane: String,
    /// What belongs to it alone.
    pub detail: Bytes,
    /// Where it stands.
    pub state: State,
    /// How many attempts were made and counted.
    pub attempts: u32,
    /// When it was enqueued.
    pub accepted_at: u64,
}

/// The right to work on a job, for a time. The token is another for each claim of the job, and only the newest
/// can settle, extend or release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Which claim of the job it is.
    pub token: u64,
    /// When somebody else may have the job.
    pub until: u64,
}

/// A job to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The right to work on it.
    pub lease: Lease,
    /// Its queue.
    pub queue: QueueName,
    /// Its lane.
    pub lane: String,
    /// What all jobs of its batch share.
    pub body: Bytes,
    /// What belongs to it alone.
    pub detail: Bytes,
    /// Which attempt this is, from 1. Goes on over a resend.
    pub attempt: u32,
    /// When it was enqueued.
    pub accepted_at: u64,
}

/// What there is to work on, and when to ask again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The jobs, taken.
    pub claims: Vec<Claim>,
    /// The next time at which a claim can have a point though nothing changes until then.
    pub next: Option<u64>,
    /// What was taken back before.
    pub expired: Vec<Expired>,
}

/// A job whose lease ended, or the host that held it, before anybody said what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// The job.
    pub job: JobId,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// Where it stands since.
    pub phase: Phase,
}

/// What came of an attempt, in the words of whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It worked.
    Done {
        /// Kept with the attempt.
        note: String,
    },
    /// It did not work, and may the next time.
    Retry {
        /// At least so much later, whatever the schedule says; capped by the policy. What Retry-After gives.
        after: Option<Duration>,
        /// Kept with the attempt.
        reason: String,
    },
    /// It will never work.
    Dead {
        /// Kept with the attempt and the job.
        reason: String,
    },
}

/// How much of a note is kept where there is no room for all of it, in bytes.
const BRIEF: usize = 64;

impl Outcome {
    /// The same, of its note the beginning.
    pub(super) fn brief(mut self) -> Self {
        let (Self::Done { note } | Self::Retry { reason: note, .. } | Self::Dead { reason: note }) =
            &mut self;
        note.truncate(note.floor_char_boundary(BRIEF));
        self
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It worked.
    Done,
    /// It did not work, and the worker asked for another.
    Retry,
    /// The worker gave the job up.
    Dead,
    /// Nobody said: the lease ended first.
    Expired,
}

/// An attempt that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which it was, from 1.
    pub number: u32,
    /// When the job was claimed.
    pub started_at: u64,
    /// When that was settled.
    pub ended_at: u64,
    /// How it ended.
    pub ended: Ended,
    /// What the worker said of it, cut to its limit.
    pub note: String,
}

/// What is known of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatus {
    /// Its name.
    pub id: BatchId,
    /// Whose it is.
    pub owner: String,
    /// Its idempotency key.
    pub key: Option<String>,
    /// What its jobs share.
    pub body: Bytes,
    /// When it was enqueued.
    pub accepted_at: u64,
    /// How many jobs it had. Those that it has no more are past their retention.
    pub jobs: u32,
    /// How many of them there are, by where they stand.
    pub depth: Depth,
}

/// How many jobs there are, by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Those that wait.
    pub waiting: u64,
    /// Those that are worked on.
    pub claimed: u64,
    /// Those that were done and are still kept.
    pub done: u64,
    /// The dead letters that are still kept.
    pub dead: u64,
}

impl Depth {
    /// The count of one phase.
    pub fn of(&mut self, phase: Phase) -> &mut u64 {
        match phase {
            Phase::Waiting => &mut self.waiting,
            Phase::Claimed => &mut self.claimed,
            Phase::Done => &mut self.done,
            Phase::Dead => &mut self.dead,
        }
    }
}

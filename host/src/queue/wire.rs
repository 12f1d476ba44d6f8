//! Jobs and queues as programs read and write them: JSON, and the queries that ask for it. Comes in and goes out:
//! the words of this room, in both directions, so that who reads has what was written. The one place where a field
//! has its name. Times are milliseconds since the epoch. Never shows what a job carries unless it was put in.

use super::{Attempt, BatchId, Changed, Depth, JobId, Lanes, QueueName, QueueStatus, State};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod order;
mod query;

pub use order::{Order, Verb};
pub use query::{LIMIT, MOST, Query};

macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

as_text!(BatchId, JobId);

/// A job, without what it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    job: JobId,
    batch: BatchId,
    component: String,
    queue: String,
    lane: String,
    #[serde(flatten)]
    stands: Stands,
    attempts: u32,
    accepted_at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum Stands {
    Waiting { due_at: u64 },
    Claimed { leased_until: u64 },
    Done { ended_at: u64 },
    Dead { ended_at: u64, reason: String },
}

impl From<&super::Job> for Job {
    fn from(job: &super::Job) -> Self {
        Self {
            job: job.id,
            batch: job.id.batch,
            component: job.queue.owner.clone(),
            queue: job.queue.name.clone(),
            lane: job.lane.clone(),
            stands: match job.state.clone() {
                State::Waiting { due_at } => Stands::Waiting { due_at },
                State::Claimed { until } => Stands::Claimed {
                    leased_until: until,
                },
                State::Done { ended_at } => Stands::Done { ended_at },
                State::Dead { ended_at, reason } => Stands::Dead { ended_at, reason },
            },
            attempts: job.attempts,
            accepted_at: job.accepted_at,
        }
    }
}

impl From<Job> for super::Job {
    fn from(job: Job) -> Self {
        Self {
            id: job.job,
            queue: QueueName {
                owner: job.component,
                name: job.queue,
            },
            lane: job.lane,
            detail: Bytes::new(),
            state: match job.stands {
                Stands::Waiting { due_at } => State::Waiting { due_at },
                Stands::Claimed { leased_until } => State::Claimed {
                    until: leased_until,
                },
                Stands::Done { ended_at } => State::Done { ended_at },
                Stands::Dead { ended_at, reason } => State::Dead { ended_at, reason },
            },
            attempts: job.attempts,
            accepted_at: job.accepted_at,
        }
    }
}

/// Some jobs, and behind which to go on for more; none at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The jobs, in the order of their names.
    pub jobs: Vec<Job>,
    /// The last of them, if there may be more.
    pub next: Option<JobId>,
}

/// A job with its attempts, and if it was asked for, what it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    #[serde(flatten)]
    job: Job,
    history: Vec<Tried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Carried>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tried {
    number: u32,
    started_at: u64,
    ended_at: u64,
    ended: super::Ended,
    note: String,
}

/// Text as it is, and what is no text in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Carried {
    Text(String),
    Bytes { base64: String },
}

impl Carried {
    fn of(bytes: &Bytes) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes {
                base64: BASE64_STANDARD.encode(bytes),
            },
        }
    }

    fn bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into(),
            // Who wrote it wrote base64.
            Self::Bytes { base64 } => BASE64_STANDARD.decode(base64).unwrap_or_default().into(),
        }
    }
}

impl Shown {
    /// A job as it is shown, with what it carries or without.
    pub fn of(shown: &super::Shown, body: bool) -> Self {
        let tried = |attempt: &Attempt| Tried {
            number: attempt.number,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            ended: attempt.ended,
            note: attempt.note.clone(),
        };
        Self {
            job: Job::from(&shown.job),
            history: shown.attempts.iter().map(tried).collect(),
            detail: body.then(|| Carried::of(&shown.job.detail)),
            body: body.then(|| Carried::of(&shown.body)),
        }
    }
}

impl From<Shown> for super::Shown {
    fn from(shown: Shown) -> Self {
        let attempt = |tried: Tried| Attempt {
            number: tried.number,
            started_at: tried.started_at,
            ended_at: tried.ended_at,
            ended: tried.ended,
            note: tried.note,
        };
        let mut job = super::Job::from(shown.job);
        job.detail = shown.detail.map(Carried::bytes).unwrap_or_default();
        Self {
            job,
            body: shown.body.map(Carried::bytes).unwrap_or_default(),
            attempts: shown.history.into_iter().map(attempt).collect(),
        }
    }
}

/// The apps that have queues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// In the order of the host.
    pub apps: Vec<AppQueues>,
}

/// An app and its queues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppQueues {
    /// The app's name.
    pub app: String,
    /// Those of its queues that have or had jobs.
    pub queues: Vec<Counts>,
}

/// A queue, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    component: String,
    queue: String,
    waiting: u64,
    claimed: u64,
    done: u64,
    dead: u64,
    oldest_due_at: Option<u64>,
    lanes: LaneCounts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LaneCounts {
    open: u64,
    slowed: u64,
    broken: u64,
    paused: u64,
}

impl From<QueueStatus> for Counts {
    fn from(status: QueueStatus) -> Self {
        let (depth, lanes) = (status.depth, status.lanes);
        Self {
            component: status.queue.owner,
            queue: status.queue.name,
            waiting: depth.waiting,
            claimed: depth.claimed,
            done: depth.done,
            dead: depth.dead,
            oldest_due_at: status.oldest_due_at,
            lanes: LaneCounts {
                open: lanes.open,
                slowed: lanes.slowed,
                broken: lanes.broken,
                paused: lanes.paused,
            },
        }
    }
}

impl From<Counts> for QueueStatus {
    fn from(counts: Counts) -> Self {
        Self {
            queue: QueueName {
                owner: counts.component,
                name: counts.queue,
            },
            depth: Depth {
                waiting: counts.waiting,
                claimed: counts.claimed,
                done: counts.done,
                dead: counts.dead,
            },
            oldest_due_at: counts.oldest_due_at,
            lanes: Lanes {
                paused: counts.lanes.paused,
                broken: counts.lanes.broken,
                slowed: counts.lanes.slowed,
                open: counts.lanes.open,
            },
        }
    }
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Whether it was only counted.
    pub dry_run: bool,
    /// How many jobs.
    pub count: u64,
    /// Behind which job to go on; none at the end.
    pub next: Option<JobId>,
}

impl From<Made> for Changed {
    fn from(made: Made) -> Self {
        Self {
            count: made.count,
            next: made.next,
        }
    }
}

/// Why nothing was done, and the cure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// In words.
    pub error: String,
}

#[cfg(test)]
#[path = "tests/wire.rs"]
mod tests;

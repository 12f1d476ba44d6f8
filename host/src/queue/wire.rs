//! Jobs and queues as programs read and write them: JSON, and the queries that ask for it. Comes in and goes out:
//! the words of this room, in both directions, so that who reads has what was written. The one place where a field
//! has its name. Times are milliseconds since the epoch. Never shows what a job carries unless it was put in.

use super::operator::{REASON, Selection};
use super::{
    Attempt, BatchId, Change, Changed, Depth, Filter, JobId, Lanes, Phase, QueueName, QueueStatus,
    State,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::Display;
use std::str::FromStr;
use url::form_urlencoded;

/// How many jobs a list has unless it is said, and at most.
pub const LIMIT: usize = 100;
/// The most that a list may have.
pub const MOST: usize = 1000;

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

/// What is asked of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which jobs.
    pub which: Selection,
    /// Those behind this one.
    pub after: Option<JobId>,
    /// How many, [`MOST`] at most.
    pub limit: usize,
}

impl Query {
    /// Reads what stands behind the question mark. The error says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut query = Self {
            which: Selection::default(),
            after: None,
            limit: LIMIT,
        };
        let mut before = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let filter = &mut query.which.filter;
            match &*name {
                "component" => filter.owner = Some(value.into_owned()),
                "queue" => filter.queue = Some(value.into_owned()),
                "lane" => filter.lane = Some(value.into_owned()),
                "state" => filter.phase = Some(phase(&value)?),
                "batch" => filter.batch = Some(parsed(&name, &value)?),
                "job" => query.which.jobs.push(parsed(&name, &value)?),
                "after" => query.after = Some(parsed(&name, &value)?),
                "limit" => match parsed(&name, &value)? {
                    limit @ 1..=MOST => query.limit = limit,
                    _ => return Err(format!("`limit` is from 1 to {MOST}: go on with `after`")),
                },
                _ => {
                    return Err(format!(
                        "`{name}` cannot be asked for: there are component, queue, lane, state, batch, job, \
                         after and limit"
                    ));
                }
            }
            if name != "job" && before.contains(&name) {
                return Err(format!("`{name}` is given twice: give it once"));
            }
            before.push(name);
        }
        Ok(query)
    }

    /// The same as text.
    pub fn text(&self) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        let Filter {
            owner,
            queue,
            lane,
            phase,
            batch,
            ..
        } = &self.which.filter;
        for (name, value) in [("component", owner), ("queue", queue), ("lane", lane)] {
            if let Some(value) = value {
                text.append_pair(name, value);
            }
        }
        if let Some(phase) = phase {
            text.append_pair("state", phase.word());
        }
        if let Some(batch) = batch {
            text.append_pair("batch", &batch.to_string());
        }
        for job in &self.which.jobs {
            text.append_pair("job", &job.to_string());
        }
        if let Some(after) = self.after {
            text.append_pair("after", &after.to_string());
        }
        text.append_pair("limit", &self.limit.to_string());
        text.finish()
    }
}

fn parsed<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("`{name}`: {error}"))
}

fn phase(value: &str) -> Result<Phase, String> {
    let phases = [Phase::Waiting, Phase::Claimed, Phase::Done, Phase::Dead];
    let found = phases.into_iter().find(|phase| phase.word() == value);
    found.ok_or_else(|| {
        format!("`state` is waiting, claimed, done or dead: `{value}` is none of them")
    })
}

/// What is to be done to jobs. Nothing is, unless `dry_run` is false.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Order {
    component: Option<String>,
    queue: Option<String>,
    lane: Option<String>,
    state: Option<Phase>,
    batch: Option<BatchId>,
    jobs: Vec<JobId>,
    done: Option<bool>,
    reason: Option<String>,
    /// Behind which job to go on.
    pub after: Option<JobId>,
    /// Whether only to count.
    pub dry_run: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            component: None,
            queue: None,
            lane: None,
            state: None,
            batch: None,
            jobs: Vec::new(),
            done: None,
            reason: None,
            after: None,
            dry_run: true,
        }
    }
}

/// What an order is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// [`Change::Retry`].
    Retry,
    /// [`Change::Bury`].
    Dead,
    /// [`Change::Purge`].
    Purge,
}

impl Verb {
    /// What a change is called.
    pub fn of(change: &Change) -> Self {
        match change {
            Change::Retry { .. } => Self::Retry,
            Change::Bury { .. } => Self::Dead,
            Change::Purge => Self::Purge,
        }
    }

    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Dead => "dead",
            Self::Purge => "purge",
        }
    }

    /// The one of this word.
    pub fn named(word: &str) -> Option<Self> {
        let all = [Self::Retry, Self::Dead, Self::Purge];
        all.into_iter().find(|verb| verb.word() == word)
    }
}

impl Order {
    /// Reads an object; nothing is an empty one. The error says what is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        match text.trim_ascii_start().first() {
            None => Ok(Self::default()),
            // A list would be the fields in their order, which nobody means.
            Some(b'{') => serde_json::from_slice(text).map_err(|error| error.to_string()),
            Some(_) => Err("it does not begin with a brace".to_owned()),
        }
    }

    /// An order for a change.
    pub fn new(which: &Selection, change: &Change, after: Option<JobId>, dry_run: bool) -> Self {
        let filter = which.filter.clone();
        let (done, reason) = match change {
            Change::Retry { done } => (Some(*done), None),
            Change::Bury { reason } => (None, Some(reason.clone())),
            Change::Purge => (None, None),
        };
        Self {
            component: filter.owner,
            queue: filter.queue,
            lane: filter.lane,
            state: filter.phase,
            batch: filter.batch,
            jobs: which.jobs.clone(),
            done,
            reason,
            after,
            dry_run,
        }
    }

    /// Which jobs it is about.
    pub fn which(&self) -> Selection {
        Selection {
            filter: Filter {
                owner: self.component.clone(),
                queue: self.queue.clone(),
                lane: self.lane.clone(),
                phase: self.state,
                batch: self.batch,
                ..Filter::default()
            },
            jobs: self.jobs.clone(),
        }
    }

    /// What is done to them. The error says which field belongs to another verb.
    pub fn change(&self, verb: Verb) -> Result<Change, String> {
        let word = verb.word();
        match (verb, self.done, &self.reason) {
            (Verb::Dead | Verb::Purge, Some(_), _) => {
                Err(format!("`done` belongs to retry: leave it out of {word}"))
            }
            (Verb::Retry | Verb::Purge, _, Some(_)) => {
                Err(format!("`reason` belongs to dead: leave it out of {word}"))
            }
            (Verb::Retry, done, None) => Ok(Change::Retry {
                done: done.unwrap_or(false),
            }),
            (Verb::Dead, None, reason) => Ok(Change::Bury {
                reason: reason.clone().unwrap_or_else(|| REASON.to_owned()),
            }),
            (Verb::Purge, None, None) => Ok(Change::Purge),
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

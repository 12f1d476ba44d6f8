//! What is to be done to jobs, as it is written in JSON. Comes in and goes out: an order, and the change that it is.
//! Nothing is done by who leaves something out.

use super::super::operator::{REASON, Selection};
use super::super::{BatchId, Change, Filter, JobId, Phase};
use serde::{Deserialize, Serialize};

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

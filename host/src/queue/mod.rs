//! Jobs that outlive the process: batches are committed, jobs are claimed by lease, tried, and settled. Comes in:
//! batches, and what came of attempts; goes out: jobs whose time has come, and an account of every one that was
//! ever accepted. Never holds a transaction while somebody works, never knows who that is: not what a component
//! is, not what a webhook is.

#[macro_use]
mod step;

mod backend;
mod batch;
pub mod breaker;
#[cfg(test)]
mod contract;
mod id;
mod job;
mod lane;
mod memory;
pub mod operator;
mod policy;
mod retry;
mod run;
mod settle;
mod sqlite;
pub mod wire;

pub use backend::{
    Answer, Backend, Change, Changed, Error, Failure, Filter, LaneChange, LaneStatus, Lanes,
    Pruned, QueueStatus, Shown,
};
pub use batch::{NewBatch, NewJob, Receipt};
pub use id::{BatchId, JobId, NoName};
pub use job::{
    Attempt, BatchStatus, Claim, Claims, Depth, Ended, Expired, Job, Lease, Outcome, Phase, State,
};
pub use memory::Memory;
pub use policy::{BadPolicy, Keep, Limits, Policies, Policy, PolicyError, Rate};
pub use run::{Made, Runner, Worker, prune};
pub use settle::LEASE_EXPIRED;
pub use sqlite::{OpenError, Sqlite};

use crate::clock::{Clock, System};
use std::fmt;
use std::sync::Arc;

/// How many jobs, batches and lanes are removed in one go: a commit that nobody waits long for.
const PRUNED_AT_ONCE: usize = 256;

/// A queue: whose it is, and what the owner calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName {
    /// Whose it is; two owners may use the same name.
    pub owner: String,
    /// What the owner calls it.
    pub name: String,
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of `{}`", self.name, self.owner)
    }
}

/// What an engine is opened with, whichever it is.
#[derive(Clone)]
pub struct Setup {
    /// The queues.
    pub policies: Policies,
    /// How much there may be.
    pub limits: Limits,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for names and for jitter.
    pub chance: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Setup {
    /// With the machine's clock and chance.
    pub fn new(policies: Policies, limits: Limits) -> Self {
        Self {
            policies,
            limits,
            clock: Arc::new(System::default()),
            // Without the system's chance names can be guessed, and are still unique.
            chance: Arc::new(|| getrandom::u64().unwrap_or_default()),
        }
    }
}

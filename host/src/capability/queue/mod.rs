//! The queue for guests. Owns the queues of an app; comes in: which component has which queue, with its policy;
//! goes out: what was committed and where it stands, to the component whose it is. The grant is asked before
//! existence, and what is another component's does not exist. Never works on a job: that is the app's to start.

mod ctx;
mod host;
mod limits;

pub use ctx::Ctx;
pub use host::{View, add_to_linker, job, outcome};
pub use limits::Limits;

use super::load::Load;
use super::{Grants, Label};
use crate::queue::{self, Backend, BadPolicy, Policies, Policy, QueueName, Setup};
use crate::telemetry::Seldom;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the jobs of an app are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this file, which is made if it is not there.
    File(PathBuf),
    /// In memory, until the app ends.
    Memory,
}

/// The queues of an app, as the manifest has them.
#[derive(Debug)]
pub struct Config {
    /// Each queue, by the component whose it is.
    pub queues: BTreeMap<QueueName, Policy>,
    /// Where the jobs are kept.
    pub location: Location,
    /// How much of everything there may be.
    pub limits: Limits,
}

/// Why the queues of an app could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A policy that cannot be kept.
    #[error(transparent)]
    Policy(#[from] BadPolicy),
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] queue::OpenError),
}

/// Why an operation came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The queue was not granted, whether it exists or not.
    #[error("queue `{0}` is not granted: give the component a table for it")]
    AccessDenied(Label),
    /// What was passed cannot be.
    #[error("{0}")]
    Invalid(String),
    /// What was asked for is too much.
    #[error("call asks for {count} jobs: it takes at most {limit}")]
    TooManyJobs {
        /// How many.
        count: usize,
        /// How many it may be.
        limit: usize,
    },
    /// Too much of this instance is on its way already.
    #[error("instance has more than {0} bytes on their way: wait for an answer first")]
    TooMuchPending(usize),
    /// The engine's own words.
    #[error(transparent)]
    Engine(#[from] queue::Error),
}

impl Config {
    /// Opens the queues. Blocks: it is for the start.
    pub fn open(self) -> Result<Shared, OpenError> {
        let setup = Setup::new(Policies::new(self.queues)?, self.limits.engine.clone());
        let engine: Arc<dyn Backend> = match self.location {
            Location::File(path) => Arc::new(queue::Sqlite::open(&path, setup.clone())?),
            Location::Memory => Arc::new(queue::Memory::new(setup.clone())),
        };
        Ok(Shared {
            engine,
            setup,
            limits: self.limits,
            told: Arc::default(),
        })
    }
}

/// The queues of an app. Clones are the same queues.
#[derive(Clone)]
pub struct Shared {
    engine: Arc<dyn Backend>,
    setup: Setup,
    limits: Limits,
    /// When it was last said that the engine failed.
    told: Arc<Seldom>,
}

impl Shared {
    /// What one instance of the component that the grants are of sees of them.
    pub fn ctx(&self, grants: &Arc<Grants>) -> Ctx {
        Ctx::new(self.clone(), Arc::clone(grants), Load::default())
    }

    /// What keeps the jobs.
    pub fn engine(&self) -> &Arc<dyn Backend> {
        &self.engine
    }

    /// What it was opened with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }
}

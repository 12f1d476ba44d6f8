//! Which jobs a command is about: by name, or by what they have in common.

use clap::{Args, ValueEnum};

use crate::queue::operator::Selection;
use crate::queue::{BatchId, Filter, JobId, Phase};

/// Jobs by their names, or by what fits them; nothing given is all.
#[derive(Debug, Clone, Args)]
pub(super) struct Which {
    /// These jobs.
    #[arg(value_name = "JOB")]
    jobs: Vec<JobId>,
    /// Those of this component.
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// Those in queues of this name.
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Those in lanes of this name.
    #[arg(long, value_name = "NAME")]
    lane: Option<String>,
    /// Those that stand so.
    #[arg(long, value_enum, value_name = "STATE")]
    state: Option<Stands>,
    /// Those of this batch.
    #[arg(long, value_name = "BATCH")]
    batch: Option<BatchId>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stands {
    Waiting,
    Claimed,
    Done,
    Dead,
}

impl Which {
    /// The same in the words of whoever looks for them.
    pub(super) fn selection(&self) -> Selection {
        let filter = Filter {
            owner: self.component.clone(),
            queue: self.queue.clone(),
            lane: self.lane.clone(),
            phase: self.state.map(|state| match state {
                Stands::Waiting => Phase::Waiting,
                Stands::Claimed => Phase::Claimed,
                Stands::Done => Phase::Done,
                Stands::Dead => Phase::Dead,
            }),
            batch: self.batch,
            ..Filter::default()
        };
        Selection {
            filter,
            jobs: self.jobs.clone(),
        }
    }
}

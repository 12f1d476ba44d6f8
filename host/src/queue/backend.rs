//! What an engine must be able to do, in words that name no database. Comes in: batches, leases, outcomes and an
//! operator's wishes; goes out: answers, each given once what it says is kept. Every change is made whole or not
//! at all, and no other comes between what it reads and what it writes. Never decides what a policy decides.

use super::{
    Attempt, BatchId, BatchStatus, Claims, Depth, Job, JobId, Lease, NewBatch, Outcome, Phase,
    QueueName, Receipt,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::sync::watch;

/// An engine's failure, in its own words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What an engine answers, later. Once it was polled, a change may be made though nobody waits for the answer.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// Jobs, leases and what became of them.
pub trait Backend: Send + Sync {
    /// Commits a batch, or finds the one that was committed under its key.
    fn enqueue(&self, batch: NewBatch) -> Answer<'_, Receipt>;

    /// Takes up to `most` jobs of a queue whose time has come: one of each lane in turn, beginning with the lane
    /// that was not served for longest, and no more than concurrency, rates, breakers and order allow. Before
    /// that, leases that have ended are taken back, each as an attempt that came to nothing.
    fn claim(&self, queue: QueueName, most: usize) -> Answer<'_, Claims>;

    /// Makes leases last for another lease's time from now. Answers those that still hold; who is not among
    /// them has lost the job.
    fn extend(&self, leases: Vec<Lease>) -> Answer<'_, Vec<Lease>>;

    /// Ends an attempt: its row, and where the job stands next, in one commit. Answers the latter. An older
    /// lease than the newest is [`Error::LeaseLost`], and so is one that has ended and was taken back.
    fn settle(&self, lease: Lease, outcome: Outcome) -> Answer<'_, Phase>;

    /// Gives jobs back, due at once, without counting an attempt. Leases that are lost are passed over.
    fn release(&self, leases: Vec<Lease>) -> Answer<'_, ()>;

    /// Slows, pauses or resumes a lane, whether or not there are jobs in it yet.
    fn change_lane(&self, queue: QueueName, lane: String, change: LaneChange) -> Answer<'_, ()>;

    /// Changes up to `most` of the jobs that the filter and the change fit, behind `after` in the order of
    /// their names. Whoever wants all goes on behind where the answer ends.
    fn change(
        &self,
        filter: Filter,
        change: Change,
        after: Option<JobId>,
        most: usize,
    ) -> Answer<'_, Changed>;

    /// Removes up to a few hundred jobs and batches that are past their retention.
    fn prune(&self) -> Answer<'_, Pruned>;

    /// Up to `most` of the jobs that the filter fits, behind `after`, in the order of their names.
    fn list(&self, filter: Filter, after: Option<JobId>, most: usize) -> Answer<'_, Vec<Job>>;

    /// How many jobs the filter fits.
    fn count(&self, filter: Filter) -> Answer<'_, u64>;

    /// A job with its attempts.
    fn show(&self, job: JobId) -> Answer<'_, Option<Shown>>;

    /// A batch and where its jobs stand.
    fn batch(&self, batch: BatchId) -> Answer<'_, Option<BatchStatus>>;

    /// Every queue that has or had jobs, in the order of their names.
    fn stats(&self) -> Answer<'_, Vec<QueueStatus>>;

    /// Up to `most` lanes of a queue, behind the one named `after`, in the order of their names.
    fn lanes(
        &self,
        queue: QueueName,
        after: Option<String>,
        most: usize,
    ) -> Answer<'_, Vec<LaneStatus>>;

    /// Moves whenever a change was committed by which a claim may find more than the one before.
    fn changed(&self) -> watch::Receiver<u64>;
}

/// Which jobs. What is none fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this owner.
    pub owner: Option<String>,
    /// In queues of this name.
    pub queue: Option<String>,
    /// In lanes of this name.
    pub lane: Option<String>,
    /// That stand so.
    pub phase: Option<Phase>,
    /// Of this batch.
    pub batch: Option<BatchId>,
    /// This one.
    pub job: Option<JobId>,
    /// Enqueued at this time or later.
    pub since: Option<u64>,
}

/// What is done to jobs. Nothing is done to those that are worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Those that wait or are dead are due now, and at the beginning of their schedule. Attempts are numbered
    /// on, so that the history stays one.
    Retry {
        /// Those that were done as well.
        done: bool,
    },
    /// Those that wait are dead letters.
    Bury {
        /// Why.
        reason: String,
    },
    /// Those that are done or dead are removed. What waits has to be buried first: nothing that was accepted
    /// goes without an account.
    Purge,
}

impl Change {
    /// Whether it is done to jobs that stand so.
    pub fn fits(&self, phase: Phase) -> bool {
        match self {
            Self::Retry { done } => match phase {
                Phase::Waiting | Phase::Dead => true,
                Phase::Done => *done,
                Phase::Claimed => false,
            },
            Self::Bury { .. } => phase == Phase::Waiting,
            Self::Purge => matches!(phase, Phase::Done | Phase::Dead),
        }
    }
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// How many jobs were changed.
    pub count: u64,
    /// Behind which job to go on; none at the end.
    pub next: Option<JobId>,
}

/// What is done to a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneChange {
    /// No job of it is begun until it is resumed.
    Pause,
    /// It goes on at once: not paused, not slowed, its breaker closed.
    Resume,
    /// No job of it is begun before. An earlier time than that of before changes nothing.
    SlowUntil(u64),
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many jobs, batches and lanes.
    pub removed: u64,
    /// When there may be something next, if nothing is added: now, if there is more already.
    pub next: Option<u64>,
}

/// A job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The job.
    pub job: Job,
    /// What all jobs of its batch share.
    pub body: Bytes,
    /// What was tried, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A queue, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStatus {
    /// The queue.
    pub queue: QueueName,
    /// How many jobs.
    pub depth: Depth,
    /// When the job that is due first is or was due.
    pub oldest_due_at: Option<u64>,
    /// How many lanes.
    pub lanes: Lanes,
}

/// How many lanes there are, by what holds them back; each is counted once, under the first that holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lanes {
    /// Those that are paused.
    pub paused: u64,
    /// Those whose breaker is open, or half open.
    pub broken: u64,
    /// Those that are slowed down for now.
    pub slowed: u64,
    /// The others.
    pub open: u64,
}

/// A lane, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneStatus {
    /// Its name.
    pub lane: String,
    /// How many jobs.
    pub depth: Depth,
    /// When the job that is next in it is or was due.
    pub due_at: Option<u64>,
    /// Whether it is paused.
    pub paused: bool,
    /// Before which time nothing is begun, whatever is due.
    pub slow_until: u64,
    /// Until when its breaker is open; half open from then on. None while it is closed.
    pub open_until: Option<u64>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No policy names the queue.
    #[error("queue {0} is not configured: give it a policy")]
    NoSuchQueue(QueueName),
    /// What was passed cannot be.
    #[error("{0}")]
    Invalid(String),
    /// What was passed is too much.
    #[error("{what} has {length}: it takes at most {limit}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// How much there is.
        length: usize,
        /// How much there may be.
        limit: usize,
    },
    /// The idempotency key belongs to a batch with another body.
    #[error("idempotency key belongs to batch {0}, which has another body: use another key")]
    Conflict(BatchId),
    /// Somebody else has the job by now, or it is settled.
    #[error("lease of job {0} is lost: what came of it was not written")]
    LeaseLost(JobId),
    /// The disk, or the space given to the queue, is used up. Nothing was written.
    #[error("queue is full")]
    Full(#[source] Failure),
    /// The disk does not take what is written. Nothing was.
    #[error("queue cannot be written")]
    ReadOnly(#[source] Failure),
    /// The engine's own words.
    #[error("queue cannot be used")]
    Io(#[source] Failure),
}

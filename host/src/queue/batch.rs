//! What is enqueued: one body and a list of jobs, in one commit. Comes in: what a producer has; goes out: the
//! same, within the limits, and a digest by which a repetition is known. Never stores anything.

use super::{BatchId, Error, JobId, Limits, QueueName};
use bytes::Bytes;
use core::time::Duration;
use sha2::{Digest as _, Sha256};

/// What one `enqueue` commits: all of it, or nothing.
#[derive(Debug, Clone, Default)]
pub struct NewBatch {
    /// Whose batch it is. Idempotency keys and queues of one owner are not those of another.
    pub owner: String,
    /// By which a repetition is known: the same key with the same body is the batch of before, whatever its jobs
    /// would be now; with another body it is a conflict. Remembered as long as the batch is kept.
    pub key: Option<String>,
    /// What all jobs share; kept once.
    pub body: Bytes,
    /// What there is to do. None is allowed: the batch is kept for its key and for its status.
    pub jobs: Vec<NewJob>,
}

/// One thing to do.
#[derive(Debug, Clone, Default)]
pub struct NewJob {
    /// The queue, one of the owner's.
    pub queue: String,
    /// The lane in it, for example one for each receiver. Lanes come and go with their jobs.
    pub lane: String,
    /// What belongs to this job alone.
    pub detail: Bytes,
    /// Not before this time, in milliseconds since the epoch.
    pub not_before: Option<u64>,
    /// The delay before each attempt, in place of the queue's schedule and number of attempts.
    pub schedule: Option<Vec<Duration>>,
}

/// What was enqueued. It is on disk, as far as the engine has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The batch.
    pub batch: BatchId,
    /// Its jobs, in the order in which they were given.
    pub jobs: Vec<JobId>,
    /// Whether it had been there before, under the same key.
    pub replayed: bool,
}

impl NewBatch {
    /// The queue of one of its jobs.
    pub(super) fn queue(&self, job: &NewJob) -> QueueName {
        QueueName {
            owner: self.owner.clone(),
            name: job.queue.clone(),
        }
    }

    /// The same for the same body. The jobs are left out: they are what the producer makes of the body, and it
    /// may make others of it when it is asked again, after a receiver has come or gone.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.body).into()
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let details = self.jobs.iter().map(|job| job.detail.len() as u64);
        details.fold(self.body.len() as u64, u64::saturating_add)
    }

    /// Whether it keeps to the limits.
    pub(super) fn check(&self, limits: &Limits) -> Result<(), Error> {
        within("body", self.body.len(), limits.body_bytes)?;
        within("list of jobs", self.jobs.len(), limits.jobs_per_batch)?;
        if let Some(key) = &self.key {
            limits.name("idempotency key", key)?;
        }
        for job in &self.jobs {
            limits.name("queue", &job.queue)?;
            limits.name("lane", &job.lane)?;
            within("detail of a job", job.detail.len(), limits.detail_bytes)?;
            match job.schedule.as_ref().map(Vec::len) {
                Some(0) => return Err(Error::Invalid("schedule of a job is empty".into())),
                Some(length) => within("schedule of a job", length, limits.schedule_length)?,
                None => {}
            }
        }
        Ok(())
    }
}

/// Whether something is no longer than it may be.
pub(super) fn within(what: &'static str, length: usize, limit: usize) -> Result<(), Error> {
    if length > limit {
        return Err(Error::TooLarge {
            what,
            length,
            limit,
        });
    }
    Ok(())
}

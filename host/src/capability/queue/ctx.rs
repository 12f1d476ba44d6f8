//! What one instance does with the queues of its component. Comes in: calls in the room's words; goes out: the
//! engine's answers, about the component's own batches alone. Never waits for anything but the engine.

use super::super::load::{Carried, Load};
use super::super::{Grants, Label};
use super::{Error, Shared};
use crate::queue::{
    Attempt, BatchStatus, Change, Filter, Job, JobId, LaneChange, NewBatch, QueueName, Receipt,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many jobs are changed in one go: a commit that nobody waits long for.
const CHANGED_AT_ONCE: usize = 256;

/// What one instance may do. Clones are the same instance.
#[derive(Clone)]
pub struct Ctx {
    shared: Shared,
    grants: Arc<Grants>,
    /// What the instance has on its way.
    load: Load,
}

impl Ctx {
    pub(super) fn new(shared: Shared, grants: Arc<Grants>, load: Load) -> Self {
        Self {
            shared,
            grants,
            load,
        }
    }

    /// Whose batches they are.
    fn owner(&self) -> String {
        self.grants.component.clone()
    }

    /// The queue of this name, if it is granted.
    fn queue(&self, name: &str) -> Result<QueueName, Error> {
        let label = Label::new(name);
        if !self.grants.allows(&label) {
            let line = |name: &str| format!("tool.signet.queue.{name:?} = {{}}");
            self.grants.tell(&label, line);
            return Err(Error::AccessDenied(label));
        }
        Ok(QueueName {
            owner: self.owner(),
            name: name.to_owned(),
        })
    }

    /// Whether any queue is granted: without one there is nothing to look at either.
    fn any(&self) -> Result<(), Error> {
        match self.grants.is_empty() {
            true => Err(Error::AccessDenied(Label::new(""))),
            false => Ok(()),
        }
    }

    fn carry(&self, bytes: usize) -> Result<Carried, Error> {
        let limit = self.shared.limits.pending_bytes;
        let carried = self.load.carry(bytes, limit);
        carried.ok_or(Error::TooMuchPending(limit))
    }

    /// Notes in the host's log what a guest is told of in one word.
    fn noted<T>(&self, answer: Result<T, crate::queue::Error>) -> Result<T, Error> {
        use crate::queue::Error as Engine;
        use std::error::Error as _;
        let answer = answer.map_err(Error::Engine);
        if let Err(Error::Engine(error @ (Engine::Full(_) | Engine::ReadOnly(_) | Engine::Io(_)))) =
            &answer
            && let Some(times) = self.shared.told.count(Instant::now())
        {
            let reason = error.source().map(ToString::to_string);
            tracing::error!(component = self.grants.component, times, reason, "{error}");
        }
        answer
    }

    /// Commits a batch.
    pub(super) async fn enqueue(&self, mut batch: NewBatch) -> Result<Receipt, Error> {
        self.any()?;
        for job in &batch.jobs {
            self.queue(&job.queue)?;
        }
        batch.owner = self.owner();
        let details = batch.jobs.iter().map(|job| job.detail.len());
        let carried = self.carry(details.sum::<usize>().saturating_add(batch.body.len()))?;
        let receipt = self.shared.engine.enqueue(batch).await;
        drop(carried);
        self.noted(receipt)
    }

    /// A batch of its own.
    pub(super) async fn batch(&self, id: &str) -> Result<Option<BatchStatus>, Error> {
        self.any()?;
        let id = name(id)?;
        let status = self.noted(self.shared.engine.batch(id).await)?;
        Ok(status.filter(|status| status.owner == self.grants.component))
    }

    /// A job of its own, with its attempts.
    pub(super) async fn job(&self, id: &str) -> Result<Option<(Job, Vec<Attempt>)>, Error> {
        self.any()?;
        let id = name(id)?;
        let shown = self.noted(self.shared.engine.show(id).await)?;
        let own = shown.filter(|shown| shown.job.queue.owner == self.grants.component);
        Ok(own.map(|shown| (shown.job, shown.attempts)))
    }

    /// Up to `most` jobs behind `after`.
    pub(super) async fn jobs(
        &self,
        filter: Wanted,
        after: Option<&str>,
        most: u32,
    ) -> Result<Vec<Job>, Error> {
        let filter = self.filter(filter)?;
        let after = after.map(name).transpose()?;
        let (count, limit) = (
            usize::try_from(most).unwrap_or(usize::MAX),
            self.shared.limits.jobs_per_call,
        );
        if count > limit {
            return Err(Error::TooManyJobs { count, limit });
        }
        self.noted(self.shared.engine.list(filter, after, count).await)
    }

    /// Sends a job again.
    pub(super) async fn resend(&self, id: &str) -> Result<bool, Error> {
        self.any()?;
        let filter = self.one(id)?;
        let count = self.change(filter, Change::Retry { done: true }).await?;
        Ok(count > 0)
    }

    /// Sends again what waits or is dead.
    pub(super) async fn recover(&self, filter: Wanted) -> Result<u64, Error> {
        let filter = self.filter(filter)?;
        self.change(filter, Change::Retry { done: false }).await
    }

    /// Gives a job up.
    pub(super) async fn cancel(&self, id: &str, reason: String) -> Result<bool, Error> {
        self.any()?;
        let filter = self.one(id)?;
        Ok(self.change(filter, Change::Bury { reason }).await? > 0)
    }

    /// Gives up what waits in a lane.
    pub(super) async fn cancel_lane(
        &self,
        queue: &str,
        lane: String,
        reason: String,
    ) -> Result<u64, Error> {
        let queue = self.queue(queue)?;
        let filter = Filter {
            owner: Some(queue.owner),
            queue: Some(queue.name),
            lane: Some(lane),
            ..Filter::default()
        };
        self.change(filter, Change::Bury { reason }).await
    }

    /// Pauses a lane, or resumes it.
    pub(super) async fn lane(
        &self,
        queue: &str,
        lane: String,
        change: LaneChange,
    ) -> Result<(), Error> {
        let queue = self.queue(queue)?;
        self.noted(self.shared.engine.change_lane(queue, lane, change).await)
    }

    /// Begins nothing in a lane for this long.
    pub(super) async fn slow(
        &self,
        queue: &str,
        lane: String,
        delay: Duration,
    ) -> Result<(), Error> {
        let until = crate::clock::millis(delay).saturating_add(self.shared.setup.clock.now());
        self.lane(queue, lane, LaneChange::SlowUntil(until)).await
    }

    /// Its own job of this name.
    fn one(&self, id: &str) -> Result<Filter, Error> {
        Ok(Filter {
            owner: Some(self.owner()),
            job: Some(name(id)?),
            ..Filter::default()
        })
    }

    fn filter(&self, wanted: Wanted) -> Result<Filter, Error> {
        let queue = self.queue(&wanted.queue)?;
        Ok(Filter {
            owner: Some(queue.owner),
            queue: Some(queue.name),
            lane: wanted.lane,
            phase: wanted.phase,
            batch: wanted.batch.as_deref().map(name).transpose()?,
            job: None,
            since: wanted.since,
        })
    }

    /// Changes all that fits, a few hundred at a time.
    async fn change(&self, filter: Filter, change: Change) -> Result<u64, Error> {
        let (mut count, mut after) = (0, None::<JobId>);
        loop {
            let engine = &self.shared.engine;
            let changed = engine.change(filter.clone(), change.clone(), after, CHANGED_AT_ONCE);
            let changed = self.noted(changed.await)?;
            count += changed.count;
            match changed.next {
                None => return Ok(count),
                next => after = next,
            }
        }
    }
}

/// Which jobs a guest means.
pub(super) struct Wanted {
    pub(super) queue: String,
    pub(super) lane: Option<String>,
    pub(super) batch: Option<String>,
    pub(super) phase: Option<crate::queue::Phase>,
    pub(super) since: Option<u64>,
}

/// A batch's or a job's name as the guest has it.
fn name<T: std::str::FromStr<Err = crate::queue::NoName>>(text: &str) -> Result<T, Error> {
    text.parse()
        .map_err(|error: crate::queue::NoName| Error::Invalid(error.to_string()))
}

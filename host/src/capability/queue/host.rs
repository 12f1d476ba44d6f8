//! The face `signet:queue/queue@0.1.0`, and the words in which a guest's worker is called. Only translates: what
//! a guest may do is decided in the room.

use super::ctx::Wanted;
use super::{Ctx, Error};
use crate::capability::bindings::queue::{queue as wit, types};
use crate::queue as engine;
use std::time::Duration;
use wasmtime::component::{Accessor, HasData, Linker};

/// What the face needs of an instance's state.
pub struct View<'a> {
    /// What the instance may do.
    pub ctx: &'a mut Ctx,
}

/// Gives the queue to the guests of this linker.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    types::add_to_linker::<T, Face>(linker, view)?;
    wit::add_to_linker::<T, Face>(linker, view)
}

struct Face;

impl HasData for Face {
    type Data<'a> = View<'a>;
}

impl types::Host for View<'_> {}

impl wit::Host for View<'_> {}

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

fn ctx<T>(accessor: &Accessor<T, Face>) -> Ctx {
    accessor.with(|mut access| access.get().ctx.clone())
}

fn answer<T, U>(answer: Result<T, Error>, convert: impl FnOnce(T) -> U) -> Answer<U> {
    Ok(answer.map(convert).map_err(convert_error))
}

impl<T: Send + 'static> wit::HostWithStore<T> for Face {
    async fn enqueue(accessor: &Accessor<T, Self>, batch: wit::Batch) -> Answer<wit::Receipt> {
        answer(ctx(accessor).enqueue(new_batch(batch)).await, receipt)
    }

    async fn show_batch(
        accessor: &Accessor<T, Self>,
        batch: String,
    ) -> Answer<Option<wit::BatchStatus>> {
        answer(ctx(accessor).batch(&batch).await, |status| {
            status.map(batch_status)
        })
    }

    async fn show_job(accessor: &Accessor<T, Self>, job: String) -> Answer<Option<wit::JobStatus>> {
        answer(ctx(accessor).job(&job).await, |shown| {
            shown.map(|(job, _)| job_status(job))
        })
    }

    async fn jobs(
        accessor: &Accessor<T, Self>,
        filter: wit::Filter,
        after: Option<String>,
        most: u32,
    ) -> Answer<Vec<wit::JobStatus>> {
        let jobs = ctx(accessor)
            .jobs(wanted(filter), after.as_deref(), most)
            .await;
        answer(jobs, |jobs| jobs.into_iter().map(job_status).collect())
    }

    async fn attempts(accessor: &Accessor<T, Self>, job: String) -> Answer<Vec<wit::Attempt>> {
        answer(ctx(accessor).job(&job).await, |shown| {
            let attempts = shown.map(|(_, attempts)| attempts).unwrap_or_default();
            attempts.into_iter().map(attempt).collect()
        })
    }

    async fn resend(accessor: &Accessor<T, Self>, job: String) -> Answer<bool> {
        answer(ctx(accessor).resend(&job).await, |there| there)
    }

    async fn recover(accessor: &Accessor<T, Self>, filter: wit::Filter) -> Answer<u64> {
        answer(ctx(accessor).recover(wanted(filter)).await, |count| count)
    }

    async fn cancel(accessor: &Accessor<T, Self>, job: String, reason: String) -> Answer<bool> {
        answer(ctx(accessor).cancel(&job, reason).await, |there| there)
    }

    async fn cancel_lane(
        accessor: &Accessor<T, Self>,
        queue: String,
        lane: String,
        reason: String,
    ) -> Answer<u64> {
        let count = ctx(accessor).cancel_lane(&queue, lane, reason).await;
        answer(count, |count| count)
    }

    async fn pause(accessor: &Accessor<T, Self>, queue: String, lane: String) -> Answer<()> {
        let change = engine::LaneChange::Pause;
        answer(ctx(accessor).lane(&queue, lane, change).await, |()| ())
    }

    async fn resume(accessor: &Accessor<T, Self>, queue: String, lane: String) -> Answer<()> {
        let change = engine::LaneChange::Resume;
        answer(ctx(accessor).lane(&queue, lane, change).await, |()| ())
    }

    async fn slow(
        accessor: &Accessor<T, Self>,
        queue: String,
        lane: String,
        delay: u64,
    ) -> Answer<()> {
        let delay = Duration::from_millis(delay);
        answer(ctx(accessor).slow(&queue, lane, delay).await, |()| ())
    }
}

fn new_batch(batch: wit::Batch) -> engine::NewBatch {
    let job = |job: types::NewJob| engine::NewJob {
        queue: job.queue,
        lane: job.lane,
        detail: job.detail.into(),
        not_before: job.not_before,
        schedule: job
            .schedule
            .map(|delays| delays.into_iter().map(Duration::from_millis).collect()),
    };
    engine::NewBatch {
        owner: String::new(),
        key: batch.key,
        body: batch.body.into(),
        jobs: batch.jobs.into_iter().map(job).collect(),
    }
}

fn receipt(receipt: engine::Receipt) -> wit::Receipt {
    wit::Receipt {
        batch: receipt.batch.to_string(),
        jobs: receipt.jobs.iter().map(ToString::to_string).collect(),
        replayed: receipt.replayed,
    }
}

fn batch_status(status: engine::BatchStatus) -> wit::BatchStatus {
    wit::BatchStatus {
        id: status.id.to_string(),
        key: status.key,
        body: status.body.into(),
        accepted_at: status.accepted_at,
        jobs: status.jobs,
        waiting: status.depth.waiting,
        running: status.depth.claimed,
        done: status.depth.done,
        dead: status.depth.dead,
    }
}

fn job_status(job: engine::Job) -> wit::JobStatus {
    use engine::State;
    wit::JobStatus {
        id: job.id.to_string(),
        queue: job.queue.name,
        lane: job.lane,
        detail: job.detail.into(),
        state: match job.state {
            State::Waiting { due_at } => types::State::Waiting(due_at),
            State::Claimed { until: _ } => types::State::Running,
            State::Done { ended_at } => types::State::Done(ended_at),
            State::Dead { ended_at, reason } => types::State::Dead(types::DeadLetter {
                at: ended_at,
                reason,
            }),
        },
        attempts: job.attempts,
        accepted_at: job.accepted_at,
    }
}

fn attempt(attempt: engine::Attempt) -> wit::Attempt {
    wit::Attempt {
        number: attempt.number,
        started_at: attempt.started_at,
        ended_at: attempt.ended_at,
        ended: match attempt.ended {
            engine::Ended::Done => types::Ended::Done,
            engine::Ended::Retry => types::Ended::Retry,
            engine::Ended::Dead => types::Ended::Dead,
            engine::Ended::Expired => types::Ended::Expired,
        },
        note: attempt.note,
    }
}

fn wanted(filter: wit::Filter) -> Wanted {
    Wanted {
        queue: filter.queue,
        lane: filter.lane,
        batch: filter.batch,
        phase: filter.phase.map(|phase| match phase {
            types::Phase::Waiting => engine::Phase::Waiting,
            types::Phase::Running => engine::Phase::Claimed,
            types::Phase::Done => engine::Phase::Done,
            types::Phase::Dead => engine::Phase::Dead,
        }),
        since: filter.since,
    }
}

/// A claimed job as the guest's worker is given it.
pub fn job(claim: engine::Claim) -> types::Job {
    types::Job {
        id: claim.lease.job.to_string(),
        batch: claim.lease.job.batch.to_string(),
        queue: claim.queue.name,
        lane: claim.lane,
        body: claim.body.into(),
        detail: claim.detail.into(),
        attempt: claim.attempt,
        accepted_at: claim.accepted_at,
    }
}

/// What the guest's worker answers, as the engine settles it.
pub fn outcome(outcome: types::Outcome) -> engine::Outcome {
    match outcome {
        types::Outcome::Done(note) => engine::Outcome::Done { note },
        types::Outcome::Retry(retry) => engine::Outcome::Retry {
            after: retry.after.map(Duration::from_millis),
            reason: retry.reason,
        },
        types::Outcome::Dead(reason) => engine::Outcome::Dead { reason },
    }
}

/// The room's error as the guest's.
fn convert_error(error: Error) -> wit::Error {
    use engine::Error as Engine;
    match error {
        Error::AccessDenied(_) => wit::Error::AccessDenied,
        Error::Invalid(words) | Error::Engine(Engine::Invalid(words)) => wit::Error::Invalid(words),
        Error::Engine(Engine::Conflict(batch)) => wit::Error::Conflict(batch.to_string()),
        Error::TooManyJobs { .. } | Error::Engine(Engine::TooLarge { .. }) => {
            wit::Error::TooLarge(error.to_string())
        }
        Error::Engine(Engine::Full(_)) => wit::Error::Full,
        Error::TooMuchPending(_)
        | Error::Engine(
            Engine::NoSuchQueue(_) | Engine::LeaseLost(_) | Engine::ReadOnly(_) | Engine::Io(_),
        ) => wit::Error::Unavailable(error.to_string()),
    }
}

//! The laws of working on a queue: an engine, in memory unless it has to be full, a clock that a test moves, and a
//! worker that does what a test says. Nothing waits for a time; a test looks again until what has to come has come.

use super::super::contract::{Bench, batch, done, even, job, queue, retry, setup};
use super::super::*;
use super::{Made, Runner, Worker, prune};
use crate::clock::{Clock, Manual};
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);

/// What was told of an attempt: the job, which attempt, where the job stands, the note and the time it took.
type Told = (JobId, u32, Phase, String, Duration);

/// Attempts that were begun, each with the way to end it.
#[derive(Default)]
struct Begun {
    claims: Mutex<Vec<(Claim, oneshot::Sender<Outcome>)>>,
    /// What was told of those that were settled.
    told: Mutex<Vec<Told>>,
}

impl Worker for Begun {
    fn run(&self, claim: Claim) -> BoxFuture<'static, Outcome> {
        let (end, ended) = oneshot::channel();
        self.claims.lock().unwrap().push((claim, end));
        Box::pin(async move { ended.await.unwrap_or_else(|_| retry("nobody said")) })
    }

    fn expired(&self, _jobs: &[Expired]) {}

    fn settled(&self, made: &Made<'_>) {
        let note = made.note.to_owned();
        let told = (made.job, made.attempt, made.phase, note, made.took);
        self.told.lock().unwrap().push(told);
    }
}

/// A queue that is worked on.
struct Work {
    bench: Bench,
    begun: Arc<Begun>,
    drain: Option<oneshot::Sender<u64>>,
    running: JoinHandle<()>,
}

impl Work {
    fn on(policy: Policy) -> Self {
        let (setup, clock) = setup(policy.clone(), Limits::default());
        Self::of(Arc::new(Memory::new(setup)), clock, policy)
    }

    fn of(engine: Arc<dyn Backend>, clock: Arc<Manual>, policy: Policy) -> Self {
        let begun = Arc::new(Begun::default());
        let runner = Runner {
            backend: Arc::clone(&engine),
            queue: queue("mail"),
            policy: Arc::new(policy),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            worker: Arc::clone(&begun) as Arc<dyn Worker>,
        };
        let (drain, drained) = oneshot::channel();
        let drained = async move { drained.await.unwrap_or(0) };
        Self {
            bench: Bench { engine, clock },
            begun,
            drain: Some(drain),
            running: tokio::spawn(runner.run(drained)),
        }
    }

    /// Looks again until so many attempts have been begun and not taken.
    async fn begun(&self, count: usize) -> Vec<(Claim, oneshot::Sender<Outcome>)> {
        until(async || self.begun.claims.lock().unwrap().len() == count).await;
        std::mem::take(&mut *self.begun.claims.lock().unwrap())
    }

    async fn is(&self, job: JobId, phase: Phase) {
        until(async || self.bench.state(job).await.phase() == phase).await;
    }

    fn drain(&mut self, deadline: u64) {
        self.drain.take().unwrap().send(deadline).unwrap();
    }
}

/// Looks again until it is so.
async fn until(is: impl AsyncFn() -> bool) {
    while !is().await {
        tokio::task::yield_now().await;
    }
}

/// Lets everything that is ready have many turns.
async fn turns() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_due_is_run_and_settled_and_what_failed_comes_again() {
    let work = Work::on(even());
    let id = work.bench.jobs(&["a"]).await[0];
    let (claim, end) = work.begun(1).await.remove(0);
    assert_eq!((claim.lease.job, claim.attempt), (id, 1));
    end.send(retry("no")).unwrap();
    work.is(id, Phase::Waiting).await;
    work.bench.clock.pass(SECOND);
    let (claim, end) = work.begun(1).await.remove(0);
    assert_eq!(claim.attempt, 2);
    end.send(done()).unwrap();
    work.is(id, Phase::Done).await;
}

#[tokio::test]
async fn no_more_run_at_once_than_may_and_the_next_begins_when_one_ends() {
    let policy = Policy {
        concurrency: 2,
        ..even()
    };
    let work = Work::on(policy);
    work.bench.jobs(&["a", "b", "c"]).await;
    let mut two = work.begun(2).await;
    turns().await;
    assert!(work.begun.claims.lock().unwrap().is_empty());
    two.remove(0).1.send(done()).unwrap();
    assert_eq!(work.begun(1).await[0].0.lane, "c");
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_ended_and_comes_again() {
    let work = Work::on(even());
    let id = work.bench.jobs(&["a"]).await[0];
    let (_, end) = work.begun(1).await.remove(0);
    work.bench.clock.pass(even().timeout);
    work.is(id, Phase::Waiting).await;
    assert!(end.is_closed());
    let attempt = work.bench.show(id).await.attempts.remove(0);
    assert_eq!(attempt.ended, Ended::Retry);
    assert_eq!(attempt.note, "timeout: not done after 30s");
}

#[tokio::test]
async fn a_lease_is_extended_while_its_job_runs() {
    let work = Work::on(even());
    let id = work.bench.jobs(&["a"]).await[0];
    let (claim, end) = work.begun(1).await.remove(0);
    work.bench.clock.pass(20 * SECOND);
    let longer = claim.lease.until + 20_000;
    let state = State::Claimed { until: longer };
    until(async || work.bench.state(id).await == state).await;
    // And not again before a third of that has passed.
    work.bench.clock.pass(SECOND);
    turns().await;
    assert_eq!(work.bench.state(id).await, state);
    end.send(done()).unwrap();
    work.is(id, Phase::Done).await;
}

#[tokio::test]
async fn work_whose_lease_is_lost_is_dropped() {
    let work = Work::on(even());
    work.bench.jobs(&["a"]).await;
    let (claim, end) = work.begun(1).await.remove(0);
    work.bench.engine.settle(claim.lease, done()).await.unwrap();
    work.bench.clock.pass(20 * SECOND);
    until(async || end.is_closed()).await;
}

#[tokio::test]
async fn a_drain_lets_what_runs_finish_and_begins_nothing() {
    let mut work = Work::on(even());
    let id = work.bench.jobs(&["a"]).await[0];
    let (_, end) = work.begun(1).await.remove(0);
    work.drain(work.bench.after(10 * SECOND));
    turns().await;
    let later = work.bench.jobs(&["b"]).await[0];
    turns().await;
    end.send(done()).unwrap();
    work.running.await.unwrap();
    assert_eq!(work.bench.state(id).await.phase(), Phase::Done);
    assert_eq!(work.bench.state(later).await.phase(), Phase::Waiting);
}

#[tokio::test]
async fn what_a_drain_does_not_see_finished_is_given_back_without_an_attempt() {
    let mut work = Work::on(even());
    let id = work.bench.jobs(&["a"]).await[0];
    let (_, end) = work.begun(1).await.remove(0);
    work.drain(work.bench.after(10 * SECOND));
    turns().await;
    work.bench.clock.pass(10 * SECOND);
    work.running.await.unwrap();
    assert!(end.is_closed());
    let shown = work.bench.show(id).await;
    assert_eq!(
        (shown.job.state.phase(), shown.attempts),
        (Phase::Waiting, vec![])
    );
}

#[tokio::test]
async fn what_is_past_its_retention_goes_by_itself() {
    let policy = Policy {
        done: Keep {
            age: 60 * SECOND,
            count: 9,
        },
        ..even()
    };
    let (setup, clock) = setup(policy, Limits::default());
    let engine: Arc<dyn Backend> = Arc::new(Memory::new(setup));
    let bench = Bench {
        engine: Arc::clone(&engine),
        clock: Arc::clone(&clock),
    };
    let (drain, drained) = oneshot::channel::<()>();
    let pruning = tokio::spawn(prune(engine, Arc::clone(&clock) as Arc<dyn Clock>, drained));
    turns().await;
    bench
        .engine
        .enqueue(batch(None, "", vec![job("a")]))
        .await
        .unwrap();
    let claim = bench.one().await;
    bench.settle(&claim, done()).await;
    turns().await;
    clock.pass(10 * SECOND);
    turns().await;
    assert_eq!(bench.engine.count(Filter::default()).await.unwrap(), 1);
    clock.pass(50 * SECOND);
    until(async || bench.engine.count(Filter::default()).await.unwrap() == 0).await;
    drain.send(()).unwrap();
    pruning.await.unwrap();
}

#[tokio::test]
async fn what_came_of_each_attempt_is_told_once_it_is_kept() {
    let policy = Policy {
        attempts: 2,
        ..even()
    };
    let work = Work::on(policy);
    let [well, badly] = work.bench.jobs(&["a", "b"]).await[..] else {
        panic!("two jobs were enqueued")
    };
    let begun = work.begun(2).await;
    work.bench.clock.pass(SECOND);
    for (claim, end) in begun {
        let outcome = if claim.lease.job == well {
            done()
        } else {
            retry("not yet")
        };
        end.send(outcome).unwrap();
    }
    work.is(well, Phase::Done).await;
    work.is(badly, Phase::Waiting).await;
    work.bench.clock.pass(SECOND);
    let (_, end) = work.begun(1).await.pop().unwrap();
    end.send(retry("never")).unwrap();
    work.is(badly, Phase::Dead).await;
    until(async || work.begun.told.lock().unwrap().len() == 3).await;
    let mut told = work.begun.told.lock().unwrap().clone();
    // Two ended at once, in whatever order.
    told.sort_by_key(|(job, attempt, ..)| (*job, *attempt));
    assert_eq!(
        told,
        [
            (well, 1, Phase::Done, "200".to_owned(), SECOND),
            (badly, 1, Phase::Waiting, "not yet".to_owned(), SECOND),
            (badly, 2, Phase::Dead, "never".to_owned(), Duration::ZERO),
        ]
    );
}

#[tokio::test]
async fn where_there_is_no_room_for_a_note_the_job_is_settled_with_its_beginning() {
    // Its lease outlasts the time that is passed while the file is written.
    let policy = Policy {
        lease: 1_000_000 * SECOND,
        ..even()
    };
    let limits = Limits {
        store_bytes: 1 << 20,
        note_bytes: 16 << 20,
        ..Limits::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let (setup, clock) = setup(policy.clone(), limits);
    let engine = Sqlite::open(&folder.path().join("queue.db"), setup).unwrap();
    let work = Work::of(Arc::new(engine), clock, policy);
    let id = work.bench.jobs(&["a"]).await[0];
    let (_, end) = work.begun(1).await.remove(0);
    let reason = "gone ".repeat(2 << 20);
    end.send(Outcome::Dead { reason }).unwrap();
    until(async || {
        work.bench.clock.pass(SECOND);
        work.bench.state(id).await.phase() == Phase::Dead
    })
    .await;
    let beginning = "gone ".repeat(13)[..64].to_owned();
    let shown = work.bench.show(id).await;
    assert_eq!(shown.attempts[0].note, beginning);
    let of_job = matches!(shown.job.state, State::Dead { reason, .. } if reason == beginning);
    assert!(of_job, "a dead letter has its reason");
}

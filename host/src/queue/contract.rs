//! The laws of the queue, over every engine, with a clock that a test moves. The one in a file is tried twice: a change
//! of it that is undone, because another in its commit failed, is made again, and must come to the same.

#[path = "tests/durable.rs"]
mod durable;
#[path = "tests/generated.rs"]
mod generated;
#[path = "tests/lanes.rs"]
mod lanes;
#[path = "tests/leases.rs"]
mod leases;
#[path = "tests/operating.rs"]
mod operating;
#[path = "tests/operator.rs"]
mod operator;

use super::*;
use crate::clock::{Clock as _, Manual};
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// When every test begins.
const START: u64 = 1_764_100_000_000;

const SECOND: Duration = Duration::from_secs(1);

/// An engine with one queue of one owner, and its clock.
pub(super) struct Bench {
    pub(super) engine: Arc<dyn Backend>,
    pub(super) clock: Arc<Manual>,
}

pub(super) fn queue(name: &str) -> QueueName {
    QueueName {
        owner: "shop".into(),
        name: name.into(),
    }
}

/// What an engine of these tests is opened with. Chance is a count: jitter is as low as it can be.
pub(super) fn setup(policy: Policy, limits: Limits) -> (Setup, Arc<Manual>) {
    let clock = Arc::new(Manual::at(START));
    let queues = [(queue("mail"), policy.clone()), (queue("other"), policy)];
    let count = AtomicU64::new(0);
    let setup = Setup {
        policies: Policies::new(queues.into()).unwrap(),
        limits,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        chance: Arc::new(move || count.fetch_add(1, Ordering::Relaxed)),
    };
    (setup, clock)
}

async fn within(policy: Policy, limits: Limits, law: impl AsyncFn(Bench)) {
    let (in_memory, clock) = setup(policy.clone(), limits.clone());
    let engine = Arc::new(Memory::new(in_memory));
    law(Bench { engine, clock }).await;
    for undone in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (in_file, clock) = setup(policy.clone(), limits.clone());
        let mut engine = Sqlite::open(&folder.path().join("state/queue.db"), in_file).unwrap();
        engine.undone = undone;
        let engine = Arc::new(engine);
        law(Bench { engine, clock }).await;
    }
}

/// Without jitter, and a second between attempts.
pub(super) fn even() -> Policy {
    Policy {
        schedule: vec![Duration::ZERO, SECOND],
        attempts: 3,
        jitter: 0,
        ..Policy::default()
    }
}

async fn on_every_engine(law: impl AsyncFn(Bench)) {
    within(even(), Limits::default(), law).await;
}

async fn under(policy: Policy, law: impl AsyncFn(Bench)) {
    within(policy, Limits::default(), law).await;
}

pub(super) fn job(lane: &str) -> NewJob {
    NewJob {
        queue: "mail".into(),
        lane: lane.into(),
        detail: Bytes::from_static(b"detail"),
        ..NewJob::default()
    }
}

pub(super) fn batch(key: Option<&str>, body: &'static str, jobs: Vec<NewJob>) -> NewBatch {
    NewBatch {
        owner: "shop".into(),
        key: key.map(str::to_owned),
        body: Bytes::from_static(body.as_bytes()),
        jobs,
    }
}

pub(super) fn retry(reason: &str) -> Outcome {
    Outcome::Retry {
        after: None,
        reason: reason.into(),
    }
}

pub(super) fn done() -> Outcome {
    Outcome::Done { note: "200".into() }
}

impl Bench {
    /// Enqueues one job for each lane, in one batch.
    pub(super) async fn jobs(&self, lanes: &[&str]) -> Vec<JobId> {
        let jobs = lanes.iter().map(|lane| job(lane)).collect();
        self.engine
            .enqueue(batch(None, "body", jobs))
            .await
            .unwrap()
            .jobs
    }

    pub(super) async fn claim(&self, most: usize) -> Vec<Claim> {
        self.claims(most).await.claims
    }

    pub(super) async fn claims(&self, most: usize) -> Claims {
        self.engine.claim(queue("mail"), most).await.unwrap()
    }

    pub(super) async fn one(&self) -> Claim {
        let mut claims = self.claim(1).await;
        claims.pop().expect("there was nothing to claim")
    }

    pub(super) async fn settle(&self, claim: &Claim, outcome: Outcome) -> Phase {
        self.engine.settle(claim.lease, outcome).await.unwrap()
    }

    pub(super) async fn show(&self, job: JobId) -> Shown {
        self.engine.show(job).await.unwrap().unwrap()
    }

    pub(super) async fn state(&self, job: JobId) -> State {
        self.show(job).await.job.state
    }

    pub(super) fn after(&self, duration: Duration) -> u64 {
        self.clock.now() + crate::clock::millis(duration)
    }
}

#[tokio::test]
async fn what_was_enqueued_is_claimed_with_its_body_and_detail() {
    on_every_engine(async |bench| {
        let receipt = bench
            .engine
            .enqueue(batch(None, "body", vec![job("a"), job("b")]))
            .await
            .unwrap();
        assert!(!receipt.replayed);
        let claims = bench.claim(9).await;
        assert_eq!(claims.len(), 2);
        for (claim, (id, lane)) in claims.iter().zip(receipt.jobs.iter().zip(["a", "b"])) {
            assert_eq!((claim.lease.job, claim.lane.as_str()), (*id, lane));
            assert_eq!(
                (&claim.body[..], &claim.detail[..]),
                (&b"body"[..], &b"detail"[..])
            );
            assert_eq!((claim.attempt, claim.accepted_at), (1, START));
        }
        assert_eq!(bench.claim(9).await, []);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_with_the_same_body_is_the_batch_of_before() {
    on_every_engine(async |bench| {
        let first = batch(Some("order-1"), "body", vec![job("a"), job("b")]);
        let first = bench.engine.enqueue(first).await.unwrap();
        bench.clock.pass(SECOND);
        // Whoever is asked again may have other jobs for it by now.
        let again = batch(Some("order-1"), "body", vec![job("c")]);
        let again = bench.engine.enqueue(again).await.unwrap();
        assert!(again.replayed);
        assert_eq!((again.batch, &again.jobs), (first.batch, &first.jobs));
        assert_eq!(bench.claim(9).await.len(), 2);
        // Without a key there is nothing to know a repetition by.
        bench.jobs(&["a"]).await;
        bench.jobs(&["a"]).await;
        assert_eq!(bench.claim(9).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_idempotency_key_with_another_body_is_a_conflict() {
    on_every_engine(async |bench| {
        let first = batch(Some("order-1"), "body", vec![job("a")]);
        let id = bench.engine.enqueue(first).await.unwrap().batch;
        let other = batch(Some("order-1"), "other", vec![job("a")]);
        match bench.engine.enqueue(other).await {
            Err(Error::Conflict(of)) => assert_eq!(of, id),
            other => panic!("{other:?}"),
        }
        assert_eq!(bench.claim(9).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_batch_without_jobs_is_kept_for_its_key() {
    on_every_engine(async |bench| {
        let nobody = || batch(Some("order-1"), "body", Vec::new());
        let first = bench.engine.enqueue(nobody()).await.unwrap();
        assert!(bench.engine.enqueue(nobody()).await.unwrap().replayed);
        let status = bench.engine.batch(first.batch).await.unwrap().unwrap();
        assert_eq!((status.jobs, status.depth), (0, Depth::default()));
        assert_eq!(status.key.as_deref(), Some("order-1"));
        assert_eq!(&status.body[..], b"body");
    })
    .await;
}

#[tokio::test]
async fn what_is_too_much_or_has_no_queue_leaves_nothing() {
    let limits = Limits {
        body_bytes: 8,
        detail_bytes: 8,
        jobs_per_batch: 2,
        name_bytes: 5,
        schedule_length: 2,
        ..Limits::default()
    };
    within(even(), limits, async |bench| {
        let with = |change: fn(&mut NewJob)| {
            let mut wrong = job("a");
            change(&mut wrong);
            batch(None, "body", vec![job("a"), wrong])
        };
        let wrong = [
            ("body", batch(None, "123456789", Vec::new())),
            ("jobs", batch(None, "", vec![job("a"), job("b"), job("c")])),
            ("key", batch(Some("order-1"), "", Vec::new())),
            ("key", batch(Some(""), "", Vec::new())),
            ("lane", with(|job| job.lane = "a\nb".into())),
            ("lane", with(|job| job.lane.clear())),
            ("queue `phone`", with(|job| job.queue = "phone".into())),
            (
                "detail",
                with(|job| job.detail = Bytes::from_static(b"123456789")),
            ),
            ("schedule", with(|job| job.schedule = Some(vec![SECOND; 3]))),
            ("schedule", with(|job| job.schedule = Some(Vec::new()))),
        ];
        for (what, wrong) in wrong {
            let error = bench.engine.enqueue(wrong).await.unwrap_err().to_string();
            assert!(error.contains(what), "{what}: {error}");
        }
        assert_eq!(bench.engine.count(Filter::default()).await.unwrap(), 0);
        assert_eq!(bench.claim(9).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_does_not_fit_is_full_and_what_was_accepted_can_still_be_done() {
    let limits = Limits {
        store_bytes: 400 << 10,
        ..Limits::default()
    };
    within(even(), limits, async |bench| {
        let body = Bytes::from(vec![7; 10 << 10]);
        let another = || NewBatch {
            body: body.clone(),
            ..batch(None, "", vec![job("a")])
        };
        let mut accepted = 0;
        let error = loop {
            match bench.engine.enqueue(another()).await {
                Ok(_) => accepted += 1,
                Err(error) => break error,
            }
            assert!(accepted < 1000, "it is never full");
        };
        assert!(matches!(error, Error::Full(_)), "{error:?}");
        assert_eq!(
            bench.engine.count(Filter::default()).await.unwrap(),
            accepted
        );
        for _ in 0..accepted {
            let claim = bench.one().await;
            assert_eq!(bench.settle(&claim, done()).await, Phase::Done);
        }
        // There is room again once there is less.
        let done = Filter::default();
        let purged = bench.engine.change(done, Change::Purge, None, 9999);
        assert_eq!(purged.await.unwrap().count, accepted);
        bench.engine.enqueue(another()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_is_not_longer_than_the_timeout_is_refused() {
    let policy = Policy {
        timeout: Duration::from_secs(60),
        lease: Duration::from_secs(60),
        ..Policy::default()
    };
    let queues = [(queue("mail"), policy)];
    let error = Policies::new(queues.into()).unwrap_err().to_string();
    assert_eq!(
        error,
        "queue `mail` of `shop`: lease (60s) is not longer than the timeout (60s): make it longer"
    );
}

//! The queue in its file: batches, claims and what came of them, each on disk when it is answered; and what a claim
//! takes when a thousand jobs wait and when a million do.

use std::collections::BTreeMap;

use divan::Bencher;
use signet::queue::{
    Backend as _, Limits, NewBatch, NewJob, Outcome, Policies, Policy, QueueName, Setup, Sqlite,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

fn name() -> QueueName {
    QueueName {
        owner: "shop".into(),
        name: "mail".into(),
    }
}

/// A queue that `waiting` jobs wait in, a thousand in each lane.
fn queue(waiting: usize) -> (TempDir, Runtime, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let policy = Policy {
        concurrency: u32::MAX,
        lane_concurrency: u32::MAX,
        ..Policy::default()
    };
    let policies = Policies::new(BTreeMap::from([(name(), policy)])).unwrap();
    let setup = Setup::new(policies, Limits::default());
    let queue = Sqlite::open(&folder.path().join("queue.db"), setup).unwrap();
    for first in (0..waiting).step_by(10_000) {
        let count = (waiting - first).min(10_000);
        let batch = batch(count, |place| format!("lane-{}", (first + place) / 1000));
        runtime.block_on(queue.enqueue(batch)).unwrap();
    }
    (folder, runtime, queue)
}

fn batch(jobs: usize, lane: impl Fn(usize) -> String) -> NewBatch {
    let job = |place| NewJob {
        queue: "mail".into(),
        lane: lane(place),
        detail: vec![7; 50].into(),
        ..NewJob::default()
    };
    NewBatch {
        owner: "shop".into(),
        body: vec![7; 500].into(),
        jobs: (0..jobs).map(job).collect(),
        ..NewBatch::default()
    }
}

#[divan::bench(args = [1, 10])]
fn enqueue(bencher: Bencher<'_, '_>, jobs: usize) {
    let (_folder, runtime, queue) = queue(0);
    bencher.bench_local(|| {
        let batch = batch(jobs, |place| format!("lane-{place}"));
        runtime.block_on(queue.enqueue(batch)).unwrap()
    });
}

/// As many as a busy host has under way: they share commits.
#[divan::bench(sample_count = 20)]
fn enqueue_64_at_once(bencher: Bencher<'_, '_>) {
    let (_folder, runtime, queue) = queue(0);
    bencher.bench_local(|| {
        let batches = (0..64).map(|_| queue.enqueue(batch(1, |place| format!("lane-{place}"))));
        let all = runtime.block_on(futures::future::join_all(batches));
        assert!(all.iter().all(Result::is_ok));
    });
}

/// Each with its own commit, as when nothing else is under way.
#[divan::bench(args = [1_000, 1_000_000], sample_count = 100, sample_size = 1)]
fn claim_8_of(bencher: Bencher<'_, '_>, waiting: usize) {
    let (_folder, runtime, queue) = queue(waiting);
    bencher.bench_local(|| runtime.block_on(queue.claim(name(), 8)).unwrap());
}

/// What a scrape of the metrics asks.
#[divan::bench(args = [1_000, 1_000_000], sample_count = 100, sample_size = 1)]
fn stats_of(bencher: Bencher<'_, '_>, waiting: usize) {
    let (_folder, runtime, queue) = queue(waiting);
    bencher.bench_local(|| runtime.block_on(queue.stats()).unwrap());
}

#[divan::bench(sample_count = 100, sample_size = 1)]
fn settle(bencher: Bencher<'_, '_>) {
    let (_folder, runtime, queue) = queue(1000);
    bencher
        .with_inputs(|| {
            let claims = runtime.block_on(queue.claim(name(), 1)).unwrap().claims;
            claims.into_iter().next().unwrap()
        })
        .bench_local_values(|claim| {
            let note = "200".into();
            let settled = queue.settle(claim.lease, Outcome::Done { note });
            runtime.block_on(settled).unwrap()
        });
}

//! What stands in a queue's file when the host is gone: a copy of the file after each step is opened as the next
//! host would.

use super::*;
use std::path::Path;

/// Opens a copy of the file as it is, while it is in use: as a host that was killed leaves it.
fn killed(path: &Path, policy: &Policy) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().unwrap();
    for end in ["", "-wal"] {
        let name = format!("queue.db{end}");
        let from = path.with_file_name(&name);
        std::fs::copy(from, folder.path().join(name)).unwrap();
    }
    let (setup, clock) = setup(policy.clone(), Limits::default());
    let mut engine = Sqlite::open(&folder.path().join("queue.db"), setup).unwrap();
    // What it says once, it says though that was undone and made again.
    engine.undone = true;
    let engine = Arc::new(engine);
    (folder, Bench { engine, clock })
}

#[tokio::test]
async fn after_each_step_all_that_was_answered_is_there_and_nothing_by_half() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let (setup, clock) = setup(even(), Limits::default());
    let engine = Arc::new(Sqlite::open(&path, setup).unwrap());
    let bench = Bench { engine, clock };

    let keyed = || batch(Some("order-1"), "body", vec![job("a"), job("b")]);
    let receipt = bench.engine.enqueue(keyed()).await.unwrap();
    let (_folder, next) = killed(&path, &even());
    assert!(next.engine.enqueue(keyed()).await.unwrap().replayed);
    assert_eq!(next.claim(9).await.len(), 2);
    // A name made now comes behind those of before, though the clock is the same.
    assert!(next.jobs(&["c"]).await[0] > receipt.jobs[1]);

    let claims = bench.claim(9).await;
    let (_folder, next) = killed(&path, &even());
    for job in &receipt.jobs {
        let shown = next.show(*job).await;
        assert_eq!(shown.job.state.phase(), Phase::Waiting);
        assert_eq!(shown.attempts[0].ended, Ended::Expired);
    }
    let lost = next.engine.settle(claims[0].lease, done()).await;
    assert!(matches!(lost, Err(Error::LeaseLost(_))));
    let taken_back = |job: &JobId| Expired {
        job: *job,
        attempt: 1,
        phase: Phase::Waiting,
    };
    let taken_back: Vec<_> = receipt.jobs.iter().map(taken_back).collect();
    assert_eq!(next.claims(9).await.expired, taken_back, "it is told once");
    next.clock.pass(SECOND);
    let again = next.claims(9).await;
    assert_eq!((again.claims.len(), again.expired), (2, Vec::new()));

    bench.settle(&claims[0], done()).await;
    bench.settle(&claims[1], retry("no")).await;
    let (_folder, next) = killed(&path, &even());
    for job in &receipt.jobs {
        assert_eq!(next.show(*job).await, bench.show(*job).await);
    }
    assert_eq!(
        next.engine.stats().await.unwrap(),
        bench.engine.stats().await.unwrap()
    );
}

#[tokio::test]
async fn a_host_whose_policy_is_another_claims_what_was_there_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let (setup, clock) = setup(even(), Limits::default());
    let engine = Arc::new(Sqlite::open(&path, setup).unwrap());
    let bench = Bench { engine, clock };
    let later = NewJob {
        not_before: Some(START + 5000),
        ..job("a")
    };
    bench
        .engine
        .enqueue(batch(None, "", vec![later, job("a"), job("a")]))
        .await
        .unwrap();
    let ordered = Policy {
        ordered: true,
        ..even()
    };
    let (_folder, next) = killed(&path, &ordered);
    assert_eq!(next.claims(9).await.next, Some(START + 5000));
    let (_folder, next) = killed(&path, &even());
    assert_eq!(next.claim(9).await.len(), 2);
}

#[tokio::test]
async fn a_file_of_somebody_else_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "application_id", 7).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).unwrap();
    let (setup, _) = setup(even(), Limits::default());
    let error = Sqlite::open(&path, setup).err().unwrap();
    assert!(
        error.source.to_string().contains("not made for this"),
        "{}",
        error.source
    );
}

#[tokio::test]
async fn who_starts_with_a_clock_that_was_set_back_goes_on_from_the_newest_time_there_is() {
    let one = Policy {
        done: Keep {
            count: 1,
            ..even().done
        },
        ..even()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let (setup, clock) = setup(one.clone(), Limits::default());
    let engine = Arc::new(Sqlite::open(&path, setup).unwrap());
    let bench = Bench { engine, clock };
    let first = bench.jobs(&["a"]).await[0];
    // Each of these is the newest for once.
    bench.clock.pass(3600 * SECOND);
    let (_folder, next) = killed(&path, &one);
    assert_eq!(next.clock.now(), START);
    let claim = bench.one().await;
    let (_folder, next) = killed(&path, &one);
    assert_eq!(next.clock.now(), bench.clock.now());
    bench.clock.pass(SECOND);
    bench.settle(&claim, done()).await;
    let (_folder, next) = killed(&path, &one);
    assert_eq!(next.clock.now(), bench.clock.now());
    bench.clock.pass(SECOND);
    let second = bench.jobs(&["a"]).await[0];
    let (_folder, next) = killed(&path, &one);
    assert_eq!(next.clock.now(), bench.clock.now());

    // What ends after the start is newer than what had ended before it, and is kept in its place.
    let claim = next.one().await;
    assert_eq!(claim.lease.job, second);
    next.settle(&claim, done()).await;
    next.engine.prune().await.unwrap();
    assert!(next.engine.show(first).await.unwrap().is_none());
    assert_eq!(next.state(second).await.phase(), Phase::Done);
}

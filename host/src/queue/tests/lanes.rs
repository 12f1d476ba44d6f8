//! Which job is next: lanes, their turns, and what holds them back, over every engine.

use super::*;

fn names(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(|claim| claim.lane.as_str()).collect()
}

#[tokio::test]
async fn lanes_have_turns_however_long_one_of_them_is() {
    on_every_engine(async |bench| {
        bench
            .jobs(&["long", "long", "long", "long", "long", "long"])
            .await;
        bench.clock.pass(SECOND);
        assert_eq!(names(&bench.claim(2).await), ["long", "long"]);
        bench.jobs(&["a", "b"]).await;
        bench.clock.pass(SECOND);
        // Both have waited for longer than the long one, which was served when they came.
        assert_eq!(names(&bench.claim(3).await), ["long", "a", "b"]);
    })
    .await;
}

#[tokio::test]
async fn no_more_than_the_concurrency_of_queue_and_lane_is_claimed() {
    let policy = Policy {
        concurrency: 3,
        lane_concurrency: 2,
        ..even()
    };
    under(policy, async |bench| {
        bench.jobs(&["a", "a", "a", "b", "b"]).await;
        let claims = bench.claim(9).await;
        assert_eq!(claims.len(), 3);
        assert!(names(&claims).iter().filter(|lane| **lane == "a").count() <= 2);
        let full = bench.claims(9).await;
        assert_eq!(
            (full.claims, full.next),
            (Vec::new(), Some(claims[0].lease.until))
        );
        bench.settle(&claims[0], done()).await;
        assert_eq!(bench.claim(9).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_queue_does_not_take_the_jobs_or_the_concurrency_of_another() {
    let policy = Policy {
        concurrency: 1,
        ..even()
    };
    under(policy, async |bench| {
        let other = NewJob {
            queue: "other".into(),
            ..job("a")
        };
        bench
            .engine
            .enqueue(batch(None, "", vec![job("a"), other]))
            .await
            .unwrap();
        assert_eq!(bench.claim(9).await[0].queue, queue("mail"));
        let claims = bench.engine.claim(queue("other"), 9).await.unwrap().claims;
        assert_eq!(claims[0].queue, queue("other"));
        let nobody = QueueName {
            owner: "other".into(),
            ..queue("mail")
        };
        let refused = bench.engine.claim(nobody, 9).await;
        assert!(matches!(refused, Err(Error::NoSuchQueue(_))));
    })
    .await;
}

#[tokio::test]
async fn in_an_ordered_lane_only_the_oldest_unfinished_job_runs() {
    let policy = Policy {
        ordered: true,
        ..even()
    };
    under(policy, async |bench| {
        let ids = bench.jobs(&["a", "a", "a"]).await;
        let first = bench.claim(9).await;
        assert_eq!(first.len(), 1);
        bench.settle(&first[0], retry("no")).await;
        // The younger ones are due, and wait for it.
        let waiting = bench.claims(9).await;
        assert_eq!(
            (waiting.claims, waiting.next),
            (Vec::new(), Some(START + 1000))
        );
        bench.clock.pass(SECOND);
        let mut order = Vec::new();
        for _ in 0..3 {
            let claim = bench.one().await;
            order.push(claim.lease.job);
            bench.settle(&claim, done()).await;
        }
        assert_eq!(order, ids);
    })
    .await;
}

#[tokio::test]
async fn an_ordered_lane_goes_on_behind_a_dead_letter() {
    let policy = Policy {
        ordered: true,
        ..even()
    };
    under(policy, async |bench| {
        let ids = bench.jobs(&["a", "a"]).await;
        let claim = bench.one().await;
        let reason = "410".into();
        bench.settle(&claim, Outcome::Dead { reason }).await;
        assert_eq!(bench.one().await.lease.job, ids[1]);
    })
    .await;
}

#[tokio::test]
async fn a_lane_keeps_to_its_rate() {
    let policy = Policy {
        lane_rate: Some(Rate {
            count: 2,
            per: SECOND,
            burst: 2,
        }),
        ..even()
    };
    under(policy, async |bench| {
        bench.jobs(&["a", "a", "a", "a", "b"]).await;
        assert_eq!(bench.claim(9).await.len(), 3);
        assert_eq!(bench.claims(9).await.next, Some(START + 500));
        bench.clock.pass(SECOND / 2);
        assert_eq!(names(&bench.claim(9).await), ["a"]);
        bench.clock.pass(SECOND / 2);
        assert_eq!(names(&bench.claim(9).await), ["a"]);
    })
    .await;
}

#[tokio::test]
async fn a_lane_that_is_paused_waits_until_it_is_resumed() {
    on_every_engine(async |bench| {
        let change = |change| bench.engine.change_lane(queue("mail"), "a".into(), change);
        // Before there is a job in it.
        change(LaneChange::Pause).await.unwrap();
        bench.jobs(&["a", "b"]).await;
        assert_eq!(names(&bench.claim(9).await), ["b"]);
        change(LaneChange::Resume).await.unwrap();
        assert_eq!(names(&bench.claim(9).await), ["a"]);
    })
    .await;
}

#[tokio::test]
async fn a_lane_that_is_slowed_waits_for_its_time() {
    on_every_engine(async |bench| {
        let change = |change| bench.engine.change_lane(queue("mail"), "a".into(), change);
        bench.jobs(&["a", "b"]).await;
        change(LaneChange::SlowUntil(START + 3000)).await.unwrap();
        change(LaneChange::SlowUntil(START + 1000)).await.unwrap();
        assert_eq!(names(&bench.claim(9).await), ["b"]);
        bench.clock.pass(2 * SECOND);
        assert_eq!(bench.claim(9).await, []);
        bench.clock.pass(SECOND);
        assert_eq!(names(&bench.claim(9).await), ["a"]);
    })
    .await;
}

#[tokio::test]
async fn a_lane_that_fails_is_left_alone_and_then_tried_with_one_job() {
    let breaker = breaker::Settings {
        failures: 2,
        open: 10 * SECOND,
        most: 60 * SECOND,
    };
    let policy = Policy {
        breaker: Some(breaker),
        attempts: 9,
        ..even()
    };
    under(policy, async |bench| {
        bench.jobs(&["a", "a", "a", "a", "b"]).await;
        let claims = bench.claim(9).await;
        for claim in claims.iter().filter(|claim| claim.lane == "a") {
            bench.settle(claim, retry("no")).await;
        }
        bench.clock.pass(9 * SECOND);
        assert_eq!(bench.claim(9).await, []);
        bench.clock.pass(SECOND);
        let probe = bench.claim(9).await;
        assert_eq!(names(&probe), ["a"]);
        bench.settle(&probe[0], retry("no")).await;
        bench.clock.pass(19 * SECOND);
        assert_eq!(bench.claim(9).await, []);
        bench.clock.pass(SECOND);
        let probe = bench.claim(9).await;
        assert_eq!(names(&probe), ["a"]);
        bench.settle(&probe[0], done()).await;
        assert_eq!(bench.claim(9).await.len(), 3);
    })
    .await;
}

/// Opens after one failure, for ten seconds.
fn careful() -> Policy {
    let breaker = breaker::Settings {
        failures: 1,
        open: 10 * SECOND,
        most: 10 * SECOND,
    };
    Policy {
        breaker: Some(breaker),
        attempts: 1,
        ..even()
    }
}

#[tokio::test]
async fn whoever_retries_has_a_lane_that_is_left_alone_tried_with_one_job_now() {
    under(careful(), async |bench| {
        bench.jobs(&["a", "a"]).await;
        let claims = bench.claim(9).await;
        for claim in &claims {
            bench.settle(claim, retry("500")).await;
        }
        bench.jobs(&["a"]).await;
        assert_eq!(bench.claim(9).await, [], "it is left alone");
        let dead = Filter {
            phase: Some(Phase::Dead),
            ..Filter::default()
        };
        let retried = Change::Retry { done: false };
        let retried = bench.engine.change(dead, retried, None, 9).await.unwrap();
        assert_eq!(retried.count, 2);
        let probe = bench.one().await;
        assert_eq!(bench.claim(9).await, [], "one job finds out");
        bench.settle(&probe, done()).await;
        assert_eq!(bench.claim(9).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_lane_that_failed_goes_with_its_last_job_once_it_would_be_tried_again() {
    under(careful(), async |bench| {
        bench.jobs(&["a"]).await;
        bench.settle(&bench.one().await, retry("500")).await;
        let purged = bench
            .engine
            .change(Filter::default(), Change::Purge, None, 9);
        assert_eq!(purged.await.unwrap().count, 1);
        let lanes = async || {
            bench.engine.prune().await.unwrap();
            let lanes = bench.engine.lanes(queue("mail"), None, 9).await.unwrap();
            lanes.len()
        };
        assert_eq!(lanes().await, 1, "who comes back now is not to be tried");
        bench.clock.pass(10 * SECOND);
        assert_eq!(lanes().await, 0);
    })
    .await;
}

//! Claims, attempts and what comes of them, over every engine.

use super::*;

#[tokio::test]
async fn a_job_that_was_done_is_done_with_its_attempt() {
    on_every_engine(async |bench| {
        let id = bench.jobs(&["a"]).await[0];
        let claim = bench.one().await;
        assert!(
            matches!(bench.state(id).await, State::Claimed { until } if until == claim.lease.until)
        );
        bench.clock.pass(SECOND);
        assert_eq!(bench.settle(&claim, done()).await, Phase::Done);
        let shown = bench.show(id).await;
        let ended_at = START + 1000;
        assert_eq!(shown.job.state, State::Done { ended_at });
        assert_eq!(&shown.body[..], b"body");
        let attempt = Attempt {
            number: 1,
            started_at: START,
            ended_at,
            ended: Ended::Done,
            note: "200".into(),
        };
        assert_eq!(shown.attempts, [attempt]);
        bench.clock.pass(3600 * SECOND);
        assert_eq!(bench.claim(1).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_failed_waits_for_its_time_and_is_dead_after_the_last_attempt() {
    on_every_engine(async |bench| {
        let id = bench.jobs(&["a"]).await[0];
        for number in 1..=3 {
            let claims = bench.claims(1).await.claims;
            assert_eq!(claims[0].attempt, number);
            let phase = bench
                .settle(&claims[0], retry(&format!("no {number}")))
                .await;
            if number < 3 {
                assert_eq!(phase, Phase::Waiting);
                let due_at = bench.after(SECOND);
                assert_eq!(bench.state(id).await, State::Waiting { due_at });
                let early = bench.claims(1).await;
                assert_eq!((early.claims, early.next), (Vec::new(), Some(due_at)));
                bench.clock.pass(SECOND);
            } else {
                assert_eq!(phase, Phase::Dead);
            }
        }
        let ended_at = bench.clock.now();
        let reason = "no 3".to_owned();
        assert_eq!(bench.state(id).await, State::Dead { ended_at, reason });
        let notes = bench.show(id).await.attempts;
        let notes: Vec<_> = notes.iter().map(|attempt| attempt.note.as_str()).collect();
        assert_eq!(notes, ["no 1", "no 2", "no 3"]);
        assert_eq!(bench.claims(1).await.next, None);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_will_never_work_is_dead_at_once() {
    on_every_engine(async |bench| {
        let id = bench.jobs(&["a"]).await[0];
        let claim = bench.one().await;
        let reason = "410 gone".to_owned();
        let outcome = Outcome::Dead {
            reason: reason.clone(),
        };
        assert_eq!(bench.settle(&claim, outcome).await, Phase::Dead);
        let ended_at = START;
        assert_eq!(bench.state(id).await, State::Dead { ended_at, reason });
        assert_eq!(bench.show(id).await.attempts[0].ended, Ended::Dead);
    })
    .await;
}

#[tokio::test]
async fn retry_after_is_honoured_and_a_job_may_have_a_schedule_of_its_own() {
    on_every_engine(async |bench| {
        let own = NewJob {
            schedule: Some(vec![2 * SECOND, 7 * SECOND]),
            ..job("own")
        };
        let jobs = bench
            .engine
            .enqueue(batch(None, "", vec![job("a"), own]))
            .await
            .unwrap()
            .jobs;
        let after = Outcome::Retry {
            after: Some(30 * SECOND),
            reason: "429".into(),
        };
        let claim = bench.one().await;
        bench.settle(&claim, after).await;
        let due_at = START + 30_000;
        assert_eq!(bench.state(jobs[0]).await, State::Waiting { due_at });
        let nothing = bench.claims(9).await;
        assert_eq!(
            (nothing.claims, nothing.next),
            (Vec::new(), Some(START + 2000))
        );
        bench.clock.pass(2 * SECOND);
        let claim = bench.one().await;
        bench.settle(&claim, retry("no")).await;
        let due_at = START + 9000;
        assert_eq!(bench.state(jobs[1]).await, State::Waiting { due_at });
        bench.clock.pass(7 * SECOND);
        let claim = bench.one().await;
        assert_eq!(bench.settle(&claim, retry("no")).await, Phase::Dead);
    })
    .await;
}

#[tokio::test]
async fn a_job_is_not_begun_before_its_time() {
    on_every_engine(async |bench| {
        let later = NewJob {
            not_before: Some(START + 5000),
            ..job("a")
        };
        bench
            .engine
            .enqueue(batch(None, "", vec![later]))
            .await
            .unwrap();
        assert_eq!(bench.claims(1).await.next, Some(START + 5000));
        bench.clock.pass(5 * SECOND);
        assert_eq!(bench.claim(1).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn lease_expires_and_job_is_claimed_again() {
    on_every_engine(async |bench| {
        let id = bench.jobs(&["a"]).await[0];
        let first = bench.one().await;
        let ends = bench.claims(1).await;
        assert_eq!(
            (ends.claims, ends.next),
            (Vec::new(), Some(first.lease.until))
        );
        bench.clock.pass(Policy::default().lease);
        // It is an attempt like another: after it comes what the schedule says.
        let none = bench.claims(1).await;
        let taken_back = Expired {
            job: id,
            attempt: 1,
            phase: Phase::Waiting,
        };
        let next = Some(bench.after(SECOND));
        assert_eq!((none.expired, none.next), (vec![taken_back], next));
        assert_eq!(bench.claims(1).await.expired, []);
        bench.clock.pass(SECOND);
        let second = bench.one().await;
        assert_eq!((second.lease.job, second.attempt), (id, 2));
        let attempt = bench.show(id).await.attempts.remove(0);
        assert_eq!(attempt.ended, Ended::Expired);
        assert!(attempt.note.contains("lease expired"), "{}", attempt.note);
    })
    .await;
}

#[tokio::test]
async fn a_settled_job_cannot_be_settled_by_an_older_lease() {
    on_every_engine(async |bench| {
        let id = bench.jobs(&["a"]).await[0];
        let old = bench.one().await;
        bench.clock.pass(Policy::default().lease);
        bench.claim(1).await;
        bench.clock.pass(SECOND);
        let new = bench.one().await;
        let lost = |outcome| bench.engine.settle(old.lease, outcome);
        assert!(matches!(lost(done()).await, Err(Error::LeaseLost(of)) if of == id));
        assert_eq!(bench.engine.extend(vec![old.lease]).await.unwrap(), []);
        bench.engine.release(vec![old.lease]).await.unwrap();
        assert_eq!(bench.settle(&new, done()).await, Phase::Done);
        for lease in [old.lease, new.lease] {
            let again = bench.engine.settle(lease, retry("no")).await;
            assert!(matches!(again, Err(Error::LeaseLost(of)) if of == id));
        }
        assert_eq!(bench.show(id).await.attempts.len(), 2);
        assert_eq!(bench.state(id).await.phase(), Phase::Done);
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_is_extended_does_not_end() {
    on_every_engine(async |bench| {
        bench.jobs(&["a"]).await;
        let claim = bench.one().await;
        let mut lease = claim.lease;
        for _ in 0..5 {
            bench.clock.pass(Policy::default().lease - SECOND);
            let held = bench.engine.extend(vec![lease]).await.unwrap();
            assert_eq!(held[0].until, bench.after(Policy::default().lease));
            lease = held[0];
            assert_eq!(bench.claims(1).await.next, Some(lease.until));
        }
        // The token is what counts, not the time that is written on it.
        assert_eq!(bench.settle(&claim, done()).await, Phase::Done);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_is_released_is_due_at_once_and_no_attempt_is_counted() {
    on_every_engine(async |bench| {
        let id = bench.jobs(&["a"]).await[0];
        let first = bench.one().await;
        bench.engine.release(vec![first.lease]).await.unwrap();
        assert_eq!(bench.state(id).await, State::Waiting { due_at: START });
        let second = bench.one().await;
        assert_eq!(second.attempt, 1);
        assert!(second.lease.token > first.lease.token);
        assert_eq!(bench.show(id).await.attempts, []);
    })
    .await;
}

#[tokio::test]
async fn notes_are_cut_and_the_newest_attempts_are_kept() {
    let limits = Limits {
        note_bytes: 4,
        attempts_kept: 2,
        ..Limits::default()
    };
    within(even(), limits, async |bench| {
        let id = bench.jobs(&["a"]).await[0];
        for _ in 0..3 {
            let claim = bench.one().await;
            bench.settle(&claim, retry("abcé")).await;
            bench.clock.pass(SECOND);
        }
        let shown = bench.show(id).await;
        let kept: Vec<_> = shown
            .attempts
            .iter()
            .map(|a| (a.number, a.note.as_str()))
            .collect();
        assert_eq!(kept, [(2, "abc"), (3, "abc")]);
        assert_eq!(shown.job.attempts, 3);
    })
    .await;
}

//! What an operator sees and does, and what goes by itself, over every engine.

use super::*;

fn phase(phase: Phase) -> Filter {
    Filter {
        phase: Some(phase),
        ..Filter::default()
    }
}

async fn list(bench: &Bench, filter: Filter) -> Vec<JobId> {
    let jobs = bench.engine.list(filter, None, 100).await.unwrap();
    jobs.into_iter().map(|job| job.id).collect()
}

async fn change(bench: &Bench, filter: Filter, change: Change) -> u64 {
    let changed = bench.engine.change(filter, change, None, 100).await;
    changed.unwrap().count
}

/// One job that was done, one dead letter, one that is worked on, one that waits.
async fn one_of_each(bench: &Bench) -> Vec<JobId> {
    let ids = bench.jobs(&["done", "dead", "claimed", "waiting"]).await;
    let claims = bench.claim(3).await;
    bench.settle(&claims[0], done()).await;
    let reason = "410".into();
    bench.settle(&claims[1], Outcome::Dead { reason }).await;
    ids
}

#[tokio::test]
async fn jobs_are_listed_by_what_they_are_a_page_at_a_time() {
    on_every_engine(async |bench| {
        let ids = one_of_each(&bench).await;
        bench.clock.pass(SECOND);
        let later = bench.jobs(&["waiting"]).await;
        for (n, of) in [Phase::Done, Phase::Dead, Phase::Claimed]
            .into_iter()
            .enumerate()
        {
            assert_eq!(list(&bench, phase(of)).await, [ids[n]]);
        }
        assert_eq!(
            list(&bench, phase(Phase::Waiting)).await,
            [ids[3], later[0]]
        );
        let all = Filter::default;
        assert_eq!(
            list(
                &bench,
                Filter {
                    lane: Some("dead".into()),
                    ..all()
                }
            )
            .await,
            [ids[1]]
        );
        assert_eq!(
            list(
                &bench,
                Filter {
                    job: Some(ids[2]),
                    ..all()
                }
            )
            .await,
            [ids[2]]
        );
        assert_eq!(
            list(
                &bench,
                Filter {
                    batch: Some(ids[0].batch),
                    ..all()
                }
            )
            .await,
            ids
        );
        assert_eq!(
            list(
                &bench,
                Filter {
                    since: Some(START + 1000),
                    ..all()
                }
            )
            .await,
            later
        );
        for nobody in [
            Filter {
                owner: Some("else".into()),
                ..all()
            },
            Filter {
                queue: Some("other".into()),
                ..all()
            },
            Filter {
                since: Some(START + 1001),
                ..all()
            },
        ] {
            assert_eq!(list(&bench, nobody.clone()).await, []);
            assert_eq!(bench.engine.count(nobody).await.unwrap(), 0);
        }
        let mine = Filter {
            owner: Some("shop".into()),
            queue: Some("mail".into()),
            ..all()
        };
        assert_eq!(bench.engine.count(mine.clone()).await.unwrap(), 5);
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = bench.engine.list(mine.clone(), after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            seen.extend(page.iter().map(|job| job.id));
        }
        assert_eq!(seen, [&ids[..], &later[..]].concat());
    })
    .await;
}

#[tokio::test]
async fn a_dead_letter_that_is_retried_is_due_now_with_its_whole_schedule_and_its_history() {
    on_every_engine(async |bench| {
        let id = bench.jobs(&["a"]).await[0];
        for _ in 0..3 {
            let claim = bench.one().await;
            bench.settle(&claim, retry("no")).await;
            bench.clock.pass(SECOND);
        }
        let again = || Change::Retry { done: false };
        assert_eq!(change(&bench, phase(Phase::Dead), again()).await, 1);
        let claim = bench.one().await;
        assert_eq!(claim.attempt, 4);
        assert_eq!(bench.settle(&claim, retry("no")).await, Phase::Waiting);
        // What waits does not have to.
        assert_eq!(bench.claim(1).await, []);
        assert_eq!(change(&bench, Filter::default(), again()).await, 1);
        let claim = bench.one().await;
        assert_eq!(bench.settle(&claim, done()).await, Phase::Done);
        assert_eq!(bench.show(id).await.attempts.len(), 5);
        // What was done is done, unless somebody insists.
        assert_eq!(change(&bench, Filter::default(), again()).await, 0);
        let insist = Change::Retry { done: true };
        assert_eq!(change(&bench, Filter::default(), insist).await, 1);
        assert_eq!(bench.one().await.attempt, 6);
    })
    .await;
}

#[tokio::test]
async fn what_is_worked_on_is_not_changed_and_what_waits_is_not_purged() {
    on_every_engine(async |bench| {
        let ids = one_of_each(&bench).await;
        assert_eq!(change(&bench, Filter::default(), Change::Purge).await, 2);
        assert_eq!(list(&bench, Filter::default()).await, ids[2..]);
        assert_eq!(bench.engine.show(ids[0]).await.unwrap(), None);
        let reason = "not needed".to_owned();
        let bury = Change::Bury {
            reason: reason.clone(),
        };
        assert_eq!(change(&bench, Filter::default(), bury).await, 1);
        let ended_at = START;
        assert_eq!(bench.state(ids[3]).await, State::Dead { ended_at, reason });
        assert_eq!(bench.state(ids[2]).await.phase(), Phase::Claimed);
        assert_eq!(bench.claim(9).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_change_of_many_is_made_in_steps_that_go_on_where_the_last_one_ended() {
    on_every_engine(async |bench| {
        bench.jobs(&["a"; 5]).await;
        let (mut after, mut steps) = (None, Vec::new());
        loop {
            let reason = "no".into();
            let step = bench
                .engine
                .change(Filter::default(), Change::Bury { reason }, after, 2);
            let changed = step.await.unwrap();
            steps.push(changed.count);
            after = changed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(steps, [2, 2, 1]);
        assert_eq!(bench.engine.count(phase(Phase::Dead)).await.unwrap(), 5);
    })
    .await;
}

#[tokio::test]
async fn depth_and_age_are_told_by_queue_by_lane_and_by_batch() {
    on_every_engine(async |bench| {
        let ids = one_of_each(&bench).await;
        let each = Depth {
            waiting: 1,
            claimed: 1,
            done: 1,
            dead: 1,
        };
        let stats = bench.engine.stats().await.unwrap();
        assert_eq!(stats.len(), 1);
        assert_eq!((&stats[0].queue, stats[0].depth), (&queue("mail"), each));
        assert_eq!(stats[0].oldest_due_at, Some(START));
        let status = bench.engine.batch(ids[0].batch).await.unwrap().unwrap();
        assert_eq!((status.jobs, status.depth), (4, each));
        bench
            .engine
            .change_lane(queue("mail"), "waiting".into(), LaneChange::Pause)
            .await
            .unwrap();
        let lanes = bench
            .engine
            .lanes(queue("mail"), Some("dead".into()), 9)
            .await
            .unwrap();
        let lanes: Vec<_> = lanes
            .iter()
            .map(|l| (l.lane.as_str(), l.paused, l.depth.waiting))
            .collect();
        assert_eq!(lanes, [("done", false, 0), ("waiting", true, 1)]);
    })
    .await;
}

#[tokio::test]
async fn lanes_are_counted_once_by_what_holds_them_back() {
    let policy = Policy {
        breaker: Some(breaker::Settings {
            failures: 1,
            open: SECOND,
            most: SECOND,
        }),
        ..even()
    };
    under(policy, async |bench| {
        bench.jobs(&["broken"]).await;
        bench.settle(&bench.one().await, retry("500")).await;
        bench.jobs(&["open", "paused", "slowed"]).await;
        let slow = LaneChange::SlowUntil(bench.after(SECOND));
        for (lane, change) in [
            ("paused", LaneChange::Pause),
            ("paused", slow),
            ("slowed", slow),
        ] {
            let changed = bench.engine.change_lane(queue("mail"), lane.into(), change);
            changed.await.unwrap();
        }
        let mut each = Lanes {
            paused: 1,
            broken: 1,
            slowed: 1,
            open: 1,
        };
        assert_eq!(bench.engine.stats().await.unwrap()[0].lanes, each);
        bench.clock.pass(SECOND);
        (each.slowed, each.open) = (0, 2);
        assert_eq!(bench.engine.stats().await.unwrap()[0].lanes, each);
    })
    .await;
}

#[tokio::test]
async fn what_is_too_old_or_too_many_is_removed_and_its_key_with_it() {
    let hour = 3600 * SECOND;
    let policy = Policy {
        done: Keep {
            age: hour,
            count: 3,
        },
        dead: Keep {
            age: 2 * hour,
            count: 3,
        },
        ..even()
    };
    under(policy, async |bench| {
        let keyed = || batch(Some("order-1"), "body", vec![job("a")]);
        let first = bench.engine.enqueue(keyed()).await.unwrap();
        bench.jobs(&["b", "c", "d", "e"]).await;
        let claims = bench.claim(9).await;
        assert_eq!(claims.len(), 5);
        for (claim, n) in claims.iter().zip(0..) {
            let reason = "410".to_owned();
            let outcome = if n < 4 {
                done()
            } else {
                Outcome::Dead { reason }
            };
            bench.settle(claim, outcome).await;
        }
        let end = START + 3600 * 1000;
        let pruned = bench.engine.prune().await.unwrap();
        // One job too many, and its lane.
        assert_eq!(
            pruned,
            Pruned {
                removed: 2,
                next: Some(end)
            }
        );
        assert_eq!(bench.engine.show(first.jobs[0]).await.unwrap(), None);
        // The key is remembered for as long as others are kept.
        let again = bench.engine.enqueue(keyed()).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.jobs, first.jobs);
        bench.clock.pass(hour);
        let pruned = bench.engine.prune().await.unwrap();
        assert_eq!(pruned.next, Some(START + 2 * 3600 * 1000));
        assert_eq!(bench.engine.count(Filter::default()).await.unwrap(), 1);
        assert!(!bench.engine.enqueue(keyed()).await.unwrap().replayed);
        assert_eq!(bench.engine.batch(first.batch).await.unwrap(), None);
        bench.clock.pass(hour);
        bench.engine.prune().await.unwrap();
        assert_eq!(bench.engine.count(phase(Phase::Dead)).await.unwrap(), 0);
        assert_eq!(bench.claim(9).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_batch_whose_jobs_are_gone_goes_when_it_is_old_or_too_many_came_behind_it() {
    let policy = Policy {
        done: Keep {
            age: 3600 * SECOND,
            count: 2,
        },
        ..even()
    };
    under(policy, async |bench| {
        let keyed = |key: &'static str| batch(Some(key), "body", vec![job("a")]);
        let mut receipts = Vec::new();
        for key in ["1", "2", "3", "4"] {
            receipts.push(bench.engine.enqueue(keyed(key)).await.unwrap());
            bench.settle(&bench.one().await, done()).await;
        }
        let known = async |receipt: &Receipt| {
            bench.engine.prune().await.unwrap();
            bench.engine.batch(receipt.batch).await.unwrap().is_some()
        };
        // Jobs of two are kept, and batches without them if fewer than two came behind.
        assert!(!known(&receipts[0]).await && !known(&receipts[1]).await);
        let purged = bench
            .engine
            .change(Filter::default(), Change::Purge, None, 9);
        assert_eq!(purged.await.unwrap().count, 2);
        assert!(known(&receipts[2]).await && known(&receipts[3]).await);
        assert!(bench.engine.enqueue(keyed("3")).await.unwrap().replayed);
        // Whose it was does not matter.
        let others = NewBatch {
            owner: "other".into(),
            ..batch(None, "", Vec::new())
        };
        bench.engine.enqueue(others).await.unwrap();
        assert!(!known(&receipts[2]).await && known(&receipts[3]).await);
        assert!(!bench.engine.enqueue(keyed("3")).await.unwrap().replayed);
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_is_told_of_what_can_be_claimed() {
    on_every_engine(async |bench| {
        let mut changed = bench.engine.changed();
        bench.jobs(&["a"]).await;
        assert!(changed.has_changed().unwrap());
        changed.mark_unchanged();
        let claim = bench.one().await;
        assert!(!changed.has_changed().unwrap());
        bench.settle(&claim, done()).await;
        assert!(changed.has_changed().unwrap());
    })
    .await;
}

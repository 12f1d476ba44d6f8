//! Both engines, told the same, say the same: over generated operations, with one clock for each that is moved
//! alike. And what the file says twice, in its jobs and in its counts, is the same as well.

use super::*;
use crate::cases::cases;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Enqueue(Option<u8>, u8, Vec<(u8, u16, bool)>),
    Claim(usize),
    /// One of the leases that there were, and what came of it.
    Settle(usize, u8),
    Extend(usize),
    Release(usize),
    Lane(u8, u8),
    Change(u8, Option<u8>, Option<u8>, usize),
    Prune,
    Pass(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let jobs = vec((0_u8..3, 0_u16..3000, prop::bool::weighted(0.2)), 0..4);
    prop_oneof![
        4 => (option::weighted(0.3, 0_u8..3), 0_u8..2, jobs)
            .prop_map(|(key, body, jobs)| Step::Enqueue(key, body, jobs)),
        6 => (0_usize..5).prop_map(Step::Claim),
        8 => (0_usize..6, 0_u8..8).prop_map(|(lease, outcome)| Step::Settle(lease, outcome)),
        1 => (0_usize..6).prop_map(Step::Extend),
        1 => (0_usize..6).prop_map(Step::Release),
        1 => (0_u8..3, 0_u8..4).prop_map(|(lane, change)| Step::Lane(lane, change)),
        2 => (0_u8..4, option::of(0_u8..4), option::of(0_u8..3), 0_usize..4)
            .prop_map(|(change, phase, lane, most)| Step::Change(change, phase, lane, most)),
        1 => Just(Step::Prune),
        6 => (0_u32..9000).prop_map(Step::Pass),
        1 => (50_000_u32..200_000).prop_map(Step::Pass),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 1_u32..4).prop_map(
        |(ordered, paced, breaks, lane_concurrency)| Policy {
            ordered,
            lane_concurrency,
            concurrency: 4,
            jitter: 20,
            lane_rate: paced.then_some(Rate {
                count: 2,
                per: SECOND,
                burst: 2,
            }),
            breaker: breaks.then_some(breaker::Settings {
                failures: 2,
                open: 3 * SECOND,
                most: 9 * SECOND,
            }),
            done: Keep {
                age: 60 * SECOND,
                count: 5,
            },
            dead: Keep {
                age: 90 * SECOND,
                count: 5,
            },
            ..even()
        },
    )
}

fn lane(number: u8) -> String {
    format!("lane-{number}")
}

fn phase(number: u8) -> Phase {
    Phase::ALL[usize::from(number % 4)]
}

/// Does one step; what the engine says, in words.
async fn take(bench: &Bench, step: &Step, leases: &mut Vec<Lease>) -> String {
    let engine = &bench.engine;
    let nth = |leases: &[Lease], nth: usize| leases.iter().rev().nth(nth).copied();
    match step {
        Step::Enqueue(key, body, jobs) => {
            let jobs = jobs.iter().map(|(number, later, own)| NewJob {
                not_before: (later % 3 == 0).then_some(START + u64::from(*later) * 20),
                schedule: own.then(|| vec![SECOND, 2 * SECOND]),
                ..job(&lane(*number))
            });
            let key = key.map(|key| format!("key-{key}"));
            let body = ["one", "two"][usize::from(*body)];
            let new = batch(key.as_deref(), body, jobs.collect());
            format!("{:?}", engine.enqueue(new).await)
        }
        Step::Claim(most) => {
            let claims = engine.claim(queue("mail"), *most).await;
            if let Ok(claims) = &claims {
                leases.extend(claims.claims.iter().map(|claim| claim.lease));
            }
            format!("{claims:?}")
        }
        Step::Settle(lease, outcome) => {
            let Some(lease) = nth(leases, *lease) else {
                return String::new();
            };
            let outcome = match outcome {
                0..=2 => done(),
                3 => Outcome::Dead {
                    reason: "410".into(),
                },
                4 => Outcome::Retry {
                    after: Some(5 * SECOND),
                    reason: "429".into(),
                },
                _ => retry("500"),
            };
            format!("{:?}", engine.settle(lease, outcome).await)
        }
        Step::Extend(lease) => {
            let leases = nth(leases, *lease).into_iter().collect();
            format!("{:?}", engine.extend(leases).await)
        }
        Step::Release(lease) => {
            let leases = nth(leases, *lease).into_iter().collect();
            format!("{:?}", engine.release(leases).await)
        }
        Step::Lane(number, change) => {
            let change = match change {
                0 => LaneChange::Pause,
                1 => LaneChange::SlowUntil(bench.clock.now() + 4000),
                _ => LaneChange::Resume,
            };
            let changed = engine.change_lane(queue("mail"), lane(*number), change);
            format!("{:?}", changed.await)
        }
        Step::Change(change, of, number, most) => {
            let filter = Filter {
                phase: of.map(phase),
                lane: number.map(lane),
                ..Filter::default()
            };
            let change = match change {
                0 => Change::Purge,
                1 => Change::Bury {
                    reason: "enough".into(),
                },
                2 => Change::Retry { done: true },
                _ => Change::Retry { done: false },
            };
            format!("{:?}", engine.change(filter, change, None, *most).await)
        }
        Step::Prune => format!("{:?}", engine.prune().await),
        Step::Pass(millis) => {
            bench.clock.pass(Duration::from_millis((*millis).into()));
            String::new()
        }
    }
}

/// All that can be seen.
async fn seen(bench: &Bench) -> String {
    let engine = &bench.engine;
    let jobs = engine.list(Filter::default(), None, 1000).await.unwrap();
    let mut shown = Vec::new();
    for job in &jobs {
        shown.push(engine.show(job.id).await.unwrap());
        shown.push(None);
    }
    let lanes = engine.lanes(queue("mail"), None, 100).await.unwrap();
    let mut depth = Depth::default();
    for lane in &lanes {
        for of in Phase::ALL {
            *depth.of(of) += *lane.depth.clone().of(of);
        }
    }
    let stats = engine.stats().await.unwrap();
    let of_queue = stats.first().map_or(Depth::default(), |stats| stats.depth);
    assert_eq!(depth, of_queue);
    let oldest = stats.first().and_then(|stats| stats.oldest_due_at);
    format!("{shown:?} {lanes:?} {oldest:?}")
}

/// What a file says twice and not alike.
fn contradictions(path: &std::path::Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut found = Vec::new();
    for (table, column) in [("lane", "lane"), ("queue", "queue")] {
        for (phase, name) in ["waiting", "claimed", "done", "dead"].iter().enumerate() {
            let text = format!(
                "SELECT count(*) FROM {table} t WHERE {name} <>
                 (SELECT count(*) FROM job WHERE job.{column} = t.id AND phase = {phase})"
            );
            found.push((text.clone(), text));
        }
    }
    let attempts = "SELECT count(*) FROM attempt WHERE job NOT IN (SELECT seq FROM job)";
    let left = "SELECT count(*) FROM batch WHERE remaining <>
        (SELECT count(*) FROM job WHERE job.seq / 65536 = batch.seq)";
    found.push(("attempts".into(), attempts.into()));
    found.push(("batches".into(), left.into()));
    let wrong = found.into_iter().filter(|(_, text)| {
        let count: i64 = connection.query_row(text, [], |row| row.get(0)).unwrap();
        count > 0
    });
    wrong.map(|(what, _)| what).collect()
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn both_engines_say_the_same(policy in policy(), steps in vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (in_memory, clock) = setup(policy.clone(), Limits::default());
        let memory = Bench { engine: Arc::new(Memory::new(in_memory)), clock };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let (in_file, clock) = setup(policy, Limits::default());
        let sqlite = Bench { engine: Arc::new(Sqlite::open(&path, in_file).unwrap()), clock };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        runtime.block_on(async {
            for step in &steps {
                let said = take(&memory, step, &mut ours).await;
                assert_eq!(said, take(&sqlite, step, &mut theirs).await, "{step:?}");
            }
            assert_eq!(seen(&memory).await, seen(&sqlite).await);
        });
        prop_assert_eq!(contradictions(&path), Vec::<String>::new());
    }
}

//! What an operator means by what he types, over every engine.

use super::super::operator::{Of, PORTION, Refused, Selection};
use super::*;

fn named(jobs: &[JobId]) -> Selection {
    Selection {
        jobs: jobs.to_vec(),
        ..Selection::default()
    }
}

fn fits(change: impl FnOnce(&mut Filter)) -> Selection {
    let mut selection = Selection::default();
    change(&mut selection.filter);
    selection
}

fn of<'a>(bench: &'a Bench, configured: &'a [QueueName]) -> Of<'a> {
    Of {
        engine: &*bench.engine,
        configured,
    }
}

/// What is said to whoever lists, counts or changes; the same each time.
async fn refused(bench: &Bench, which: &Selection, configured: &[QueueName]) -> String {
    let of = of(bench, configured);
    let said = [
        which.list(of, None, 9).await.unwrap_err(),
        which.count(of, &Change::Purge).await.unwrap_err(),
        which.change(of, &Change::Purge, None).await.unwrap_err(),
    ];
    let said = said.map(|error| {
        assert!(matches!(error, Refused::Unknown { .. }), "{error:?}");
        error.to_string()
    });
    assert!(said[0] == said[1] && said[1] == said[2], "{said:?}");
    said[0].clone()
}

#[tokio::test]
async fn a_name_that_nothing_has_is_refused_with_those_that_there_are() {
    on_every_engine(async |bench| {
        let owner = |name: &str| fits(|filter| filter.owner = Some(name.into()));
        let queued = |name: &str| fits(|filter| filter.queue = Some(name.into()));
        let lane = |name: &str| fits(|filter| filter.lane = Some(name.into()));
        let said = refused(&bench, &queued("mail"), &[]).await;
        assert_eq!(
            said,
            "queue `mail` is not there: there is none that has jobs"
        );
        bench.jobs(&["b", "a"]).await;
        let changed = bench
            .engine
            .change_lane(queue("mail"), "c".into(), LaneChange::Pause);
        changed.await.unwrap();
        for known in [
            owner("shop"),
            queued("mail"),
            lane("a"),
            lane("c"),
            named(&[]),
        ] {
            known.count(of(&bench, &[]), &Change::Purge).await.unwrap();
        }
        let said = refused(&bench, &owner("mall"), &[]).await;
        assert_eq!(said, "component `mall` is not there: there is `shop`");
        // One that is configured and had no jobs yet.
        let configured = [queue("mail"), queue("other")];
        let there = of(&bench, &configured);
        assert_eq!(queued("other").list(there, None, 9).await.unwrap(), []);
        let said = refused(&bench, &queued("post"), &configured).await;
        assert_eq!(said, "queue `post` is not there: there are `mail`, `other`");
        let said = refused(&bench, &lane("d"), &configured).await;
        assert_eq!(said, "lane `d` is not there: there are `a`, `b`, `c`");
        bench.jobs(&["d", "e", "f"]).await;
        let said = refused(&bench, &lane("g"), &[]).await;
        assert_eq!(
            said,
            "lane `g` is not there: there are `a`, `b`, `c`, `d`, `e` and others"
        );
        // A lane of another queue is none of this one's.
        let mut elsewhere = lane("a");
        elsewhere.filter.queue = Some("other".into());
        let said = refused(&bench, &elsewhere, &configured).await;
        assert_eq!(said, "lane `a` is not there: there is none that has jobs");
    })
    .await;
}

#[tokio::test]
async fn jobs_that_are_named_are_listed_and_changed_in_the_order_of_their_names() {
    on_every_engine(async |bench| {
        let ids = bench.jobs(&["lane"; 230]).await;
        let mut mixed: Vec<_> = ids[..220].iter().rev().copied().collect();
        mixed.push(ids[7]);
        let which = named(&mixed);
        let listed = which.list(of(&bench, &[]), Some(ids[4]), 3).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|job| job.id).collect();
        assert_eq!(listed, ids[5..8]);
        let bury = Change::Bury {
            reason: "late".into(),
        };
        assert_eq!(which.count(of(&bench, &[]), &bury).await.unwrap(), 220);
        assert_eq!(
            which.count(of(&bench, &[]), &Change::Purge).await.unwrap(),
            0
        );
        let (mut after, mut counts) = (None, Vec::new());
        loop {
            let portion = which.change(of(&bench, &[]), &bury, after).await.unwrap();
            counts.push(portion.count);
            after = portion.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(counts, [100, 100, 20]);
        let waiting = fits(|filter| filter.phase = Some(Phase::Waiting));
        let left = waiting.list(of(&bench, &[]), None, 100).await.unwrap();
        let left: Vec<_> = left.iter().map(|job| job.id).collect();
        assert_eq!(left, ids[220..]);
    })
    .await;
}

#[tokio::test]
async fn a_lane_that_goes_while_its_jobs_are_removed_is_no_wrong_name() {
    on_every_engine(async |bench| {
        bench.jobs(&["lane"; PORTION]).await;
        let which = fits(|filter| filter.lane = Some("lane".into()));
        let none = of(&bench, &[]);
        let bury = Change::Bury {
            reason: "late".into(),
        };
        which.change(none, &bury, None).await.unwrap();
        let first = which.change(none, &Change::Purge, None).await.unwrap();
        assert_eq!(first.count, PORTION as u64);
        while bench.engine.prune().await.unwrap().removed > 0 {}
        assert_eq!(
            bench.engine.lanes(queue("mail"), None, 9).await.unwrap(),
            []
        );
        let second = which
            .change(none, &Change::Purge, first.next)
            .await
            .unwrap();
        assert_eq!((second.count, second.next), (0, None));
        // Who begins anew has no such lane.
        assert!(
            refused(&bench, &which, &[])
                .await
                .starts_with("lane `lane` is not there")
        );
    })
    .await;
}

//! The laws of reading a queue's table.

use std::path::Path;

use super::*;
use crate::manifest::{Mistakes, read_app};
use crate::queue::Keep;

#[test]
fn a_queues_table_is_its_policy_and_all_that_is_wrong_in_it_is_told() {
    let app = |table: &str| {
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"a\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"c\"\n[component.c]\nsource = \"c.wasm\"\n\
             [component.c.tool.signet.queue.jobs]\n{table}\n"
        );
        read_app(&text, Path::new("spin.toml"))
    };
    let read = app("schedule_ms = [0, 100]\nordered = true\nlane_rate_per_s = 5\nkeep_done_ms = 9")
        .unwrap();
    let policy = &read.components[0].queues[&Label::new("jobs")];
    let expected = Policy {
        schedule: vec![Duration::ZERO, Duration::from_millis(100)],
        attempts: 2,
        ordered: true,
        lane_rate: Some(Rate {
            count: 5,
            per: Duration::from_secs(1),
            burst: 1,
        }),
        done: Keep {
            age: Duration::from_millis(9),
            ..Policy::default().done
        },
        ..Policy::default()
    };
    assert_eq!(*policy, expected);
    assert_eq!(
        app("").unwrap().components[0].queues[&Label::new("jobs")],
        Policy::default()
    );
    let Mistakes(wrong) = app(
        "timeout_ms = 60000\njitter_percent = 101\nlane_burst = 2\nschedule_ms = [-1]\nattempt = 3\noutlasts = \"patience\"",
    )
    .unwrap_err();
    let words: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    for part in [
        "spin.toml:9:",
        "is not longer than the timeout",
        "jitter is 101 per cent",
        "add `lane_rate_per_s`",
        "must be above zero",
        "did you mean `attempts`",
        "`patience` is not among the component's variables",
    ] {
        assert!(
            words.iter().any(|line| line.contains(part)),
            "{part}: {words:#?}"
        );
    }
}

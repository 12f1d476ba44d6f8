//! `[component.NAME.tool.signet.queue.QUEUE]`: a queue of the component, and how it is worked on. The table is
//! the grant; an empty one takes all defaults. Comes in: the component's table; goes out: policies that can be
//! kept. Never knows a default itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bound::{Bound, Set};
use super::label::label;
use super::limits;
use super::reader::{Item, Table};
use crate::capability::Label;
use crate::queue::{Policy, Rate};

/// The keys that are no bounds.
const OTHERS: [&str; 6] = [
    "schedule_ms",
    "jitter_percent",
    "ordered",
    "lane_rate_per_s",
    "lane_burst",
    OUTLASTS,
];

/// The key that names a variable: its milliseconds have to be less than the queue's timeout.
const OUTLASTS: &str = "outlasts";

/// A component's queues, and the variable that each one's timeout outlasts, where its table names one.
#[derive(Default)]
pub(super) struct Queues {
    pub(super) policies: BTreeMap<Label, Policy>,
    pub(super) outlasted: BTreeMap<Label, String>,
}

/// Reads the queues of a component; `variable` reads the name of one of its variables.
pub(super) fn read(settings: &Table<'_>, variable: impl Fn(&Item<'_>) -> Option<String>) -> Queues {
    let mut queues = Queues::default();
    for item in settings.entries("queue") {
        let label = label(item.key, item.source, &item.key_at);
        let Some(table) = item.table() else { continue };
        let policy = policy(&table);
        if let Err(wrong) = policy.check() {
            for error in wrong {
                item.source
                    .mistake(&item.key_at, format!("`{}`: {error}", item.name()));
            }
        }
        let named = table.get(OUTLASTS).and_then(|item| variable(&item));
        let Some(label) = label else { continue };
        if let Some(named) = named {
            queues.outlasted.insert(label.clone(), named);
        }
        queues.policies.insert(label, policy);
    }
    queues
}

fn policy(table: &Table<'_>) -> Policy {
    let mut policy = Policy::default();
    if let Some(schedule) = table.get("schedule_ms") {
        let delays = schedule.list().into_iter();
        let delays = delays.filter_map(|delay| delay.number_or_zero());
        policy.schedule = delays.map(Duration::from_millis).collect();
        // As many attempts as delays, unless `attempts` says otherwise.
        policy.attempts = u32::try_from(policy.schedule.len()).unwrap_or(u32::MAX);
    }
    let bounds: &'static [Bound<Policy>] = limits::QUEUE;
    let mut policy = Set::read(table, bounds, &OTHERS).over(policy);
    if let Some(item) = table.get("jitter_percent")
        && let Some(jitter) = item.number_or_zero()
    {
        policy.jitter = u8::try_from(jitter).unwrap_or(u8::MAX);
    }
    if let Some(ordered) = table.get("ordered").and_then(|item| item.boolean()) {
        policy.ordered = ordered;
    }
    let whole = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let burst = table.number("lane_burst").map(whole);
    policy.lane_rate = table.number("lane_rate_per_s").map(|count| Rate {
        count: whole(count),
        per: Duration::from_secs(1),
        burst: burst.unwrap_or(1),
    });
    if let (Some(_), None, Some(item)) = (burst, policy.lane_rate, table.get("lane_burst")) {
        item.mistake(format!(
            "`{}` has no rate that it belongs to: add `lane_rate_per_s`",
            item.name()
        ));
    }
    policy
}

#[cfg(test)]
#[path = "tests/queue.rs"]
mod tests;

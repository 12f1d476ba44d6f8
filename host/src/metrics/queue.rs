//! What is counted of one queue: attempts as they end here, and, when somebody asks, the jobs that there are. Comes
//! in: attempts, and what the engine last said; goes out: the same under the queue's name. Never asks an engine.

use std::sync::Arc;

use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::{Counter, Labels, Present};
use super::{Gauge, component::family};

/// The counts of one queue.
#[derive(Default)]
pub struct Queue {
    attempts: [Counter; 4],
    running: Gauge,
    /// Leases that ended before anybody said what came of the job.
    pub leases_expired: Counter,
    jobs: [Gauge; 4],
    oldest_due: Gauge,
    lanes: [Gauge; 4],
}

/// What the engine says of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// How many jobs wait, are claimed, are done, are dead.
    pub jobs: [u64; 4],
    /// For how many seconds the job that is due first has been due.
    pub oldest_due: u64,
    /// How many lanes are open, slowed, paused, have an open breaker.
    pub lanes: [u64; 4],
}

/// The names of what [`Found`] has, in its order.
const JOBS: [&str; 4] = ["waiting", "claimed", "done", "dead"];
const LANES: [&str; 4] = ["open", "slowed", "paused", "breaker-open"];

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It worked.
    Done,
    /// It is tried again, or was given up for that.
    Retry,
    /// It will never work.
    Dead,
    /// Its time was up, its lease was lost, or the host stops.
    Dropped,
}

const ENDED: [(Ended, &str); 4] = [
    (Ended::Done, "done"),
    (Ended::Retry, "retry"),
    (Ended::Dead, "dead"),
    (Ended::Dropped, "dropped"),
];

/// An attempt that is under way.
pub struct Attempt {
    queue: Arc<Queue>,
    ended: Ended,
    _running: Present,
}

impl Queue {
    /// Notes that an attempt begins.
    pub fn attempt(self: &Arc<Self>) -> Attempt {
        Attempt {
            queue: Arc::clone(self),
            ended: Ended::Dropped,
            _running: Present::new(&self.running),
        }
    }

    /// Shows what was found, until something else is.
    pub fn found(&self, found: &Found) {
        let set = |gauge: &Gauge, count: u64| {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        for (gauge, count) in self.jobs.iter().zip(found.jobs) {
            set(gauge, count);
        }
        for (gauge, count) in self.lanes.iter().zip(found.lanes) {
            set(gauge, count);
        }
        set(&self.oldest_due, found.oldest_due);
    }
}

impl Attempt {
    /// Notes how it ended. One that is dropped before was dropped.
    pub fn ended(mut self, ended: Ended) {
        self.ended = ended;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut counters = ENDED.iter().zip(&self.queue.attempts);
        if let Some((_, counter)) = counters.find(|((ended, _), _)| *ended == self.ended) {
            counter.inc();
        }
    }
}

/// What all queues have, by name.
pub(super) struct Families {
    attempts: Family<Labels, Counter>,
    running: Family<Labels, Gauge>,
    leases_expired: Family<Labels, Counter>,
    jobs: Family<Labels, Gauge>,
    oldest_due: Family<Labels, Gauge>,
    lanes: Family<Labels, Gauge>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        Self {
            attempts: family(
                registry,
                "queue_attempts",
                "Attempts at the jobs of a queue, by how they ended",
            ),
            running: family(registry, "queue_running", "Attempts that are under way"),
            leases_expired: family(
                registry,
                "queue_leases_expired",
                "Leases that ended before anybody said what came of the job",
            ),
            jobs: family(
                registry,
                "queue_jobs",
                "Jobs of a queue, by where they stand",
            ),
            oldest_due: family(
                registry,
                "queue_oldest_due_seconds",
                "For how long the job that is due first has been due",
            ),
            lanes: family(
                registry,
                "queue_lanes",
                "Lanes of a queue, by what holds them back",
            ),
        }
    }

    pub(super) fn queue(&self, app: &str, component: &str, queue: &str) -> Queue {
        let labels: Labels = vec![
            ("app", app.to_owned()),
            ("component", component.to_owned()),
            ("queue", queue.to_owned()),
        ];
        let with = |name, value: &str| {
            let more = std::iter::once((name, value.to_owned()));
            labels.iter().cloned().chain(more).collect::<Labels>()
        };
        let attempts = |outcome| self.attempts.get_or_create_owned(&with("outcome", outcome));
        Queue {
            attempts: ENDED.map(|(_, outcome)| attempts(outcome)),
            running: self.running.get_or_create_owned(&labels),
            leases_expired: self.leases_expired.get_or_create_owned(&labels),
            jobs: JOBS.map(|state| self.jobs.get_or_create_owned(&with("state", state))),
            oldest_due: self.oldest_due.get_or_create_owned(&labels),
            lanes: LANES.map(|state| self.lanes.get_or_create_owned(&with("state", state))),
        }
    }
}

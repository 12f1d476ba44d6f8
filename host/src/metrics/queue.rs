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
}

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
        }
    }

    pub(super) fn queue(&self, app: &str, component: &str, queue: &str) -> Queue {
        let labels: Labels = vec![
            ("app", app.to_owned()),
            ("component", component.to_owned()),
            ("queue", queue.to_owned()),
        ];
        Queue {
            attempts: ENDED.map(|(_, outcome)| {
                let outcome = std::iter::once(("outcome", outcome.to_owned()));
                let labels = labels.iter().cloned().chain(outcome).collect();
                self.attempts.get_or_create_owned(&labels)
            }),
            running: self.running.get_or_create_owned(&labels),
        }
    }
}

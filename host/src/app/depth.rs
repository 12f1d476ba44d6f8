//! How full an app's queues are, for whoever asks for the counts. Comes in: what the engine says; goes out: the same
//! where it is counted. Never looks while nobody asks, and never keeps an engine open.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capability::queue::Shared;
use crate::metrics::{Found, Queue, Source};
use crate::queue::{QueueName, QueueStatus};

/// What brings the counts of an app's queues up to date.
pub(super) fn source(queues: &Shared, counts: BTreeMap<QueueName, Arc<Queue>>) -> Source {
    let counts = Arc::new(counts);
    let clock = Arc::clone(&queues.setup().clock);
    // Whoever asks last must not be who closes the file.
    let engine = Arc::downgrade(queues.engine());
    Box::new(move || {
        let (counts, clock, engine) = (Arc::clone(&counts), Arc::clone(&clock), engine.upgrade());
        Box::pin(async move {
            let Some(engine) = engine else { return };
            match engine.stats().await {
                Ok(stats) => {
                    for status in &stats {
                        if let Some(queue) = counts.get(&status.queue) {
                            queue.found(&found(status, clock.now()));
                        }
                    }
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the jobs of the queues cannot be counted");
                }
            }
        })
    })
}

fn found(status: &QueueStatus, now: u64) -> Found {
    let (depth, lanes) = (status.depth, status.lanes);
    let late = status.oldest_due_at.map(|at| now.saturating_sub(at) / 1000);
    Found {
        jobs: [depth.waiting, depth.claimed, depth.done, depth.dead],
        oldest_due: late.unwrap_or(0),
        lanes: [lanes.open, lanes.slowed, lanes.paused, lanes.broken],
    }
}

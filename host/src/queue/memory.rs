//! A queue in memory: it is gone with the app. For trying things out, and to keep the trait honest. Comes in and
//! goes out: what the trait says. Never touches a disk, never grows beyond its limit.

mod content;

use super::*;
use content::Content;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Batches and jobs, and who waits for a change of them.
pub struct Memory {
    content: Mutex<Content>,
    changed: watch::Sender<u64>,
}

impl Memory {
    /// An empty one.
    pub fn new(setup: Setup) -> Self {
        Self {
            content: Mutex::new(Content::new(setup)),
            changed: watch::Sender::new(0),
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Content) -> T) -> T {
        let answer = change(&mut self.content());
        self.changed.send_modify(|count| *count += 1);
        answer
    }
}

fn answer<'a, T: Send + 'a>(answer: Result<T, Error>) -> Answer<'a, T> {
    Box::pin(ready(answer))
}

impl Backend for Memory {
    fn enqueue(&self, batch: NewBatch) -> Answer<'_, Receipt> {
        answer(self.change(|content| content.enqueue(batch)))
    }

    fn claim(&self, queue: QueueName, most: usize) -> Answer<'_, Claims> {
        // What a claim takes leaves less to the next one: nobody needs to know.
        answer(self.content().claim(&queue, most))
    }

    fn extend(&self, leases: Vec<Lease>) -> Answer<'_, Vec<Lease>> {
        answer(Ok(self.content().extend(leases)))
    }

    fn settle(&self, lease: Lease, outcome: Outcome) -> Answer<'_, Phase> {
        answer(self.change(|content| content.settle(lease, &outcome)))
    }

    fn release(&self, leases: Vec<Lease>) -> Answer<'_, ()> {
        answer(self.change(|content| {
            content.release(&leases);
            Ok(())
        }))
    }

    fn change_lane(&self, queue: QueueName, lane: String, change: LaneChange) -> Answer<'_, ()> {
        answer(self.change(|content| content.change_lane(queue, lane, change)))
    }

    fn change(
        &self,
        filter: Filter,
        change: Change,
        after: Option<JobId>,
        most: usize,
    ) -> Answer<'_, Changed> {
        answer(Ok(self.change(|content| {
            content.change(&filter, &change, after, most)
        })))
    }

    fn prune(&self) -> Answer<'_, Pruned> {
        answer(Ok(self.content().prune()))
    }

    fn list(&self, filter: Filter, after: Option<JobId>, most: usize) -> Answer<'_, Vec<Job>> {
        answer(Ok(self.content().list(&filter, after, most)))
    }

    fn count(&self, filter: Filter) -> Answer<'_, u64> {
        answer(Ok(self.content().count(&filter)))
    }

    fn show(&self, job: JobId) -> Answer<'_, Option<Shown>> {
        answer(Ok(self.content().show(job)))
    }

    fn batch(&self, batch: BatchId) -> Answer<'_, Option<BatchStatus>> {
        answer(Ok(self.content().batch(batch)))
    }

    fn stats(&self) -> Answer<'_, Vec<QueueStatus>> {
        answer(Ok(self.content().stats()))
    }

    fn lanes(
        &self,
        queue: QueueName,
        after: Option<String>,
        most: usize,
    ) -> Answer<'_, Vec<LaneStatus>> {
        answer(Ok(self.content().lanes(&queue, after.as_deref(), most)))
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

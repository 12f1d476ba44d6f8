//! What a queue in memory shows of itself. Comes in: filters and names; goes out: what is there. Never changes
//! anything.

use super::*;
use std::ops::Bound;

impl Content {
    pub(super) fn fitting<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<JobId>,
    ) -> impl Iterator<Item = (&'a JobId, &'a Row)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let jobs = self.jobs.range((start, Bound::Unbounded));
        jobs.filter(|(id, row)| {
            let same = |wanted: &Option<String>, is: &str| {
                wanted.as_ref().is_none_or(|wanted| wanted == is)
            };
            let batch = self.batches.get(&id.batch);
            let accepted_at = batch.map_or(0, |batch| batch.accepted_at);
            same(&filter.owner, &row.queue.owner)
                && same(&filter.queue, &row.queue.name)
                && same(&filter.lane, &row.lane)
                && filter.phase.is_none_or(|phase| phase == row.state.phase())
                && filter.batch.is_none_or(|batch| batch == id.batch)
                && filter.job.is_none_or(|job| job == **id)
                && filter.since.is_none_or(|since| since <= accepted_at)
        })
    }

    fn job(&self, id: JobId, row: &Row) -> Job {
        Job {
            id,
            queue: row.queue.clone(),
            lane: row.lane.clone(),
            detail: row.detail.clone(),
            state: row.state.clone(),
            attempts: row.number,
            accepted_at: self.batches.get(&id.batch).map_or(0, |b| b.accepted_at),
        }
    }

    pub(in super::super) fn list(
        &self,
        filter: &Filter,
        after: Option<JobId>,
        most: usize,
    ) -> Vec<Job> {
        let fits = self.fitting(filter, after).take(most);
        fits.map(|(id, row)| self.job(*id, row)).collect()
    }

    pub(in super::super) fn count(&self, filter: &Filter) -> u64 {
        self.fitting(filter, None).count() as u64
    }

    pub(in super::super) fn show(&self, id: JobId) -> Option<Shown> {
        let row = self.jobs.get(&id)?;
        Some(Shown {
            job: self.job(id, row),
            body: self.batches.get(&id.batch)?.body.clone(),
            attempts: row.attempts.iter().cloned().collect(),
        })
    }

    pub(in super::super) fn batch(&self, id: BatchId) -> Option<BatchStatus> {
        let batch = self.batches.get(&id)?;
        let mut depth = Depth::default();
        let of_it = Filter {
            batch: Some(id),
            ..Filter::default()
        };
        for (_, row) in self.fitting(&of_it, None) {
            *depth.of(row.state.phase()) += 1;
        }
        Some(BatchStatus {
            id,
            owner: batch.owner.clone(),
            key: batch.key.clone(),
            body: batch.body.clone(),
            accepted_at: batch.accepted_at,
            jobs: u32::try_from(batch.jobs).unwrap_or(u32::MAX),
            depth,
        })
    }

    pub(in super::super) fn stats(&self) -> Vec<QueueStatus> {
        let now = self.now();
        let queues = self.queues.keys().map(|queue| {
            let mut status = QueueStatus {
                queue: queue.clone(),
                depth: Depth::default(),
                oldest_due_at: None,
                lanes: Lanes::default(),
            };
            for (_, row) in self.lanes.iter().filter(|((of, _), _)| of == queue) {
                let lanes = &mut status.lanes;
                let count = if row.lane.paused {
                    &mut lanes.paused
                } else if row.lane.breaker.until.is_some() {
                    &mut lanes.broken
                } else if row.lane.slow_until > now {
                    &mut lanes.slowed
                } else {
                    &mut lanes.open
                };
                *count += 1;
                let Depth {
                    waiting,
                    claimed,
                    done,
                    dead,
                } = row.depth;
                status.depth.waiting += waiting;
                status.depth.claimed += claimed;
                status.depth.done += done;
                status.depth.dead += dead;
                let due_at = [status.oldest_due_at, row.lane.due_at];
                status.oldest_due_at = due_at.into_iter().flatten().min();
            }
            status
        });
        queues.collect()
    }

    pub(in super::super) fn lanes(
        &self,
        queue: &QueueName,
        after: Option<&str>,
        most: usize,
    ) -> Vec<LaneStatus> {
        let lanes = self.lanes.iter().filter(|((of, name), _)| {
            of == queue && after.is_none_or(|after| name.as_str() > after)
        });
        lanes
            .take(most)
            .map(|((_, name), row)| row.lane.status(name, row.depth))
            .collect()
    }
}

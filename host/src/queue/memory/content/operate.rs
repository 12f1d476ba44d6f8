//! What is changed by hand: lanes, and jobs that nobody works on. Comes in: what is to be done; goes out: that it is
//! done. Never touches a job that is worked on.

use super::super::*;
use super::Content;

impl Content {
    pub(in super::super) fn change_lane(
        &mut self,
        queue: QueueName,
        lane: String,
        change: LaneChange,
    ) -> Result<(), Error> {
        self.setup.policies.get(&queue)?;
        self.setup.limits.name("lane", &lane)?;
        self.lane(&queue, &lane).lane.change(change);
        Ok(())
    }

    pub(in super::super) fn change(
        &mut self,
        filter: &Filter,
        change: &Change,
        after: Option<JobId>,
        most: usize,
    ) -> Changed {
        let now = self.now();
        let fits = self.fitting(filter, after);
        let fits = fits.filter(|(_, row)| change.fits(row.state.phase()));
        let ids: Vec<_> = fits.map(|(id, _)| *id).take(most).collect();
        for id in &ids {
            match change {
                Change::Retry { .. } => {
                    self.put(*id, Some(State::Waiting { due_at: now }));
                    if let Some(row) = self.jobs.get_mut(id) {
                        row.tried = 0;
                        let (queue, lane) = (row.queue.clone(), row.lane.clone());
                        self.lane(&queue, &lane).lane.breaker.probe(now);
                    }
                }
                Change::Bury { reason } => {
                    let reason = self.setup.limits.cut(reason);
                    let ended_at = now;
                    self.put(*id, Some(State::Dead { ended_at, reason }));
                }
                Change::Purge => self.remove(*id),
            }
        }
        Changed {
            count: ids.len() as u64,
            next: ids.last().copied().filter(|_| ids.len() == most),
        }
    }
}

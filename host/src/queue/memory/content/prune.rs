//! What goes by itself: jobs, batches and lanes past their retention, a few hundred at a time. Comes in: a call now and
//! then; goes out: how many went, and when there may be more. Never takes what waits or is worked on.

use super::super::super::PRUNED_AT_ONCE;
use super::super::*;
use super::{Content, LaneRow};
use crate::clock::millis;
use bytes::Bytes;

impl Content {
    pub(in super::super) fn prune(&mut self) -> Pruned {
        let now = self.now();
        let (mut old, mut next) = (Vec::new(), None::<u64>);
        for (name, queue) in &self.queues {
            let policy = self.setup.policies.of(name);
            for (ended, keep) in [(&queue.done, policy.done), (&queue.dead, policy.dead)] {
                let many = ended.len() as u64;
                for (place, (ended_at, id)) in (0..).zip(ended) {
                    let ends_at = ended_at.saturating_add(millis(keep.age));
                    if ends_at > now && many - place <= keep.count {
                        next = Some(next.map_or(ends_at, |next| next.min(ends_at)));
                        break;
                    }
                    old.push(*id);
                }
            }
        }
        old.truncate(PRUNED_AT_ONCE);
        old.iter().for_each(|id| self.remove(*id));
        let mut removed = old.len();
        let mut batches = Vec::new();
        let newest = self.batches.last_key_value();
        let newest = newest.map_or(0, |(_, batch)| batch.number);
        for (id, batch) in self.batches.iter().filter(|(_, batch)| batch.left == 0) {
            let keep = self.setup.policies.remembered(&batch.owner);
            let ends_at = batch.accepted_at.saturating_add(millis(keep.age));
            if ends_at > now && newest - batch.number < keep.count {
                next = Some(next.map_or(ends_at, |next| next.min(ends_at)));
            } else {
                batches.push(*id);
            }
        }
        batches.truncate(PRUNED_AT_ONCE - removed);
        for id in &batches {
            if let Some(batch) = self.batches.remove(id) {
                self.bytes -= batch.body.len() as u64;
                let key = batch.key.map(|key| (batch.owner, key));
                key.map(|key| self.keys.remove(&key));
            }
        }
        removed += batches.len();
        let idle = |row: &LaneRow| row.depth == Depth::default() && row.lane.is_plain(now);
        let lanes = self.lanes.iter().filter(|(_, row)| idle(row));
        let lanes: Vec<_> = lanes.map(|(key, _)| key.clone()).collect();
        for key in lanes.iter().take(PRUNED_AT_ONCE - removed) {
            self.lanes.remove(key);
            removed += 1;
        }
        let more = removed == PRUNED_AT_ONCE;
        Pruned {
            removed: removed as u64,
            next: if more { Some(now) } else { next },
        }
    }

    pub(super) fn remove(&mut self, id: JobId) {
        self.put(id, None);
        let Some(row) = self.jobs.remove(&id) else {
            return;
        };
        self.bytes -= row.detail.len() as u64;
        if let Some(batch) = self.batches.get_mut(&id.batch) {
            batch.left -= 1;
            if batch.left == 0 {
                self.bytes -= batch.body.len() as u64;
                batch.body = Bytes::new();
            }
        }
    }
}

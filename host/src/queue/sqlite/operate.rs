//! What is changed by hand: lanes, and jobs that nobody works on. Comes in: a connection in a transaction, and what
//! is to be done; goes out: that it is done. Never touches a job that is worked on.

use super::super::*;
use super::change::{Changes, Said, count};
use super::look::Fitting;
use super::rows::*;
use rusqlite::{Connection, Result};

impl Changes {
    pub(super) fn change_lane(
        &self,
        connection: &Connection,
        queue: &QueueName,
        lane: &str,
        change: LaneChange,
    ) -> Said<()> {
        let policies = &self.setup.policies;
        let policy = match self
            .setup
            .limits
            .name("lane", lane)
            .and_then(|()| policies.get(queue))
        {
            Ok(policy) => policy,
            Err(error) => return Ok(Err(error)),
        };
        let id = queue_made(connection, queue)?;
        let mut row = LaneRow::made(connection, id, lane, || self.turn())?;
        row.lane.change(change);
        row.save(connection, policy)?;
        Ok(Ok(()))
    }

    /// Changes jobs.
    pub(super) fn change(
        &self,
        connection: &Connection,
        change: &Change,
        jobs: &[Fitting],
    ) -> Result<()> {
        let now = self.now();
        for Fitting {
            seq,
            lane,
            phase: from,
            ..
        } in jobs
        {
            let state = match change {
                Change::Retry { .. } => {
                    connection
                        .prepare_cached("UPDATE job SET tried = 0 WHERE seq = ?1")?
                        .execute([seq])?;
                    State::Waiting { due_at: now }
                }
                Change::Bury { reason } => State::Dead {
                    ended_at: now,
                    reason: self.setup.limits.cut(reason),
                },
                Change::Purge => {
                    self.remove(connection, (*seq, *lane), *from)?;
                    continue;
                }
            };
            self.put(connection, (*seq, *lane), *from, &state, |lane| {
                if state.phase() == Phase::Waiting {
                    lane.breaker.probe(now);
                }
            })?;
        }
        Ok(())
    }

    /// Removes a job that has ended, its attempts, and the body of its batch if it was the last of it.
    pub(super) fn remove(
        &self,
        connection: &Connection,
        (seq, lane): (i64, i64),
        from: Phase,
    ) -> Result<()> {
        for text in [
            "DELETE FROM attempt WHERE job = ?1",
            "DELETE FROM job WHERE seq = ?1",
        ] {
            connection.prepare_cached(text)?.execute([seq])?;
        }
        let batch = parts_of(seq).0;
        connection
            .prepare_cached("UPDATE batch SET remaining = remaining - 1 WHERE seq = ?1")?
            .execute([batch])?;
        connection
            .prepare_cached("UPDATE batch SET body = x'' WHERE seq = ?1 AND remaining = 0")?
            .execute([batch])?;
        let mut row = LaneRow::load(connection, lane)?;
        row.count(Some(from), None);
        let policy = self.policy(connection, row.queue)?;
        row.save(connection, &policy)?;
        count(connection, row.queue, from, None)
    }
}

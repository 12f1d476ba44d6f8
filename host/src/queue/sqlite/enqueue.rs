//! How a batch comes into a queue's file. Comes in: a connection in a transaction, and the batch; goes out: its
//! receipt. What is refused is refused before anything is written.

use super::super::*;
use super::change::{Changes, Said};
use super::rows::*;
use crate::clock::millis;
use rusqlite::{Connection, OptionalExtension as _, Result, params};
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// There is no room for another batch.
#[derive(Debug, thiserror::Error)]
#[error("queue has its {0} bytes in use")]
struct NoRoom(u64);

impl Changes {
    pub(super) fn enqueue(&self, connection: &Connection, batch: &NewBatch) -> Said<Receipt> {
        if let Err(error) = batch.check(&self.setup.limits) {
            return Ok(Err(error));
        }
        for job in &batch.jobs {
            if let Err(error) = self.setup.policies.get(&batch.queue(job)) {
                return Ok(Err(error));
            }
        }
        let digest = batch.digest();
        if let Some(key) = &batch.key
            && let Some(before) = replayed(connection, &batch.owner, key, digest)?
        {
            return Ok(before);
        }
        let limit = self.setup.limits.store_bytes;
        if used(connection)?.saturating_add(batch.bytes()) > limit {
            return Ok(Err(Error::Full(NoRoom(limit).into())));
        }
        let now = self.now();
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let id = ids.next(now, &*self.setup.chance);
        let jobs = id.jobs(batch.jobs.len());
        let count = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
        let seq = connection
            .prepare_cached(
                "INSERT INTO batch (id, owner, key, digest, accepted_at, jobs, remaining, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
            )?
            .insert(params![
                id.bytes(),
                batch.owner,
                batch.key,
                digest,
                int(now),
                count,
                &batch.body[..],
            ])?;
        step!("enqueue-begun");
        self.add(connection, seq, batch, now)?;
        step!("enqueue-written");
        Ok(Ok(Receipt {
            batch: id,
            jobs,
            replayed: false,
        }))
    }

    /// Writes the jobs down, and each lane once.
    fn add(&self, connection: &Connection, batch: i64, new: &NewBatch, now: u64) -> Result<()> {
        let mut queues = BTreeMap::new();
        let mut lanes = BTreeMap::new();
        for (place, job) in (0..=u16::MAX).zip(&new.jobs) {
            let (queue, policy) = match queues.get(&job.queue) {
                Some(found) => found,
                None => {
                    let name = new.queue(job);
                    let made = (
                        queue_made(connection, &name)?,
                        self.setup.policies.of(&name),
                    );
                    &*queues.entry(&job.queue).or_insert(made)
                }
            };
            let (row, _) = match lanes.entry((*queue, &job.lane)) {
                std::collections::btree_map::Entry::Occupied(row) => row.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    let made = LaneRow::made(connection, *queue, &job.lane, || self.turn())?;
                    place.insert((made, Arc::clone(policy)))
                }
            };
            let first = millis(retry::first(policy, job.schedule.as_deref()));
            let due_at = now.saturating_add(first).max(job.not_before.unwrap_or(0));
            let due_at = uint(int(due_at));
            // A younger job is next only where the times alone decide, and it is due before all others.
            row.lane.due_at = Some(match row.lane.due_at {
                Some(before) if policy.ordered => before,
                Some(before) => before.min(due_at),
                None => due_at,
            });
            row.count(None, Some(Phase::Waiting));
            connection
                .prepare_cached(
                    "INSERT INTO job (seq, queue, lane, phase, at, own, detail)
                     VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6)",
                )?
                .execute(params![
                    seq_in(batch, place),
                    queue,
                    row.id,
                    int(due_at),
                    job.schedule.as_deref().map(retry::to_bytes),
                    &job.detail[..],
                ])?;
        }
        for (row, policy) in lanes.values() {
            row.save(connection, policy)?;
        }
        let mut counts = BTreeMap::new();
        for job in &new.jobs {
            if let Some((queue, _)) = queues.get(&job.queue) {
                *counts.entry(*queue).or_insert(0_i64) += 1;
            }
        }
        for (queue, count) in counts {
            connection
                .prepare_cached("UPDATE queue SET waiting = waiting + ?2 WHERE id = ?1")?
                .execute([queue, count])?;
        }
        Ok(())
    }
}

/// The receipt of the batch under a key, or that it has another body.
fn replayed(
    connection: &Connection,
    owner: &str,
    key: &str,
    digest: [u8; 32],
) -> Result<Option<std::result::Result<Receipt, Error>>> {
    let found = connection
        .prepare_cached("SELECT id, digest, jobs FROM batch WHERE owner = ?1 AND key = ?2")?
        .query_row([owner, key], |row| {
            let id = BatchId::from_bytes(row.get(0)?);
            Ok((id, row.get::<_, [u8; 32]>(1)?, small(row, 2)? as usize))
        })
        .optional()?;
    Ok(found.map(|(batch, before, jobs)| {
        if before != digest {
            return Err(Error::Conflict(batch));
        }
        Ok(Receipt {
            batch,
            jobs: batch.jobs(jobs),
            replayed: true,
        })
    }))
}

/// How many bytes of the file are in use.
fn used(connection: &Connection) -> Result<u64> {
    let number = |pragma| Ok::<_, rusqlite::Error>(value(connection, pragma, &[])?.unwrap_or(0));
    let pages: i64 = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    Ok(uint(pages.saturating_mul(number("PRAGMA page_size")?)))
}

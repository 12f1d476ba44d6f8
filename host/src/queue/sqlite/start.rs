//! How a host begins with a queue's file that it finds. Comes in: a connection; goes out: what changes it from here
//! on, and a file in which nobody works. Never trusts the machine's clock more than the file's times.

use super::super::id::Ids;
use super::super::*;
use super::change::Changes;
use super::rows::*;
use rusqlite::{Connection, Result};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far a clock may have been set back without a word, in milliseconds: a little of it is usual.
const OFTEN_BEHIND: u64 = 5000;

/// The newest time at which something in the file was enqueued, begun or ended.
fn newest(connection: &Connection) -> Result<u64> {
    // The index of what has ended wants to be told that it is meant.
    let at = value::<Option<i64>>(
        connection,
        "SELECT max(at) FROM (
             SELECT (SELECT max(at) FROM job WHERE queue = queue.id AND phase = 2 AND phase >= 2) AS at FROM queue
             UNION ALL
             SELECT (SELECT max(at) FROM job WHERE queue = queue.id AND phase = 3 AND phase >= 2) FROM queue
             UNION ALL SELECT max(served_at) FROM lane
             UNION ALL SELECT accepted_at FROM (SELECT accepted_at FROM batch ORDER BY id DESC LIMIT 1)
         )",
        &[],
    )?;
    Ok(uint(at.flatten().unwrap_or(0)))
}

impl Changes {
    /// Goes on where the file ends, in time as well: what ended last is the newest, though the machine's clock was set
    /// back while no host ran.
    pub(super) fn of(setup: Setup, connection: &Connection) -> Result<Self> {
        let newest = newest(connection)?;
        let behind_ms = newest.saturating_sub(setup.clock.now());
        if behind_ms > 0 {
            setup.clock.not_before(newest);
        }
        if behind_ms > OFTEN_BEHIND {
            tracing::warn!(
                behind_ms,
                "the machine's clock is behind the newest time in a queue's file, and the queue goes on from that: \
                 set the clock right"
            );
        }
        let last = value::<[u8; 16]>(
            connection,
            "SELECT id FROM batch ORDER BY id DESC LIMIT 1",
            &[],
        )?;
        let turn = value::<Option<i64>>(connection, "SELECT max(turn) FROM lane", &[])?;
        Ok(Self {
            setup,
            ids: Mutex::new(Ids::after(last.map(BatchId::from_bytes))),
            turns: AtomicI64::new(turn.flatten().unwrap_or(0)),
            recovered: Mutex::default(),
        })
    }

    fn lock_recovered(&self) -> MutexGuard<'_, BTreeMap<QueueName, Vec<Expired>>> {
        self.recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What the host before left of a queue, once: not for a change, which may be made a second time.
    pub(super) fn recovered(&self, queue: &QueueName) -> Vec<Expired> {
        self.lock_recovered().remove(queue).unwrap_or_default()
    }

    /// Takes over a file in which another process may have left jobs that it worked on: it is gone, and so are
    /// its leases. What policies and clock were then is no matter now.
    pub(super) fn recover(&self, connection: &Connection) -> Result<()> {
        let now = self.now();
        for job in self.running(connection, None, u64::MAX)? {
            let expired = self.take_back(connection, &job, now)?;
            let queue = queue_name(connection, job.queue)?;
            self.lock_recovered()
                .entry(queue)
                .or_default()
                .push(expired);
        }
        let mut lanes = connection.prepare("SELECT id FROM lane WHERE waiting > 0")?;
        let lanes: Vec<i64> = lanes
            .query_map([], |row| row.get(0))?
            .collect::<Result<_>>()?;
        for id in lanes {
            let mut row = LaneRow::load(connection, id)?;
            let policy = self.policy(connection, row.queue)?;
            row.head(connection, &policy)?;
            row.lane.paced = row.lane.paced.min(now.saturating_mul(1000));
            row.save(connection, &policy)?;
        }
        step!("recover-written");
        Ok(())
    }
}

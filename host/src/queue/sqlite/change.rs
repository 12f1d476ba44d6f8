//! What changes a queue's file. Comes in: a connection in a transaction, and one operation; goes out: its answer.
//! What is refused is refused before anything is written. Never begins or ends the transaction, and may be made a
//! second time when it was undone: that belongs to the writer.

use super::super::id::Ids;
use super::super::settle::{Tried, Verdict, verdict};
use super::super::*;
use super::rows::*;
use crate::clock::millis;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Result, params};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// What an operation answers, when the file could be read and written.
pub(super) type Said<T> = Result<std::result::Result<T, Error>>;

/// What the changes of one file share.
pub(super) struct Changes {
    pub(super) setup: Setup,
    pub(super) ids: Mutex<Ids>,
    pub(super) turns: AtomicI64,
    /// What the host before left under way, until the first claim tells it.
    pub(super) recovered: Mutex<BTreeMap<QueueName, Vec<Expired>>>,
}

/// A job's columns, as an attempt's end needs them.
pub(super) struct Running {
    seq: i64,
    pub(super) queue: i64,
    lane: i64,
    begun_at: i64,
    number: u32,
    tried: u32,
    own: Option<Vec<Duration>>,
}

impl Changes {
    pub(super) fn now(&self) -> u64 {
        self.setup.clock.now()
    }

    pub(super) fn turn(&self) -> i64 {
        self.turns.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn policy(&self, connection: &Connection, queue: i64) -> Result<Arc<Policy>> {
        Ok(self.setup.policies.of(&queue_name(connection, queue)?))
    }

    pub(super) fn claim(
        &self,
        connection: &Connection,
        queue: &QueueName,
        most: usize,
    ) -> Said<Claims> {
        let policy = match self.setup.policies.get(queue) {
            Ok(policy) => policy,
            Err(error) => return Ok(Err(error)),
        };
        let Some(id) = queue_id(connection, queue)? else {
            return Ok(Ok(Claims::default()));
        };
        let now = self.now();
        let mut expired = Vec::new();
        for job in self.running(connection, Some(id), now)? {
            expired.push(self.take_back(connection, &job, now)?);
        }
        let text = "SELECT claimed FROM queue WHERE id = ?1";
        let running = uint(value(connection, text, &[&id])?.unwrap_or(0));
        let mut room = u64::from(policy.concurrency).saturating_sub(running);
        let mut claims = Vec::new();
        while claims.len() < most && room > 0 {
            let Some(lane) = due_lane(connection, id, now)? else {
                break;
            };
            if let Some(claim) = self.begin(connection, (queue, policy), lane, now)? {
                claims.push(claim);
                room -= 1;
            }
        }
        let taken = i64::try_from(claims.len()).unwrap_or(i64::MAX);
        if taken > 0 {
            connection
                .prepare_cached(
                    "UPDATE queue SET waiting = waiting - ?2, claimed = claimed + ?2 WHERE id = ?1",
                )?
                .execute([id, taken])?;
            step!("claim-written");
        }
        let wakes = "SELECT min(wake_at) FROM lane WHERE queue = ?1 AND wake_at IS NOT NULL";
        let ends = "SELECT min(at) FROM job WHERE queue = ?1 AND phase = 1";
        let first = |text: &str| value::<Option<i64>>(connection, text, &[&id]);
        let wakes = if room > 0 {
            first(wakes)?.flatten()
        } else {
            None
        };
        let times = [wakes, first(ends)?.flatten()];
        let next = times.into_iter().flatten().map(uint).min();
        Ok(Ok(Claims {
            claims,
            next,
            expired,
        }))
    }

    /// Begins the job that is next in a lane.
    fn begin(
        &self,
        connection: &Connection,
        (queue, policy): (&QueueName, &Policy),
        lane: i64,
        now: u64,
    ) -> Result<Option<Claim>> {
        let mut row = LaneRow::load(connection, lane)?;
        let head = row.head(connection, policy)?;
        let Some(seq) = head else {
            row.save(connection, policy)?;
            return Ok(None);
        };
        let until = now.saturating_add(millis(policy.lease));
        connection
            .prepare_cached(
                "UPDATE job SET phase = 1, at = ?2, token = token + 1, begun_at = ?3
                 WHERE seq = ?1",
            )?
            .execute([seq, int(until), int(now)])?;
        row.count(Some(Phase::Waiting), Some(Phase::Claimed));
        row.lane.begin(policy, now);
        row.turn = self.turn();
        row.head(connection, policy)?;
        row.save(connection, policy)?;
        let claim = connection
            .prepare_cached(
                "SELECT b.id, j.token, j.number, j.detail, b.body, b.accepted_at, l.name
                 FROM job j JOIN batch b ON b.seq = ?2 JOIN lane l ON l.id = j.lane
                 WHERE j.seq = ?1",
            )?
            .query_row([seq, parts_of(seq).0], |row| {
                Ok(Claim {
                    lease: Lease {
                        job: job_id(row.get(0)?, seq),
                        token: number(row, 1)?,
                        until,
                    },
                    queue: queue.clone(),
                    lane: row.get(6)?,
                    body: Bytes::from(row.get::<_, Vec<u8>>(4)?),
                    detail: Bytes::from(row.get::<_, Vec<u8>>(3)?),
                    attempt: small(row, 2)?.saturating_add(1),
                    accepted_at: number(row, 5)?,
                })
            })?;
        Ok(Some(claim))
    }

    /// What is worked on under leases that end by then, of one queue or of all.
    pub(super) fn running(
        &self,
        connection: &Connection,
        queue: Option<i64>,
        until: u64,
    ) -> Result<Vec<Running>> {
        let text = "SELECT seq, queue, lane, begun_at, number, tried, own FROM job
                    WHERE phase = 1 AND at <= ?1 AND (?2 IS NULL OR queue = ?2) ORDER BY at, seq";
        let text_of_one = "SELECT seq, queue, lane, begun_at, number, tried, own FROM job
                    WHERE queue = ?2 AND phase = 1 AND at <= ?1 ORDER BY at, seq";
        let text = if queue.is_some() { text_of_one } else { text };
        let mut jobs = connection.prepare_cached(text)?;
        jobs.query_map(params![int(until), queue], Running::read)?
            .collect()
    }

    /// Ends an attempt of which nobody said anything.
    pub(super) fn take_back(
        &self,
        connection: &Connection,
        job: &Running,
        now: u64,
    ) -> Result<Expired> {
        let phase = self.end(connection, job, None, now)?;
        let batch = connection
            .prepare_cached("SELECT id FROM batch WHERE seq = ?1")?
            .query_row([parts_of(job.seq).0], |row| row.get(0))?;
        Ok(Expired {
            job: job_id(batch, job.seq),
            attempt: job.number.saturating_add(1),
            phase,
        })
    }

    /// The job of a lease that holds: it is the newest, and was not settled or taken back.
    fn held(&self, connection: &Connection, lease: &Lease) -> Result<Option<Running>> {
        let Some(seq) = seq_of(connection, lease.job)? else {
            return Ok(None);
        };
        connection
            .prepare_cached(
                "SELECT seq, queue, lane, begun_at, number, tried, own FROM job
                 WHERE seq = ?1 AND phase = 1 AND token = ?2",
            )?
            .query_row([seq, int(lease.token)], Running::read)
            .optional()
    }

    pub(super) fn extend(&self, connection: &Connection, leases: &[Lease]) -> Result<Vec<Lease>> {
        let now = self.now();
        let mut held = Vec::new();
        for lease in leases {
            if let Some(job) = self.held(connection, lease)? {
                let policy = self.policy(connection, job.queue)?;
                let until = now.saturating_add(millis(policy.lease));
                connection
                    .prepare_cached("UPDATE job SET at = ?2 WHERE seq = ?1")?
                    .execute([job.seq, int(until)])?;
                held.push(Lease { until, ..*lease });
            }
        }
        Ok(held)
    }

    pub(super) fn settle(
        &self,
        connection: &Connection,
        lease: &Lease,
        outcome: &Outcome,
    ) -> Said<Phase> {
        let Some(job) = self.held(connection, lease)? else {
            return Ok(Err(Error::LeaseLost(lease.job)));
        };
        let phase = self.end(connection, &job, Some(outcome), self.now())?;
        step!("settle-written");
        Ok(Ok(phase))
    }

    /// Ends an attempt: its row, its job, its lane and its queue.
    pub(super) fn end(
        &self,
        connection: &Connection,
        job: &Running,
        outcome: Option<&Outcome>,
        now: u64,
    ) -> Result<Phase> {
        let policy = self.policy(connection, job.queue)?;
        let (number, times) = (job.number.saturating_add(1), job.tried.saturating_add(1));
        let tried = Tried {
            own: job.own.as_deref(),
            times,
        };
        let rules = (&*policy, &self.setup.limits);
        let verdict = verdict(rules, tried, outcome, now, (self.setup.chance)());
        let worked = verdict.worked();
        let Verdict { state, ended, note } = verdict;
        connection
            .prepare_cached(
                "INSERT INTO attempt (job, number, started_at, ended_at, ended, note)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                job.seq,
                number,
                job.begun_at,
                int(now),
                ended_number(ended),
                note
            ])?;
        if let Some(old) = number.checked_sub(self.setup.limits.attempts_kept) {
            connection
                .prepare_cached("DELETE FROM attempt WHERE job = ?1 AND number <= ?2")?
                .execute(params![job.seq, old])?;
        }
        connection
            .prepare_cached("UPDATE job SET number = ?2, tried = ?3 WHERE seq = ?1")?
            .execute(params![job.seq, number, times])?;
        let phase = state.phase();
        self.put(
            connection,
            (job.seq, job.lane),
            Phase::Claimed,
            &state,
            |lane| match worked {
                Some(true) => lane.breaker.success(),
                Some(false) => lane.breaker.failure(policy.breaker.as_ref(), now),
                None => {}
            },
        )?;
        Ok(phase)
    }

    /// Puts a job where it now stands, and counts it there.
    pub(super) fn put(
        &self,
        connection: &Connection,
        (seq, lane): (i64, i64),
        from: Phase,
        to: &State,
        change: impl FnOnce(&mut super::super::lane::Lane),
    ) -> Result<()> {
        let (phase, at, reason) = columns(to);
        connection
            .prepare_cached("UPDATE job SET phase = ?2, at = ?3, reason = ?4 WHERE seq = ?1")?
            .execute(params![seq, phase, at, reason])?;
        let mut row = LaneRow::load(connection, lane)?;
        let policy = self.policy(connection, row.queue)?;
        row.count(Some(from), Some(to.phase()));
        if from == Phase::Claimed {
            row.lane.end();
        }
        change(&mut row.lane);
        if from == Phase::Waiting || to.phase() == Phase::Waiting {
            row.head(connection, &policy)?;
        }
        row.save(connection, &policy)?;
        count(connection, row.queue, from, Some(to.phase()))
    }

    pub(super) fn release(&self, connection: &Connection, leases: &[Lease]) -> Result<()> {
        let due_at = self.now();
        for lease in leases {
            if let Some(job) = self.held(connection, lease)? {
                let place = (job.seq, job.lane);
                self.put(
                    connection,
                    place,
                    Phase::Claimed,
                    &State::Waiting { due_at },
                    |_| {},
                )?;
            }
        }
        step!("release-written");
        Ok(())
    }
}

impl Running {
    fn read(row: &rusqlite::Row<'_>) -> Result<Self> {
        let own: Option<Vec<u8>> = row.get(6)?;
        Ok(Self {
            seq: row.get(0)?,
            queue: row.get(1)?,
            lane: row.get(2)?,
            begun_at: row.get(3)?,
            number: small(row, 4)?,
            tried: small(row, 5)?,
            own: own.map(|own| retry::from_bytes(&own)),
        })
    }
}

/// The lane whose turn it is.
const DUE_LANE: &str = "SELECT id FROM lane INDEXED BY lane_wake WHERE queue = ?1 AND wake_at <= ?2
                        ORDER BY wake_at, turn LIMIT 1";

fn due_lane(connection: &Connection, queue: i64, now: u64) -> Result<Option<i64>> {
    value(connection, DUE_LANE, &[&queue, &int(now)])
}

/// A job of a queue goes from one phase to another, if it stays.
pub(super) fn count(
    connection: &Connection,
    queue: i64,
    from: Phase,
    to: Option<Phase>,
) -> Result<()> {
    let by = |phase: Phase| i64::from(to == Some(phase)) - i64::from(from == phase);
    connection
        .prepare_cached(
            "UPDATE queue SET waiting = waiting + ?2, claimed = claimed + ?3, done = done + ?4,
                 dead = dead + ?5 WHERE id = ?1",
        )?
        .execute([
            queue,
            by(Phase::Waiting),
            by(Phase::Claimed),
            by(Phase::Done),
            by(Phase::Dead),
        ])?;
    Ok(())
}

#[cfg(test)]
#[path = "../tests/plans.rs"]
mod tests;

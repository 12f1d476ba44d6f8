//! Rows as values: what stands in a queue's file, in this crate's words. Comes in: a connection; goes out: one
//! lane, one queue, one job. Never decides, never counts by looking at jobs.

use super::super::breaker::Breaker;
use super::super::lane::Lane;
use super::super::{BatchId, Depth, Ended, JobId, Phase, Policy, QueueName, State};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, ToSql, types::FromSql};

/// A number as SQLite keeps it. Times behind the year 292 million are all the same.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that SQLite kept.
pub(super) fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A column with a number.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get(column).map(uint)
}

/// A column with a small number.
pub(super) fn small(row: &Row<'_>, column: usize) -> Result<u32> {
    Ok(u32::try_from(number(row, column)?).unwrap_or(u32::MAX))
}

/// The first column of one row, if there is one.
pub(super) fn value<T: FromSql>(
    connection: &Connection,
    text: &str,
    values: &[&dyn ToSql],
) -> Result<Option<T>> {
    connection
        .prepare_cached(text)?
        .query_row(values, |row| row.get(0))
        .optional()
}

pub(super) fn phase_of(number: i64) -> Phase {
    match number {
        0 => Phase::Waiting,
        1 => Phase::Claimed,
        2 => Phase::Done,
        _ => Phase::Dead,
    }
}

pub(super) fn phase_number(phase: Phase) -> i64 {
    match phase {
        Phase::Waiting => 0,
        Phase::Claimed => 1,
        Phase::Done => 2,
        Phase::Dead => 3,
    }
}

pub(super) fn ended_of(number: i64) -> Ended {
    match number {
        0 => Ended::Done,
        1 => Ended::Retry,
        2 => Ended::Dead,
        _ => Ended::Expired,
    }
}

pub(super) fn ended_number(ended: Ended) -> i64 {
    match ended {
        Ended::Done => 0,
        Ended::Retry => 1,
        Ended::Dead => 2,
        Ended::Expired => 3,
    }
}

/// A state from its columns.
pub(super) fn state(phase: i64, at: i64, reason: Option<String>) -> State {
    let at = uint(at);
    match phase_of(phase) {
        Phase::Waiting => State::Waiting { due_at: at },
        Phase::Claimed => State::Claimed { until: at },
        Phase::Done => State::Done { ended_at: at },
        Phase::Dead => State::Dead {
            ended_at: at,
            reason: reason.unwrap_or_default(),
        },
    }
}

/// A state as its columns.
pub(super) fn columns(state: &State) -> (i64, i64, Option<&str>) {
    let phase = phase_number(state.phase());
    match state {
        State::Waiting { due_at: at } | State::Claimed { until: at } => (phase, int(*at), None),
        State::Done { ended_at } => (phase, int(*ended_at), None),
        State::Dead { ended_at, reason } => (phase, int(*ended_at), Some(reason)),
    }
}

/// How many places there are in a batch.
const PLACES: i64 = 1 << 16;

/// Where a job of a batch is kept.
pub(super) fn seq_in(batch: i64, place: u16) -> i64 {
    batch * PLACES + i64::from(place)
}

/// The batch of a job, and its place there.
pub(super) fn parts_of(seq: i64) -> (i64, u16) {
    let place = u16::try_from(seq % PLACES).unwrap_or(u16::MAX);
    (seq / PLACES, place)
}

/// Where a job is kept, if its batch is.
pub(super) fn seq_of(connection: &Connection, job: JobId) -> Result<Option<i64>> {
    let text = "SELECT seq FROM batch WHERE id = ?1";
    let batch = value::<i64>(connection, text, &[&job.batch.bytes()])?;
    Ok(batch.map(|batch| seq_in(batch, job.place)))
}

/// The place behind which jobs come after this one, which may be gone.
pub(super) fn seq_behind(connection: &Connection, job: JobId) -> Result<i64> {
    let mut statement = connection
        .prepare_cached("SELECT seq, id FROM batch WHERE id <= ?1 ORDER BY id DESC LIMIT 1")?;
    let found = statement
        .query_row([job.batch.bytes()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 16]>(1)?))
        })
        .optional()?;
    Ok(match found {
        None => 0,
        Some((seq, id)) if id == job.batch.bytes() => seq_in(seq, job.place),
        Some((seq, _)) => seq_in(seq, u16::MAX),
    })
}

/// The name of a job by its batch's name.
pub(super) fn job_id(batch: [u8; 16], seq: i64) -> JobId {
    JobId {
        batch: BatchId::from_bytes(batch),
        place: parts_of(seq).1,
    }
}

/// How a queue is kept.
pub(super) fn queue_id(connection: &Connection, queue: &QueueName) -> Result<Option<i64>> {
    let text = "SELECT id FROM queue WHERE owner = ?1 AND name = ?2";
    value(connection, text, &[&queue.owner, &queue.name])
}

/// How a queue is kept; from now on, if it was not before.
pub(super) fn queue_made(connection: &Connection, queue: &QueueName) -> Result<i64> {
    if let Some(id) = queue_id(connection, queue)? {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO queue (owner, name) VALUES (?1, ?2)")?
        .insert([&queue.owner, &queue.name])
}

/// The name of a queue that is kept.
pub(super) fn queue_name(connection: &Connection, id: i64) -> Result<QueueName> {
    connection
        .prepare_cached("SELECT owner, name FROM queue WHERE id = ?1")?
        .query_row([id], |row| {
            Ok(QueueName {
                owner: row.get(0)?,
                name: row.get(1)?,
            })
        })
}

/// Four counts in the order of the phases.
pub(super) fn depth(row: &Row<'_>, first: usize) -> Result<Depth> {
    Ok(Depth {
        waiting: number(row, first)?,
        claimed: number(row, first + 1)?,
        done: number(row, first + 2)?,
        dead: number(row, first + 3)?,
    })
}

/// A lane.
#[derive(Debug)]
pub(super) struct LaneRow {
    pub(super) id: i64,
    pub(super) queue: i64,
    pub(super) depth: Depth,
    pub(super) lane: Lane,
    pub(super) turn: i64,
}

pub(super) const LANE: &str = "id, queue, waiting, claimed, done, dead, due_at, paused, slow_until,
    failures, opened, open_until, paced, served_at, turn";

impl LaneRow {
    /// From the columns that [`LANE`] names.
    pub(super) fn read(row: &Row<'_>) -> Result<Self> {
        let depth = depth(row, 2)?;
        let time = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(uint));
        Ok(Self {
            id: row.get(0)?,
            queue: row.get(1)?,
            depth,
            lane: Lane {
                due_at: time(6)?,
                claimed: u32::try_from(depth.claimed).unwrap_or(u32::MAX),
                paused: row.get(7)?,
                slow_until: number(row, 8)?,
                breaker: Breaker {
                    failures: small(row, 9)?,
                    opened: small(row, 10)?,
                    until: time(11)?,
                },
                paced: number(row, 12)?,
                served_at: number(row, 13)?,
            },
            turn: row.get(14)?,
        })
    }

    pub(super) fn load(connection: &Connection, id: i64) -> Result<Self> {
        connection
            .prepare_cached(&format!("SELECT {LANE} FROM lane WHERE id = ?1"))?
            .query_row([id], Self::read)
    }

    /// The lane of this name; from now on, if it was not before.
    pub(super) fn made(
        connection: &Connection,
        queue: i64,
        name: &str,
        turn: impl FnOnce() -> i64,
    ) -> Result<Self> {
        let found = connection
            .prepare_cached(&format!(
                "SELECT {LANE} FROM lane WHERE queue = ?1 AND name = ?2"
            ))?
            .query_row((queue, name), Self::read)
            .optional()?;
        if let Some(found) = found {
            return Ok(found);
        }
        let turn = turn();
        let id = connection
            .prepare_cached("INSERT INTO lane (queue, name, turn) VALUES (?1, ?2, ?3)")?
            .insert((queue, name, turn))?;
        Ok(Self {
            id,
            queue,
            depth: Depth::default(),
            lane: Lane::default(),
            turn,
        })
    }

    /// Finds out which job is next here, and with it when that is due.
    pub(super) fn head(&mut self, connection: &Connection, policy: &Policy) -> Result<Option<i64>> {
        let text = if policy.ordered {
            "SELECT seq, at FROM job INDEXED BY job_lane
             WHERE lane = ?1 AND phase = 0 ORDER BY seq LIMIT 1"
        } else {
            "SELECT seq, at FROM job INDEXED BY job_due
             WHERE lane = ?1 AND phase = 0 ORDER BY at, seq LIMIT 1"
        };
        let head = connection
            .prepare_cached(text)?
            .query_row([self.id], |row| {
                Ok((row.get::<_, i64>(0)?, number(row, 1)?))
            })
            .optional()?;
        self.lane.due_at = head.map(|(_, at)| at);
        Ok(head.map(|(seq, _)| seq))
    }

    /// A job goes from one phase, if it was there, to another, if it stays.
    pub(super) fn count(&mut self, from: Option<Phase>, to: Option<Phase>) {
        if let Some(from) = from {
            let count = self.depth.of(from);
            *count = count.saturating_sub(1);
        }
        if let Some(to) = to {
            *self.depth.of(to) += 1;
        }
    }

    /// Writes the lane down, with the time at which a claim may look at it.
    pub(super) fn save(&self, connection: &Connection, policy: &Policy) -> Result<()> {
        let (depth, lane) = (&self.depth, &self.lane);
        connection
            .prepare_cached(
                "UPDATE lane SET waiting = ?2, claimed = ?3, done = ?4, dead = ?5, due_at = ?6,
                     paused = ?7, slow_until = ?8, failures = ?9, opened = ?10, open_until = ?11,
                     paced = ?12, served_at = ?13, turn = ?14, wake_at = ?15
                 WHERE id = ?1",
            )?
            .execute(rusqlite::params![
                self.id,
                int(depth.waiting),
                int(depth.claimed),
                int(depth.done),
                int(depth.dead),
                lane.due_at.map(int),
                lane.paused,
                int(lane.slow_until),
                lane.breaker.failures,
                lane.breaker.opened,
                lane.breaker.until.map(int),
                int(lane.paced),
                int(lane.served_at),
                self.turn,
                lane.wake_at(policy).map(int),
            ])?;
        Ok(())
    }
}

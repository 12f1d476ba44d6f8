//! What a queue's file shows of itself. Comes in: filters and names; goes out: what is there. Never changes
//! anything.

use super::super::*;
use super::rows::*;
use bytes::Bytes;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params_from_iter};

/// Where jobs come from.
const JOBS: &str = "FROM job j JOIN batch b ON b.seq = j.seq / 65536
    JOIN lane l ON l.id = j.lane JOIN queue q ON q.id = j.queue";

const JOB: &str =
    "j.seq, b.id, q.owner, q.name, l.name, j.detail, j.phase, j.at, j.reason, j.number,
    b.accepted_at";

/// A filter as the text behind WHERE, and its values.
struct Where {
    text: String,
    values: Vec<Value>,
}

impl Where {
    fn of(connection: &Connection, filter: &Filter, after: Option<JobId>) -> Result<Self> {
        let mut fits = Self {
            text: "j.seq > ?1".into(),
            values: vec![match after {
                Some(after) => seq_behind(connection, after)?.into(),
                None => 0.into(),
            }],
        };
        let text = |text: &String| Value::from(text.clone());
        fits.and("q.owner = ?", filter.owner.as_ref().map(text));
        fits.and("q.name = ?", filter.queue.as_ref().map(text));
        // By the lane's number jobs are found, by its name they would be looked through.
        let lane = "j.lane IN (SELECT id FROM lane WHERE name = ?)";
        fits.and(lane, filter.lane.as_ref().map(text));
        fits.and(
            "j.phase = ?",
            filter.phase.map(|of| phase_number(of).into()),
        );
        fits.and(
            "b.accepted_at >= ?",
            filter.since.map(|since| int(since).into()),
        );
        if let Some(batch) = filter.batch {
            let first = JobId { batch, place: 0 };
            let seq = seq_of(connection, first)?.unwrap_or(-1);
            fits.and("j.seq >= ?", Some(seq.into()));
            fits.and("j.seq <= ?", Some((seq | i64::from(u16::MAX)).into()));
            if seq < 0 {
                fits.text += " AND 0";
            }
        }
        if let Some(job) = filter.job {
            let seq = seq_of(connection, job)?.unwrap_or(-1);
            fits.and("j.seq = ?", Some(seq.into()));
        }
        Ok(fits)
    }

    fn and(&mut self, text: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.values.push(value);
            let place = format!("?{}", self.values.len());
            self.text += " AND ";
            self.text += &text.replace('?', &place);
        }
    }
}

fn job(row: &Row<'_>) -> Result<Job> {
    let seq = row.get(0)?;
    Ok(Job {
        id: job_id(row.get(1)?, seq),
        queue: QueueName {
            owner: row.get(2)?,
            name: row.get(3)?,
        },
        lane: row.get(4)?,
        detail: Bytes::from(row.get::<_, Vec<u8>>(5)?),
        state: state(row.get(6)?, row.get(7)?, row.get(8)?),
        attempts: small(row, 9)?,
        accepted_at: number(row, 10)?,
    })
}

pub(super) fn list(
    connection: &Connection,
    filter: &Filter,
    after: Option<JobId>,
    most: usize,
) -> Result<Vec<Job>> {
    let Where { text, values } = Where::of(connection, filter, after)?;
    let text = format!("SELECT {JOB} {JOBS} WHERE {text} ORDER BY j.seq LIMIT {most}");
    let mut jobs = connection.prepare_cached(&text)?;
    jobs.query_map(params_from_iter(values), job)?.collect()
}

pub(super) fn count(connection: &Connection, filter: &Filter) -> Result<u64> {
    let Where { text, values } = Where::of(connection, filter, None)?;
    connection
        .prepare_cached(&format!("SELECT count(*) {JOBS} WHERE {text}"))?
        .query_row(params_from_iter(values), |row| number(row, 0))
}

/// A job that a change fits: where it is kept, its lane, and where it stands.
pub(super) struct Fitting {
    pub(super) seq: i64,
    pub(super) lane: i64,
    pub(super) phase: Phase,
    pub(super) id: JobId,
}

/// Up to so many jobs that a filter and a change fit.
pub(super) fn fitting(
    connection: &Connection,
    filter: &Filter,
    change: &Change,
    after: Option<JobId>,
    most: usize,
) -> Result<Vec<Fitting>> {
    let Where { text, values } = Where::of(connection, filter, after)?;
    let phases = Phase::ALL.into_iter().filter(|phase| change.fits(*phase));
    let phases: Vec<_> = phases
        .map(|phase| phase_number(phase).to_string())
        .collect();
    let text = format!(
        "SELECT j.seq, j.lane, j.phase, b.id {JOBS} WHERE {text} AND j.phase IN ({})
         ORDER BY j.seq LIMIT {most}",
        phases.join(", ")
    );
    let mut jobs = connection.prepare_cached(&text)?;
    jobs.query_map(params_from_iter(values), |row| {
        let seq = row.get(0)?;
        Ok(Fitting {
            seq,
            lane: row.get(1)?,
            phase: phase_of(row.get(2)?),
            id: job_id(row.get(3)?, seq),
        })
    })?
    .collect()
}

pub(super) fn show(connection: &Connection, id: JobId) -> Result<Option<Shown>> {
    // Without a transaction job and attempts would be of two moments.
    let moment = connection.unchecked_transaction()?;
    let Some(seq) = seq_of(&moment, id)? else {
        return Ok(None);
    };
    let found = moment
        .prepare_cached(&format!("SELECT {JOB}, b.body {JOBS} WHERE j.seq = ?1"))?
        .query_row([seq], |row| Ok((job(row)?, row.get::<_, Vec<u8>>(11)?)))
        .optional()?;
    let Some((job, body)) = found else {
        return Ok(None);
    };
    let mut attempts = moment.prepare_cached(
        "SELECT number, started_at, ended_at, ended, note FROM attempt WHERE job = ?1
         ORDER BY number",
    )?;
    let attempts = attempts.query_map([seq], |row| {
        Ok(Attempt {
            number: small(row, 0)?,
            started_at: number(row, 1)?,
            ended_at: number(row, 2)?,
            ended: ended_of(row.get(3)?),
            note: row.get(4)?,
        })
    })?;
    Ok(Some(Shown {
        job,
        body: body.into(),
        attempts: attempts.collect::<Result<_>>()?,
    }))
}

pub(super) fn batch(connection: &Connection, id: BatchId) -> Result<Option<BatchStatus>> {
    let moment = connection.unchecked_transaction()?;
    let found = moment
        .prepare_cached("SELECT seq, owner, key, accepted_at, jobs, body FROM batch WHERE id = ?1")?
        .query_row([id.bytes()], |row| {
            let status = BatchStatus {
                id,
                owner: row.get(1)?,
                key: row.get(2)?,
                body: row.get::<_, Vec<u8>>(5)?.into(),
                accepted_at: number(row, 3)?,
                jobs: small(row, 4)?,
                depth: Depth::default(),
            };
            Ok((row.get::<_, i64>(0)?, status))
        })
        .optional()?;
    let Some((seq, mut status)) = found else {
        return Ok(None);
    };
    let mut counts = moment.prepare_cached(
        "SELECT phase, count(*) FROM job WHERE seq BETWEEN ?1 AND ?2 GROUP BY phase",
    )?;
    let mut counts = counts.query([seq_in(seq, 0), seq_in(seq, u16::MAX)])?;
    while let Some(row) = counts.next()? {
        *status.depth.of(phase_of(row.get(0)?)) = number(row, 1)?;
    }
    Ok(Some(status))
}

pub(super) fn stats(connection: &Connection, now: u64) -> Result<Vec<QueueStatus>> {
    let mut queues = connection.prepare_cached(
        "SELECT q.owner, q.name, q.waiting, q.claimed, q.done, q.dead, min(l.due_at), count(l.id),
             count(*) FILTER (WHERE l.paused),
             count(*) FILTER (WHERE NOT l.paused AND l.open_until IS NOT NULL),
             count(*) FILTER (WHERE NOT l.paused AND l.open_until IS NULL AND l.slow_until > ?1)
         FROM queue q LEFT JOIN lane l ON l.queue = q.id GROUP BY q.id ORDER BY q.owner, q.name",
    )?;
    queues
        .query_map([int(now)], |row| {
            let (paused, broken, slowed) = (number(row, 8)?, number(row, 9)?, number(row, 10)?);
            Ok(QueueStatus {
                queue: QueueName {
                    owner: row.get(0)?,
                    name: row.get(1)?,
                },
                depth: depth(row, 2)?,
                oldest_due_at: row.get::<_, Option<i64>>(6)?.map(uint),
                lanes: Lanes {
                    paused,
                    broken,
                    slowed,
                    open: number(row, 7)?.saturating_sub(paused + broken + slowed),
                },
            })
        })?
        .collect()
}

pub(super) fn lanes(
    connection: &Connection,
    queue: &QueueName,
    after: Option<&str>,
    most: usize,
) -> Result<Vec<LaneStatus>> {
    let Some(queue) = queue_id(connection, queue)? else {
        return Ok(Vec::new());
    };
    let mut lanes = connection.prepare_cached(&format!(
        "SELECT {LANE}, name FROM lane WHERE queue = ?1 AND name > ?2 ORDER BY name LIMIT {most}"
    ))?;
    // No name is empty.
    lanes
        .query_map((queue, after.unwrap_or("")), |row| {
            let lane = LaneRow::read(row)?;
            Ok(lane.lane.status(&row.get::<_, String>(15)?, lane.depth))
        })?
        .collect()
}

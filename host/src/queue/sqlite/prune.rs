//! What goes from a queue's file by itself: jobs, batches and lanes past their retention, a few hundred at a time.
//! Comes in: a connection in a transaction; goes out: how many went, and when there may be more. Never takes what
//! waits or is worked on.

use super::super::*;
use super::change::Changes;
use super::rows::*;
use crate::clock::millis;
use rusqlite::{Connection, Result, params};

/// How much may still go, and when something may go next.
struct Going {
    room: usize,
    next: Option<u64>,
}

impl Going {
    fn not_before(&mut self, at: u64) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

pub(super) fn prune(changes: &Changes, connection: &Connection) -> Result<Pruned> {
    let now = changes.setup.clock.now();
    let mut going = Going {
        room: PRUNED_AT_ONCE,
        next: None,
    };
    let mut queues = connection
        .prepare_cached("SELECT id, owner, name, done, dead FROM queue ORDER BY owner, name")?;
    let queues = queues.query_map([], |row| {
        let queue = QueueName {
            owner: row.get(1)?,
            name: row.get(2)?,
        };
        Ok((
            row.get::<_, i64>(0)?,
            queue,
            number(row, 3)?,
            number(row, 4)?,
        ))
    })?;
    for (id, queue, done, dead) in queues.collect::<Result<Vec<_>>>()? {
        let policy = changes.setup.policies.of(&queue);
        for (phase, many, keep) in [
            (Phase::Done, done, policy.done),
            (Phase::Dead, dead, policy.dead),
        ] {
            ended(
                changes,
                connection,
                (id, phase),
                (many, keep),
                now,
                &mut going,
            )?;
        }
    }
    let newest = value::<Option<i64>>(connection, "SELECT max(seq) FROM batch", &[])?.flatten();
    let newest = uint(newest.unwrap_or(0));
    // Each is looked up behind the one before: SQLite would read all rows to find the owners that there are.
    let mut owner = String::new();
    let next =
        "SELECT min(owner) FROM batch INDEXED BY batch_over WHERE remaining = 0 AND owner > ?1";
    while let Some(found) = value::<Option<String>>(connection, next, &[&owner])?.flatten() {
        batches(changes, connection, (&found, newest), now, &mut going)?;
        owner = found;
    }
    lanes(connection, now, &mut going)?;
    step!("prune-written");
    Ok(Pruned {
        removed: (PRUNED_AT_ONCE - going.room) as u64,
        next: if going.room == 0 {
            Some(now)
        } else {
            going.next
        },
    })
}

/// Jobs of a queue that have ended, oldest first.
fn ended(
    changes: &Changes,
    connection: &Connection,
    (queue, phase): (i64, Phase),
    (many, keep): (u64, Keep),
    now: u64,
    going: &mut Going,
) -> Result<()> {
    let text = "SELECT seq, lane, at FROM job INDEXED BY job_ended
                WHERE queue = ?1 AND phase = ?2 AND phase >= 2 ORDER BY at, seq LIMIT ?3";
    let most = i64::try_from(going.room + 1).unwrap_or(i64::MAX);
    let mut oldest = connection.prepare_cached(text)?;
    let oldest = oldest.query_map([queue, phase_number(phase), most], |row| {
        Ok((row.get(0)?, row.get(1)?, number(row, 2)?))
    })?;
    for (place, (seq, lane, ended_at)) in (0..).zip(oldest.collect::<Result<Vec<_>>>()?) {
        let ends_at = ended_at.saturating_add(millis(keep.age));
        if ends_at > now && many.saturating_sub(place) <= keep.count {
            going.not_before(ends_at);
            break;
        }
        if going.room == 0 {
            break;
        }
        changes.remove(connection, (seq, lane), phase)?;
        going.room -= 1;
    }
    Ok(())
}

/// Batches of an owner that have no jobs any more: those that are old, and those with too many newer ones, whoever's.
fn batches(
    changes: &Changes,
    connection: &Connection,
    (owner, newest): (&str, u64),
    now: u64,
    going: &mut Going,
) -> Result<()> {
    let keep = changes.setup.policies.remembered(owner);
    let text = "SELECT seq, accepted_at FROM batch INDEXED BY batch_over
                WHERE owner = ?1 AND remaining = 0 ORDER BY accepted_at LIMIT ?2";
    let most = i64::try_from(going.room + 1).unwrap_or(i64::MAX);
    let mut oldest = connection.prepare_cached(text)?;
    let oldest = oldest.query_map(params![owner, most], |row| {
        Ok((row.get::<_, i64>(0)?, number(row, 1)?))
    })?;
    for (seq, accepted_at) in oldest.collect::<Result<Vec<_>>>()? {
        let ends_at = accepted_at.saturating_add(millis(keep.age));
        if ends_at > now && newest.saturating_sub(uint(seq)) < keep.count {
            going.not_before(ends_at);
            break;
        }
        if going.room == 0 {
            break;
        }
        connection
            .prepare_cached("DELETE FROM batch WHERE seq = ?1")?
            .execute([seq])?;
        going.room -= 1;
    }
    Ok(())
}

/// Lanes that have no jobs, and of which nothing is known that would hold one back.
fn lanes(connection: &Connection, now: u64, going: &mut Going) -> Result<()> {
    let text = format!(
        "SELECT {LANE} FROM lane INDEXED BY lane_idle
         WHERE waiting + claimed + done + dead = 0 AND paused = 0 AND slow_until <= ?1
         AND (open_until IS NULL OR open_until <= ?1) AND paced <= ?2 LIMIT ?3"
    );
    let most = i64::try_from(going.room).unwrap_or(i64::MAX);
    let mut idle = connection.prepare_cached(&text)?;
    let micros = int(now.saturating_mul(1000));
    let idle = idle.query_map([int(now), micros, most], LaneRow::read)?;
    for row in idle.collect::<Result<Vec<_>>>()? {
        connection
            .prepare_cached("DELETE FROM lane WHERE id = ?1")?
            .execute([row.id])?;
        going.room -= 1;
    }
    Ok(())
}

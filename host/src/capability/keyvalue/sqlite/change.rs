//! What a change does to a bucket's file. Comes in: the writer's connection, in a transaction; goes out: the
//! change's answer. Never begins or ends the transaction, and may be made a second time when it was undone:
//! that belongs to the [`writer`](super::writer).

use super::super::cas::Seen;
use super::super::counter::{Delta, NoSum};
use super::value;
use rusqlite::{Connection, Result};

/// Puts each value under its key.
pub(super) fn set(connection: &Connection, entries: &[(String, Vec<u8>)]) -> Result<()> {
    for (key, value) in entries {
        put(connection, key, value)?;
    }
    Ok(())
}

/// Removes those keys that are there.
pub(super) fn delete(connection: &Connection, keys: &[String]) -> Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM bucket WHERE key = ?1")?;
    for key in keys {
        delete.execute([key])?;
    }
    Ok(())
}

/// Adds to a counter. Where there is no sum, nothing is changed, and that is an answer like another.
pub(super) fn increment(
    connection: &Connection,
    key: &str,
    delta: Delta,
) -> Result<std::result::Result<i64, NoSum>> {
    let sum = delta.add(value(connection, key)?.as_deref());
    if let Ok(sum) = sum {
        put(connection, key, &sum.to_le_bytes())?;
    }
    Ok(sum)
}

/// Puts a value in the place of what was seen, or answers what is there.
pub(super) fn swap(
    connection: &Connection,
    key: &str,
    seen: Seen,
    new: &[u8],
) -> Result<std::result::Result<(), Seen>> {
    let there = Seen::of(value(connection, key)?.as_deref());
    if there != seen {
        return Ok(Err(there));
    }
    put(connection, key, new)?;
    Ok(Ok(()))
}

fn put(connection: &Connection, key: &str, value: &[u8]) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO bucket (key, value) VALUES (?1, ?2)")?
        .execute((key, value))?;
    Ok(())
}

//! A bucket in a SQLite file. Owns the readers' connections; comes in: keys and values; goes out:
//! what is there, and for a change: that it is on disk. Reads run side by side on threads that may
//! block, changes go through the one [`Writer`]. Never answers a change before it is committed.

mod change;

use super::backend::{Answer, Backend, Failure, PAGE};
use super::cas::Seen;
use super::counter::Delta;
use super::{Error, Limits};
use crate::file::Failed;
use crate::file::form::Form;
use crate::file::log::Log;
use crate::file::readers::Readers;
use crate::file::writer::Writer;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use std::path::Path;
use std::sync::Arc;

/// The application id of a bucket's file: `sgKV`.
const MARK: i64 = 0x7367_4B56;
/// The form of a bucket's file. A host that changes it counts on.
const FORM: i64 = 1;
const TABLE: &str = "CREATE TABLE IF NOT EXISTS bucket (
    key TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) WITHOUT ROWID";

/// A bucket in a file.
pub(super) struct Sqlite {
    readers: Arc<Readers>,
    writer: Writer,
}

impl Sqlite {
    /// Opens the file, or makes it. Blocks.
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, Failure> {
        let form = Form {
            mark: MARK,
            number: FORM,
            tables: TABLE,
            bytes: limits.store_bytes,
        };
        let connection = form.open(path)?;
        Ok(Self {
            readers: Readers::of(path),
            writer: Writer::start("key-value", connection, Log::open(path)?, || {})?,
        })
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let outcome = Arc::clone(&self.readers).ask(work);
        Box::pin(async move { Ok(outcome.await?) })
    }
}

impl From<Failed> for Error {
    /// Told apart by code, never by text.
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Self::Full(error.into()),
                _ => Self::Backend(error.into()),
            },
            Failed::Gone(error) => Self::Backend(error),
        }
    }
}

/// The value under `key`.
fn value(connection: &Connection, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT value FROM bucket WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// The values under `keys`; none of them where they have more than `most` bytes.
fn values(
    connection: &Connection,
    keys: &[String],
    most: usize,
) -> rusqlite::Result<Option<Vec<Option<Vec<u8>>>>> {
    // Without a transaction each would be of its own moment.
    let moment = connection.unchecked_transaction()?;
    let (mut values, mut left) = (Vec::with_capacity(keys.len()), most);
    for key in keys {
        let value = value(&moment, key)?;
        match left.checked_sub(value.as_ref().map_or(0, Vec::len)) {
            Some(rest) => left = rest,
            None => return Ok(None),
        }
        values.push(value);
    }
    moment.commit()?;
    Ok(Some(values))
}

impl Backend for Sqlite {
    fn get(&self, key: String) -> Answer<'_, Option<Vec<u8>>> {
        self.read(move |connection| value(connection, &key))
    }

    fn get_many(&self, keys: Vec<String>, most: usize) -> Answer<'_, Vec<Option<Vec<u8>>>> {
        let values = self.read(move |connection| values(connection, &keys, most));
        Box::pin(async move { values.await?.ok_or(Error::TooMuchAtOnce(most)) })
    }

    fn look(&self, key: String) -> Answer<'_, (Option<Vec<u8>>, Seen)> {
        self.read(move |connection| {
            let value = value(connection, &key)?;
            let seen = Seen::of(value.as_deref());
            Ok((value, seen))
        })
    }

    fn exists(&self, key: String) -> Answer<'_, bool> {
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT 1 FROM bucket WHERE key = ?1")?
                .exists([key])
        })
    }

    fn set(&self, entries: Vec<(String, Vec<u8>)>) -> Answer<'_, ()> {
        let bytes = |(key, value): &(String, Vec<u8>)| key.len().saturating_add(value.len());
        let bytes = entries.iter().map(bytes).fold(0, usize::saturating_add);
        let change = move |connection: &Connection| change::set(connection, &entries);
        let sent = self.writer.send(bytes, change);
        Box::pin(async move { Ok(sent.await?) })
    }

    fn delete(&self, keys: Vec<String>) -> Answer<'_, ()> {
        let bytes = keys.iter().map(String::len).fold(0, usize::saturating_add);
        let change = move |connection: &Connection| change::delete(connection, &keys);
        let sent = self.writer.send(bytes, change);
        Box::pin(async move { Ok(sent.await?) })
    }

    fn increment(&self, key: String, delta: Delta) -> Answer<'_, i64> {
        let bytes = key.len();
        let change = move |connection: &Connection| change::increment(connection, &key, delta);
        let sum = self.writer.send(bytes, change);
        Box::pin(async move { Ok(sum.await??) })
    }

    fn swap(&self, key: String, seen: Seen, value: Vec<u8>) -> Answer<'_, Result<(), Seen>> {
        let bytes = key.len().saturating_add(value.len());
        let change = move |connection: &Connection| change::swap(connection, &key, seen, &value);
        let sent = self.writer.send(bytes, change);
        Box::pin(async move { Ok(sent.await?) })
    }

    fn keys_after(&self, after: String, skip: u64) -> Answer<'_, Vec<String>> {
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let mut keys = connection.prepare_cached(
                "SELECT key FROM bucket WHERE key > ?1 ORDER BY key LIMIT ?2 OFFSET ?3",
            )?;
            keys.query_map((after, PAGE as i64, skip), |row| row.get(0))?
                .collect()
        })
    }
}

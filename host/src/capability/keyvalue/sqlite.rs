//! A bucket in a SQLite file. Owns the readers' connections; comes in: keys and values; goes out:
//! what is there, and for a change: that it is on disk. Reads run side by side on threads that may
//! block, changes go through the one [`writer`]. Never answers a change before it is committed.

mod change;
mod writer;

use super::backend::{Answer, Backend, Failure, PAGE};
use super::cas::Seen;
use super::counter::Delta;
use super::{Error, Limits};
use crate::capability::file::log::Log;
use crate::capability::file::sound::{self, Unsound};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::spawn_blocking;
use writer::Writer;

/// How long a connection waits for another's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The application id of a bucket's file: `sgKV`.
const MARK: i64 = 0x7367_4B56;
/// The form of a bucket's file. A host that changes it counts on.
const FORM: i64 = 1;
/// How many connections are kept for the next reads.
const IDLE_READERS: usize = 16;

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
        let connection = prepare(path, limits)?;
        let readers = Readers {
            path: path.to_owned(),
            idle: Mutex::default(),
        };
        Ok(Self {
            readers: Arc::new(readers),
            writer: Writer::start(connection, Log::open(path)?)?,
        })
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let readers = Arc::clone(&self.readers);
        Box::pin(async move {
            let outcome = spawn_blocking(move || readers.read(work)).await;
            outcome
                .map_err(|broken| Error::Backend(broken.into()))?
                .map_err(convert)
        })
    }
}

/// Opens the file for its writer: looks it over, and makes the table.
fn prepare(path: &Path, limits: &Limits) -> Result<Connection, Unsound> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    sound::check(&mut connection)?;
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    // A file without a mark is new, or from before there were marks: then it has form 1.
    match number("application_id")? {
        0 | MARK => sound::known(number("user_version")?, FORM)?,
        foreign => return Err(Unsound::Foreign(foreign)),
    }
    if number("application_id")? != MARK {
        connection.execute_batch(TABLE)?;
        connection.pragma_update(None, "user_version", FORM)?;
        connection.pragma_update(None, "application_id", MARK)?;
    }
    let page = u64::try_from(number("page_size")?).unwrap_or(4096).max(1);
    let pages = (limits.store_bytes / page).clamp(1, u32::MAX.into());
    // The answer is the limit that holds now; it is no news.
    connection.pragma_update_and_check(None, "max_page_count", pages as i64, |_| Ok(()))?;
    Ok(connection)
}

/// SQLite's error as the room's. Told apart by code, never by text.
fn convert(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full(error.into()),
        _ => Error::Backend(error.into()),
    }
}

fn connect(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        let outcome = work(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        outcome
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
        Box::pin(self.writer.send(bytes, change))
    }

    fn delete(&self, keys: Vec<String>) -> Answer<'_, ()> {
        let bytes = keys.iter().map(String::len).fold(0, usize::saturating_add);
        let change = move |connection: &Connection| change::delete(connection, &keys);
        Box::pin(self.writer.send(bytes, change))
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
        Box::pin(self.writer.send(bytes, change))
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

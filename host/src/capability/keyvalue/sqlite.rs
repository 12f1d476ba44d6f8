//! A bucket in a SQLite file. Owns the readers' connections; comes in: keys and values; goes out:
//! what is there, and for a change: that it is on disk. Reads run side by side on threads that may
//! block, changes go through the one [`writer`]. Never answers a change before it is committed.

mod writer;

use super::backend::{Answer, Backend, Failure, PAGE};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::spawn_blocking;
use writer::{Change, Writer};

/// How long a connection waits for another's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
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
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(TABLE)?;
        let readers = Readers {
            path: path.to_owned(),
            idle: Mutex::default(),
        };
        Ok(Self {
            readers: Arc::new(readers),
            writer: Writer::start(connection)?,
        })
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let readers = Arc::clone(&self.readers);
        Box::pin(async move { spawn_blocking(move || readers.read(work)).await? })
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
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Failure> {
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
        Ok(outcome?)
    }
}

impl Backend for Sqlite {
    fn get(&self, key: String) -> Answer<'_, Option<Vec<u8>>> {
        self.read(move |connection| {
            let mut get = connection.prepare_cached("SELECT value FROM bucket WHERE key = ?1")?;
            get.query_row([key], |row| row.get(0)).optional()
        })
    }

    fn set(&self, key: String, value: Vec<u8>) -> Answer<'_, ()> {
        Box::pin(self.writer.send(Change::Set { key, value }))
    }

    fn delete(&self, key: String) -> Answer<'_, ()> {
        Box::pin(self.writer.send(Change::Delete { key }))
    }

    fn exists(&self, key: String) -> Answer<'_, bool> {
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT 1 FROM bucket WHERE key = ?1")?
                .exists([key])
        })
    }

    fn keys_after(&self, after: String) -> Answer<'_, Vec<String>> {
        self.read(move |connection| {
            let mut keys = connection
                .prepare_cached("SELECT key FROM bucket WHERE key > ?1 ORDER BY key LIMIT ?2")?;
            keys.query_map((after, PAGE as i64), |row| row.get(0))?
                .collect()
        })
    }
}

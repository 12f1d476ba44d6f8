//! Keeps the log beside a database file short. SQLite begins a log anew only in a moment when nobody
//! reads from it, and where readers overlap all the time there is none: the log would grow until the
//! disk is full. Comes in: occasions; goes out: a log cut to nothing whenever it has grown too long.
//! Never holds writers up for longer than its patience.

use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a log may get, in bytes.
const LONG: u64 = 16 << 20;
/// How long to wait for those who read from the log. New ones read what is in the database by then.
const PATIENCE: Duration = Duration::from_millis(100);

/// The log of one database file.
pub(crate) struct Log {
    path: PathBuf,
    /// Open as long as the database is, so that SQLite keeps the file.
    connection: Mutex<Connection>,
    most: u64,
    /// How long it has to be for the next try.
    next: AtomicU64,
}

impl Log {
    /// The log of a database that was opened, and written to, before.
    pub(crate) fn open(database: &Path) -> rusqlite::Result<Self> {
        Self::with(database, LONG)
    }

    fn with(database: &Path, most: u64) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(database, flags)?;
        connection.busy_timeout(PATIENCE)?;
        // A connection opens the log when it first reads.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        let mut path = database.to_owned().into_os_string();
        path.push("-wal");
        Ok(Self {
            path: path.into(),
            connection: Mutex::new(connection),
            most,
            next: AtomicU64::new(most),
        })
    }

    /// The file, to bring it to disk. Its name is there already.
    pub(crate) fn file(&self) -> io::Result<File> {
        let file = File::options().write(true).open(&self.path)?;
        let folder = self.path.parent().filter(|name| *name != Path::new(""));
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(file)
    }

    /// Brings what is in the log into the database, if the log has grown too long. Blocks.
    pub(crate) fn cut(&self) {
        let length = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        if length <= self.next.load(Ordering::Relaxed) {
            return;
        }
        // Whoever is at it does it for all.
        let Ok(connection) = self.connection.try_lock() else {
            return;
        };
        let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        // A reader that stays, or a disk without room: there is no use in trying again at once.
        let next = match busy {
            Ok(0) => self.most,
            Ok(_) | Err(_) => length.saturating_add(self.most),
        };
        self.next.store(next, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Log;
    use rusqlite::Connection;

    #[test]
    fn a_long_log_is_cut_once_nobody_reads_from_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("default.db");
        let writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        writer.execute_batch("CREATE TABLE t (a)").unwrap();
        let log = Log::with(&path, 100_000).unwrap();
        let length = || log.path.metadata().unwrap().len();
        let write = || {
            let insert = "INSERT INTO t VALUES (zeroblob(60000))";
            writer.execute(insert, []).unwrap();
            log.cut();
        };
        write();
        assert!(length() > 0, "it was cut before it was long");
        write();
        assert_eq!(length(), 0);

        let reader = Connection::open(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
        write();
        write();
        let held = length();
        assert!(held > 100_000, "{held}");
        reader.execute_batch("COMMIT").unwrap();
        // Not at once, and then all of it.
        log.cut();
        assert_eq!(length(), held);
        write();
        write();
        assert_eq!(length(), 0);
        let rows: i64 = reader
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 6);
    }
}

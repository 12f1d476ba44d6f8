//! Opens a file whose tables are the host's own. Comes in: a path, and the form that is expected; goes out: the
//! connection of its one writer, whose commits are on disk when they are answered. Never opens a file of somebody
//! else, or one of a form that this host does not know.

use super::sound::{self, Unsound};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long a connection waits for another's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a file is expected to be.
pub(crate) struct Form {
    /// Its application id.
    pub(crate) mark: i64,
    /// The form of its tables. A host that changes it counts on.
    pub(crate) number: i64,
    /// What makes the tables in a file that is new.
    pub(crate) tables: &'static str,
    /// The most bytes that it may take.
    pub(crate) bytes: u64,
}

impl Form {
    /// Opens the file for its writer: looks it over, and makes the tables.
    pub(crate) fn open(&self, path: &Path) -> Result<Connection, Unsound> {
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        sound::check(&mut connection)?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        // A file without a mark is new, or from before there were marks: then it has form 1.
        let mark = number("application_id")?;
        if mark != 0 && mark != self.mark {
            return Err(Unsound::Foreign(mark));
        }
        sound::known(number("user_version")?, self.number)?;
        if mark != self.mark {
            connection.execute_batch(self.tables)?;
            connection.pragma_update(None, "user_version", self.number)?;
            connection.pragma_update(None, "application_id", self.mark)?;
        }
        let page = u64::try_from(number("page_size")?).unwrap_or(4096).max(1);
        let pages = (self.bytes / page).clamp(1, u32::MAX.into());
        // The answer is the limit that holds now; it is no news.
        connection.pragma_update_and_check(None, "max_page_count", pages as i64, |_| Ok(()))?;
        Ok(connection)
    }
}

/// Opens a connection to a file that is there.
pub(crate) fn connect(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

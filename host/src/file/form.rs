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
            // Whole or not at all: a host that ends meanwhile leaves a file that the next one makes again.
            let making = connection.unchecked_transaction()?;
            making.execute_batch(self.tables)?;
            making.pragma_update(None, "user_version", self.number)?;
            making.pragma_update(None, "application_id", self.mark)?;
            making.commit()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form = Form {
        mark: 7,
        number: 1,
        tables: "CREATE TABLE one (x); CREATE TABLE two (x);",
        bytes: 1 << 20,
    };

    #[test]
    fn a_file_whose_making_was_cut_off_is_made_by_the_next_host() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.db");
        std::fs::File::create(&path).unwrap();
        let cut_off = Form {
            tables: "CREATE TABLE one (x); CREATE TABLE (",
            ..FORM
        };
        assert!(cut_off.open(&path).is_err());
        FORM.open(&path).unwrap();
        // And is left as it is by those after it.
        let connection = FORM.open(&path).unwrap();
        let count = "SELECT count(*) FROM sqlite_schema";
        let count = connection.query_row(count, [], |row| row.get::<_, i64>(0));
        assert_eq!(count.unwrap(), 2);
    }
}

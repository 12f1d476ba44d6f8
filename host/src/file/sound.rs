//! What is looked at before a database file is used: that it is whole, and that this host knows the
//! form in which it is kept. Comes in: a connection; goes out: nothing, or a clear word. The look is
//! bounded, so that a large file does not hold up the start. Never mends anything.

use rusqlite::{Connection, ErrorCode};
use std::time::{Duration, Instant};

/// How long the look may take; what was not looked at by then is taken to be whole.
const LOOK: Duration = Duration::from_secs(5);
/// How many steps of SQLite's machine run between two looks at the clock.
const STEPS: i32 = 10_000;

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unsound {
    /// Its content is damaged, or it never was a database.
    #[error("file is damaged ({0}): stop the host and restore it from a backup, signet restore")]
    Damaged(String),
    /// It was written by a host that keeps more than this one knows of.
    #[error(
        "file has form {found}, this host knows form {known} and older: use the newer host that wrote it"
    )]
    Newer {
        /// The form that the file has.
        found: i64,
        /// The newest form that this host knows.
        known: i64,
    },
    /// It is a database of somebody else.
    #[error("file was not made for this (application id {0:#x}): name another file")]
    Foreign(i64),
    /// What stands beside the file cannot be opened.
    #[error("log of the file cannot be opened")]
    Log(#[source] std::io::Error),
    /// The database's own words.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Unsound {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Sqlite(error),
        }
    }
}

/// Looks the whole file over, as far as the time allows.
pub(crate) fn check(connection: &mut Connection) -> Result<(), Unsound> {
    // Of what a guest demands of its own rows, the guest is the judge.
    connection.pragma_update(None, "ignore_check_constraints", true)?;
    let end = Instant::now() + LOOK;
    connection.progress_handler(STEPS, Some(move || Instant::now() >= end))?;
    let found = connection.pragma_query_value(None, "quick_check", |row| row.get::<_, String>(0));
    connection.progress_handler(0, None::<fn() -> bool>)?;
    connection.pragma_update(None, "ignore_check_constraints", false)?;
    match found {
        Ok(word) if word == "ok" => Ok(()),
        Ok(damage) => Err(Unsound::Damaged(damage.trim().replace('\n', ", "))),
        Err(error) => match error.sqlite_error_code() {
            // The time is up, or a value is longer than it may be by now: neither is damage.
            Some(ErrorCode::OperationInterrupted | ErrorCode::TooBig) => Ok(()),
            _ => Err(error.into()),
        },
    }
}

/// Whether this host knows a form.
pub(crate) fn known(found: i64, known: i64) -> Result<(), Unsound> {
    if found > known {
        return Err(Unsound::Newer { found, known });
    }
    Ok(())
}

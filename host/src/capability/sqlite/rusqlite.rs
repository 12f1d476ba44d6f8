//! SQLite as a backend: one file, opened anew for each session. With [`authorize`] and [`migrate`]
//! it is the only code of this room that names the `rusqlite` crate. Comes in: a path and
//! statements; goes out: rows and [`Error`]s. Never shares a session between threads, never waits
//! for more than the busy timeout, never loads an extension.

mod authorize;
mod migrate;

pub(super) use migrate::migrate;

use super::Limits;
use super::backend::{Backend, Error, Row, Session, Sink, Statement, Stop, Value};
use ::rusqlite::config::DbConfig;
use ::rusqlite::limits::Limit;
use ::rusqlite::types::{ToSqlOutput, ValueRef};
use ::rusqlite::{self as rusqlite, Batch, Connection, ErrorCode, OpenFlags, ToSql, hooks};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a statement waits for another's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many steps of SQLite's machine run between two looks at the stop sign.
const STEPS_PER_LOOK: i32 = 4096;
/// How many prepared statements a session keeps.
const CACHED_STATEMENTS: usize = 64;

/// A database file.
pub(super) struct File {
    path: PathBuf,
    limits: Limits,
}

impl File {
    pub(super) fn new(path: PathBuf, limits: Limits) -> Self {
        Self { path, limits }
    }

    fn open(&self) -> rusqlite::Result<Sqlite> {
        let mut connection = connect(&self.path)?;
        harden(&connection, &self.limits)?;
        let temporary = Arc::new(AtomicBool::new(false));
        authorize::guard(&mut connection, Arc::clone(&temporary))?;
        let inserted = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&inserted);
        connection.update_hook(Some(
            move |action: hooks::Action, _: &str, _: &str, _: i64| {
                if action == hooks::Action::SQLITE_INSERT {
                    note.store(true, Ordering::Relaxed);
                }
            },
        ))?;
        Ok(Sqlite {
            connection,
            temporary,
            inserted,
            changes_before: 0,
        })
    }
}

/// Opens the file the way every connection of the host has it: what was acknowledged is on disk.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Closes what SQLite leaves open for programs that trust their own statements.
fn harden(connection: &Connection, limits: &Limits) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100)?;
    // A pattern with many wildcards takes time that no stop sign cuts short.
    connection.set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000)?;
    let longest = i32::try_from(limits.value_bytes).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, longest.min(1 << 20))?;
    if let Some(bytes) = limits.database_bytes {
        let page: u64 = connection
            .pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))
            .map(|size| u64::try_from(size).unwrap_or(4096).max(1))?;
        let pages = i64::try_from(bytes / page).unwrap_or(i64::MAX).max(1);
        // The answer is the limit that holds now; it is no news.
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}

impl Backend for File {
    fn connect(&self) -> Result<Box<dyn Session>, Error> {
        Ok(Box::new(self.open().map_err(convert)?))
    }
}

struct Sqlite {
    connection: Connection,
    /// Whether a statement made something that only this session sees.
    temporary: Arc<AtomicBool>,
    /// Whether a row with a rowid was inserted since the session was renewed.
    inserted: Arc<AtomicBool>,
    /// SQLite's count of all changes when the session was renewed.
    changes_before: u64,
}

impl Session for Sqlite {
    fn renew(&mut self) {
        self.changes_before = self.connection.total_changes();
        self.inserted.store(false, Ordering::Relaxed);
    }

    fn run(
        &mut self,
        statement: &Statement,
        stop: &Stop,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        let sign = Arc::clone(stop);
        let look = move || sign.load(Ordering::Relaxed);
        self.connection
            .progress_handler(STEPS_PER_LOOK, Some(look))
            .map_err(convert)?;
        let outcome = step(&self.connection, statement, stop, sink);
        let cleared = self
            .connection
            .progress_handler(0, None::<fn() -> bool>)
            .map_err(convert);
        outcome.and(cleared)
    }

    fn last_insert_rowid(&self) -> i64 {
        // Until this holder inserted something, SQLite's number is the last holder's.
        if self.inserted.load(Ordering::Relaxed) {
            self.connection.last_insert_rowid()
        } else {
            0
        }
    }

    fn changes(&self) -> u64 {
        // Until this holder changed something, SQLite's number is the last holder's.
        if self.connection.total_changes() == self.changes_before {
            0
        } else {
            self.connection.changes()
        }
    }

    fn is_clean(&self) -> bool {
        self.connection.is_autocommit() && !self.temporary.load(Ordering::Relaxed)
    }

    fn settle(&mut self) -> bool {
        let settled =
            self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        settled && self.is_clean()
    }
}

/// Prepares the statement, binds and steps through its rows.
fn step(
    connection: &Connection,
    statement: &Statement,
    stop: &Stop,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let mut prepared = connection
        .prepare_cached(&statement.text)
        .map_err(|error| explain(connection, &statement.text, error))?;
    let writes = !prepared.readonly();
    let mut columns = names(&prepared);
    let mut rows = prepared
        .query(rusqlite::params_from_iter(statement.parameters.iter()))
        .map_err(convert)?;
    let mut started = false;
    while let Some(row) = rows.next().map_err(convert)? {
        if !started {
            // The first step may have prepared the statement anew, after a change of the schema.
            columns = names(row.as_ref());
            sink.start(columns.clone(), writes);
            started = true;
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        let mut values = Row::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(convert)?;
            values.push(read(value).ok_or_else(|| Error::NotUtf8(column.clone()))?);
        }
        if sink.row(values)?.is_break() {
            return Ok(());
        }
    }
    if !started {
        sink.start(columns, writes);
    }
    Ok(())
}

fn names(statement: &rusqlite::Statement<'_>) -> Vec<String> {
    statement.column_names().map(str::to_owned).collect()
}

/// The value, or none where a text is not UTF-8.
fn read(value: ValueRef<'_>) -> Option<Value> {
    Some(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(str::from_utf8(bytes).ok()?.to_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Null => ValueRef::Null,
        }))
    }
}

/// The error of a text that did not become a statement. SQLite also prepares what follows the first
/// statement, so its error may be about that: then the first one alone is sound.
fn explain(connection: &Connection, text: &str, error: rusqlite::Error) -> Error {
    let whole = convert(error);
    if matches!(whole, Error::Empty | Error::Several) {
        return whole;
    }
    match rusqlite::fallible_iterator::FallibleIterator::next(&mut Batch::new(connection, text)) {
        Ok(Some(_)) => Error::Several,
        Ok(None) | Err(_) => whole,
    }
}

/// SQLite's error as the room's. Told apart by code, never by text.
fn convert(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::Empty => return Error::Empty,
        rusqlite::Error::MultipleStatement => return Error::Several,
        rusqlite::Error::InvalidParameterCount(given, wanted) => {
            return Error::Parameters { given, wanted };
        }
        _ => {}
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full(error.into()),
        Some(ErrorCode::OperationInterrupted) => Error::Stopped,
        Some(ErrorCode::AuthorizationForStatementDenied) => Error::Forbidden(error.into()),
        _ => Error::Statement(error.into()),
    }
}

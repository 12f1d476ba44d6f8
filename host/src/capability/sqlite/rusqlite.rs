//! SQLite as a backend: one file, opened anew for each session. With the files of its folder it is
//! the only code of this room that names the `rusqlite` crate. Comes in: a path and statements; goes
//! out: rows and [`Error`]s, and for a statement that changed something, that it is on disk. Never
//! shares a session between threads, never loads an extension.

mod authorize;
mod form;
mod migrate;

pub(super) use migrate::{migrate, run};

use super::Limits;
use super::backend::{Backend, Error, Row, Session, Sink, Statement, Value};
use super::journal::Journal;
use super::stop::Stop;
use super::turns::Turns;
use crate::file::log::Log;
use crate::file::sound::{self, Unsound};
use ::rusqlite::config::DbConfig;
use ::rusqlite::limits::Limit;
use ::rusqlite::types::{ToSqlOutput, ValueRef};
use ::rusqlite::{self as rusqlite, Batch, Connection, ErrorCode, OpenFlags, ToSql, hooks};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many steps of SQLite's machine run between two looks at the stop sign.
const STEPS_PER_LOOK: i32 = 4096;
/// How many prepared statements a session keeps.
const CACHED_STATEMENTS: usize = 64;

/// A database file.
pub(super) struct File {
    path: PathBuf,
    limits: Limits,
    shared: Arc<Shared>,
}

/// What all sessions of one file have in common.
struct Shared {
    journal: Journal,
    turns: Turns,
    log: Log,
}

impl File {
    /// Opens the file: looks it over, and writes down in it what is the host's. Blocks.
    pub(super) fn open(path: PathBuf, limits: Limits) -> Result<Self, Unsound> {
        let mut first = connect(&path, &limits)?;
        harden(&first, &limits)?;
        sound::check(&mut first)?;
        form::write_down(&first)?;
        let log = Log::open(&path)?;
        let file = log.file().map_err(Unsound::Log)?;
        let shared = Shared {
            journal: Journal::new(move || file.sync_data()),
            turns: Turns::default(),
            log,
        };
        Ok(Self {
            path,
            limits,
            shared: Arc::new(shared),
        })
    }

    fn session(&self) -> rusqlite::Result<Sqlite> {
        let mut connection = connect(&self.path, &self.limits)?;
        // SQLite brings the log to disk before it empties it, the journal after each commit.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
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
        let commit = Arc::new(AtomicU64::new(NONE));
        let (note, shared) = (Arc::clone(&commit), Arc::clone(&self.shared));
        connection.commit_hook(Some(move || {
            note.store(shared.journal.announce(), Ordering::Relaxed);
            GO_ON
        }))?;
        Ok(Sqlite {
            connection,
            limits: self.limits.clone(),
            shared: Arc::clone(&self.shared),
            commit,
            temporary,
            inserted,
            changes_before: 0,
        })
    }
}

/// In place of the number of a commit.
const NONE: u64 = 0;
/// What the hook says to let SQLite commit.
const GO_ON: bool = false;

/// Opens the file the way every connection of the host has it: what was acknowledged is on disk.
pub(super) fn connect(path: &Path, limits: &Limits) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits.lock_wait)?;
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
    let page: u64 = connection
        .pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))
        .map(|size| u64::try_from(size).unwrap_or(4096).max(1))?;
    let pages = (limits.database_bytes / page).clamp(1, u32::MAX.into());
    for schema in ["main", "temp"] {
        // The answer is the limit that holds now; it is no news.
        connection
            .pragma_update_and_check(Some(schema), "max_page_count", pages as i64, |_| Ok(()))?;
    }
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}

impl Backend for File {
    fn connect(&self) -> Result<Box<dyn Session>, Error> {
        let session = self.session();
        Ok(Box::new(
            session.map_err(|error| convert(error, &self.limits))?,
        ))
    }
}

struct Sqlite {
    connection: Connection,
    limits: Limits,
    shared: Arc<Shared>,
    /// The commit of this session that is on its way to disk, or [`NONE`].
    commit: Arc<AtomicU64>,
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
        if stop.is_up() {
            return Err(stop.reason());
        }
        self.shared.journal.sound()?;
        let sign = stop.clone();
        self.connection
            .progress_handler(STEPS_PER_LOOK, Some(move || sign.is_up()))
            .map_err(|error| self.convert(error))?;
        let outcome = match self.step(statement, stop, sink) {
            Err(Error::Stopped) => Err(stop.reason()),
            outcome => outcome,
        };
        // A statement that failed may have committed before.
        let settled = self.settle();
        let cleared = self
            .connection
            .progress_handler(0, None::<fn() -> bool>)
            .map_err(|error| self.convert(error));
        outcome.and(settled).and(cleared)
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

    fn is_as_new(&self) -> bool {
        // In SQL too there are `last_insert_rowid()` and `changes()`: who may have set them keeps them.
        self.is_clean()
            && !self.inserted.load(Ordering::Relaxed)
            && self.connection.total_changes() == self.changes_before
    }

    fn tidy_up(&mut self) -> bool {
        let settled =
            self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        settled && self.is_clean()
    }
}

impl Sqlite {
    /// Prepares the statement, binds and steps through its rows.
    fn step(&self, statement: &Statement, stop: &Stop, sink: &mut dyn Sink) -> Result<(), Error> {
        let convert = |error| self.convert(error);
        let mut prepared = self
            .connection
            .prepare_cached(&statement.text)
            .map_err(|error| self.explain(&statement.text, error))?;
        let writes = !prepared.readonly();
        // Inside of a transaction SQLite's lock is held already, or another's way to it not ours to judge.
        let turn = if writes && self.connection.is_autocommit() {
            let patience = self.limits.lock_wait.min(stop.left());
            Some(self.shared.turns.take(patience).ok_or(Error::Locked)?)
        } else {
            None
        };
        let mut columns = names(&prepared);
        let mut rows = prepared
            .query(rusqlite::params_from_iter(statement.parameters.iter()))
            .map_err(convert)?;
        let mut started = false;
        while let Some(row) = rows.next().map_err(convert)? {
            if !started {
                if !writes {
                    self.seen(stop)?;
                }
                // The first step may have prepared the statement anew, after a change of the schema.
                columns = names(row.as_ref());
                sink.start(columns.clone(), writes);
                started = true;
            }
            if stop.is_up() {
                return Err(stop.reason());
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
        drop(rows);
        drop(turn);
        if !started {
            self.seen(stop)?;
            sink.start(columns, writes);
        }
        Ok(())
    }

    /// Waits until what this session committed is on disk; where it committed nothing, until what it
    /// may have read is.
    fn seen(&self, stop: &Stop) -> Result<(), Error> {
        if self.commit.load(Ordering::Relaxed) == NONE {
            self.shared.journal.read(stop)
        } else {
            self.settle()
        }
    }

    /// Waits until what this session committed is on disk.
    fn settle(&self) -> Result<(), Error> {
        match self.commit.swap(NONE, Ordering::Relaxed) {
            NONE => Ok(()),
            number => {
                self.shared.journal.settle(number)?;
                self.shared.log.cut();
                Ok(())
            }
        }
    }

    fn convert(&self, error: rusqlite::Error) -> Error {
        convert(error, &self.limits)
    }

    /// The error of a text that did not become a statement. SQLite also prepares what follows the
    /// first statement, so its error may be about that: then the first one alone is sound.
    fn explain(&self, text: &str, error: rusqlite::Error) -> Error {
        let whole = self.convert(error);
        if matches!(whole, Error::Empty | Error::Several) {
            return whole;
        }
        let mut batch = Batch::new(&self.connection, text);
        match rusqlite::fallible_iterator::FallibleIterator::next(&mut batch) {
            Ok(Some(_)) => Error::Several,
            Ok(None) | Err(_) => whole,
        }
    }
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

/// SQLite's error as the room's. Told apart by code, never by text.
fn convert(error: rusqlite::Error, limits: &Limits) -> Error {
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
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked,
        Some(ErrorCode::TooBig) => Error::TooLong {
            limit: limits.value_bytes,
            source: error.into(),
        },
        Some(ErrorCode::AuthorizationForStatementDenied) => Error::Forbidden(error.into()),
        _ => Error::Statement(error.into()),
    }
}

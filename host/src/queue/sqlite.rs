//! A queue in a SQLite file. Comes in: what the trait says; goes out: the same, and for a change: that it is on
//! disk. Changes go through the one writer, which commits what waits together; reads run beside it. Never counts
//! jobs to claim one, never answers a change before it is committed.

mod change;
mod enqueue;
mod look;
mod operate;
mod prune;
mod rows;
mod start;

use super::*;
use crate::file::form::Form;
use crate::file::log::Log;
use crate::file::readers::Readers;
use crate::file::writer::Writer;
use crate::file::{Failed, private};
use change::{Changes, Said};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// The application id of a queue's file: `sgQU`.
const MARK: i64 = 0x7367_5155;
/// The form of a queue's file. A host that changes it counts on.
const FORM: i64 = 1;
/// How many statements are kept ready. There are fewer than that.
const STATEMENTS: usize = 128;
/// What an operation weighs while it waits, beside what it brings.
const WEIGHT: usize = 256;
/// How many jobs one step of a change takes at most: others wait for its commit.
const STEP: usize = 1000;

/// A queue in a file.
pub struct Sqlite {
    changes: Arc<Changes>,
    writer: Writer,
    readers: Arc<Readers>,
    /// Whether something was changed since the last commit by which a claim may find more.
    more: Arc<AtomicBool>,
    changed: watch::Sender<u64>,
    /// Whether each change is undone and made again, as happens to one whose neighbour in a commit fails.
    #[cfg(test)]
    pub(super) undone: bool,
}

/// Why a queue's file could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("queue: file {} cannot be used", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub source: Failure,
}

impl Sqlite {
    /// Opens the file, or makes it. What a host that is gone had claimed is taken back. Blocks.
    pub fn open(path: &Path, setup: Setup) -> Result<Self, OpenError> {
        let opened = private::create_file(path).map_err(Failure::from);
        let opened = opened.and_then(|()| {
            Self::open_file(path, setup, |changes, connection| {
                let start = connection.unchecked_transaction()?;
                changes.recover(&start)?;
                start.commit()
            })
        });
        opened.map_err(unusable(path))
    }

    /// Opens the file of a host that does not run, for an operator. What it had claimed stays claimed: by which
    /// policy that is taken back, its next start knows. Blocks.
    pub fn visit(path: &Path) -> Result<Self, OpenError> {
        let limits = Limits {
            // Nothing is added here, and what is there may be changed however much it is.
            store_bytes: u64::MAX,
            ..Limits::default()
        };
        let setup = Setup::new(Policies::default(), limits);
        Self::open_file(path, setup, |_, _| Ok(())).map_err(unusable(path))
    }

    fn open_file(
        path: &Path,
        setup: Setup,
        begin: impl FnOnce(&Changes, &Connection) -> rusqlite::Result<()>,
    ) -> Result<Self, Failure> {
        // What finishes the accepted has room when there is none for more.
        let bytes = setup.limits.store_bytes;
        let form = Form {
            mark: MARK,
            number: FORM,
            tables: include_str!("sqlite/schema.sql"),
            bytes: bytes.saturating_add(bytes / 4).saturating_add(4 << 20),
        };
        let connection = form.open(path)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // A plan of ours never depends on a parameter's value. Without a word SQLite takes it that one may, where
        // an index is partial, and plans anew at each run.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let changes = Arc::new(Changes::of(setup, &connection)?);
        begin(&changes, &connection)?;
        let (more, changed) = (Arc::new(AtomicBool::new(false)), watch::Sender::new(0));
        let committed = {
            let (more, changed) = (Arc::clone(&more), changed.clone());
            move || {
                if more.swap(false, Ordering::Relaxed) {
                    changed.send_modify(|count| *count += 1);
                }
            }
        };
        Ok(Self {
            changes,
            writer: Writer::start("queue", connection, Log::open(path)?, committed)?,
            readers: Readers::of(path),
            more,
            changed,
            #[cfg(test)]
            undone: false,
        })
    }

    /// Makes a change that brings so many bytes.
    fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        change: impl Fn(&Changes, &Connection) -> Said<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let changes = Arc::clone(&self.changes);
        #[cfg(test)]
        let undone = self.undone;
        let change = move |connection: &Connection| {
            #[cfg(test)]
            if undone {
                connection.execute_batch("SAVEPOINT undone")?;
                let _ = change(&changes, connection)?;
                connection.execute_batch("ROLLBACK TO undone; RELEASE undone")?;
            }
            change(&changes, connection)
        };
        let sent = self.writer.send(bytes.saturating_add(WEIGHT), change);
        Box::pin(async move { sent.await? })
    }

    /// The same, and whoever waits for something to claim is told.
    fn tell<T: Send + 'static>(
        &self,
        bytes: usize,
        change: impl Fn(&Changes, &Connection) -> Said<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let more = Arc::clone(&self.more);
        self.write(bytes, move |changes, connection| {
            let said = change(changes, connection)?;
            more.store(true, Ordering::Relaxed);
            Ok(said)
        })
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let asked = Arc::clone(&self.readers).ask(work);
        Box::pin(async move { Ok(asked.await?) })
    }
}

fn unusable(path: &Path) -> impl Fn(Failure) -> OpenError {
    |source| OpenError {
        path: path.to_owned(),
        source,
    }
}

impl From<Failed> for Error {
    /// Told apart by code, never by text.
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Self::Full(error.into()),
                Some(ErrorCode::ReadOnly) => Self::ReadOnly(error.into()),
                _ => Self::Io(error.into()),
            },
            Failed::Gone(error) => Self::Io(error),
        }
    }
}

impl Backend for Sqlite {
    fn enqueue(&self, batch: NewBatch) -> Answer<'_, Receipt> {
        let bytes = usize::try_from(batch.bytes()).unwrap_or(usize::MAX);
        let kept = self.tell(bytes, move |changes, connection| {
            changes.enqueue(connection, &batch)
        });
        then_step!(kept, "enqueue-committed")
    }

    fn claim(&self, queue: QueueName, most: usize) -> Answer<'_, Claims> {
        let (changes, of) = (Arc::clone(&self.changes), queue.clone());
        let taken = self.write(0, move |changes, connection| {
            changes.claim(connection, &queue, most)
        });
        let taken: Answer<'_, Claims> = Box::pin(async move {
            let mut claims = taken.await?;
            claims.expired.extend(changes.recovered(&of));
            Ok(claims)
        });
        then_step!(taken, "claim-committed")
    }

    fn extend(&self, leases: Vec<Lease>) -> Answer<'_, Vec<Lease>> {
        self.write(0, move |changes, connection| {
            changes.extend(connection, &leases).map(Ok)
        })
    }

    fn settle(&self, lease: Lease, outcome: Outcome) -> Answer<'_, Phase> {
        let settled = self.tell(0, move |changes, connection| {
            changes.settle(connection, &lease, &outcome)
        });
        then_step!(settled, "settle-committed")
    }

    fn release(&self, leases: Vec<Lease>) -> Answer<'_, ()> {
        let given = self.tell(0, move |changes, connection| {
            changes.release(connection, &leases).map(Ok)
        });
        then_step!(given, "release-committed")
    }

    fn change_lane(&self, queue: QueueName, lane: String, change: LaneChange) -> Answer<'_, ()> {
        self.tell(0, move |changes, connection| {
            changes.change_lane(connection, &queue, &lane, change)
        })
    }

    fn change(
        &self,
        filter: Filter,
        change: Change,
        after: Option<JobId>,
        most: usize,
    ) -> Answer<'_, Changed> {
        let most = most.min(STEP);
        self.tell(0, move |changes, connection| {
            let jobs = look::fitting(connection, &filter, &change, after, most)?;
            changes.change(connection, &change, &jobs)?;
            Ok(Ok(Changed {
                count: jobs.len() as u64,
                next: jobs.last().map(|job| job.id).filter(|_| jobs.len() == most),
            }))
        })
    }

    fn prune(&self) -> Answer<'_, Pruned> {
        self.write(0, |changes, connection| {
            prune::prune(changes, connection).map(Ok)
        })
    }

    fn list(&self, filter: Filter, after: Option<JobId>, most: usize) -> Answer<'_, Vec<Job>> {
        self.read(move |connection| look::list(connection, &filter, after, most))
    }

    fn count(&self, filter: Filter) -> Answer<'_, u64> {
        self.read(move |connection| look::count(connection, &filter))
    }

    fn show(&self, job: JobId) -> Answer<'_, Option<Shown>> {
        self.read(move |connection| look::show(connection, job))
    }

    fn batch(&self, batch: BatchId) -> Answer<'_, Option<BatchStatus>> {
        self.read(move |connection| look::batch(connection, batch))
    }

    fn stats(&self) -> Answer<'_, Vec<QueueStatus>> {
        let now = self.changes.setup.clock.now();
        self.read(move |connection| look::stats(connection, now))
    }

    fn lanes(
        &self,
        queue: QueueName,
        after: Option<String>,
        most: usize,
    ) -> Answer<'_, Vec<LaneStatus>> {
        self.read(move |connection| look::lanes(connection, &queue, after.as_deref(), most))
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

//! The one writer of a bucket's file. Owns its connection and its thread; comes in: changes; goes
//! out: for each, that it is on disk, or why not. Changes that wait together are committed together,
//! because a commit costs the same for one as for many. Never lets one change's failure take
//! another's place: what fails together is tried again alone.

use super::{Error, Log, convert};
use rusqlite::Connection;
use std::sync::Arc;
use std::thread;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// How many changes may wait. Beyond it, those who bring one wait.
const WAITING: usize = 256;
/// How many bytes of changes may wait. Beyond it, those who bring one wait; what they bring is counted
/// as theirs as long as they do, and is gone with them.
const WAITING_BYTES: usize = 64 << 20;
/// How many changes are committed at once.
const TOGETHER: usize = 64;

/// A change to a bucket.
pub(super) enum Change {
    Set { key: String, value: Vec<u8> },
    Delete { key: String },
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Set { key, value } => key.len().saturating_add(value.len()),
            Self::Delete { key } => key.len(),
        }
    }
}

struct Job {
    change: Change,
    _room: OwnedSemaphorePermit,
    answer: oneshot::Sender<rusqlite::Result<()>>,
}

/// The way to the writer. Its thread ends when this is gone and everything is written.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
}

/// The writer's thread is gone.
#[derive(Debug, thiserror::Error)]
#[error("writer of the bucket has stopped")]
struct Stopped;

impl Writer {
    pub(super) fn start(connection: Connection, log: Log) -> std::io::Result<Self> {
        let (send, receive) = mpsc::channel(WAITING);
        thread::Builder::new()
            .name("key-value".into())
            .spawn(move || write_all(&connection, &log, receive))?;
        Ok(Self {
            jobs: send,
            room: Arc::new(Semaphore::new(WAITING_BYTES)),
        })
    }

    /// Makes a change. Changes that find room at once are made in the order of their calls, whether or
    /// not anyone waits for one before the next.
    pub(super) async fn send(&self, change: Change) -> Result<(), Error> {
        let (answer, outcome) = oneshot::channel();
        let stopped = || Error::Backend(Stopped.into());
        // A change that is alone always finds room.
        let bytes = u32::try_from(change.bytes().min(WAITING_BYTES)).unwrap_or(u32::MAX);
        let room = match Arc::clone(&self.room).try_acquire_many_owned(bytes) {
            Ok(room) => room,
            Err(_) => {
                let room = Arc::clone(&self.room).acquire_many_owned(bytes);
                room.await.map_err(|_| stopped())?
            }
        };
        let job = Job {
            change,
            _room: room,
            answer,
        };
        match self.jobs.try_send(job) {
            Err(mpsc::error::TrySendError::Full(job)) => {
                self.jobs.send(job).await.map_err(|_| stopped())?;
            }
            sent => sent.map_err(|_| stopped())?,
        }
        let outcome = outcome.await.map_err(|_| stopped())?;
        outcome.map_err(convert)
    }
}

fn write_all(connection: &Connection, log: &Log, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(TOGETHER);
    while jobs.blocking_recv_many(&mut batch, TOGETHER) > 0 {
        if batch.len() > 1 && write(connection, batch.iter().map(|job| &job.change)).is_ok() {
            for job in batch.drain(..) {
                answer(job, Ok(()));
            }
        }
        for job in batch.drain(..) {
            let outcome = write(connection, [&job.change]);
            answer(job, outcome);
        }
        log.cut();
    }
}

fn answer(job: Job, outcome: rusqlite::Result<()>) {
    // Whoever brought the change may be gone; the change is made all the same.
    let _ = job.answer.send(outcome);
}

/// Makes the changes in one transaction: all of them, or none.
fn write<'a>(
    connection: &Connection,
    changes: impl IntoIterator<Item = &'a Change>,
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for change in changes {
        match change {
            Change::Set { key, value } => transaction
                .prepare_cached("INSERT OR REPLACE INTO bucket (key, value) VALUES (?1, ?2)")?
                .execute((key, value))?,
            Change::Delete { key } => transaction
                .prepare_cached("DELETE FROM bucket WHERE key = ?1")?
                .execute([key])?,
        };
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::{Change, write};
    use rusqlite::Connection;

    #[test]
    fn what_fails_together_leaves_nothing() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE bucket (key TEXT PRIMARY KEY, value BLOB CHECK (value <> x'00'))",
            )
            .unwrap();
        let set = |key: &str, value| Change::Set {
            key: key.into(),
            value: vec![value],
        };
        let (good, bad) = (set("good", 1), set("bad", 0));
        assert!(write(&connection, [&good, &bad]).is_err());
        let count = || -> i64 {
            connection
                .query_row("SELECT count(*) FROM bucket", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(count(), 0);
        assert!(write(&connection, [&good]).is_ok());
        assert_eq!(count(), 1);
    }
}

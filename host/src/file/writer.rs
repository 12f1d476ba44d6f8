//! The one writer of a file. Owns its connection and its thread; comes in: changes; goes
//! out: for each, that it is on disk, or why not. Changes that wait together are committed together,
//! because a commit costs the same for one as for many. Never lets one change's failure take
//! another's place: what fails together is tried again alone.

use super::Failed;
use super::log::Log;
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

/// A change that waits for its turn.
trait Job: Send {
    /// Makes the change in a transaction. If that is undone, the change may be made again.
    fn make(&mut self, connection: &Connection) -> rusqlite::Result<()>;

    /// Tells whoever brought the change that it is on disk, or why not.
    fn answer(self: Box<Self>, outcome: rusqlite::Result<()>);
}

struct Waiting<Change, T> {
    change: Change,
    /// What the change answered when it was made last.
    made: Option<T>,
    _room: OwnedSemaphorePermit,
    answer: oneshot::Sender<rusqlite::Result<T>>,
}

impl<Change, T> Job for Waiting<Change, T>
where
    Change: Fn(&Connection) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn make(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.made = Some((self.change)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: rusqlite::Result<()>) {
        let Self { made, answer, .. } = *self;
        if let Some(outcome) = outcome.map(|()| made).transpose() {
            // Whoever brought the change may be gone; the change is made all the same.
            let _ = answer.send(outcome);
        }
    }
}

/// The way to the writer. Its thread ends when this is gone and everything is written.
pub(crate) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
    room: Arc<Semaphore>,
}

/// The writer's thread is gone.
#[derive(Debug, thiserror::Error)]
#[error("writer of the file has stopped")]
struct Stopped;

impl Writer {
    /// Starts the thread. It calls `committed` after each commit, before whoever brought a change is told.
    pub(crate) fn start(
        name: &str,
        connection: Connection,
        log: Log,
        committed: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (send, receive) = mpsc::channel(WAITING);
        thread::Builder::new()
            .name(name.into())
            .spawn(move || write_all(&connection, &log, receive, committed))?;
        Ok(Self {
            jobs: send,
            room: Arc::new(Semaphore::new(WAITING_BYTES)),
        })
    }

    /// Makes a change that takes so many bytes while it waits, and gives its answer once it is on disk.
    /// Changes that find room at once are made in the order of their calls, whether or not anyone waits
    /// for one before the next.
    pub(crate) async fn send<T: Send + 'static>(
        &self,
        bytes: usize,
        change: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failed> {
        let (answer, outcome) = oneshot::channel();
        let stopped = || Failed::Gone(Stopped.into());
        // A change that is alone always finds room.
        let bytes = u32::try_from(bytes.min(WAITING_BYTES)).unwrap_or(u32::MAX);
        let room = match Arc::clone(&self.room).try_acquire_many_owned(bytes) {
            Ok(room) => room,
            Err(_) => {
                let room = Arc::clone(&self.room).acquire_many_owned(bytes);
                room.await.map_err(|_| stopped())?
            }
        };
        let job: Box<dyn Job> = Box::new(Waiting {
            change,
            made: None,
            _room: room,
            answer,
        });
        match self.jobs.try_send(job) {
            Err(mpsc::error::TrySendError::Full(job)) => {
                self.jobs.send(job).await.map_err(|_| stopped())?;
            }
            sent => sent.map_err(|_| stopped())?,
        }
        let outcome = outcome.await.map_err(|_| stopped())?;
        Ok(outcome?)
    }
}

fn write_all(
    connection: &Connection,
    log: &Log,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
    committed: impl Fn(),
) {
    let mut batch = Vec::with_capacity(TOGETHER);
    while jobs.blocking_recv_many(&mut batch, TOGETHER) > 0 {
        if batch.len() > 1 && write(connection, &mut batch).is_ok() {
            committed();
            for job in batch.drain(..) {
                job.answer(Ok(()));
            }
        }
        for mut job in batch.drain(..) {
            let outcome = write(connection, std::slice::from_mut(&mut job));
            committed();
            job.answer(outcome);
        }
        log.cut();
    }
}

/// Makes the changes in one transaction: all of them, or none.
fn write(connection: &Connection, jobs: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for job in jobs {
        job.make(&transaction)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::{Job, Waiting, write};
    use rusqlite::Connection;
    use std::sync::Arc;
    use tokio::sync::{Semaphore, oneshot};

    /// A change, and where its answer comes.
    fn set(key: &str, value: u8) -> (Box<dyn Job>, oneshot::Receiver<rusqlite::Result<()>>) {
        let key = key.to_owned();
        let (answer, outcome) = oneshot::channel();
        let job = Waiting {
            change: move |connection: &Connection| {
                let text = "INSERT INTO bucket VALUES (?1, ?2)";
                connection.execute(text, (&key, [value])).map(drop)
            },
            made: None,
            _room: Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap(),
            answer,
        };
        (Box::new(job), outcome)
    }

    #[test]
    fn what_fails_together_leaves_nothing() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE bucket (key TEXT PRIMARY KEY, value BLOB CHECK (value <> x'00'))",
            )
            .unwrap();
        let ((good, mut kept), (bad, _)) = (set("good", 1), set("bad", 0));
        let mut jobs = [good, bad];
        assert!(write(&connection, &mut jobs).is_err());
        let count = || -> i64 {
            connection
                .query_row("SELECT count(*) FROM bucket", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(count(), 0);
        assert!(write(&connection, &mut jobs[..1]).is_ok());
        assert_eq!(count(), 1);
        let [good, _] = jobs;
        good.answer(Ok(()));
        assert!(kept.try_recv().unwrap().is_ok());
    }
}

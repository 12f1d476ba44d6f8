//! The connection a guest holds. Comes in: statements, one after the other or several at once; goes
//! out: rows. Its statements run one at a time, each on a thread that may block; a call that is
//! dropped stops its statement, a connection that is dropped rolls back what it left open. Holds a
//! session of the database while a statement or a transaction runs, and from its first change or
//! temporary object on: many that only read share few. Never touches the database before the first statement.

use super::super::load::Load;
use super::backend::{Error, Row, Session, Statement, Value, weight};
use super::pool::{Database, Lease};
use super::rows::{self, Channel, Collect, RowStream};
use super::stop::Stop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::task::spawn_blocking;

/// A guest's connection. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    database: Arc<Database>,
    /// What the instance has on its way.
    load: Load,
    /// Held by the statement that runs.
    turn: Arc<tokio::sync::Mutex<Option<Lease>>>,
    /// How many calls wait for their turn.
    waiting: Arc<AtomicUsize>,
    /// The rows that are on their way to the guest.
    streaming: Mutex<Weak<Channel>>,
    /// Counts the connections of the instance, by being there.
    _open: Arc<()>,
}

/// The rows of a statement, collected.
#[derive(Debug)]
pub struct Collected {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// The rows of a statement, as they come.
pub struct Streamed {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: RowStream,
    /// How the statement ended, as soon as it has.
    pub end: oneshot::Receiver<Result<(), Error>>,
}

impl Connection {
    pub(super) fn new(database: Arc<Database>, load: Load, open: Arc<()>) -> Self {
        Self(Arc::new(Inner {
            database,
            load,
            turn: Arc::default(),
            waiting: Arc::default(),
            streaming: Mutex::default(),
            _open: open,
        }))
    }

    /// Runs one statement and collects its rows.
    pub async fn execute(&self, text: String, parameters: Vec<Value>) -> Result<Collected, Error> {
        let statement = self.statement(text, parameters)?;
        let mut turn = self.turn_with_session().await?;
        let limits = self.0.database.limits();
        let call = Call(Stop::within(limits.statement));
        let stop = call.0.clone();
        let mut collect = Collect::new(limits);
        let work = spawn_blocking(move || {
            turn.run(|session| session.run(&statement, &stop, &mut collect))?;
            Ok(Collected {
                columns: collect.columns,
                rows: collect.rows,
            })
        });
        work.await.unwrap_or(Err(Error::Broken))
    }

    /// Runs one statement and streams its rows. Returns when the first row is there, or when it is
    /// certain that none comes: what a statement without rows has to say, it has said by then.
    pub async fn stream(&self, text: String, parameters: Vec<Value>) -> Result<Streamed, Error> {
        let statement = self.statement(text, parameters)?;
        let mut turn = self.turn_with_session().await?;
        let limits = self.0.database.limits();
        let stop = Stop::within(limits.statement);
        let (mut feed, mut rows) = rows::channel(Arc::clone(&self.0.waiting), stop.clone(), limits);
        *self
            .0
            .streaming
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(feed.channel());
        let (say_end, end) = oneshot::channel();
        spawn_blocking(move || {
            let outcome = turn.run(|session| session.run(&statement, &stop, &mut feed));
            // The next call's turn comes before this one's end is told.
            drop(turn);
            let outcome = feed.finish(outcome);
            // The guest may not care.
            let _ = say_end.send(outcome);
        });
        let columns = rows.columns().await?;
        Ok(Streamed { columns, rows, end })
    }

    /// The rowid of this connection's last successful INSERT, or 0.
    pub async fn last_insert_rowid(&self) -> Result<i64, Error> {
        Ok(self
            .turn()
            .await?
            .session()
            .map_or(0, Session::last_insert_rowid))
    }

    /// How many rows this connection's last INSERT, UPDATE or DELETE touched.
    pub async fn changes(&self) -> Result<u64, Error> {
        Ok(self.turn().await?.session().map_or(0, Session::changes))
    }

    fn statement(&self, text: String, parameters: Vec<Value>) -> Result<Statement, Error> {
        let limit = self.0.database.limits().pending_bytes;
        let bytes = text.len().saturating_add(weight(&parameters));
        let carried = self.0.load.carry(bytes, limit);
        Ok(Statement {
            text,
            parameters,
            _carried: carried.ok_or(Error::TooMuchPending(limit))?,
        })
    }

    async fn turn(&self) -> Result<Turn, Error> {
        let waiting = Waiting::new(self);
        let lease = Arc::clone(&self.0.turn).lock_owned().await;
        drop(waiting);
        if lease.as_ref().is_some_and(|held| !held.is_sound()) {
            return Err(Error::Broken);
        }
        Ok(Turn(lease))
    }

    async fn turn_with_session(&self) -> Result<Turn, Error> {
        let mut turn = self.turn().await?;
        if turn.0.is_none() {
            *turn.0 = Some(self.0.database.lease().await?);
        }
        Ok(turn)
    }
}

/// The right to use the connection now, with the session that it holds, if it does.
struct Turn(OwnedMutexGuard<Option<Lease>>);

impl Turn {
    /// Does something with the session, and gives it back if another one would do for what follows.
    fn run<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let lease = self.0.as_mut().ok_or(Error::Broken)?;
        let outcome = lease.run(work);
        if lease.is_as_new() {
            *self.0 = None;
        }
        outcome
    }

    fn session(&self) -> Option<&dyn Session> {
        self.0.as_ref().and_then(Lease::session)
    }
}

/// A call that waits for its turn: rows on their way to the guest hold nobody back meanwhile, or a
/// guest that runs a statement for each row of another would wait for itself.
struct Waiting<'a>(&'a Connection);

impl<'a> Waiting<'a> {
    fn new(connection: &'a Connection) -> Self {
        connection.0.waiting.fetch_add(1, Ordering::SeqCst);
        let streaming = connection
            .0
            .streaming
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade();
        if let Some(channel) = streaming {
            channel.nudge();
        }
        Self(connection)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A call in progress: to drop it is to stop its statement. After the statement it is no one's stop
/// sign any more, so dropping it late does no harm.
struct Call(Stop);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.raise();
    }
}

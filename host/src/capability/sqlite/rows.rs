//! Rows on their way from a statement to its guest. Owns the space between the thread that runs the
//! statement and the task that reads; comes in: rows, as a [`Sink`]; goes out: the same rows, in
//! batches. A slow reader holds the statement back, a reader that is gone stops it - except that
//! nobody is held back while another call waits for the same connection, or while the statement
//! holds the database's write lock. Never keeps more than the limit of one result.

use super::Limits;
use super::backend::{Error, Row, Sink, weight};
use super::stop::Stop;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;

/// How much a statement may run ahead of its reader.
const AHEAD_BYTES: usize = 256 * 1024;

/// What both ends see.
pub(super) struct Channel {
    queue: Mutex<Queue>,
    room: Condvar,
    stop: Stop,
    /// How many calls wait for the connection.
    waiting: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Queue {
    rows: Vec<Row>,
    bytes: usize,
    ended: bool,
    reader: Option<Waker>,
}

impl Channel {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a statement that is held back look at the world again.
    pub(super) fn nudge(&self) {
        // With the lock held, the statement is either asleep or has yet to look.
        let _queue = self.queue();
        self.room.notify_all();
    }
}

/// Both ends, for one statement.
pub(super) fn channel(waiting: Arc<AtomicUsize>, stop: Stop, limits: &Limits) -> (Feed, RowStream) {
    let channel = Arc::new(Channel {
        queue: Mutex::default(),
        room: Condvar::new(),
        stop,
        waiting,
    });
    let (start, columns) = oneshot::channel();
    let feed = Feed {
        channel: Arc::clone(&channel),
        start: Some(start),
        limit: limits.result_bytes,
        rows_left: Countdown::new(limits),
        unhurried: true,
    };
    (
        feed,
        RowStream {
            channel,
            columns: Some(columns),
        },
    )
}

/// The statement's end.
pub(super) struct Feed {
    channel: Arc<Channel>,
    start: Option<oneshot::Sender<Result<Vec<String>, Error>>>,
    limit: usize,
    rows_left: Countdown,
    /// Whether the statement may be held back.
    unhurried: bool,
}

impl Feed {
    pub(super) fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// Tells the reader that no row follows. An error before the start is the answer to the call;
    /// one after it comes back, for the future that stands beside the stream.
    pub(super) fn finish(mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        match (outcome, self.start.take()) {
            (Err(error), Some(start)) => {
                // Whoever waited for the start may be gone.
                let _ = start.send(Err(error));
                Ok(())
            }
            (outcome, _) => outcome,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut queue = self.channel.queue();
        queue.ended = true;
        if let Some(reader) = queue.reader.take() {
            reader.wake();
        }
    }
}

impl Sink for Feed {
    fn start(&mut self, columns: Vec<String>, writes: bool) {
        self.unhurried = !writes;
        if let Some(start) = self.start.take() {
            let _ = start.send(Ok(columns));
        }
    }

    fn row(&mut self, row: Row) -> Result<ControlFlow<()>, Error> {
        self.rows_left.take()?;
        let channel = &*self.channel;
        let mut queue = channel.queue();
        loop {
            if channel.stop.is_raised() {
                return Ok(ControlFlow::Break(()));
            }
            // A reader that never comes back would hold the file's log open for ever.
            let left = channel.stop.left();
            if left.is_zero() {
                return Err(channel.stop.reason());
            }
            let held = self.unhurried
                && queue.bytes >= AHEAD_BYTES
                && channel.waiting.load(Ordering::SeqCst) == 0;
            if !held {
                break;
            }
            queue = channel
                .room
                .wait_timeout(queue, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        queue.bytes = queue.bytes.saturating_add(weight(&row));
        if queue.bytes > self.limit {
            return Err(Error::TooLarge(self.limit));
        }
        queue.rows.push(row);
        if let Some(reader) = queue.reader.take() {
            reader.wake();
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The reader's end. To drop it is to stop the statement.
pub struct RowStream {
    channel: Arc<Channel>,
    columns: Option<oneshot::Receiver<Result<Vec<String>, Error>>>,
}

impl RowStream {
    /// Waits until the statement started, and tells its columns. Answers once.
    pub(super) async fn columns(&mut self) -> Result<Vec<String>, Error> {
        match self.columns.take() {
            // A sender that is gone without a word broke with its thread.
            Some(columns) => columns.await.unwrap_or(Err(Error::Broken)),
            None => Err(Error::Broken),
        }
    }

    /// The rows that are there, at least one; none when the statement has ended.
    pub fn poll_rows(&mut self, context: &mut Context<'_>) -> Poll<Option<Vec<Row>>> {
        let mut queue = self.channel.queue();
        if !queue.rows.is_empty() {
            queue.bytes = 0;
            let rows = std::mem::take(&mut queue.rows);
            self.channel.room.notify_all();
            return Poll::Ready(Some(rows));
        }
        if queue.ended {
            return Poll::Ready(None);
        }
        queue.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for RowStream {
    fn drop(&mut self) {
        self.channel.stop.raise();
        self.channel.nudge();
    }
}

/// All the rows of one statement, kept.
pub(super) struct Collect {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
    bytes: usize,
    limit: usize,
    rows_left: Countdown,
}

impl Collect {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            columns: Vec::new(),
            rows: Vec::new(),
            bytes: 0,
            limit: limits.result_bytes,
            rows_left: Countdown::new(limits),
        }
    }
}

/// Counts the rows of a result down to none.
struct Countdown {
    left: usize,
    limit: usize,
}

impl Countdown {
    fn new(limits: &Limits) -> Self {
        Self {
            left: limits.rows,
            limit: limits.rows,
        }
    }

    fn take(&mut self) -> Result<(), Error> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or(Error::TooManyRows(self.limit))?;
        Ok(())
    }
}

impl Sink for Collect {
    fn start(&mut self, columns: Vec<String>, _writes: bool) {
        self.columns = columns;
    }

    fn row(&mut self, row: Row) -> Result<ControlFlow<()>, Error> {
        self.rows_left.take()?;
        self.bytes = self.bytes.saturating_add(weight(&row));
        if self.bytes > self.limit {
            return Err(Error::TooLarge(self.limit));
        }
        self.rows.push(row);
        Ok(ControlFlow::Continue(()))
    }
}

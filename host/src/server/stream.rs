//! The tasks of HTTP/2's streams: each may wait for the client's window only so long, and a panic in one
//! ends that one. Comes in: futures that the protocol hands over; goes out: tasks. Never knows what a
//! stream carries: the response's body says when it waits.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use hyper::rt::Executor;

/// Since when a response waits for the client to take what it was given.
#[derive(Default)]
pub(super) struct Stall(Mutex<Option<Instant>>);

impl Stall {
    /// A piece was handed over and waits from now on, or the next one is asked for.
    pub(super) fn set(&self, waiting: bool) {
        let since = waiting.then(Instant::now);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the streams of one connection.
#[derive(Clone)]
pub(super) struct Streams {
    /// The stall of the request that was taken last. Its stream is started right after, by the same
    /// call of the connection.
    latest: Arc<Mutex<Option<Arc<Stall>>>>,
    timeout: Duration,
}

impl Streams {
    /// Streams that may wait for `timeout`.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            latest: Arc::default(),
            timeout,
        }
    }

    /// The stall of the stream that is started next.
    pub(super) fn next(&self) -> Arc<Stall> {
        let stall = Arc::<Stall>::default();
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&stall));
        stall
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let stall = self
            .latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let bounded = bounded(stream, stall.unwrap_or_default(), self.timeout);
        tokio::spawn(async {
            if AssertUnwindSafe(bounded).catch_unwind().await.is_err() {
                tracing::error!("a request's task panicked: please report this as a defect");
            }
        });
    }
}

/// Drops the stream, which resets it, when its response has waited for `timeout`.
async fn bounded(stream: impl Future<Output = ()>, stall: Arc<Stall>, timeout: Duration) {
    let mut stream = std::pin::pin!(stream);
    let mut alarm = std::pin::pin!(tokio::time::sleep(timeout));
    std::future::poll_fn(|cx| {
        loop {
            if stream.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let Some(end) = stall.since().and_then(|since| since.checked_add(timeout)) else {
                return Poll::Pending;
            };
            if alarm.deadline() != end.into() {
                alarm.as_mut().reset(end.into());
            }
            std::task::ready!(alarm.as_mut().poll(cx));
            if stall.since().and_then(|since| since.checked_add(timeout)) == Some(end) {
                tracing::debug!("a stream was reset: its client did not take the response");
                return Poll::Ready(());
            }
        }
    })
    .await;
}

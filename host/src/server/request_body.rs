//! The body of a request on its way to the guest, bounded in size and in silence. Comes in: what the
//! client sends, or another guest; goes out: the same, or an error for the guest, and what went wrong for whoever answers
//! in its place. Never holds more than one piece.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

use super::respond::Refusal;
use super::traffic::Traffic;

/// What went wrong with a body, for the host to tell the client in place of what the guest makes of it.
#[derive(Clone, Default)]
pub(super) struct Fate(Arc<AtomicU8>);

const TOO_LARGE: u8 = 1;
const SILENT: u8 = 2;

impl Fate {
    fn set(&self, fate: u8) {
        self.0.store(fate, Ordering::Relaxed);
    }

    /// Why the client gets no answer of the guest, if something went wrong.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self.0.load(Ordering::Relaxed) {
            TOO_LARGE => Some(Refusal::TooLarge),
            SILENT => Some(Refusal::Silent),
            _ => None,
        }
    }
}

/// A bounded body.
pub(super) struct RequestBody<B = Incoming> {
    inner: B,
    limit: u64,
    left: u64,
    timeout: Duration,
    /// Runs while the guest waits for more.
    silence: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
    ended: bool,
    fate: Fate,
    /// The connection it comes in on, if it comes on one.
    traffic: Option<Arc<Traffic>>,
}

impl<B: Body<Data = Bytes, Error: Into<Error>> + Unpin> RequestBody<B> {
    /// A body whose sender may fall silent for `timeout`.
    pub(super) fn new(inner: B, timeout: Duration, traffic: Option<Arc<Traffic>>) -> Self {
        Self {
            ended: inner.is_end_stream(),
            left: u64::MAX,
            limit: u64::MAX,
            timeout,
            silence: None,
            is_waiting: false,
            fate: Fate::default(),
            traffic,
            inner,
        }
    }

    /// The body, if it does not say that it is larger than `limit` bytes. It ends where it is after all.
    pub(super) fn at_most(mut self, limit: u64) -> Result<Self, Refusal> {
        if self.inner.size_hint().lower() > limit {
            return Err(Refusal::TooLarge);
        }
        (self.limit, self.left) = (limit, limit);
        Ok(self)
    }

    /// What becomes of the body, to be looked at when the guest has answered.
    pub(super) fn fate(&self) -> Fate {
        self.fate.clone()
    }

    /// Whether the sender has been silent for too long.
    fn is_silent(&mut self, cx: &mut Context<'_>) -> bool {
        let timeout = self.timeout;
        let silence = self
            .silence
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        if !self.is_waiting {
            self.is_waiting = true;
            if let Some(end) = Instant::now().checked_add(timeout) {
                silence.as_mut().reset(end);
            }
        }
        silence.as_mut().poll(cx).is_ready()
    }
}

impl<B: Body<Data = Bytes, Error: Into<Error>> + Unpin> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.fate.refusal().is_some() {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) else {
            if self.is_silent(cx) {
                self.fate.set(SILENT);
                return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
            }
            return Poll::Pending;
        };
        self.is_waiting = false;
        self.ended = frame.is_none() || self.inner.is_end_stream();
        let Some(data) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.data_ref())
        else {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        let size = u64::try_from(data.len()).unwrap_or(u64::MAX);
        let Some(left) = self.left.checked_sub(size) else {
            self.fate.set(TOO_LARGE);
            return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.limit)))));
        };
        self.left = left;
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> Drop for RequestBody<B> {
    fn drop(&mut self) {
        if let Some(traffic) = &self.traffic
            && !self.ended
        {
            traffic.leave_unread();
        }
    }
}

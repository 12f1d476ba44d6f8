//! The body of a response on its way to the client, bounded in size. Comes in: what the guest or the
//! host says; goes out: the same, cut where it is too large. Holds what a request holds of the host -
//! its place, the connection's regard - until the response has been handed over.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error, WasiBody};

use super::stream::Stall;
use super::traffic::Flight;
use crate::telemetry::RequestId;

/// A bounded body.
pub(super) struct ResponseBody {
    inner: WasiBody,
    limit: u64,
    left: u64,
    held: Held,
}

/// What a request holds until its response is done.
pub(super) struct Held {
    /// Its name in the log.
    pub(super) id: RequestId,
    /// Its place among the host's requests; a request that was refused for want of one has none.
    pub(super) place: Option<OwnedSemaphorePermit>,
    /// Its part in its connection's traffic, if it came on one.
    pub(super) _flight: Option<Flight>,
    /// Where the response says that it waits for the client; HTTP/2 only.
    pub(super) stall: Option<Arc<Stall>>,
}

impl ResponseBody {
    /// A body of at most `limit` bytes.
    pub(super) fn new(inner: WasiBody, limit: u64, held: Held) -> Self {
        Self {
            inner,
            limit,
            left: limit,
            held,
        }
    }

    fn wait(&self, waiting: bool) {
        if let Some(stall) = &self.held.stall {
            stall.set(waiting);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.wait(false);
        let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let size = u64::try_from(data.len()).unwrap_or(u64::MAX);
            let Some(left) = self.left.checked_sub(size) else {
                tracing::error!(
                    request = %self.held.id,
                    limit_bytes = self.limit,
                    "a response was cut: its body is larger than allowed"
                );
                // The connection ends in an error, so that the client does not take it for the whole.
                return Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(self.limit)))));
            };
            self.left = left;
            self.wait(true);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

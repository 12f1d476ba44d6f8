//! The two bodies of an exchange, and its end. Comes in: the guest's body, the receiver's body; goes out:
//! the same, counted and timed. Never waits for the guest or the receiver beyond the exchange's deadline:
//! whichever of them keeps a body open, the turn is given back and the connection goes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, Sleep, sleep_until, timeout, timeout_at};
use wasmtime_wasi_http::{Error, WasiBody};

use super::classify::classify;
use super::connect::Cut;

/// How long a body that is at its deadline has to end by itself, before its connection is cut.
const GRACE: Duration = Duration::from_secs(1);

/// What becomes of a request's body; resolves when it was sent or given up.
pub(super) type Sent = oneshot::Receiver<()>;

/// A request's body that ends at its limit and at its deadline.
struct Outgoing {
    body: WasiBody,
    limit: u64,
    seen: u64,
    until: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    _sent: oneshot::Sender<()>,
}

/// Bounds the body of a request.
pub(super) fn outgoing(body: WasiBody, limit: u64, until: Instant) -> (WasiBody, Sent) {
    let (sender, sent) = oneshot::channel();
    let outgoing = Outgoing {
        body,
        limit,
        seen: 0,
        until,
        sleep: None,
        _sent: sender,
    };
    (outgoing.boxed_unsync(), sent)
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some(Ok(frame)) = &frame {
                self.seen = self.seen.saturating_add(size(frame));
                if self.seen > self.limit {
                    let limit = Some(self.limit);
                    return Poll::Ready(Some(Err(Error::HttpRequestBodySize(limit))));
                }
            }
            return Poll::Ready(frame);
        }
        let until = self.until;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(Some(Err(Error::HttpResponseTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What an exchange holds from its response's head to its end.
pub(super) struct Exchange {
    /// The component's turn.
    pub(super) turn: OwnedSemaphorePermit,
    /// The request's body.
    pub(super) sent: Sent,
    /// The connection.
    pub(super) cut: Option<Cut>,
    /// When all of it must be over.
    pub(super) until: Instant,
    /// How long the receiver may be silent.
    pub(super) between_bytes: Duration,
    /// The most bytes of the response's body.
    pub(super) limit: u64,
}

impl Exchange {
    /// The response's body for the guest.
    pub(super) fn follow(mut self, body: Incoming) -> WasiBody {
        if body.is_end_stream() && self.is_sent() {
            return body.map_err(|error| classify(&error)).boxed_unsync();
        }
        let (sender, pieces) = mpsc::channel(1);
        tokio::spawn(self.carry(body, sender));
        Pieces(pieces).boxed_unsync()
    }

    fn is_sent(&mut self) -> bool {
        matches!(
            self.sent.try_recv(),
            Err(oneshot::error::TryRecvError::Closed)
        )
    }

    /// Carries the body to the guest, and sees to the end of the exchange: a task of its own, because a
    /// guest that asks for nothing would not be told of a deadline.
    async fn carry(mut self, body: Incoming, pieces: Sender<Piece>) {
        let carried = async {
            tokio::select! {
                () = pieces.closed() => {}
                () = self.pieces(body, &pieces) => {}
            }
        };
        // Out of time, the guest sees that there are no more pieces and no end.
        let _ = timeout_at(self.until, carried).await;
        drop(pieces);
        // The receiver may have answered early and now not read the rest of what it is sent.
        if !self.is_sent()
            && timeout_at(self.until + GRACE, &mut self.sent)
                .await
                .is_err()
            && let Some(cut) = &self.cut
        {
            cut.now();
        }
        drop(self.turn);
    }

    async fn pieces(&self, mut body: Incoming, pieces: &Sender<Piece>) {
        let mut seen: u64 = 0;
        loop {
            let piece = match timeout(self.between_bytes, body.frame()).await {
                Err(_) => Piece::Failed(Error::ConnectionReadTimeout),
                Ok(None) => Piece::End,
                Ok(Some(Err(error))) => Piece::Failed(classify(&error)),
                Ok(Some(Ok(frame))) => {
                    seen = seen.saturating_add(size(&frame));
                    if seen > self.limit {
                        Piece::Failed(Error::HttpResponseBodySize(Some(self.limit)))
                    } else {
                        Piece::Frame(frame)
                    }
                }
            };
            let last = !matches!(piece, Piece::Frame(_));
            if pieces.send(piece).await.is_err() || last {
                return;
            }
        }
    }
}

fn size(frame: &Frame<Bytes>) -> u64 {
    let length = frame.data_ref().map_or(0, Bytes::len);
    u64::try_from(length).unwrap_or(u64::MAX)
}

enum Piece {
    Frame(Frame<Bytes>),
    End,
    Failed(Error),
}

/// A response's body as it is carried here.
struct Pieces(Receiver<Piece>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(match ready!(self.0.poll_recv(cx)) {
            Some(Piece::Frame(frame)) => Some(Ok(frame)),
            Some(Piece::End) => None,
            Some(Piece::Failed(error)) => Some(Err(error)),
            None => Some(Err(Error::HttpResponseTimeout)),
        })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::combinators::UnsyncBoxBody;
    use http_body_util::{Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_request_body_that_nobody_ends_ends_at_its_deadline() {
        let silent = StreamBody::new(futures::stream::pending());
        let (mut body, sent) = outgoing(UnsyncBoxBody::new(silent), 10, Instant::now());
        let end = body.frame().await.unwrap();
        assert!(matches!(end, Err(Error::HttpResponseTimeout)), "{end:?}");
        drop(body);
        assert!(sent.await.is_err());
    }

    #[tokio::test]
    async fn a_request_body_is_passed_on_up_to_its_limit() {
        for (limit, fits) in [(4, true), (3, false)] {
            let full = Full::from("four").map_err(|never| match never {});
            let (body, _) = outgoing(full.boxed_unsync(), limit, Instant::now() + GRACE);
            assert_eq!(body.collect().await.is_ok(), fits);
        }
    }
}

//! The body of a guest's response on its way out: bounded in time, and an error where the guest fell before
//! its end. Short bodies are collected before the head is sent, so that a guest that falls in the middle of
//! one is a clean 500 and not a 200 that breaks off. Never waits long for that: a stream goes out as it comes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use super::ticket::Ticket;

/// How long a response's head may wait for its body. A guest that has its body has it at once; the time is
/// for machines that are busy, and what a stream that begins late pays with its first byte.
const SETTLE_TIME: Duration = Duration::from_millis(25);

/// How many turns the guest has for it at least, on a thread that is busy with other guests.
const SETTLE_TURNS: usize = 32;

/// How much of a body is collected, in bytes.
const SETTLE_BYTES: usize = 16 * 1024;

/// A guest's body as it comes.
pub(super) struct Watched {
    body: WasiBody,
    ticket: Arc<Ticket>,
    deadline: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Given back when the response is done with.
    _turn: Arc<OwnedSemaphorePermit>,
}

impl Watched {
    pub(super) fn new(
        body: WasiBody,
        ticket: Arc<Ticket>,
        deadline: Instant,
        turn: Arc<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            body,
            ticket,
            deadline,
            sleep: None,
            _turn: turn,
        }
    }

    /// Collects the beginning of the body, or all of it if that is short and comes at once.
    pub(super) async fn settle(mut self) -> Result<WasiBody, Error> {
        let (ticket, deadline) = (Arc::clone(&self.ticket), self.deadline);
        let mut frames = VecDeque::new();
        let collect = async {
            let mut bytes = 0;
            while bytes < SETTLE_BYTES {
                let Some(frame) = self.frame().await else {
                    return Ok::<_, Error>(true);
                };
                let frame = match frame {
                    // Its time is up while it waits here: what there is goes out, and breaks off.
                    Err(error) if Instant::now() >= deadline => {
                        frames.push_back(Err(error));
                        return Ok(true);
                    }
                    frame => frame?,
                };
                bytes += frame.data_ref().map_or(0, Bytes::len);
                frames.push_back(Ok(frame));
            }
            Ok(false)
        };
        let patience = async {
            // While the instance computes for another request, this one's body cannot come: either that
            // ends, or the instance is found to be stuck and the request is tried elsewhere, which is too
            // late once the head has gone out, or the instance is ended.
            loop {
                tokio::time::sleep(SETTLE_TIME).await;
                for _ in 0..SETTLE_TURNS {
                    tokio::task::yield_now().await;
                }
                if !ticket.is_held_up() {
                    break;
                }
            }
        };
        let ended = tokio::select! {
            biased;
            outcome = collect => outcome?,
            () = patience => false,
        };
        let rest = (!ended).then_some(self);
        Ok(Begun { frames, rest }.boxed_unsync())
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            // A body whose guest is gone ends like one that is complete.
            Poll::Ready(None) if self.ticket.fell().is_some() => {
                Poll::Ready(Some(Err(Error::HttpResponseIncomplete)))
            }
            Poll::Ready(frame) => Poll::Ready(frame),
            Poll::Pending => {
                let deadline = self.deadline;
                let sleep = self
                    .sleep
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
                sleep
                    .as_mut()
                    .poll(cx)
                    .map(|()| Some(Err(Error::HttpResponseTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && self.ticket.fell().is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body whose beginning was collected.
struct Begun {
    frames: VecDeque<Result<Frame<Bytes>, Error>>,
    /// What comes after; none if the body is complete, or broke off.
    rest: Option<Watched>,
}

impl Body for Begun {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(frame) = self.frames.pop_front() {
            return Poll::Ready(Some(frame));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let begun = self.frames.iter().flatten();
        let begun: usize = begun.filter_map(Frame::data_ref).map(Bytes::len).sum();
        let begun = u64::try_from(begun).unwrap_or(u64::MAX);
        let is_data =
            |frame: &Result<Frame<Bytes>, Error>| frame.as_ref().is_ok_and(Frame::is_data);
        match &self.rest {
            // A known length would take the place of the trailers, and of the error.
            None if self.frames.iter().all(is_data) => SizeHint::with_exact(begun),
            None => SizeHint::new(),
            Some(rest) => {
                let (rest, mut hint) = (rest.size_hint(), SizeHint::new());
                hint.set_lower(rest.lower().saturating_add(begun));
                if let Some(upper) = rest.upper() {
                    hint.set_upper(upper.saturating_add(begun));
                }
                hint
            }
        }
    }
}

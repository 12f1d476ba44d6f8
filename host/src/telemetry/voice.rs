//! What one component says: the bytes its instances print become lines, bounded in length and in number.
//! Comes in: bytes; goes out: lines for [`Lines`]. Never makes a guest wait: what is too much is dropped, and
//! the log says how much that was.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::lines::{Line, Lines, Stream};

/// How much a component may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes. A longer one is cut into several.
    pub line_bytes: usize,
    /// How many lines the component may print in a second, all its instances together.
    pub lines_per_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 16 << 10,
            lines_per_second: 10_000,
        }
    }
}

/// The lines of one component. Clones are the same component's.
#[derive(Clone)]
pub struct Voice(Arc<Inner>);

struct Inner {
    lines: Lines,
    component: String,
    label: Arc<str>,
    limits: Limits,
    rate: Mutex<Rate>,
}

impl Voice {
    /// The voice of `component`, whose lines are shown as `label`'s.
    pub fn new(lines: Lines, component: &str, label: &str, limits: Limits) -> Self {
        Self(Arc::new(Inner {
            lines,
            component: component.to_owned(),
            label: label.into(),
            limits,
            rate: Mutex::default(),
        }))
    }

    /// A stream for one instance.
    pub fn stream(&self, stream: Stream) -> LineStream {
        LineStream(Arc::new(Mutex::new(Partial {
            voice: self.clone(),
            stream,
            text: Vec::new(),
        })))
    }

    fn say(&self, stream: Stream, text: Vec<u8>) {
        let rate = || self.0.rate.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = rate().turn(Instant::now(), self.0.limits.lines_per_second);
        if turn.lost > 0 {
            tracing::warn!(
                component = self.0.component,
                lost = turn.lost,
                limit = self.0.limits.lines_per_second,
                "guest lines were dropped: the component printed more than `max_lines_per_second`"
            );
        }
        if turn.granted {
            self.0.lines.send(Line {
                label: Arc::clone(&self.0.label),
                stream,
                text,
            });
        }
    }
}

/// Counts the lines of the second that runs.
#[derive(Default)]
struct Rate {
    since: Option<Instant>,
    said: u64,
    lost: u64,
}

/// Whether a line may be said.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    granted: bool,
    /// How many were not, in the second that has just ended.
    lost: u64,
}

impl Rate {
    fn turn(&mut self, now: Instant, limit: u64) -> Turn {
        let running = self
            .since
            .is_some_and(|since| now.saturating_duration_since(since) < Duration::from_secs(1));
        let mut lost = 0;
        if !running {
            lost = std::mem::take(&mut self.lost);
            self.since = Some(now);
            self.said = 0;
        }
        let granted = self.said < limit;
        if granted {
            self.said += 1;
        } else {
            self.lost += 1;
        }
        Turn { granted, lost }
    }
}

/// One instance's stream: collects bytes, hands on whole lines.
#[derive(Clone)]
pub struct LineStream(Arc<Mutex<Partial>>);

struct Partial {
    voice: Voice,
    stream: Stream,
    text: Vec<u8>,
}

impl Partial {
    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let longest = self.voice.0.limits.line_bytes;
            for chunk in text.chunks(longest) {
                if self.text.len() + chunk.len() > longest {
                    self.hand_on();
                }
                self.text.extend_from_slice(chunk);
            }
            if ends {
                self.hand_on();
            }
        }
    }

    fn hand_on(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.voice.say(self.stream, text);
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // What a guest printed without a newline before it went is still worth a line.
        if !self.text.is_empty() {
            self.hand_on();
        }
    }
}

impl LineStream {
    fn take(&self, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(bytes);
    }
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: bytes::Bytes) -> Result<(), StreamError> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LineStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_lines_and_the_next_one_says_how_many_were_lost() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let turn = |granted, lost| Turn { granted, lost };
        assert_eq!(rate.turn(start, 2), turn(true, 0));
        assert_eq!(rate.turn(start, 2), turn(true, 0));
        let late = start + Duration::from_millis(999);
        assert_eq!(rate.turn(late, 2), turn(false, 0));
        assert_eq!(rate.turn(late, 2), turn(false, 0));
        let next = start + Duration::from_secs(1);
        assert_eq!(rate.turn(next, 2), turn(true, 2));
        assert_eq!(rate.turn(next, 2), turn(true, 0));
    }
}

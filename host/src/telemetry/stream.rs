//! One instance's standard output or error. Comes in: bytes as the guest writes them; goes out: whole lines,
//! cut where they are too long. Never keeps more than one line.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::lines::Stream;
use super::source::Source;

/// One instance's stream: collects bytes, hands on whole lines.
#[derive(Clone)]
pub struct LineStream(Arc<Mutex<Partial>>);

struct Partial {
    source: Source,
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
            let longest = self.source.longest();
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
        self.source.send(self.stream, text);
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
    pub(super) fn new(source: Source, stream: Stream) -> Self {
        Self(Arc::new(Mutex::new(Partial {
            source,
            stream,
            text: Vec::new(),
        })))
    }

    fn take(&self, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
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

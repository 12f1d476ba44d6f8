//! What the host tells a person or a collector: its own log on standard error, and the guests' lines
//! on standard output. Comes in: log events and the bytes guests print; goes out: whole lines. Never
//! makes a request wait: when the reader of standard output is slow, lines are dropped and counted.

use std::io::Write as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// How many lines may wait for standard output before new ones are dropped.
const WAITING_LINES: usize = 16 * 1024;

/// How many bytes of lines may wait, likewise.
const WAITING_BYTES: usize = 8 << 20;

/// How long the end of the host waits for a reader of standard output.
const FINISH_PATIENCE: Duration = Duration::from_secs(2);

/// A line longer than this is cut into several, so that a guest cannot grow the host's memory.
const LONGEST_LINE: usize = 16 * 1024;

/// Keeps the log going; what waits is written when it is dropped.
pub struct Log {
    _writer: WorkerGuard,
}

/// Starts the host's own log. `RUST_LOG` chooses what is shown, `info` unless it is set. A thread of its
/// own writes the lines; when standard error is read too slowly, lines are dropped.
pub fn start_log(format: LogFormat) -> Log {
    let (stderr, writer) = tracing_appender::non_blocking(std::io::stderr());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    // A log that was started before (two apps in one test) stays as it is.
    let _ = match format {
        LogFormat::Pretty => {
            let colour = std::io::IsTerminal::is_terminal(&std::io::stderr())
                && std::env::var_os("NO_COLOR").is_none();
            log.with_ansi(colour).with_target(false).try_init()
        }
        LogFormat::Json => log.json().try_init(),
    };
    Log { _writer: writer }
}

/// Where the guests' lines go.
#[derive(Clone)]
pub struct Lines {
    sender: SyncSender<Line>,
    counts: Arc<Counts>,
}

/// What the threads that send and the one that writes tell each other.
#[derive(Default)]
struct Counts {
    waiting_bytes: AtomicUsize,
    dropped: AtomicU64,
}

struct Line {
    label: Arc<str>,
    stream: Stream,
    text: Vec<u8>,
}

/// Which of a guest's two streams a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The thread that writes the guests' lines; [`Writer::finish`] waits until all are out.
pub struct Writer(Receiver<()>);

impl Writer {
    /// Waits for the last line, but not for ever: nobody may be reading. All clones of [`Lines`] must be
    /// gone.
    pub fn finish(self) {
        // The thread sends nothing; its end is what is waited for.
        let _ = self.0.recv_timeout(FINISH_PATIENCE);
    }
}

impl Lines {
    /// Starts the thread that writes lines to `out`.
    pub fn start(
        format: LogFormat,
        out: impl std::io::Write + Send + 'static,
        colour: bool,
    ) -> std::io::Result<(Self, Writer)> {
        let (sender, receiver) = sync_channel(WAITING_LINES);
        let (end, ended) = sync_channel(0);
        let counts = Arc::new(Counts::default());
        let own = Arc::clone(&counts);
        std::thread::Builder::new()
            .name("guest-lines".into())
            .spawn(move || {
                write_lines(&receiver, &own, format, out, colour);
                drop(end);
            })?;
        Ok((Self { sender, counts }, Writer(ended)))
    }

    /// A stream for one instance of the component that is shown as `label`.
    pub fn stream(&self, label: &Arc<str>, stream: Stream) -> LineStream {
        LineStream(Arc::new(Mutex::new(Partial {
            lines: self.clone(),
            label: Arc::clone(label),
            stream,
            text: Vec::new(),
        })))
    }

    fn send(&self, line: Line) {
        let bytes = line.text.len();
        let waiting = self
            .counts
            .waiting_bytes
            .fetch_add(bytes, Ordering::Relaxed)
            + bytes;
        if waiting > WAITING_BYTES || self.sender.try_send(line).is_err() {
            self.counts
                .waiting_bytes
                .fetch_sub(bytes, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_lines(
    lines: &Receiver<Line>,
    counts: &Counts,
    format: LogFormat,
    out: impl std::io::Write,
    colour: bool,
) {
    let mut out = std::io::BufWriter::new(out);
    while let Ok(first) = lines.recv() {
        // Write what waits in one go, then flush: a person sees each line at once, a busy host does
        // not pay a system call for each.
        let mut next = Some(first);
        while let Some(line) = next {
            let _ = write_line(&mut out, &line, format, colour);
            counts
                .waiting_bytes
                .fetch_sub(line.text.len(), Ordering::Relaxed);
            next = lines.try_recv().ok();
        }
        let lost = counts.dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(
                lost,
                "guest lines were dropped: standard output is read too slowly"
            );
        }
        let _ = out.flush();
    }
}

fn write_line(
    out: &mut impl std::io::Write,
    line: &Line,
    format: LogFormat,
    colour: bool,
) -> std::io::Result<()> {
    let text = String::from_utf8_lossy(&line.text);
    if format == LogFormat::Json {
        let stream = if line.stream == Stream::Stdout {
            "stdout"
        } else {
            "stderr"
        };
        let object = serde_json::json!({ "guest": *line.label, "stream": stream, "line": text });
        return writeln!(out, "{object}");
    }
    // A guest must not move the cursor or forge another's line.
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() && letter != '\t' {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    if colour {
        let style = anstyle::AnsiColor::Cyan.on_default();
        writeln!(out, "{style}{}:{style:#} {shown}", line.label)
    } else {
        writeln!(out, "{}: {shown}", line.label)
    }
}

/// One instance's stream: collects bytes, hands on whole lines.
#[derive(Clone)]
pub struct LineStream(Arc<Mutex<Partial>>);

struct Partial {
    lines: Lines,
    label: Arc<str>,
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
            for chunk in text.chunks(LONGEST_LINE) {
                if self.text.len() + chunk.len() > LONGEST_LINE {
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
        self.lines.send(Line {
            label: Arc::clone(&self.label),
            stream: self.stream,
            text,
        });
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

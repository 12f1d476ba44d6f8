//! Standard output: one thread writes the lines of all guests. Comes in: whole lines; goes out: the same, with
//! the name of the component in front or as JSON. Never makes a guest wait: when the reader is slow, lines
//! are dropped and counted.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::LogFormat;

/// How many lines may wait for standard output before new ones are dropped.
const WAITING_LINES: usize = 16 * 1024;

/// How many bytes of lines may wait, likewise.
const WAITING_BYTES: usize = 8 << 20;

/// How long the writer leaves lines together before it looks again. Whoever sends a line while it waits need not wake
/// it, which is a system call and a switch of threads.
const GATHERING: Duration = Duration::from_millis(2);

/// How long the end of the host waits for a reader of standard output.
const FINISH_PATIENCE: Duration = Duration::from_secs(2);

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

/// One line and where it came from.
pub(super) struct Line {
    pub(super) label: Arc<str>,
    pub(super) stream: Stream,
    pub(super) text: Vec<u8>,
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

    /// Hands a line to the writer, or says that there was no room for it.
    pub(super) fn send(&self, line: Line) -> bool {
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
            return false;
        }
        true
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
        // not pay a system call for each, nor a wake-up.
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
        std::thread::sleep(GATHERING);
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

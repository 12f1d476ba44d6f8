//! What the host tells a person or a collector: its own log on standard error, and the guests' lines
//! on standard output. Comes in: log events and the bytes guests print; goes out: whole lines. Never
//! makes a request wait: when the reader of standard output is slow, lines are dropped and counted.

mod lines;
mod request_id;
mod seldom;
mod source;
mod stream;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

pub use lines::{Lines, Stream, Writer};
pub use request_id::RequestId;
pub use seldom::Seldom;
pub use source::{Limits, Source};
pub use stream::LineStream;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

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

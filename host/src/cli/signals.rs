//! SIGTERM and SIGINT: the first says stop, the second says now. Before the host serves, the first says
//! now as well: there is nothing to drain.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The exit code of a host that was made to end at once.
const FORCED: i32 = 1;

/// A thread that waits for signals, from its start on.
pub(super) struct Signals {
    serving: Arc<AtomicBool>,
    told: UnboundedReceiver<()>,
}

impl Signals {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let (tell, told) = unbounded_channel();
        let serving = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let inside = runtime.enter();
        let (mut terminate, mut interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        drop(inside);
        let is_serving = Arc::clone(&serving);
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                runtime.block_on(async {
                    loop {
                        tokio::select! {
                            _ = terminate.recv() => {}
                            _ = interrupt.recv() => {}
                        }
                        take(&is_serving, &tell);
                    }
                });
            })?;
        Ok(Self { serving, told })
    }

    /// From now on there is something to drain: the first signal says stop.
    pub(super) fn serving(&self) {
        self.serving.store(true, Ordering::Relaxed);
    }

    /// Waits for the first signal since then, or until `stopping` says that the host stops by itself.
    pub(super) fn wait(mut self, stopping: impl Future<Output = ()>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            tokio::select! {
                _ = self.told.recv() => tracing::info!("stopping: no new connections, requests in flight may end"),
                () = stopping => tracing::error!("stopping: a serving thread failed"),
            }
        });
        Ok(())
    }
}

/// Hands on the first signal while the host serves; any other ends the process.
fn take(serving: &AtomicBool, tell: &UnboundedSender<()>) {
    if !serving.swap(false, Ordering::Relaxed) || tell.send(()).is_err() {
        eprintln!("signet: ended at once");
        std::process::exit(FORCED);
    }
}

//! The listener for whoever runs the host: `/healthz`, `/readyz`, `/metrics`, `/queues`. Owns a thread with a
//! runtime of its own, so that it answers while the host is overloaded or drains. Comes in: small requests; goes
//! out: small answers. Never reaches a guest, and never shows a secret.

mod answer;
mod queues;
mod token;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, oneshot};

use crate::metrics::Metrics;
pub use answer::Checks;
pub use queues::{App, Queues};
pub use token::{Token, TokenError};

/// How long a client may take for a request's head, and how long for the whole exchange.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many connections are served at once; more wait.
const CONNECTIONS: usize = 16;

/// How long to wait after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How far the host is.
#[derive(Default)]
pub struct Stage(AtomicU8);

const READY: u8 = 1;
const DRAINING: u8 = 2;

impl Stage {
    /// The host serves.
    pub fn ready(&self) {
        // A host that was told to stop stays so.
        let _ = self
            .0
            .compare_exchange(0, READY, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The host takes no more connections.
    pub fn draining(&self) {
        self.0.store(DRAINING, Ordering::Relaxed);
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed) == READY
    }
}

/// Why there is no admin listener.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Others could reach it, and nothing would stop them.
    #[error(
        "the admin address {0} can be reached from other machines and has no token: listen on 127.0.0.1, \
         or set SIGNET_ADMIN_TOKEN or `token_file` under [admin] in signet.toml"
    )]
    Open(SocketAddr),
    /// The token cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// An address may be served if only this machine reaches it, or only those who know the token.
pub fn check(address: SocketAddr, token: Option<&Token>) -> Result<(), AdminError> {
    if token.is_none() && !address.ip().to_canonical().is_loopback() {
        return Err(AdminError::Open(address));
    }
    Ok(())
}

/// The thread that answers.
pub struct Admin {
    /// Dropped to end the thread.
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Admin {
    /// Starts to answer on `listener`, whose address was [checked](check).
    pub fn start(
        listener: TcpListener,
        token: Option<Token>,
        checks: Checks,
        metrics: Arc<Metrics>,
        queues: Arc<Queues>,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let inside = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        drop(inside);
        let desk = Arc::new(answer::Desk {
            token,
            checks,
            metrics,
            queues,
        });
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("admin".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, desk) => {}
                        _ = ended => {}
                    }
                });
            })?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It holds nothing that its panic could spoil.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, desk: Arc<answer::Desk>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Nobody closes the semaphore.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let desk = Arc::clone(&desk);
                async move { Ok::<_, std::convert::Infallible>(desk.answer(request).await) }
            });
            let exchange = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // Whoever breaks off has heard enough.
            let _ = tokio::time::timeout(EXCHANGE_TIMEOUT, exchange).await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_let_in_without_a_token() {
        let open = |address: &str| check(address.parse().unwrap(), None).is_ok();
        assert!(open("127.0.0.1:9090") && open("[::1]:9090") && open("127.3.2.1:1"));
        assert!(!open("0.0.0.0:9090") && !open("[::]:9090") && !open("192.168.0.7:9090"));
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(check("0.0.0.0:9090".parse().unwrap(), Some(&token)).is_ok());
    }

    #[test]
    fn who_drains_is_not_ready_again() {
        let stage = Stage::default();
        assert!(!stage.is_ready());
        stage.ready();
        assert!(stage.is_ready());
        stage.draining();
        stage.ready();
        assert!(!stage.is_ready());
    }
}

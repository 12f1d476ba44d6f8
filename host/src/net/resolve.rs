//! Names to addresses. Owns the boundary at which a test puts a resolver of its own; comes in: a name;
//! goes out: addresses, unchecked. Never remembers an answer.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// What a look-up comes to.
pub type Addresses<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// Who knows the addresses of names.
pub trait Resolve: Send + Sync + fmt::Debug {
    /// All addresses of `host`, with `port`. Asked once for each connection.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Addresses<'a>;
}

/// The system's resolver, which reads `/etc/hosts` and asks the name servers of this machine.
#[derive(Debug)]
pub struct System {
    turns: Arc<Semaphore>,
}

impl System {
    /// With at most `lookups` at once; more wait for their turn. The system's look-ups cannot be called
    /// off, so one that was given up on still takes its thread, and keeps its turn, until it ends.
    pub fn new(lookups: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(lookups.min(Semaphore::MAX_PERMITS))),
        }
    }
}

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Addresses<'a> {
        Box::pin(async move {
            let turn = Arc::clone(&self.turns).acquire_owned().await;
            let host = host.to_owned();
            let looked_up = tokio::task::spawn_blocking(move || {
                let found = (host.as_str(), port).to_socket_addrs();
                drop(turn);
                found.map(Iterator::collect)
            });
            looked_up.await.map_err(io::Error::other)?
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[tokio::test]
    async fn look_ups_beyond_the_limit_wait_for_their_turn() {
        let system = System::new(1);
        let turn = Arc::clone(&system.turns).acquire_owned().await.unwrap();
        let mut waiting = system.resolve("localhost", 80);
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(waiting.as_mut().poll(&mut context), Poll::Pending));
        drop(turn);
        assert!(!waiting.await.unwrap().is_empty());
        assert_eq!(system.turns.available_permits(), 1);
    }
}

//! From sockets to requests and back: accepts connections on every core, routes each request to the
//! pool of its component, drains when told to stop. Comes in: listeners, routes and limits; goes out:
//! responses. Never touches a component itself, and never lets a client take more than its limits.

mod answer;
pub mod bind;
mod connection;
pub mod descriptors;
mod head;
mod inside;
mod limits;
mod request_body;
pub mod respond;
mod response_body;
pub mod router;
mod shared;
mod socket;
mod spin;
mod stream;
mod tls;
mod trace;
mod traffic;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::metrics::Present;
use crate::runtime::Slot;
use answer::{Here, Place};
use respond::Refusal;
use router::Router;
use wire::{Failure, Wire};

pub use inside::Inside;
pub use limits::Limits;
pub use shared::Shared;
pub use tls::{Tls, TlsError};

/// One address on one thread: its listener and what is served there.
pub struct Site {
    /// The listener of this thread.
    pub listener: std::net::TcpListener,
    /// What speaks TLS there; none speaks HTTP without.
    pub tls: Option<Tls>,
    /// Which component answers which path.
    pub router: Router<Slot>,
    /// All components of the app by name, those that no route leads to included.
    pub components: Vec<(String, Slot)>,
    /// What the components' instances ask when they ask their own app; it is connected here.
    pub inside: Inside,
}

/// How long to wait after a failed accept: the usual cause is that the process has no file
/// descriptors left, which does not mend itself in no time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves all sites of one thread until `stop` turns true, then lets requests in flight end within
/// `drain`. `shared` is the same for all threads of a host.
pub async fn serve(
    sites: Vec<Site>,
    stop: watch::Receiver<bool>,
    drain: Duration,
    shared: Arc<Shared>,
) -> std::io::Result<()> {
    let mut running = Vec::new();
    for site in sites {
        let listener = TcpListener::from_std(site.listener)?;
        let here = Here {
            address: listener.local_addr()?,
            tls: site.tls,
            router: Place::router(site.router),
            components: Place::named(site.components),
            shared: Arc::clone(&shared),
            stopping: AtomicBool::new(false),
        };
        let here = Arc::new(here);
        site.inside.connect(&here);
        running.push(serve_site(listener, here, stop.clone(), drain));
    }
    futures::future::join_all(running).await;
    Ok(())
}

async fn serve_site(
    listener: TcpListener,
    here: Arc<Here>,
    mut stop: watch::Receiver<bool>,
    drain: Duration,
) {
    let mut connections = JoinSet::new();
    let told = stop.clone();
    loop {
        tokio::select! {
            // A dropped sender means that nobody is left to say stop: stop.
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => take(stream, peer, &here, &told, &mut connections),
                Err(error) => {
                    if let Some(count) = here.shared.accept.count(Instant::now()) {
                        tracing::warn!(%error, count, "connections were not accepted");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => report(ended),
        }
    }
    here.stopping.store(true, Ordering::Relaxed);
    for (stream, peer) in queue(listener) {
        take(stream, peer, &here, &told, &mut connections);
    }
    let ended = tokio::time::timeout(drain, async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    });
    if ended.await.is_err() {
        tracing::warn!(
            open = connections.len(),
            drain_ms = drain.as_millis() as u64,
            "connections were cut: requests did not end in time"
        );
    }
}

/// Closes the listener; who has connected and waits to be accepted is not sent away.
fn queue(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    // No more than the queue holds, or a flood would keep the host from stopping.
    let accepted = (0..bind::BACKLOG).map_while(|_| listener.accept().ok());
    let streams = accepted.filter_map(|(stream, peer)| {
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer))
    });
    streams.collect()
}

/// Gives a new connection a task, if there is a place for it.
fn take(
    stream: TcpStream,
    peer: SocketAddr,
    here: &Arc<Here>,
    stop: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let (here, stop) = (Arc::clone(here), stop.clone());
    here.shared.metrics.connections.inc();
    if let Some(place) = here.shared.connection() {
        connections.spawn(async move {
            let _open = Present::new(&here.shared.metrics.connections_open);
            let since = Instant::now();
            let limits = &here.shared.limits;
            let Some(wire) = open(stream, peer, &here, since, stop.clone()).await else {
                return;
            };
            let client = spin::client(peer);
            let answer = |request, incident| {
                answer::answer_client(Arc::clone(&here), request, incident, client.clone())
            };
            connection::serve(wire, since, peer, limits, stop, answer).await;
            drop(place);
        });
        return;
    }
    here.shared.metrics.connections_refused.inc();
    if let Some(count) = here.shared.full.count(Instant::now()) {
        tracing::warn!(
            count,
            "connections were turned away: as many are open as may be"
        );
    }
    // Who waits for a handshake takes no words.
    if let (None, Some(place)) = (&here.tls, here.shared.farewell()) {
        connections.spawn(async move {
            connection::turn_away(stream, Refusal::Full).await;
            drop(place);
        });
    }
}

/// The way to a client that has just connected; none if it does not speak what is spoken here.
async fn open(
    stream: TcpStream,
    peer: SocketAddr,
    here: &Here,
    since: Instant,
    stop: watch::Receiver<bool>,
) -> Option<Wire> {
    let Some(tls) = &here.tls else {
        return Some(Wire::plain(stream));
    };
    // One time for both: the handshake's is not the head's.
    let end = since.checked_add(here.shared.limits.header_timeout)?;
    match Wire::open(stream, tls, end.into(), stop).await {
        Ok(wire) => return Some(wire),
        Err(Failure::Plain(stream)) => {
            connection::turn_away(stream, Refusal::NotEncrypted).await;
        }
        Err(Failure::Gone(error)) => {
            tracing::debug!(%peer, %error, "a handshake came to nothing");
        }
    }
    None
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed: please report this as a defect");
    }
}

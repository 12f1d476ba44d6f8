//! From sockets to requests and back: accepts connections on every core, routes each request to the
//! pool of its component, drains when told to stop. Comes in: listeners, routes and limits; goes out:
//! responses. Never touches a component itself, and never lets a client take more than its limits.

pub mod bind;
mod connection;
pub mod descriptors;
mod head;
mod limits;
mod request_body;
pub mod respond;
mod response_body;
pub mod router;
mod shared;
mod socket;
mod stream;
mod trace;
mod traffic;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use wasmtime_wasi_http::WasiBody;

use crate::metrics::{Asked, Present};
use crate::runtime::Slot;
use connection::Incident;
use request_body::RequestBody;
use respond::Refusal;
use response_body::{Held, ResponseBody};
use router::Router;

pub use limits::Limits;
pub use shared::Shared;

/// One address on one thread: its listener and what is served there.
pub struct Site {
    /// The listener of this thread.
    pub listener: std::net::TcpListener,
    /// Which component answers which path.
    pub router: Router<Slot>,
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
        let here = Arc::new(Here {
            router: site.router,
            shared: Arc::clone(&shared),
            stopping: AtomicBool::new(false),
        });
        running.push(serve_site(listener, here, stop.clone(), drain));
    }
    futures::future::join_all(running).await;
    Ok(())
}

/// What answers the requests of one site.
struct Here {
    router: Router<Slot>,
    shared: Arc<Shared>,
    /// Whether each answer is the last one on its connection.
    stopping: AtomicBool,
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
            let answer = |request, incident| answer(Arc::clone(&here), request, incident);
            connection::serve(stream, peer, &here.shared.limits, stop, answer).await;
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
    if let Some(place) = here.shared.farewell() {
        connections.spawn(async move {
            connection::turn_away(stream).await;
            drop(place);
        });
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed: please report this as a defect");
    }
}

/// One request, from its head to the response that goes out.
async fn answer(
    here: Arc<Here>,
    request: Request<Incoming>,
    incident: Incident,
) -> Response<ResponseBody> {
    let version = request.version();
    let id = trace::name();
    let (place, mut asked) = (here.shared.request(), None);
    let answered = match &place {
        Some(_) => ask(&here, request, &id, &incident, &mut asked).await,
        None => Err(Refusal::Full),
    };
    let (mut response, limit) = answered.unwrap_or_else(|refusal| {
        tracing::debug!(request = id, ?refusal, "a request was refused");
        let mut response = respond::refuse(&refusal);
        here.shared.metrics.refused(response.status().as_u16());
        if refusal.is_last() {
            head::last(response.headers_mut(), version);
        }
        (response, u64::MAX)
    });
    if let Some(asked) = asked {
        Asked::answered(asked, response.status().as_u16());
    }
    if here.stopping.load(Ordering::Relaxed) {
        head::last(response.headers_mut(), version);
    }
    trace::put(response.headers_mut(), trace::REQUEST_ID, &id);
    let held = Held {
        id,
        _place: place,
        _flight: incident.flight,
        stall: incident.stall,
    };
    response.map(|body| ResponseBody::new(body, limit, held))
}

/// The guest's response, if there is one that can be sent, and how large its body may be.
async fn ask(
    here: &Here,
    request: Request<Incoming>,
    id: &str,
    incident: &Incident,
    asked: &mut Option<Asked>,
) -> Result<(Response<WasiBody>, u64), Refusal> {
    let limits = &here.shared.limits;
    let (mut parts, body) = request.into_parts();
    // The body is taken over first: whatever is refused from here on is dropped unread.
    let traffic = Arc::clone(incident.flight.traffic());
    let body = RequestBody::new(body, limits.body_timeout, traffic);
    head::for_guest(&mut parts, limits)?;
    trace::tell(&mut parts.headers, id);
    let found = here.router.route(parts.uri.path());
    let pool = found.map(|found| found.value.pool());
    let pool = pool.ok_or(Refusal::NoRoute)?;
    let guest = pool.guest();
    *asked = Some(guest.metrics.asked());
    let body = body.at_most(guest.limits.request_body)?;
    let fate = body.fate();
    let request = Request::from_parts(parts, body.boxed_unsync());
    let answered = pool.handle(request, id).await;
    // What a guest makes of a body that broke off is not what the client needs to know.
    if let Some(refusal) = fate.refusal() {
        return Err(refusal);
    }
    let name = &guest.name;
    let response = answered.map_err(|error| {
        tracing::error!(request = id, component = name, %error, "a request was not answered by its component");
        Refusal::from(&error)
    })?;
    let (parts, body) = response.into_parts();
    let too_large = body.size_hint().lower() > guest.limits.response_body;
    let fault = head::fault(&parts, limits).or(too_large.then_some("its body is too large"));
    if let Some(fault) = fault {
        tracing::error!(
            request = id,
            component = name,
            fault,
            "a response was not sent"
        );
        return Err(Refusal::Failed);
    }
    Ok((
        Response::from_parts(parts, body),
        guest.limits.response_body,
    ))
}

//! From sockets to requests and back: accepts connections on every core, routes each request to the
//! pool of its component, drains when told to stop. Comes in: listeners and routes; goes out:
//! responses. Never touches a component itself.

pub mod bind;
pub mod respond;
pub mod router;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use wasmtime_wasi_http::WasiBody;

use crate::runtime::Pool;
use respond::Refusal;
use router::Router;

/// One address on one thread: its listener and what is served there.
pub struct Site {
    /// The listener of this thread.
    pub listener: std::net::TcpListener,
    /// Which component answers which path.
    pub router: Router<Pool>,
}

/// How long a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait after a failed accept: the usual cause is that the process has no file
/// descriptors left, which does not mend itself in no time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves all sites of one thread until `stop` turns true, then lets requests in flight end within
/// `drain`.
pub async fn serve(
    sites: Vec<Site>,
    stop: watch::Receiver<bool>,
    drain: Duration,
) -> std::io::Result<()> {
    let mut running = Vec::new();
    for site in sites {
        let listener = TcpListener::from_std(site.listener)?;
        running.push(serve_site(
            listener,
            Arc::new(site.router),
            stop.clone(),
            drain,
        ));
    }
    futures::future::join_all(running).await;
    Ok(())
}

async fn serve_site(
    listener: TcpListener,
    router: Arc<Router<Pool>>,
    mut stop: watch::Receiver<bool>,
    drain: Duration,
) {
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            // A dropped sender means that nobody is left to say stop: stop.
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => serve_connection(stream, peer, &router, &graceful),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let open = graceful.count();
    if tokio::time::timeout(drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            open,
            drain_ms = drain.as_millis() as u64,
            "connections were cut: requests did not end in time"
        );
    }
}

fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: &Arc<Router<Pool>>,
    graceful: &GracefulShutdown,
) {
    // A small response must not wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let router = Arc::clone(router);
    let begun = Arc::new(AtomicBool::new(false));
    let first = Arc::clone(&begun);
    let service = service_fn(move |request| {
        first.store(true, Ordering::Relaxed);
        let router = Arc::clone(&router);
        async move { Ok::<_, Infallible>(answer(&router, request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADER_TIMEOUT);
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let connection = graceful.watch(connection);
    tokio::task::spawn(async move {
        let mut connection = std::pin::pin!(connection);
        // Which protocol a client speaks is read without a timeout of its own.
        let ended = match tokio::time::timeout(HEADER_TIMEOUT, connection.as_mut()).await {
            Err(_) if !begun.load(Ordering::Relaxed) => return,
            Err(_) => connection.await,
            Ok(ended) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error, "a connection ended early");
        }
    });
}

async fn answer(
    router: &Router<Pool>,
    request: http::Request<Incoming>,
) -> http::Response<WasiBody> {
    let Some(pool) = router.route(request.uri().path()).map(|found| found.value) else {
        return respond::refuse(&Refusal::NoRoute);
    };
    let request = match for_guest(request) {
        Ok(request) => request,
        Err(refusal) => return respond::refuse(&refusal),
    };
    match pool.handle(request).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(component = pool.guest().name, %error, "a request was not answered by its component");
            respond::refuse(&Refusal::from(&error))
        }
    }
}

/// Gives the request the absolute URI that WASI expects: over HTTP/1 the authority comes in the Host
/// header.
fn for_guest(request: http::Request<Incoming>) -> Result<http::Request<WasiBody>, Refusal> {
    let (mut parts, body) = request.into_parts();
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    if uri.authority.is_none() {
        let host = parts
            .headers
            .get(http::header::HOST)
            .ok_or(Refusal::NoHost)?;
        uri.authority = Some(host.as_bytes().try_into().map_err(|_| Refusal::NoHost)?);
    }
    uri.scheme = Some(http::uri::Scheme::HTTP);
    uri.path_and_query
        .get_or_insert_with(|| http::uri::PathAndQuery::from_static("/"));
    parts.uri = http::Uri::from_parts(uri).map_err(|_| Refusal::NoHost)?;
    let body = body.map_err(wasmtime_wasi_http::Error::from).boxed_unsync();
    Ok(http::Request::from_parts(parts, body))
}

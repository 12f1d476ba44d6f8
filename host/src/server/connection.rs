//! One connection, from the moment it is accepted to its end: speaks HTTP/1 or HTTP/2, whichever the
//! client begins with, and ends a client that takes its time. Comes in: a stream and what answers its
//! requests; goes out: nothing. Never knows what a request is for.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::limits::Limits;
use super::respond::{self, Refusal};
use super::response_body::ResponseBody;
use super::socket::Socket;
use super::stream::{Stall, Streams};
use super::traffic::{End, Flight, Traffic};
use super::wire::Wire;

/// How much of a request's body may be on its way to a guest that has not asked for it, over HTTP/2, in
/// bytes: for one request, and for one connection.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 256 << 10;

/// How much of a response is kept for a client that does not take it, in bytes for each stream.
const SEND_BUFFER: usize = 64 << 10;

/// How many streams a client may have reset before they were looked at, and how many it may make the
/// host reset, before its connection is closed.
const RESETS_PENDING: usize = 20;
const RESETS_CAUSED: usize = 256;

/// The smallest buffer that HTTP/1 can work with, in bytes.
const SMALLEST_BUFFER: usize = 8 << 10;

/// What a connection tells whoever answers a request.
pub(super) struct Incident {
    /// The request's part in the connection's traffic.
    pub(super) flight: Flight,
    /// Where the response says that it waits; HTTP/2 only.
    pub(super) stall: Option<Arc<Stall>>,
}

/// Serves the connection, accepted at `since`, to its end. When `stop` turns true, requests that are under way or on their way
/// are answered and no other is taken.
pub(super) async fn serve<A, F>(
    wire: Wire,
    since: Instant,
    peer: SocketAddr,
    limits: &Limits,
    stop: watch::Receiver<bool>,
    answer: A,
) where
    A: Fn(Request<Incoming>, Incident) -> F,
    F: Future<Output = Response<ResponseBody>> + Send + 'static,
{
    let traffic = Traffic::new(since);
    let socket = Socket::new(wire, Arc::clone(&traffic), limits.write_timeout);
    let streams = Streams::new(limits.write_timeout);
    let builder = builder(limits, streams.clone());
    let reported = Arc::clone(&traffic);
    let service = service_fn(move |request: Request<Incoming>| {
        let http2 = request.version() == Version::HTTP_2;
        let incident = Incident {
            flight: reported.begin(http2),
            stall: http2.then(|| streams.next()),
        };
        let answer = answer(request, incident);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
    let mut told = pin!(told(stop));
    let (mut is_told, mut is_closing) = (false, false);
    let mut alarm = pin!(tokio::time::sleep(limits.header_timeout));
    loop {
        let event = std::future::poll_fn(|cx| {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(Event::Ended(ended));
            }
            if !is_told && told.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Event::Told);
            }
            // The answer to the last request says that it is the last.
            if is_told && !is_closing && traffic.is_busy() {
                return Poll::Ready(Event::Close);
            }
            // The alarm is only ever moved forward here: most requests end long before it rings.
            if let Some((end, _)) = traffic.due(limits)
                && alarm.deadline() > end.into()
            {
                alarm.as_mut().reset(end.into());
            }
            alarm.as_mut().poll(cx).map(|()| Event::Alarm)
        });
        let close = match event.await {
            Event::Ended(Ok(())) => return,
            Event::Ended(Err(error)) => {
                tracing::debug!(%peer, error, "a connection ended early");
                return;
            }
            Event::Told => {
                is_told = true;
                traffic.leave(Instant::now());
                false
            }
            Event::Close => true,
            Event::Alarm => match traffic.due(limits) {
                Some((end, End::Cut)) if end <= Instant::now() => {
                    tracing::debug!(%peer, "a connection was cut: its client took too long");
                    return;
                }
                Some((end, End::Close)) if end <= Instant::now() => true,
                Some((end, _)) => {
                    alarm.as_mut().reset(end.into());
                    false
                }
                None => {
                    alarm.as_mut().reset(later(limits));
                    false
                }
            },
        };
        if close {
            is_closing = true;
            traffic.close(Instant::now());
            connection.as_mut().graceful_shutdown();
            alarm.as_mut().reset(later(limits));
        }
    }
}

/// What a connection's task wakes up for.
enum Event<T> {
    Ended(T),
    /// The host stops.
    Told,
    /// The host stops, and a request has come after all.
    Close,
    /// It may be time.
    Alarm,
}

/// When to look again at a connection that has no end at present.
fn later(limits: &Limits) -> tokio::time::Instant {
    tokio::time::Instant::now() + limits.idle_timeout.clamp(SOONEST, LATEST)
}

const SOONEST: Duration = Duration::from_millis(10);
const LATEST: Duration = Duration::from_secs(60);

/// Resolves when the host stops. A dropped sender means that nobody is left to say so: stop.
async fn told(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn builder(limits: &Limits, streams: Streams) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(streams);
    // The time for a head is kept by `Traffic`: the protocol's own would count a connection's idle time.
    builder
        .http1()
        .max_headers(limits.max_headers)
        .max_buf_size(limits.max_header_bytes.max(SMALLEST_BUFFER));
    builder
        .http2()
        .timer(TokioTimer::new())
        // A client that is gone without a word is found out, requests under way or not.
        .keep_alive_interval(limits.idle_timeout.max(SOONEST))
        .keep_alive_timeout(limits.write_timeout.max(SOONEST))
        .adaptive_window(false)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(limits.max_h2_streams)
        .max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX))
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS_PENDING)
        .max_local_error_reset_streams(RESETS_CAUSED);
    builder
}

/// How long a connection that is turned away is kept for the client to read why, and how much is read
/// of what it sends.
const FAREWELL: Duration = Duration::from_secs(1);
const FAREWELL_BYTES: u64 = 64 << 10;

/// Tells a client what it must know before it is sent away, whatever it asked.
pub(super) async fn turn_away(mut stream: TcpStream, why: Refusal) {
    let farewell = async {
        // An answer that comes before the question is taken for a broken connection.
        let _ = stream.read(&mut [0; 1024]).await?;
        let words = respond::last_words(why);
        stream.write_all(words.as_bytes()).await?;
        stream.shutdown().await?;
        // A socket closed over unread bytes would take the answer back.
        tokio::io::copy(&mut stream.take(FAREWELL_BYTES), &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}

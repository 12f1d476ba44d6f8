//! The pooled client behind outbound requests: HTTP/1 and, over TLS, HTTP/2. Comes in: a request whose
//! destination was granted; goes out: a response within its limits. Never shares a connection between
//! components: the pool's key is the scheme, the host and the port, for which one allow-list has one
//! verdict.

use std::sync::Arc;
use std::time::Duration;

use http_body::Body as _;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{CaptureConnection, Connected, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::Limits;
use super::classify::classify;
use super::connect::{Connector, Cut, Dialer};
use super::exchange::{Exchange, outgoing};

/// The least that the HTTP/1 client can be told to buffer.
const LEAST_BUFFER: usize = 8192;

/// The most headers that a map of them can hold; the HTTP/1 client makes room for as many as it is told.
const MOST_HEADERS: usize = 1 << 15;

/// What HTTP/2 counts for each header beside its name and value (RFC 9113, 6.5.2).
const HEADER_OVERHEAD: usize = 32;

/// A client with a pool of connections.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<Connector, WasiBody>,
    limits: Limits,
    turns: Arc<Semaphore>,
}

impl Client {
    pub(super) fn new(
        dialer: Dialer,
        limits: Limits,
        tls: rustls::ClientConfig,
        turns: Arc<Semaphore>,
    ) -> Self {
        let listed = limits
            .response_headers
            .saturating_mul(HEADER_OVERHEAD)
            .saturating_add(limits.response_head);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(limits.idle)
            .pool_max_idle_per_host(limits.max_idle)
            .pool_timer(TokioTimer::new())
            .http1_max_buf_size(limits.response_head.max(LEAST_BUFFER))
            .http1_max_headers(limits.response_headers.min(MOST_HEADERS))
            .http2_max_header_list_size(u32::try_from(listed).unwrap_or(u32::MAX))
            .build(Connector::new(dialer, tls, limits.connect));
        Self {
            inner,
            limits,
            turns,
        }
    }

    pub(super) async fn send(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<http::Response<WasiBody>, Error> {
        let limits = &self.limits;
        // The guest may ask for less time than the host allows, never for more.
        let within = |asked: Option<Duration>, allowed: Duration| {
            asked.map_or(allowed, |asked| asked.min(allowed))
        };
        let head = within(options.connect_timeout, limits.connect)
            .saturating_add(within(options.first_byte_timeout, limits.first_byte));
        let (begun, late) = if head < limits.total {
            (head, Error::ConnectionReadTimeout)
        } else {
            (limits.total, Error::HttpResponseTimeout)
        };
        let (begun, until) = (after(begun), after(limits.total));
        if request.body().size_hint().lower() > limits.request_body {
            return Err(Error::HttpRequestBodySize(Some(limits.request_body)));
        }
        let turn = timeout_at(begun, Arc::clone(&self.turns).acquire_owned()).await;
        // Nobody closes the semaphore; if someone did, there would be no more turns.
        let Ok(Ok(turn)) = turn else {
            return Err(Error::ConnectionLimitReached);
        };
        let (parts, body) = request.into_parts();
        let (body, sent) = outgoing(body, limits.request_body, until);
        let mut request = http::Request::from_parts(parts, body);
        let mut claim = Claim(Some(capture_connection(&mut request)));
        let response = timeout_at(begun, self.inner.request(request))
            .await
            .map_err(|_| late)?
            .map_err(|error| classify(&error))?;
        self.check(&response)?;
        let exchange = Exchange {
            turn,
            sent,
            cut: claim.0.take().and_then(|connection| cut(&connection)),
            until,
            between_bytes: within(options.between_bytes_timeout, limits.between_bytes),
            limit: limits.response_body,
        };
        Ok(response.map(|body| exchange.follow(body)))
    }

    /// What can be said of a response from its head.
    fn check<B: http_body::Body>(&self, response: &http::Response<B>) -> Result<(), Error> {
        let headers = response.headers();
        let bytes = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum::<usize>();
        if bytes > self.limits.response_head || headers.len() > self.limits.response_headers {
            let bytes = u32::try_from(bytes).ok();
            return Err(Error::HttpResponseHeaderSectionSize(bytes));
        }
        let body = response.body().size_hint().lower();
        if body > self.limits.response_body {
            return Err(Error::HttpResponseBodySize(Some(body)));
        }
        Ok(())
    }
}

/// That far from now. What no clock can tell is no deadline: thirty years are none.
fn after(time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    Instant::now() + time.min(FAR)
}

/// A request without a response. If it is given up, by its deadline or by its guest, its connection goes:
/// it may be full of what nobody reads. One of HTTP/2 stays, because others are on it and a stream ends by
/// itself.
struct Claim(Option<CaptureConnection>);

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(connection) = self.0.take() else {
            return;
        };
        let shared = connection
            .connection_metadata()
            .as_ref()
            .is_some_and(Connected::is_negotiated_h2);
        if let Some(cut) = cut(&connection)
            && !shared
        {
            cut.now();
        }
    }
}

/// How to end the connection on which a response came.
fn cut(connection: &CaptureConnection) -> Option<Cut> {
    let mut extras = http::Extensions::new();
    connection
        .connection_metadata()
        .as_ref()?
        .get_extras(&mut extras);
    extras.remove()
}

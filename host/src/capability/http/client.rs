//! The pooled client behind outbound requests: HTTP/1 and, over TLS, HTTP/2. Comes in: a request whose
//! destination was granted; goes out: a response whose body is bounded in time. Dials through
//! `net`, which checks the address. Never shares a connection between components.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::allow::{AllowedHosts, Verdict};
use super::{Limits, destination};
use crate::net::{DialError, Reach, dial};

/// How long a connection without requests is kept.
const KEEP_IDLE: Duration = Duration::from_secs(60);

/// A client with a pool of connections.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<HttpsConnector<Dialer>, WasiBody>,
    limits: Limits,
    turns: Arc<Semaphore>,
}

impl Client {
    pub(super) fn new(
        allowed: Arc<AllowedHosts>,
        limits: Limits,
        tls: rustls::ClientConfig,
    ) -> Self {
        let dialer = Dialer {
            allowed,
            timeout: limits.connect,
        };
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(dialer);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(KEEP_IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self {
            inner,
            limits,
            turns: Arc::new(Semaphore::new(
                limits.max_concurrent.min(Semaphore::MAX_PERMITS),
            )),
        }
    }

    pub(super) async fn send(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<http::Response<WasiBody>, Error> {
        // The guest may ask for less time than the host allows, never for more.
        let within = |asked: Option<Duration>, allowed: Duration| {
            asked.map_or(allowed, |asked| asked.min(allowed))
        };
        let head = within(options.connect_timeout, self.limits.connect)
            .saturating_add(within(options.first_byte_timeout, self.limits.first_byte));
        let between_bytes = within(options.between_bytes_timeout, self.limits.between_bytes);
        let exchange = async {
            // Nobody closes the semaphore; if someone did, there would be no more turns.
            let turn = Arc::clone(&self.turns).acquire_owned().await;
            let turn = turn.map_err(|_| Error::ConnectionLimitReached)?;
            let response = self
                .inner
                .request(request)
                .await
                .map_err(|error| classify(&error))?;
            Ok::<_, Error>((response, turn))
        };
        let (response, turn) = tokio::time::timeout(head, exchange)
            .await
            .map_err(|_| Error::ConnectionReadTimeout)??;
        Ok(response.map(|body| {
            TimedBody {
                body,
                between_bytes,
                sleep: None,
                _turn: turn,
            }
            .boxed_unsync()
        }))
    }
}

/// TLS with the platform's roots.
pub(super) fn tls_config() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || {
        rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
    };
    // The provider supports the default versions, so the second arm is for the type alone.
    let Ok(versions) = builder() else {
        return no_roots(rustls::ClientConfig::builder());
    };
    match versions.with_native_roots() {
        Ok(roots) => roots.with_no_client_auth(),
        Err(reason) => {
            tracing::warn!(%reason, "no trusted roots on this system: https destinations will fail");
            no_roots(rustls::ClientConfig::builder())
        }
    }
}

fn no_roots(
    builder: rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>,
) -> rustls::ClientConfig {
    builder
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// Connects to destinations that are granted, as far as the grant reaches.
#[derive(Clone)]
pub(super) struct Dialer {
    allowed: Arc<AllowedHosts>,
    timeout: Duration,
}

impl tower_service::Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let reach = match destination(&self.allowed, &uri) {
            Some(Verdict::Named) => Reach::Anywhere,
            Some(Verdict::Public | Verdict::Denied) | None => Reach::PublicOnly,
        };
        let timeout = self.timeout;
        Box::pin(async move {
            let host = uri.host().unwrap_or_default();
            let port = uri
                .port_u16()
                .unwrap_or(if uri.scheme_str() == Some("https") {
                    443
                } else {
                    80
                });
            dial(host, port, reach, timeout).await.map(TokioIo::new)
        })
    }
}

/// The `wasi:http` error for a failed exchange, from the causes the client kept.
fn classify(error: &(dyn std::error::Error + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(dial) = error.downcast_ref::<DialError>() {
            return match dial {
                DialError::Resolve { .. } => Error::DnsError {
                    rcode: Some(dial.to_string()),
                    info_code: None,
                },
                DialError::Prohibited { .. } => Error::DestinationIpProhibited,
                DialError::Timeout { .. } => Error::ConnectionTimeout,
                DialError::Connect { source, .. }
                    if source.kind() == std::io::ErrorKind::ConnectionRefused =>
                {
                    Error::ConnectionRefused
                }
                DialError::Connect { .. } => Error::DestinationUnavailable,
            };
        }
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
                _ => Error::TlsProtocolError,
            };
        }
        if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
            if hyper.is_incomplete_message() {
                return Error::HttpResponseIncomplete;
            }
            if hyper.is_closed() || hyper.is_canceled() {
                return Error::ConnectionTerminated;
            }
        }
        // An I/O error hides what it wraps from the chain of causes.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    tracing::debug!(
        error = error as &dyn std::error::Error,
        "an outbound exchange failed"
    );
    Error::HttpProtocolError
}

/// A response body that ends with an error when its sender falls silent.
struct TimedBody {
    body: hyper::body::Incoming,
    between_bytes: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Given back when the body is done with.
    _turn: OwnedSemaphorePermit,
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.sleep = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| classify(&error))));
        }
        let between_bytes = self.between_bytes;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(between_bytes)));
        sleep
            .as_mut()
            .poll(cx)
            .map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

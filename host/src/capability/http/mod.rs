//! The way out for guests: `wasi:http` requests, as far as `allowed_outbound_hosts` grants. Owns the
//! check of the destination and the pooled client; comes in: a guest's request; goes out: the
//! response. Never follows a redirect, never obeys a proxy variable.

pub mod allow;
mod client;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::uri::Scheme;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::metrics::Outbound;
use allow::{AllowedHosts, Verdict};
pub use client::Client;

/// How long outbound requests may take, where the guest does not ask for less, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Name look-up and TCP connection.
    pub connect: Duration,
    /// From the request's begin to the head of the response.
    pub first_byte: Duration,
    /// Between two pieces of the response's body.
    pub between_bytes: Duration,
    /// How many requests of one component may be under way on one thread; more wait for their turn.
    pub max_concurrent: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(30),
            between_bytes: Duration::from_secs(30),
            max_concurrent: 256,
        }
    }
}

/// What the requests of one component go by. Shared by all its instances.
#[derive(Clone)]
pub struct Shared {
    allowed: Arc<AllowedHosts>,
    limits: Limits,
    /// One set of trusted roots for the whole app, read when first needed.
    tls: TlsRoots,
    /// Where it is counted how the requests went.
    metrics: Outbound,
}

/// The platform's trusted roots, read once, when the first component asks for them.
#[derive(Clone, Default)]
pub struct TlsRoots(Arc<OnceLock<rustls::ClientConfig>>);

impl Shared {
    /// The way out for a component that may reach `allowed`.
    pub fn new(allowed: AllowedHosts, limits: Limits, tls: TlsRoots, metrics: Outbound) -> Self {
        Self {
            allowed: Arc::new(allowed),
            limits,
            tls,
            metrics,
        }
    }

    /// A client for one component on one thread: its connections stay on that thread, and no other
    /// component can use them.
    pub fn client(&self) -> Client {
        Client::new(Arc::clone(&self.allowed), self.limits, self.tls.config())
    }

    /// The context of one instance.
    pub fn ctx(&self, client: &Client) -> Ctx {
        Ctx {
            allowed: Arc::clone(&self.allowed),
            client: client.clone(),
            metrics: self.metrics.clone(),
        }
    }
}

impl TlsRoots {
    fn config(&self) -> rustls::ClientConfig {
        self.0.get_or_init(client::tls_config).clone()
    }
}

/// What one instance's requests go through.
pub struct Ctx {
    allowed: Arc<AllowedHosts>,
    client: Client,
    metrics: Outbound,
}

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for Ctx {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        if destination(&self.allowed, request.uri())
            .is_none_or(|verdict| verdict == Verdict::Denied)
        {
            tracing::warn!(
                to = request
                    .uri()
                    .authority()
                    .map_or("", |authority| authority.host()),
                "an outbound request was denied: allowed_outbound_hosts does not grant the destination"
            );
            self.metrics.denied.inc();
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        let (client, metrics) = (self.client.clone(), self.metrics.clone());
        Box::new(async move {
            let sent = client.send(request, options.unwrap_or_default()).await;
            match &sent {
                Ok(_) => metrics.answered.inc(),
                Err(_) => metrics.failed.inc(),
            };
            let response = sent?;
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> =
                Box::new(async { Ok(()) });
            Ok((response, done))
        })
    }
}

/// What the grants say about a destination; none if the URI names none.
fn destination(allowed: &AllowedHosts, uri: &http::Uri) -> Option<Verdict> {
    let scheme = uri.scheme()?;
    let port = uri.port_u16().or(match scheme {
        scheme if *scheme == Scheme::HTTP => Some(80),
        scheme if *scheme == Scheme::HTTPS => Some(443),
        _ => None,
    })?;
    Some(allowed.check(scheme.as_str(), uri.host()?, port))
}

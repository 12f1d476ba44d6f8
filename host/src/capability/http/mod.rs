//! The way out for guests: `wasi:http` requests, as far as `allowed_outbound_hosts` grants. Owns the
//! check of the destination and the pooled client, and turns what stays in the app over to whoever answers
//! there; comes in: a guest's request; goes out: the response. Never follows a redirect, never obeys a proxy
//! variable.

pub mod allow;
mod classify;
mod client;
mod connect;
mod exchange;
mod inside;
mod limits;
mod tls;

use std::sync::Arc;
use std::time::Instant;

use http::uri::Scheme;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::metrics::Outbound;
use crate::net::System;
pub use crate::net::{Addresses, Network, Resolve};
use crate::telemetry::Seldom;
use allow::{AllowedHosts, Verdict, Within};
pub use client::Client;
use connect::Dialer;
pub use inside::{Asking, Inside};
pub use limits::Limits;
pub use tls::TlsRoots;

/// What a host gives to the requests of all its components.
#[derive(Clone, Default)]
pub struct Config {
    /// Their bounds.
    pub limits: Limits,
    /// Networks that are not public and that any granted name may lead into.
    pub networks: Vec<Network>,
    /// Who knows the addresses of names; none is the system.
    pub resolver: Option<Arc<dyn Resolve>>,
    /// One set of trusted roots for the whole app.
    pub tls: TlsRoots,
}

/// What the requests of one component go by. Shared by all its instances, on all threads.
#[derive(Clone)]
pub struct Shared {
    dialer: Dialer,
    limits: Limits,
    tls: TlsRoots,
    turns: Arc<Semaphore>,
    /// Where it is counted how the requests went.
    metrics: Outbound,
    /// When it was last said what was denied.
    told: Arc<Seldom>,
}

impl Shared {
    /// The way out for a component that may reach `allowed`, also in `networks` of its own.
    pub fn new(
        allowed: AllowedHosts,
        networks: &[Network],
        config: &Config,
        metrics: Outbound,
    ) -> Self {
        let limits = config.limits;
        let resolver = config.resolver.clone();
        let turns = limits.max_concurrent.min(Semaphore::MAX_PERMITS);
        Self {
            dialer: Dialer {
                allowed: Arc::new(allowed),
                networks: [&config.networks, networks].concat().into(),
                resolver: resolver.unwrap_or_else(|| Arc::new(System::new(limits.max_lookups))),
            },
            limits,
            tls: config.tls.clone(),
            turns: Arc::new(Semaphore::new(turns)),
            metrics,
            told: Arc::default(),
        }
    }

    /// A client for one component on one thread: its connections stay on that thread, and no other
    /// component can use them.
    pub fn client(&self) -> Client {
        let (dialer, turns) = (self.dialer.clone(), Arc::clone(&self.turns));
        Client::new(dialer, self.limits, self.tls.config(), turns)
    }

    /// The context of one instance; `inside` answers what does not leave the app.
    pub fn ctx(&self, client: &Client, inside: Arc<dyn Inside>) -> Ctx {
        Ctx {
            allowed: Arc::clone(&self.dialer.allowed),
            client: client.clone(),
            inside,
            metrics: self.metrics.clone(),
            told: Arc::clone(&self.told),
        }
    }
}

/// What one instance's requests go through.
pub struct Ctx {
    allowed: Arc<AllowedHosts>,
    client: Client,
    inside: Arc<dyn Inside>,
    metrics: Outbound,
    told: Arc<Seldom>,
}

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

/// Where a request goes, as a manifest names it: no path, no query, nobody's password.
fn origin(uri: &http::Uri) -> String {
    let host: String = uri.host().unwrap_or_default().chars().take(253).collect();
    let scheme = uri.scheme_str().unwrap_or("https");
    match uri.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// Says in the host's log what was denied, and the line of the manifest that would grant it.
fn tell(uri: &http::Uri, times: u64) {
    let destination = origin(uri);
    tracing::warn!(
        to = destination,
        times,
        "an outbound request was denied: allowed_outbound_hosts does not grant the destination; \
         to grant it, write `allowed_outbound_hosts = [{destination:?}]` into the component's table of the \
         manifest"
    );
}

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
            if let Some(times) = self.told.count(Instant::now()) {
                tell(request.uri(), times);
            }
            self.metrics.denied.inc();
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        let (client, inside) = (self.client.clone(), Arc::clone(&self.inside));
        let (metrics, options) = (self.metrics.clone(), options.unwrap_or_default());
        Box::new(async move {
            let sent = match request.uri().host().and_then(Within::of) {
                Some(to) => inside::send(inside, to, request, options).await,
                None => client.send(request, options).await,
            };
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
    Some(allowed.check(uri.scheme_str()?, uri.host()?, port(uri)?))
}

/// The port that a URI names, or that its scheme has.
fn port(uri: &http::Uri) -> Option<u16> {
    let scheme = uri.scheme()?;
    uri.port_u16().or(match scheme {
        scheme if *scheme == Scheme::HTTP => Some(80),
        scheme if *scheme == Scheme::HTTPS => Some(443),
        _ => None,
    })
}

//! The harness's own requests: is a server there, and make it ready. Comes in: what to ask; goes out: a status
//! and a body. It never loads a server: that is the generator's.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A request without an address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Ask {
    /// A GET of a path.
    pub(crate) fn get(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// A POST to a path.
    pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Self {
        Self {
            method: http::Method::POST,
            path: path.to_owned(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// With a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A client that makes a connection for each request.
#[derive(Debug)]
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    hyper: Hyper<HttpConnector, Full<Bytes>>,
}

/// No request of the harness takes longer, but those of an app that is being compiled.
const PATIENCE: Duration = Duration::from_secs(60);

impl Client {
    pub(crate) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let hyper = Hyper::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        Ok(Self { runtime, hyper })
    }

    /// Status and body of the answer.
    pub(crate) fn send(&self, address: SocketAddr, ask: &Ask) -> Result<(u16, String)> {
        let mut request = http::Request::builder()
            .method(&ask.method)
            .uri(format!("http://{address}{}", ask.path));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(ask.body.clone()))?;
        self.runtime.block_on(async {
            let whole = async {
                let response = self.hyper.request(request).await?;
                let status = response.status().as_u16();
                let body = response.into_body().collect().await?.to_bytes();
                Ok((status, String::from_utf8_lossy(&body).into_owned()))
            };
            let answer = tokio::time::timeout(PATIENCE, whole).await;
            answer.context("no answer in time")?
        })
    }

    /// The body of an answer that must be a success.
    pub(crate) fn good(&self, address: SocketAddr, ask: &Ask) -> Result<String> {
        let (status, body) = self.send(address, ask)?;
        let (method, path) = (&ask.method, &ask.path);
        ensure!(
            (200..300).contains(&status),
            "{method} {path}: {status} {body}"
        );
        Ok(body)
    }
}

//! Asks the host. Comes in: requests; goes out: a status and JSON, or that there was no whole answer. A connection for
//! each request: none is left over from a host that fell.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks.
#[derive(Clone)]
pub(crate) struct Client(Hyper<HttpConnector, Full<Bytes>>);

impl Client {
    pub(crate) fn new() -> Self {
        let hyper = Hyper::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build_http();
        Self(hyper)
    }

    /// Posts JSON, with an idempotency key or without.
    pub(crate) async fn post(
        &self,
        at: SocketAddr,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Result<(u16, Value)> {
        let mut request = http::Request::post(format!("http://{at}{path}"));
        request = request.header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request.body(Full::from(body.to_string()))?).await
    }

    /// Gets JSON.
    pub(crate) async fn get(&self, at: SocketAddr, path: &str) -> Result<(u16, Value)> {
        let request = http::Request::get(format!("http://{at}{path}"));
        self.send(request.body(Full::default())?).await
    }

    async fn send(&self, request: http::Request<Full<Bytes>>) -> Result<(u16, Value)> {
        let whole = async {
            let response = self.0.request(request).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
            let json = serde_json::from_slice(&body).unwrap_or_else(|_| text());
            Ok((status, json))
        };
        let answer = tokio::time::timeout(PATIENCE, whole).await;
        answer.context("no answer in time")?
    }
}

//! The load generator, oha. Comes in: what to ask and over how many connections; goes out: the command, and
//! what it found (requests per second, latencies, everything that was not a success).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::http::Ask;
use crate::invocation::Invocation;

/// What a server is asked, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The request.
    pub(crate) ask: Ask,
    /// The file with its body, where it has one: the same bytes as in the request.
    pub(crate) body: Option<PathBuf>,
    /// How many connections ask at once, each waiting for its answer before it asks again.
    pub(crate) connections: usize,
    /// Whether a connection serves more than one request.
    pub(crate) keep_alive: bool,
    /// How many requests a second there are in all; as many as are answered if there is none. What a request waits for
    /// its turn then counts as its time.
    pub(crate) rate: Option<u32>,
}

/// A request that takes longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

impl Load {
    /// Over 32 connections, which is what most cases are measured with.
    pub(crate) fn of(ask: Ask) -> Self {
        Self {
            ask,
            body: None,
            connections: 32,
            keep_alive: true,
            rate: None,
        }
    }

    /// Over so many connections.
    pub(crate) fn over(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// The generator's command, for so many seconds. `target` is a URL, or a file with many.
    pub(crate) fn invocation(
        &self,
        oha: Invocation,
        seconds: f64,
        target: Target<'_>,
    ) -> Invocation {
        let mut oha = oha
            .args(["--no-tui", "--output-format", "json", "-w"])
            .args(["-z", &format!("{}ms", (seconds * 1e3).round())])
            .args(["-c", &self.connections.to_string()])
            .args(["-t", &format!("{}s", PATIENCE.as_secs())])
            // A redirect would be another request.
            .args(["-r", "0"]);
        if self.ask.method != http::Method::GET {
            oha = oha.args(["-m", self.ask.method.as_str()]);
        }
        for (name, value) in &self.ask.headers {
            oha = oha.args(["-H", &format!("{name}: {value}")]);
        }
        if let Some(body) = &self.body {
            oha = oha.args(["-D", &body.display().to_string()]);
        }
        if let Some(rate) = self.rate {
            oha = oha.args(["-q", &rate.to_string(), "--latency-correction"]);
        }
        if !self.keep_alive {
            oha = oha.arg("--disable-keepalive");
        }
        match target {
            Target::Url(address) => oha.arg(format!("http://{address}{}", self.ask.path)),
            Target::UrlsOf(file) => oha.arg("--urls-from-file").arg(file.display().to_string()),
        }
    }
}

/// Where the requests go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// To one server.
    Url(std::net::SocketAddr),
    /// Each connection to one of the addresses in a file.
    UrlsOf(&'a std::path::Path),
}

/// What the generator found.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    /// Requests that were answered, whatever the answer was.
    pub(crate) answered: u64,
    /// Those answered otherwise than with 2xx, and those not answered at all, by what happened.
    pub(crate) failures: BTreeMap<String, u64>,
    pub(crate) requests_per_s: f64,
    pub(crate) seconds: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
}

/// Reads what the generator wrote.
pub(crate) fn read(json: &[u8]) -> Result<Found> {
    let output: Output = serde_json::from_slice(json).context("oha's output cannot be read")?;
    let answered: u64 = output.statuses.values().sum();
    let bad = output
        .statuses
        .iter()
        .filter(|(status, _)| !status.starts_with('2'))
        .map(|(status, count)| (format!("status {status}"), *count));
    let failures: BTreeMap<_, _> = bad.chain(output.errors.clone()).collect();
    let good = answered - failures_of(&output.statuses);
    let percentile = |name: &str| {
        let seconds = output.percentiles.get(name).copied().flatten();
        seconds.unwrap_or(f64::NAN) * 1e3
    };
    Ok(Found {
        answered,
        failures,
        requests_per_s: good as f64 / output.summary.total,
        seconds: output.summary.total,
        p50_ms: percentile("p50"),
        p90_ms: percentile("p90"),
        p95_ms: percentile("p95"),
        p99_ms: percentile("p99"),
        p999_ms: percentile("p99.9"),
    })
}

fn failures_of(statuses: &BTreeMap<String, u64>) -> u64 {
    let bad = statuses
        .iter()
        .filter(|(status, _)| !status.starts_with('2'));
    bad.map(|(_, count)| count).sum()
}

#[derive(Deserialize)]
struct Output {
    summary: Summary,
    #[serde(rename = "latencyPercentiles")]
    percentiles: BTreeMap<String, Option<f64>>,
    #[serde(rename = "statusCodeDistribution")]
    statuses: BTreeMap<String, u64>,
    #[serde(rename = "errorDistribution")]
    errors: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Summary {
    total: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = r#"{
        "summary": {"successRate": 1.0, "total": 2.0, "requestsPerSec": 51.0},
        "latencyPercentiles": {"p50": 0.001, "p90": 0.002, "p95": 0.003, "p99": 0.004, "p99.9": null},
        "statusCodeDistribution": {"200": 90, "204": 6, "503": 4},
        "errorDistribution": {"connection closed": 2}
    }"#;

    #[test]
    fn what_is_not_2xx_is_a_failure_and_no_throughput() {
        let found = read(OUTPUT.as_bytes()).unwrap();
        assert_eq!(found.answered, 100);
        assert_eq!(found.requests_per_s, 48.0);
        let failures = [("connection closed", 2), ("status 503", 4)];
        let failures = failures.map(|(what, count)| (what.to_owned(), count));
        assert_eq!(found.failures, BTreeMap::from(failures));
    }

    #[test]
    fn latencies_are_milliseconds() {
        let found = read(OUTPUT.as_bytes()).unwrap();
        assert_eq!((found.p50_ms, found.p90_ms), (1.0, 2.0));
        assert_eq!((found.p95_ms, found.p99_ms), (3.0, 4.0));
        assert!(found.p999_ms.is_nan());
    }

    #[test]
    fn what_is_no_output_is_an_error() {
        assert!(read(b"").is_err());
        assert!(read(b"{}").is_err());
    }
}

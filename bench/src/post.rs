//! Posts events at a steady rate, whether the answers come or not: an event that had to wait for its turn counts from
//! when it was due. Comes in: where to, how many a second and for how long; goes out: how many were accepted.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

/// What to post, and where.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// The producer.
    #[arg(long, value_name = "ADDR")]
    to: SocketAddr,
    /// How many events a second.
    #[arg(long, value_name = "N")]
    rate: f64,
    /// How many events in all.
    #[arg(long, value_name = "N")]
    events: u64,
    /// How many types they are of, in turn: `bench.0`, `bench.1`, ...
    #[arg(long, value_name = "N", default_value_t = 1)]
    types: u64,
    /// How many may wait for their answer at once.
    #[arg(long, value_name = "N", default_value_t = 32)]
    connections: usize,
}

/// What an event carries.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// When it was to be posted, in microseconds since 1970.
    pub(crate) due_at_us: u64,
}

/// What came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Posted {
    /// Events that were answered 202.
    pub(crate) accepted: u64,
    /// Those that were not, by what happened.
    pub(crate) failures: BTreeMap<String, u64>,
}

/// Microseconds since 1970.
pub(crate) fn since_1970() -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// Posts them, and prints what came of it as JSON.
pub(crate) fn post(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    let posted = local.block_on(&runtime, all(arguments))?;
    println!("{}", serde_json::to_string(&posted)?);
    Ok(())
}

async fn all(arguments: &Arguments) -> Result<Posted> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let (began, began_us) = (Instant::now(), since_1970());
    let next = Rc::new(Cell::new(0));
    let mut tasks = Vec::new();
    for _ in 0..arguments.connections {
        let (client, next, arguments) = (client.clone(), Rc::clone(&next), arguments.clone());
        tasks.push(tokio::task::spawn_local(async move {
            let mut posted = Posted::default();
            loop {
                let number = next.get();
                if number >= arguments.events {
                    return posted;
                }
                next.set(number + 1);
                let due = Duration::from_secs_f64(number as f64 / arguments.rate);
                tokio::time::sleep_until(began + due).await;
                let due_at_us = began_us + u64::try_from(due.as_micros()).unwrap_or(0);
                match one(&client, &arguments, number, due_at_us).await {
                    Ok(StatusCode::ACCEPTED) => posted.accepted += 1,
                    Ok(status) => {
                        *posted
                            .failures
                            .entry(format!("status {status}"))
                            .or_default() += 1
                    }
                    Err(error) => *posted.failures.entry(format!("{error:#}")).or_default() += 1,
                }
            }
        }));
    }
    let mut posted = Posted::default();
    for task in tasks {
        let more = task.await.context("a task that posts has ended")?;
        posted.accepted += more.accepted;
        for (what, count) in more.failures {
            *posted.failures.entry(what).or_default() += count;
        }
    }
    Ok(posted)
}

async fn one(
    client: &Client<HttpConnector, Full<Bytes>>,
    arguments: &Arguments,
    number: u64,
    due_at_us: u64,
) -> Result<StatusCode> {
    let kind = format!("bench.{}", number % arguments.types);
    let body = json!({ "type": kind, "data": Sent { due_at_us } }).to_string();
    let request = Request::post(format!("http://{}/events", arguments.to))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let response = client.request(request).await?;
    let status = response.status();
    response.into_body().collect().await?;
    Ok(status)
}

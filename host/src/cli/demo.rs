//! `signet demo`: the whole loop, once, on free ports and in a temporary folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::Failure;
use super::flag::Variables;
use super::run::{Common, options, standard_output};
use crate::app::App;
use crate::app::plan::Plan;
use crate::runtime::signer::Signer;
use crate::telemetry::LogFormat;

/// No step of the demo takes longer than this on any machine it is meant for.
const STEP: Duration = Duration::from_secs(60);

pub(super) fn demo(format: LogFormat) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir().context("there is no temporary folder")?;
    let (lines, writer) = standard_output(format)?;
    let running = start(folder.path().to_owned(), lines)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let mut addresses = running.addresses().map(|(_, address)| address);
    let (producer, consumer) = addresses
        .next()
        .zip(addresses.next())
        .context("the built-in app has two addresses")?;
    drop(addresses);
    let shown =
        runtime.block_on(async { tokio::time::timeout(STEP, show(producer, consumer)).await });
    running.stop();
    let ended = running.wait();
    writer.finish();
    let outcome = shown.context("the demo did not end in time")??;
    ended?;
    println!(
        "demo: {} payload verified, {} tampered payload refused",
        outcome.verified, outcome.refused
    );
    Ok(
        if outcome
            == (Outcome {
                verified: 1,
                refused: 1,
            })
        {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        },
    )
}

/// What happened to the payloads.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    verified: usize,
    refused: usize,
}

/// Starts the built-in app on free ports.
fn start(folder: PathBuf, lines: crate::telemetry::Lines) -> anyhow::Result<crate::app::Running> {
    // The producer may reach the consumer only where the manifest says, so the port is chosen first.
    let consumer = free_address()?;
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let plan = Plan::builtin(&[free, consumer])?;
    let common = Common {
        variable: vec![Variables(vec![(
            "consumer_port".to_owned(),
            consumer.port().to_string(),
        )])],
        // Made by the host, so that it is its owner's alone.
        state_dir: Some(folder.join("state")),
        cache_dir: std::env::var_os("SIGNET_CACHE_DIR").map(PathBuf::from),
        ..Common::default()
    };
    App::open(plan, options(common), lines)?.start()
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?.local_addr()?)
}

/// Registers, fires, tampers.
async fn show(producer: SocketAddr, consumer: SocketAddr) -> anyhow::Result<Outcome> {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let target = format!("http://localhost:{}/target", consumer.port());

    let registered = call(
        &http,
        post(
            format!("http://{producer}/registrations"),
            &[],
            json!({ "url": target, "event": "*" }).to_string(),
        )?,
    )
    .await?;
    ensure!(
        registered.0 == StatusCode::CREATED,
        "the registration was answered {}: {}",
        registered.0,
        registered.1
    );
    let key = registered.1["signingKey"]
        .as_str()
        .context("the registration's answer has a key")?
        .to_owned();

    let fired = call(
        &http,
        post(
            format!("http://{producer}/fire"),
            &[],
            json!({ "event": "demo.sent", "data": { "amount": 1 } }).to_string(),
        )?,
    )
    .await?;
    ensure!(
        fired.0 == StatusCode::OK,
        "the event was answered {}: {}",
        fired.0,
        fired.1
    );
    let verified = fired.1["results"].as_array().map_or(0, |results| {
        results
            .iter()
            .filter(|result| result["status"] == json!(200))
            .count()
    });

    // A payload that was signed, as the producer does it, and then changed on its way.
    let signed = json!({ "event": "demo.sent", "data": { "amount": 1 } }).to_string();
    let headers = signature(&signed, &key)?;
    let tampered = signed.replace("\"amount\":1", "\"amount\":1000000");
    let answer = call(&http, post(target, &headers, tampered)?).await?;
    Ok(Outcome {
        verified,
        refused: usize::from(answer.0 == StatusCode::BAD_REQUEST),
    })
}

/// The headers that the producer sends with a body.
fn signature(body: &str, key: &str) -> anyhow::Result<[(&'static str, String); 4]> {
    let mut signer = Signer::new()?;
    let mut sign = |content: &str| -> anyhow::Result<String> {
        let tag = signer
            .sign(content.as_bytes(), key.as_bytes())?
            .map_err(anyhow::Error::msg)?;
        Ok(String::from_utf8(tag)?)
    };
    let (id, timestamp) = ("msg_demo", SystemTime::UNIX_EPOCH.elapsed()?.as_secs());
    let tag = sign(&format!("{id}.{timestamp}.{body}"))?;
    let digest: Result<Vec<u8>, _> = (0..tag.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&tag[at..at + 2], 16))
        .collect();
    Ok([
        ("x-signature", sign(body)?),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        (
            "webhook-signature",
            format!("v1,{}", BASE64_STANDARD.encode(digest?)),
        ),
    ])
}

fn post(
    url: String,
    headers: &[(&str, String)],
    body: String,
) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    Ok(request.body(Full::new(Bytes::from(body)))?)
}

/// The status and, where it is JSON, the body of the answer.
async fn call(
    http: &Client<HttpConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, Value)> {
    let response = http.request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

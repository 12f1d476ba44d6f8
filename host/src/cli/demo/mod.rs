//! `signet demo`: the whole loop, once, on free ports and in a temporary folder. Owns what is shown and in which
//! order; comes in: nothing; goes out: the lines of the guests and of the demo, and whether all went as it should.

mod events;
mod gate;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
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
use tokio::net::TcpListener;

use self::events::Delivered;
use self::gate::Gate;
use super::Failure;
use super::flag::Variables;
use super::run::{Common, options, standard_output};
use crate::app::App;
use crate::app::plan::Plan;
use crate::runtime::signer::Signer;
use crate::telemetry::LogFormat;

/// What the demo calls with.
type Http = Client<HttpConnector, Full<Bytes>>;

/// Any port of this machine.
const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// No step of the demo takes longer than this on any machine it is meant for.
const STEP: Duration = Duration::from_secs(60);

pub(super) fn demo(format: LogFormat) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir().context("there is no temporary folder")?;
    let (lines, writer) = standard_output(format)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    // The producer reaches the consumer through the gate, and only where the manifest says: its port comes first.
    let listener = runtime
        .block_on(TcpListener::bind(FREE))
        .context("there is no free port")?;
    let gate = listener.local_addr().map_err(anyhow::Error::from)?;
    let running = start(folder.path().to_owned(), lines, gate.port())?;
    let mut addresses = running.addresses().map(|(_, address)| address);
    let (producer, consumer) = addresses
        .next()
        .zip(addresses.next())
        .context("the built-in app has two addresses")?;
    drop(addresses);
    let shown = runtime.block_on(async {
        let shown = show(producer, Gate::new(listener, consumer), gate);
        tokio::time::timeout(STEP, shown).await
    });
    running.stop();
    let ended = running.wait();
    writer.finish();
    let outcome = shown.context("the demo did not end in time")??;
    ended?;
    println!(
        "demo: {} payload verified, {} tampered payload refused",
        outcome.verified, outcome.refused
    );
    println!(
        "demo: 1 event delivered at attempt {}, when its consumer was up again",
        outcome.delivered.recovered
    );
    println!(
        "demo: 1 dead letter sent again and delivered, at attempt {}",
        outcome.delivered.resent
    );
    let as_it_should = outcome.verified == 1 && outcome.refused == 1;
    Ok(ExitCode::from(u8::from(!as_it_should)))
}

/// What happened to the payloads and the events.
struct Outcome {
    verified: usize,
    refused: usize,
    delivered: Delivered,
}

/// Starts the built-in app on free ports; the producer calls its consumer at `gate`.
fn start(
    folder: PathBuf,
    lines: crate::telemetry::Lines,
    gate: u16,
) -> anyhow::Result<crate::app::Running> {
    let plan = Plan::builtin(&[FREE, FREE])?;
    let common = Common {
        variable: vec![Variables(vec![(
            "consumer_port".to_owned(),
            gate.to_string(),
        )])],
        // Made by the host, so that it is its owner's alone.
        state_dir: Some(folder.join("state")),
        cache_dir: std::env::var_os("SIGNET_CACHE_DIR").map(PathBuf::from),
        ..Common::default()
    };
    App::open(plan, options(common), lines)?.start()
}

/// Registers, fires, tampers; then events, with the gate shut for a while.
async fn show(producer: SocketAddr, gate: Gate, at: SocketAddr) -> anyhow::Result<Outcome> {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let target = format!("http://localhost:{}/target", at.port());

    let registered = call(
        &http,
        post(
            format!("http://{producer}/registrations"),
            &[],
            json!({ "url": target, "event": "*", "schedule": events::SCHEDULE }).to_string(),
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
        delivered: events::show(&http, producer, &gate).await?,
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
async fn call(http: &Http, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Value)> {
    let response = http.request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

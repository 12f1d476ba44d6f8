//! The durable half of the demo: an event whose consumer is down is tried again until it is up, and one that was given
//! up is sent again. Comes in: the producer and the gate before its consumer; goes out: what became of both events.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::gate::Gate;
use super::{Http, call, post};

/// The delays before each attempt, in seconds.
pub(super) const SCHEDULE: [u64; 3] = [0, 1, 1];

/// How often it is looked whether something has happened.
const LOOK: Duration = Duration::from_millis(50);

/// At which attempts the two events were delivered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    /// The one whose consumer came back.
    pub(super) recovered: u64,
    /// The one that was a dead letter before.
    pub(super) resent: u64,
}

/// Shows both.
pub(super) async fn show(
    http: &Http,
    producer: SocketAddr,
    gate: &Gate,
) -> anyhow::Result<Delivered> {
    gate.set(false);
    let event = accept(http, producer).await?;
    until(http, producer, &event, |delivery| delivery["attempts"] == 1).await?;
    gate.set(true);
    let recovered = done(http, producer, &event).await?;

    gate.set(false);
    let event = accept(http, producer).await?;
    until(http, producer, &event, |delivery| {
        delivery["state"] == "dead"
    })
    .await?;
    gate.set(true);
    let again = post(
        format!("http://{producer}/events/{event}/resend"),
        &[],
        String::new(),
    )?;
    let (status, answer) = call(http, again).await?;
    ensure!(
        status == StatusCode::ACCEPTED && answer["due"] == 1,
        "the dead letter was not sent again: {status}: {answer}"
    );
    let resent = done(http, producer, &event).await?;
    Ok(Delivered { recovered, resent })
}

async fn accept(http: &Http, producer: SocketAddr) -> anyhow::Result<String> {
    let event = json!({ "type": "demo.accepted", "data": { "amount": 1 } });
    let request = post(format!("http://{producer}/events"), &[], event.to_string())?;
    let (status, answer) = call(http, request).await?;
    ensure!(
        status == StatusCode::ACCEPTED,
        "the event was answered {status}: {answer}"
    );
    let id = answer["id"].as_str();
    Ok(id.context("the event's answer has an id")?.to_owned())
}

/// Waits until the event is delivered, and says at which attempt.
async fn done(http: &Http, producer: SocketAddr, event: &str) -> anyhow::Result<u64> {
    let done = |delivery: &Value| delivery["state"] == "done";
    let delivery = until(http, producer, event, done).await?;
    delivery["attempts"]
        .as_u64()
        .context("a delivery has attempts")
}

/// Looks at the event's one delivery until it is so. The demo as a whole has a time limit.
async fn until(
    http: &Http,
    producer: SocketAddr,
    event: &str,
    is_so: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    loop {
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("http://{producer}/events/{event}"))
            .body(Full::default())?;
        let (_, mut answer) = call(http, request).await?;
        let delivery = answer["deliveries"][0].take();
        if is_so(&delivery) {
            return Ok(delivery);
        }
        tokio::time::sleep(LOOK).await;
    }
}

//! The guests that this project exists for: the consumer verifies with its key in key-value, the producer signs and
//! sends to many. `wasmtime serve` cannot run them.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Case, Place, Side};
use crate::goals::{NATIVE, NATIVE_UNPOOLED, SERVE, UNPOOLED};
use crate::hosts::Hosts;
use crate::http::{Ask, Client};
use crate::load::Load;
use crate::native::verify::tag;

/// What lets the harness bring a key.
pub(super) const TOKEN: &str = "bench-token";
const KEY: &str = "0123456789abcdefghijABCDEFGHIJ012345";
const PAYLOAD: &str = r#"{"event":"sample.sent","data":{"amount":1}}"#;

pub(super) fn cases(hosts: &Hosts) -> Result<Vec<Case<'_>>> {
    let mut cases = vec![consumer(hosts)?];
    for (consumers, connections) in [(1, 32), (10, 8), (100, 2)] {
        cases.push(fire(hosts, consumers, connections));
    }
    need_guests(hosts, &mut cases);
    Ok(cases)
}

/// Leaves the cases out where our guests were not built.
pub(super) fn need_guests(hosts: &Hosts, cases: &mut [Case<'_>]) {
    if hosts.root.join("target/guests/producer.wasm").exists() {
        return;
    }
    for case in cases {
        let why = "target/guests has no guests: cargo build --release --package signet";
        case.left_out = Some(why.to_owned());
    }
}

/// Brings the consumer its key.
pub(super) fn handshake() -> Ask {
    let body = json!({ "keyData": KEY }).to_string();
    Ask::post("/target?handshake=true", body).with("x-enrolment-token", TOKEN)
}

/// The same as a stranger types it.
pub(super) fn shaken_by_hand(place: &Place) -> String {
    format!(
        "curl -X POST -H 'content-type: application/json' -H 'x-enrolment-token: {TOKEN}' -d '{{\"keyData\":\"{KEY}\"}}' 'http://{}/target?handshake=true'",
        place.server()
    )
}

/// A payload that is signed with that key.
pub(super) fn payload(hosts: &Hosts) -> Result<Load> {
    let tag = tag(KEY.as_bytes(), PAYLOAD.as_bytes());
    let mut load = Load::of(Ask::post("/target", PAYLOAD).with("X-Signature", &tag));
    load.body = Some(hosts.write("bodies/payload", PAYLOAD)?);
    Ok(load)
}

/// The same, natively.
pub(super) fn native(hosts: &Hosts) -> Side<'_> {
    Side::new(NATIVE, move |place| {
        Ok(hosts
            .native("verify", place.server())
            .args(["--secret", KEY]))
    })
}

fn consumer(hosts: &Hosts) -> Result<Case<'_>> {
    let manifest = hosts.root.join("guest-consumer/spin.toml");
    let signet = Side::new("signet", move |place| {
        let token = format!("enrolment_token={TOKEN}");
        let run = hosts.signet(&manifest).args(["--variable", &token]);
        Ok(hosts.listening(run, place.server()))
    });
    let signet = signet.ready(handshake()).by_hand(shaken_by_hand);
    let sides = vec![signet, native(hosts)];
    let says = "our consumer verifies a payload, its key in key-value";
    let mut case = Case::loaded("consumer-verify", says, payload(hosts)?, sides);
    case.cannot.push((
        SERVE,
        "not runnable: wasmtime serve gives neither spin:key-value nor spin:variables to its guests".to_owned(),
    ));
    Ok(case)
}

fn fire(hosts: &Hosts, consumers: usize, connections: usize) -> Case<'_> {
    let count = consumers.to_string();
    let native = |name: &str, unpooled: bool| {
        let count = count.clone();
        Side::new(name, move |place| {
            let native = hosts.native("fire", place.server());
            let native = native.args(["--consumers", &count, "--sink", &place.sink.to_string()]);
            Ok(if unpooled {
                native.arg("--unpooled")
            } else {
                native
            })
        })
    };
    let sides = vec![
        producer(hosts, "signet", "target", consumers),
        producer(hosts, UNPOOLED, "close", consumers),
        native(NATIVE, false),
        native(NATIVE_UNPOOLED, true),
    ];
    let id = format!("fire-{consumers}");
    let says = format!(
        "our producer signs an event and sends it to {consumers} consumers, {connections} at once"
    );
    let load = Load::of(Ask::post("/fire", "")).over(connections);
    let mut case = Case::loaded(&id, &says, load, sides);
    case.calls = consumers;
    case.cannot.push((
        SERVE,
        "not runnable: wasmtime serve gives neither spin:sqlite nor spin:variables to its guests"
            .to_owned(),
    ));
    case
}

/// Our producer, which may call the receiver of its place.
pub(super) fn producer_of<'a>(hosts: &'a Hosts, name: &str) -> Side<'a> {
    let manifest = hosts.root.join("guest-producer/spin.toml");
    let side = Side::new(name, move |place| {
        let port = format!("consumer_port={}", place.sink.port());
        let run = hosts.signet(&manifest).args(["--variable", &port]);
        Ok(hosts.listening(run, place.server()))
    });
    side.ready(Ask::get("/registrations"))
}

/// Our producer with so many registrations; what they lie below says whether the receiver closes connections.
fn producer<'a>(hosts: &'a Hosts, name: &str, below: &'a str, consumers: usize) -> Side<'a> {
    let side = producer_of(hosts, name).by_hand(move |place| {
        format!(
            "for number in $(seq 0 {}); do curl -X POST -H 'content-type: application/json' -d '{{\"url\":\"http://{}/{below}/'$number'\",\"event\":\"*\"}}' \
             http://{}/registrations; done",
            consumers - 1,
            place.sink,
            place.server()
        )
    });
    side.prepare(move |client, place| {
        for number in 0..consumers {
            let url = format!("http://{}/{below}/{number}", place.sink);
            register(client, place.server(), &json!({ "url": url, "event": "*" }))?;
        }
        let fired = client.good(place.server(), &Ask::post("/fire", ""))?;
        let delivered = format!("\"delivered\":{consumers},");
        ensure!(
            fired.contains(&delivered),
            "not everyone was reached: {fired}"
        );
        Ok(())
    })
}

/// Registers a consumer.
pub(super) fn register(client: &Client, producer: SocketAddr, registration: &Value) -> Result<()> {
    let ask = Ask::post("/registrations", registration.to_string())
        .with("content-type", "application/json");
    client.good(producer, &ask).map(drop)
}

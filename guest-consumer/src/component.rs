//! The component's face: the export of `wasi:http` and the way of a request through the rest. In
//! comes a request; out goes a response, always: what went wrong is a problem with a status. It never
//! logs a key or a token.

use http::HeaderMap;
use wasip3::http::types::{self, ErrorCode, Response};
use wasip3::http_compat::{Request, http_from_wasi_request};

use crate::answer::Answer;
use crate::api::{self, Route};
use crate::handshake::{self, Offer};
use crate::keys::Held;
use crate::problem::Problem;
use crate::signature::{self, Presented, Verified};
use bucket::Bucket;
use surroundings::Linked;

mod apply;
mod bucket;
mod database;
mod exchange;
mod surroundings;

mod bindings {
    // Generated: it lifts and lowers by the canonical ABI, which is raw pointers.
    #![allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
    #![allow(missing_docs, clippy::all)]
    wit_bindgen::generate!({
        path: "../wit",
        world: "signet:worlds/consumer",
        generate_all,
    });
}

struct Consumer;

wasip3::http::service::export!(Consumer);

impl wasip3::exports::http::handler::Guest for Consumer {
    async fn handle(request: types::Request) -> Result<Response, ErrorCode> {
        let request = http_from_wasi_request(request)?;
        exchange::respond(serve(request).await.unwrap_or_else(Answer::from))
    }
}

async fn serve(request: Request) -> Result<Answer, Problem> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    match api::route(request.method().as_str(), target)? {
        Route::Handshake => shake_hands(request).await,
        Route::Payload => receive(request).await,
    }
}

async fn shake_hands(request: Request) -> Result<Answer, Problem> {
    let (head, body) = request.into_parts();
    let body = exchange::read(body).await?;
    println!("Received key data upon registering for webhooks with PRODUCER.");
    let bucket = Bucket::open().await?;
    let current = bucket.current().await?;
    let configured = surroundings::variable("enrolment_token").await?;
    let tokens = values(&head.headers, "x-enrolment-token");
    let tags = values(&head.headers, "x-signature");
    let signed = match (&current, tags.as_slice()) {
        (Some(held), [tag]) => held.fits(&body, tag, &Linked),
        _ => false,
    };
    let offer = Offer {
        token: tokens
            .first()
            .filter(|_| tokens.len() == 1)
            .map(Vec::as_slice),
        configured: &configured,
        has_key: current.is_some(),
        signed,
    };
    let admitted = handshake::admit(offer).and_then(|()| handshake::key(&body, &Linked));
    let key = admitted.inspect_err(|problem| println!("Refused key data: {}", problem.detail()))?;
    bucket.renew(key, current, now(), &Linked).await?;
    println!("Stored key data in key value store");
    Ok(Answer::text(200, "Stored key data"))
}

async fn receive(request: Request) -> Result<Answer, Problem> {
    let presented = presented(request.headers());
    if presented.is_unsigned() {
        let detail = "the request has neither X-Signature nor webhook-signature: sign it";
        let title = "signature is missing";
        return Err(Problem::new(400, "signature-missing", title, detail));
    }
    let body = exchange::read(request.into_body()).await?;
    println!("{}", presented.summary());
    let bucket = Bucket::open().await?;
    let mut keys = vec![bucket.current().await?.ok_or_else(Problem::no_key)?];
    println!("Loaded key data from key-value store");
    println!("Verifying integrity of payload received from PRODUCER...");
    let now = now();
    let mut verdict = signature::verify(&presented, &body, now, &keys, &Linked);
    // The key before is seldom needed, so it is read when it is.
    if verdict.is_err()
        && let Some(previous) = bucket.previous(now).await?
    {
        keys.push(previous);
        verdict = signature::verify(&presented, &body, now, &keys, &Linked);
    }
    let answer = match verdict {
        Ok(verified) => {
            println!("Payload verification result: True");
            accept(verified, &keys, &bucket, &body).await
        }
        Err(refusal) => {
            println!("Payload verification result: False");
            println!("Refused payload: {refusal}{}", presented.named());
            let detail = "signature verification failed";
            let title = "the payload is not what the producer signed";
            Err(Problem::new(400, "signature-wrong", title, detail))
        }
    };
    let status = answer
        .as_ref()
        .map_or_else(Problem::status, |answer| answer.status);
    println!("Responding with HTTP {status}");
    answer
}

/// Applies what was verified, and requires of its key what it has shown that it can.
async fn accept(
    verified: Verified<'_>,
    keys: &[Held],
    bucket: &Bucket,
    body: &[u8],
) -> Result<Answer, Problem> {
    let Some(id) = verified.id else {
        return Ok(apply::unnamed(body));
    };
    if keys.get(verified.key).is_some_and(|held| !held.standard) {
        bucket.require_standard().await?;
    }
    apply::once(id, body).await
}

/// The seconds since 1970, as signatures count them.
fn now() -> u64 {
    u64::try_from(surroundings::now()).unwrap_or(0)
}

fn presented(headers: &HeaderMap) -> Presented {
    Presented {
        tag: values(headers, "x-signature"),
        id: values(headers, "webhook-id"),
        timestamp: values(headers, "webhook-timestamp"),
        signature: values(headers, "webhook-signature"),
    }
}

fn values(headers: &HeaderMap, name: &str) -> Vec<Vec<u8>> {
    let values = headers.get_all(name).iter();
    values.map(|value| value.as_bytes().to_vec()).collect()
}

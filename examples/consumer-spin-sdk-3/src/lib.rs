//! The webhook consumer on `spin-sdk` 3: WASI 0.2 by way of a core module, as SDKs of that time build it. In
//! comes a request; out goes a response. What it decides is in the pure modules of `guest-consumer`; here is
//! what it asks of the host and of `hmac`.

use std::time::{SystemTime, UNIX_EPOCH};

use futures::TryStreamExt;
use guest_consumer::answer::Answer;
use guest_consumer::api::{self, Route};
use guest_consumer::handshake::{self, Offer};
use guest_consumer::problem::{Problem, BODY_LIMIT};
use guest_consumer::signature::{self, Presented};
use spin_sdk::http::{IncomingRequest, IntoResponse, Response};
use spin_sdk::{http_component, variables};

use keys::Keys;
use linked::Linked;

mod keys;
mod linked;

/// A name and a value for each header that was sent, repeated ones too. The SDK's own `Request` keeps one value
/// of a name: whoever sends a second signature must not choose which.
type Headers = Vec<(String, Vec<u8>)>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    respond(serve(request).await.unwrap_or_else(Answer::from))
}

async fn serve(request: IncomingRequest) -> Result<Answer, Problem> {
    let target = request.path_with_query().unwrap_or_default();
    let headers = request.headers().entries();
    match api::route(&request.method().to_string(), &target)? {
        Route::Handshake => shake_hands(headers, request).await,
        Route::Payload => receive(headers, request).await,
    }
}

async fn shake_hands(headers: Headers, request: IncomingRequest) -> Result<Answer, Problem> {
    let body = read(request).await?;
    println!("Received key data upon registering for webhooks with PRODUCER.");
    let keys = Keys::open()?;
    let current = keys.current()?;
    let configured = enrolment_token()?;
    let tokens = values(&headers, "x-enrolment-token");
    let tags = values(&headers, "x-signature");
    let offer = Offer {
        token: match tokens.as_slice() {
            [token] => Some(token),
            _ => None,
        },
        configured: &configured,
        has_key: current.is_some(),
        signed: match (&current, tags.as_slice()) {
            (Some(held), [tag]) => held.fits(&body, tag, &Linked),
            _ => false,
        },
    };
    let admitted = handshake::admit(offer).and_then(|()| handshake::key(&body, &Linked));
    let key = admitted.inspect_err(|problem| println!("Refused key data: {}", problem.detail()))?;
    keys.renew(&key)?;
    println!("Stored key data in key value store");
    Ok(Answer::text(200, "Stored key data"))
}

async fn receive(headers: Headers, request: IncomingRequest) -> Result<Answer, Problem> {
    let presented = Presented {
        tag: values(&headers, "x-signature"),
        id: values(&headers, "webhook-id"),
        timestamp: values(&headers, "webhook-timestamp"),
        signature: values(&headers, "webhook-signature"),
    };
    if presented.is_unsigned() {
        let detail = "the request has neither X-Signature nor webhook-signature: sign it";
        let title = "signature is missing";
        return Err(Problem::new(400, "signature-missing", title, detail));
    }
    let body = read(request).await?;
    println!("{}", presented.summary());
    let keys = Keys::open()?;
    let current = keys.current()?.ok_or_else(Problem::no_key)?;
    println!("Loaded key data from key-value store");
    println!("Verifying integrity of payload received from PRODUCER...");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    let required = current.standard;
    match signature::verify(&presented, &body, now, &[current], &Linked) {
        Ok(verified) => {
            println!("Payload verification result: True");
            if verified.id.is_some() && !required {
                keys.require_standard()?;
            }
            println!("Responding with HTTP 200");
            Ok(Answer::text(200, "Received payload and verified integrity"))
        }
        Err(refusal) => {
            println!("Payload verification result: False");
            println!("Refused payload: {refusal}");
            println!("Responding with HTTP 400");
            let detail = "signature verification failed";
            let title = "the payload is not what the producer signed";
            Err(Problem::new(400, "signature-wrong", title, detail))
        }
    }
}

fn values(headers: &Headers, name: &str) -> Vec<Vec<u8>> {
    let named = headers
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.clone()).collect()
}

/// The operator's token; the empty text if the manifest gives none.
fn enrolment_token() -> Result<String, Problem> {
    match variables::get("enrolment_token") {
        Ok(token) => Ok(token),
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        Err(error) => {
            let detail = format!("variable enrolment_token has no value: {error}");
            Err(Problem::internal(detail))
        }
    }
}

/// The whole body, and never more than the limit.
async fn read(request: IncomingRequest) -> Result<Vec<u8>, Problem> {
    let mut stream = std::pin::pin!(request.into_body_stream());
    let mut body = Vec::new();
    loop {
        let incomplete = |_| Problem::invalid(vec!["body is incomplete".to_string()]);
        match stream.try_next().await.map_err(incomplete)? {
            Some(chunk) => body.extend(chunk),
            None => return Ok(body),
        }
        if body.len() > BODY_LIMIT {
            return Err(Problem::too_large());
        }
    }
}

fn respond(answer: Answer) -> impl IntoResponse {
    let mut response = Response::builder();
    response.status(answer.status);
    for (name, value) in answer.headers {
        response.header(name, value);
    }
    response.body(answer.body).build()
}

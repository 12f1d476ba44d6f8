//! The webhook consumer on `spin-sdk` 7: WASI 0.3, everything async. In comes a request; out goes a
//! response. What it decides is in the pure modules of `guest-consumer`; here is what it asks of the host
//! and of `hmac`.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use guest_consumer::answer::Answer;
use guest_consumer::api::{self, Route};
use guest_consumer::handshake::{self, Offer};
use guest_consumer::problem::{BODY_LIMIT, Problem};
use guest_consumer::signature::{self, Presented};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use spin_sdk::http::{FullBody, HeaderMap, IntoResponse, Request, Response};
use spin_sdk::http_service;
use spin_sdk::variables;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;

use keys::Keys;
use linked::Linked;

mod keys;
mod linked;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    respond(serve(request).await.unwrap_or_else(Answer::from))
}

async fn serve(request: Request) -> Result<Answer, Problem> {
    let target = request.uri().path_and_query();
    let target = target.map_or("/", |target| target.as_str());
    match api::route(request.method().as_str(), target)? {
        Route::Handshake => shake_hands(request).await,
        Route::Payload => receive(request).await,
    }
}

async fn shake_hands(request: Request) -> Result<Answer, Problem> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    println!("Received key data upon registering for webhooks with PRODUCER.");
    let keys = Keys::open().await?;
    let current = keys.current().await?;
    let configured = enrolment_token().await?;
    let tokens = values(&head.headers, "x-enrolment-token");
    let tags = values(&head.headers, "x-signature");
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
    keys.renew(&key).await?;
    println!("Stored key data in key value store");
    Ok(Answer::text(200, "Stored key data"))
}

async fn receive(request: Request) -> Result<Answer, Problem> {
    let headers = request.headers();
    let presented = Presented {
        tag: values(headers, "x-signature"),
        id: values(headers, "webhook-id"),
        timestamp: values(headers, "webhook-timestamp"),
        signature: values(headers, "webhook-signature"),
    };
    if presented.is_unsigned() {
        let detail = "the request has neither X-Signature nor webhook-signature: sign it";
        let title = "signature is missing";
        return Err(Problem::new(400, "signature-missing", title, detail));
    }
    let body = read(request.into_body()).await?;
    println!("{}", presented.summary());
    let keys = Keys::open().await?;
    let current = keys.current().await?.ok_or_else(Problem::no_key)?;
    println!("Loaded key data from key-value store");
    println!("Verifying integrity of payload received from PRODUCER...");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    let required = current.standard;
    match signature::verify(&presented, &body, now, &[current], &Linked) {
        Ok(verified) => {
            println!("Payload verification result: True");
            if verified.id.is_some() && !required {
                keys.require_standard().await?;
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

fn values(headers: &HeaderMap, name: &str) -> Vec<Vec<u8>> {
    let values = headers.get_all(name).iter();
    values.map(|value| value.as_bytes().to_vec()).collect()
}

/// The operator's token; the empty text if the manifest gives none.
async fn enrolment_token() -> Result<String, Problem> {
    match variables::get("enrolment_token").await {
        Ok(token) => Ok(token),
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        Err(error) => {
            let detail = format!("variable enrolment_token has no value: {error}");
            Err(Problem::internal(detail))
        }
    }
}

/// The whole body.
async fn read(body: IncomingRequestBody) -> Result<Vec<u8>, Problem> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large()),
        Err(error) => Err(Problem::invalid(vec![format!(
            "body is incomplete: {error}"
        )])),
    }
}

fn respond(answer: Answer) -> impl IntoResponse {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(FullBody::new(Bytes::from(answer.body)))
}

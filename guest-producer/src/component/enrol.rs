//! Registering a consumer. In comes the body of `POST /registrations`; out goes the registration with
//! its key, or a problem. The URL is reserved first and the handshake comes second, so of two
//! requests at once one calls the consumer; a handshake that fails leaves no row behind. It never
//! logs a key or a token.

use std::rc::Rc;
use std::time::Duration;

use super::database::{Database, Reservation};
use super::outbound::{self, Call};
use super::surroundings::{now, random_bytes, ring, variable};
use crate::answer::Answer;
use crate::delivery::{self, Outcome};
use crate::draw;
use crate::problem::Problem;
use crate::registration::{self, Created, Registration};
use crate::seal::{NONCE, What};
use crate::target::Target;

/// The time of a handshake. It stays well under the time after which a reservation is abandoned.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// Registers a consumer.
pub(super) async fn register(body: &[u8]) -> Result<Answer, Problem> {
    let request = registration::parse(body)?;
    let own = variable("enrolment_token").await?;
    let origins = variable("enrolment_origin").await?;
    let token = registration::token_for(&request, &own, &origins)?;
    let key = draw::key(random_bytes);
    let registration = Registration {
        id: draw::id(random_bytes),
        url: request.target.as_str().to_string(),
        event: request.event.clone(),
        schedule: request.schedule.clone(),
        headers: request.headers.names(),
        disabled: None,
    };

    let database = Database::open().await?;
    let ring = ring().await?;
    let seal = |text: &str, of| {
        let sealed = ring.seal(text, of, &random_bytes(NONCE));
        sealed.map_err(Problem::internal)
    };
    let sealed_headers = match request.headers.kept() {
        none if none.is_empty() => none,
        some => seal(&some, What::Headers(&registration.id))?,
    };
    let wanted = Reservation {
        registration: &registration,
        key: &seal(&key, What::Key(&registration.id))?,
        headers: &sealed_headers,
        now: now(),
    };
    if !database.reserve(wanted).await? {
        return Err(registration::taken(
            database.holder(&registration.url).await?,
        ));
    }
    let token = token.map(|token| ("x-enrolment-token", token.to_string()));
    let headers = token.into_iter().chain(request.headers.pairs()).collect();
    println!("Invoking CONSUMER for verification (handshake) ...");
    if let Err(problem) = delivery::judge(shake_hands(&request.target, offer(&key), headers).await)
    {
        println!("Handshake with CONSUMER failed: {}", problem.detail());
        if database.release(&registration.id).await.is_err() {
            println!("The reservation of the failed handshake stays until it is abandoned");
        }
        return Err(problem);
    }
    if !database.activate(&registration.id).await? {
        return Err(registration::removed());
    }
    println!("Handshake with CONSUMER was successful.");
    let created = Created {
        registration: &registration,
        signing_key: &key,
    };
    let location = format!("/registrations/{}", registration.id);
    Ok(Answer::json(201, "application/json", &created)
        .with("location", location)
        .with("cache-control", "no-store"))
}

/// The body that brings a consumer its key.
pub(super) fn offer(key: &str) -> String {
    serde_json::json!({ "keyData": key }).to_string()
}

/// Brings a consumer its key, with headers that say why it may be taken.
pub(super) async fn shake_hands(
    target: &Target,
    body: String,
    mut headers: Vec<(&str, String)>,
) -> Outcome {
    headers.push(("content-type", "application/json".to_string()));
    let call = Call {
        target,
        path: &target.handshake_path(),
        headers,
        body: Rc::from(body.into_bytes()),
        limit: HANDSHAKE_LIMIT,
    };
    outbound::post(call).await.map(|reply| reply.status)
}

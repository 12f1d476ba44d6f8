//! Accepting events. In comes the body of `POST /events`; out goes 202 with the event's id, when it is on disk
//! with a delivery for each registration that wants it. It never calls a consumer.

use http::HeaderMap;
use serde_json::json;
use wasip3::http_compat::Request;

use super::receivers::{self, Receiver};
use super::{QUEUE, problem};
use crate::answer::Answer;
use crate::component::bindings::signet::queue::queue;
use crate::component::bindings::signet::queue::types::{Batch, NewJob, Receipt};
use crate::component::exchange;
use crate::component::surroundings::trace;
use crate::idempotency;
use crate::message::{self, Message};
use crate::problem::Problem;
use crate::trace::Trace;

/// Accepts an event.
pub(super) async fn accept(request: Request) -> Result<Answer, Problem> {
    let key = key(request.headers())?;
    let trace = trace(request.headers());
    let message = Message::parse(&exchange::read(request.into_body()).await?)?;
    let receivers = receivers::of(&message.kind).await?;
    let receipt = enqueue(key, &message, &trace, &receivers).await?;
    Ok(accepted(&message, &receipt))
}

/// Accepts an event that is for one registration alone, whatever it wants.
pub(super) async fn test(id: String, trace: &Trace) -> Result<Answer, Problem> {
    let receiver = receivers::one(&id).await?;
    let message = Message::own(message::TEST, &json!({ "registration": id }));
    let receipt = enqueue(None, &message, trace, &[receiver]).await?;
    Ok(accepted(&message, &receipt))
}

/// Commits an event with its deliveries. The trace is kept with each of them, not with the event: the same event in
/// another trace is still the same.
pub(super) async fn enqueue(
    key: Option<String>,
    message: &Message,
    trace: &Trace,
    receivers: &[Receiver],
) -> Result<Receipt, Problem> {
    let job = |receiver: &Receiver| NewJob {
        queue: QUEUE.to_string(),
        lane: receiver.id.clone(),
        detail: trace.kept(),
        not_before: None,
        schedule: receiver.schedule(),
    };
    let batch = Batch {
        key,
        body: message.kept(),
        jobs: receivers.iter().map(job).collect(),
    };
    queue::enqueue(batch).await.map_err(problem)
}

fn accepted(message: &Message, receipt: &Receipt) -> Answer {
    let body = json!({
        "id": receipt.batch,
        "type": message.kind,
        "deliveries": receipt.jobs.len(),
    });
    let answer = Answer::json(202, "application/json", &body)
        .with("location", format!("/events/{}", receipt.batch));
    if receipt.replayed {
        return answer.with("idempotent-replayed", "true");
    }
    answer
}

/// The value of `Idempotency-Key`, if there is one.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let values = headers.get_all("idempotency-key").iter();
    idempotency::key(values.map(http::HeaderValue::as_bytes))
}

//! What takes a queue: accepting events, delivering them, looking at deliveries and sending them again. In comes a
//! request that `api` has recognised; out goes its answer. It never delivers anything while a request waits.

use futures::stream::{self, StreamExt};
use wasip3::http_compat::Request;

use super::bindings::signet::queue::queue;
use super::bindings::signet::queue::types::{BatchStatus, Error, Filter, Phase};
use super::surroundings::trace;
use crate::answer::Answer;
use crate::api::Queued;
use crate::problem::Problem;
use crate::verdict;

mod accept;
mod again;
mod look;
mod receivers;
mod work;

/// The queue of the manifest. Each registration is a lane of it, named by its id.
const QUEUE: &str = "deliveries";

/// How many lanes are given up at once.
const CONCURRENCY: usize = 64;

/// Answers a request.
pub(super) async fn serve(asked: Queued, request: Request) -> Result<Answer, Problem> {
    let target = request
        .uri()
        .path_and_query()
        .map_or_else(String::new, |target| target.as_str().to_string());
    match asked {
        Queued::Accept => accept::accept(request).await,
        Queued::Event(id) => look::event(id, &target).await,
        Queued::Attempts(id) => look::attempts(id, &target).await,
        Queued::Resend(id) => again::resend(id, &target).await,
        Queued::Recover(id) => again::recover(id, &target).await,
        Queued::Test(id) => accept::test(id, &trace(request.headers())).await,
        Queued::Enable(id) => again::enable(id).await,
    }
}

/// Makes dead letters of what waits for registrations that are gone.
pub(super) async fn give_up(registrations: &[String]) -> Result<(), Problem> {
    let lanes = registrations.iter().map(|lane| async move {
        let reason = verdict::REMOVED.to_string();
        queue::cancel_lane(QUEUE.to_string(), lane.clone(), reason).await
    });
    let mut ended = stream::iter(lanes).buffer_unordered(CONCURRENCY);
    while let Some(given_up) = ended.next().await {
        given_up.map_err(problem)?;
    }
    Ok(())
}

/// An event with what was accepted of it. One whose deliveries are all past retention is not known any more, though
/// its idempotency key may be.
async fn known(id: &str) -> Result<BatchStatus, Problem> {
    let batch = queue::show_batch(id.to_string()).await.map_err(problem)?;
    let batch = batch.filter(|batch| !batch.body.is_empty());
    batch.ok_or_else(Problem::no_such_event)
}

/// The deliveries of a registration.
fn lane(registration: &str) -> Filter {
    Filter {
        lane: Some(registration.to_string()),
        ..all(None)
    }
}

/// All deliveries that stand so.
fn all(phase: Option<Phase>) -> Filter {
    Filter {
        queue: QUEUE.to_string(),
        lane: None,
        batch: None,
        phase,
        since: None,
    }
}

fn problem(error: Error) -> Problem {
    match error {
        Error::AccessDenied => Problem::internal(format!(
            "the queue `{QUEUE}` is not granted: add [component.NAME.tool.signet.queue.{QUEUE}] to the manifest"
        )),
        Error::Invalid(why) => Problem::internal(format!("the queue refused the call: {why}")),
        Error::Conflict(id) => {
            let detail = format!(
                "the Idempotency-Key was used for event {id}, whose body is another: use a new key"
            );
            Problem::new(
                409,
                "idempotency-key-reused",
                "the key was used before",
                detail,
            )
            .with("id", id)
        }
        Error::TooLarge(why) => Problem::new(413, "event-too-large", "the event is too large", why),
        Error::Full => Problem::queue_unavailable(
            "there is no room for more events, and nothing of this one was kept: try again later",
        ),
        Error::Unavailable(why) => {
            Problem::queue_unavailable(format!("nothing was kept: {why}: try again later"))
        }
    }
}

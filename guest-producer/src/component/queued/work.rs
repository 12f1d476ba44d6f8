//! The worker: one attempt of one delivery. In comes a job of the queue; out goes what came of it. It signs at each
//! attempt, with the key that the registration has then; it never logs one.

use std::rc::Rc;

use serde_json::json;

use super::receivers::{self, Destination};
use super::{QUEUE, accept, problem};
use crate::component::Producer;
use crate::component::bindings::exports::signet::queue::worker::{Guest, Job, Outcome};
use crate::component::bindings::signet::queue::queue;
use crate::component::bindings::signet::queue::types::Retry;
use crate::component::database::Database;
use crate::component::send::{self, Parcel};
use crate::component::surroundings::{now, random_bytes, variable};
use crate::idempotency;
use crate::message::{self, Message};
use crate::problem::Problem;
use crate::trace::Trace;
use crate::verdict::{self, PATIENCE_SECONDS, Verdict};

impl Guest for Producer {
    async fn run(job: Job) -> Outcome {
        let attempted = attempt(&job).await;
        // What fails on this side is no fault of the consumer's, and may pass.
        attempted.unwrap_or_else(|problem| {
            println!("{} failed: {}", named(&job), problem.detail());
            retry(None, problem.detail().to_string())
        })
    }
}

async fn attempt(job: &Job) -> Result<Outcome, Problem> {
    let database = Database::open().await?;
    let Some(destination) = receivers::destination(&database, &job.lane).await? else {
        return Ok(Outcome::Dead(verdict::REMOVED.to_string()));
    };
    if let Some(reason) = &destination.disabled {
        return Ok(Outcome::Dead(verdict::disabled(reason)));
    }
    let message = match Message::from_kept(&job.body) {
        Ok(message) => message,
        Err(why) => return Ok(Outcome::Dead(why)),
    };
    let Destination {
        url, keys, headers, ..
    } = &destination;
    let limit = verdict::limit(&variable("delivery_timeout_ms").await?)?;
    let payload = Rc::from(message.payload(job.accepted_at));
    let parcel = Parcel {
        id: &job.batch,
        url,
        keys,
        headers,
        payload,
    };
    let answered = send::signed(parcel, &trace(job), limit).await;
    let now = now();
    let judged = verdict::judge(answered, now);
    let failed_at = (!matches!(judged, Verdict::Delivered(_))).then_some(now);
    let noted = receivers::note(&database, &job.lane, destination.failing_since, failed_at).await;
    if let Err(problem) = noted {
        // The delivery was made or was not, whatever is known of the registration.
        println!(
            "{}: how it went could not be noted: {}",
            named(job),
            problem.detail()
        );
    }
    match judged {
        // That it went well is the rule, and the queue keeps it: a line for each would cost more than it says.
        Verdict::Delivered(note) => Ok(Outcome::Done(note)),
        Verdict::Gone(why) => {
            println!("CONSUMER {url} is gone, by {}: {why}", named(job));
            disable(&database, job, &destination, &why).await?;
            Ok(Outcome::Dead(why))
        }
        Verdict::Failed { why, after, slow } => {
            println!("CONSUMER {url} did not take {}: {why}", named(job));
            // Another attempt may have worked while this one was made.
            let is_lost = lost(&destination, now)
                && receivers::destination(&database, &job.lane)
                    .await?
                    .is_some_and(|destination| lost(&destination, now));
            if is_lost {
                let reason = verdict::given_up(&why);
                disable(&database, job, &destination, &reason).await?;
                return Ok(Outcome::Dead(reason));
            }
            let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis());
            if let Some(slow) = slow {
                let slow = milliseconds(slow).unwrap_or(u64::MAX);
                let slowed = queue::slow(QUEUE.to_string(), job.lane.clone(), slow).await;
                slowed.map_err(problem)?;
            }
            let after = after.map(|after| milliseconds(after).unwrap_or(u64::MAX));
            Ok(retry(after, why))
        }
    }
}

/// The trace that the event came with.
fn trace(job: &Job) -> Trace {
    let kept = Trace::from_kept(&job.detail);
    kept.unwrap_or_else(|| Trace::of_event(&job.batch, random_bytes))
}

/// An attempt as lines name it. The delivery's id begins with its event's.
fn named(job: &Job) -> String {
    format!("delivery {}, attempt {}", job.id, job.attempt)
}

/// Whether all deliveries have failed for so long that there will be no more.
fn lost(destination: &Destination, now: i64) -> bool {
    let since = destination.failing_since;
    since.is_some_and(|since| now.saturating_sub(since) >= PATIENCE_SECONDS)
}

/// Disables the registration and says so: first the event, then the row, then what waits. Whoever ends in between says
/// it again with the next attempt.
async fn disable(
    database: &Database,
    job: &Job,
    destination: &Destination,
    why: &str,
) -> Result<(), Problem> {
    let data = json!({
        "registration": job.lane,
        "url": destination.url,
        "reason": why,
    });
    let message = Message::own(message::DISABLED, &data);
    let mut others = receivers::of(message::DISABLED).await?;
    others.retain(|receiver| receiver.id != job.lane);
    // The attempt is part of it: a delivery that is sent again, after the registration was enabled, may disable it again.
    let key = idempotency::own("disabled", &format!("{} {}", job.id, job.attempt));
    if let Err(problem) = accept::enqueue(Some(key), &message, &trace(job), &others).await
        && problem.status() != 409
    {
        return Err(problem);
    }
    receivers::disable(database, &job.lane, now(), why).await?;
    let reason = verdict::disabled(why);
    let given_up = queue::cancel_lane(QUEUE.to_string(), job.lane.clone(), reason).await;
    given_up.map_err(problem)?;
    println!("The registration {} is disabled", job.lane);
    Ok(())
}

fn retry(after: Option<u64>, reason: String) -> Outcome {
    Outcome::Retry(Retry { after, reason })
}

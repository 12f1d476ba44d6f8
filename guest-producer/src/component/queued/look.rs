//! Looking at events and deliveries. In come ids and bounds; out goes JSON, a page at a time. It never shows a key.

use serde_json::{Value, json};

use super::receivers;
use super::{all, known, lane, problem};
use crate::answer::Answer;
use crate::component::bindings::signet::queue::queue;
use crate::component::bindings::signet::queue::types::{Attempt, Ended, Filter, JobStatus, State};
use crate::message::Message;
use crate::moment;
use crate::problem::Problem;
use crate::query::{limit, parameter};

/// An event, where its deliveries stand, and a page of them.
pub(super) async fn event(id: String, target: &str) -> Result<Answer, Problem> {
    let batch = known(&id).await?;
    let message = Message::from_kept(&batch.body).map_err(Problem::internal)?;
    let filter = Filter {
        batch: Some(id.clone()),
        ..all(None)
    };
    let (jobs, next) = page(filter, target).await?;
    let mut shown = json!({
        "id": id,
        "type": message.kind,
        "acceptedAt": moment::text(batch.accepted_at),
        "counts": {
            "waiting": batch.waiting,
            "running": batch.running,
            "done": batch.done,
            "dead": batch.dead,
        },
        "deliveries": jobs.iter().map(delivery).collect::<Vec<_>>(),
    });
    add(&mut shown, "next", next);
    Ok(Answer::json(200, "application/json", &shown))
}

/// A page of a registration's deliveries, each with its attempts.
pub(super) async fn attempts(id: String, target: &str) -> Result<Answer, Problem> {
    receivers::one(&id).await?;
    let (jobs, next) = page(lane(&id), target).await?;
    let mut deliveries = Vec::new();
    for job in &jobs {
        let attempts = queue::attempts(job.id.clone()).await.map_err(problem)?;
        let mut shown = delivery(job);
        let attempts: Vec<Value> = attempts.iter().map(attempt).collect();
        add(&mut shown, "made", Some(attempts));
        deliveries.push(shown);
    }
    let mut shown = json!({ "deliveries": deliveries });
    add(&mut shown, "next", next);
    Ok(Answer::json(200, "application/json", &shown))
}

/// Up to `limit` deliveries behind `after`, and behind which to go on, if there are more.
async fn page(filter: Filter, target: &str) -> Result<(Vec<JobStatus>, Option<String>), Problem> {
    let limit = limit(target)?;
    let after = parameter(target, "after");
    if after.as_deref().is_some_and(|after| !is_job(after)) {
        let mistake = "after is not the id of a delivery".to_string();
        return Err(Problem::invalid(vec![mistake]));
    }
    let mut jobs = queue::jobs(filter, after, limit + 1)
        .await
        .map_err(problem)?;
    let more = jobs.len() > limit as usize;
    jobs.truncate(limit as usize);
    let next = jobs.last().filter(|_| more).map(|job| job.id.clone());
    Ok((jobs, next))
}

fn is_job(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    text.split_once('-').is_some_and(|(event, place)| {
        crate::api::is_event(event) && place.len() == 4 && place.bytes().all(digit)
    })
}

fn delivery(job: &JobStatus) -> Value {
    let mut shown = json!({
        "id": job.id,
        "event": job.id.split_once('-').map_or("", |(event, _)| event),
        "registration": job.lane,
        "attempts": job.attempts,
    });
    let (state, at, time) = match &job.state {
        State::Waiting(until) => ("waiting", "dueAt", Some(*until)),
        State::Running => ("running", "", None),
        State::Done(at) => ("done", "doneAt", Some(*at)),
        State::Dead(letter) => ("dead", "deadAt", Some(letter.at)),
    };
    add(&mut shown, "state", Some(state));
    add(&mut shown, at, time.map(moment::text));
    if let State::Dead(letter) = &job.state {
        add(&mut shown, "reason", Some(letter.reason.clone()));
    }
    shown
}

fn attempt(attempt: &Attempt) -> Value {
    let ended = match attempt.ended {
        Ended::Done => "done",
        Ended::Retry => "retry",
        Ended::Dead => "dead",
        Ended::Expired => "expired",
    };
    json!({
        "number": attempt.number,
        "startedAt": moment::text(attempt.started_at),
        "endedAt": moment::text(attempt.ended_at),
        "ended": ended,
        "note": attempt.note,
    })
}

/// One more member, if there is a value for it.
fn add(shown: &mut Value, member: &str, value: Option<impl Into<Value>>) {
    if let (Some(members), Some(value)) = (shown.as_object_mut(), value) {
        members.insert(member.to_string(), value.into());
    }
}

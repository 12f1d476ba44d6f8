//! Sending again what was sent, or was given up. In come ids and a time; out goes how many deliveries are due now. It
//! never makes a new event: what is sent again keeps its id.

use serde_json::json;

use super::receivers;
use super::{QUEUE, all, known, lane, problem};
use crate::answer::Answer;
use crate::component::bindings::signet::queue::queue;
use crate::component::bindings::signet::queue::types::{Filter, Phase};
use crate::draw;
use crate::moment;
use crate::problem::Problem;
use crate::query::parameter;

/// `POST /events/{id}/resend`: its dead letters; with `?registration=`, that one delivery, even if it was done.
pub(super) async fn resend(id: String, target: &str) -> Result<Answer, Problem> {
    known(&id).await?;
    let of_event = Filter {
        batch: Some(id),
        ..all(None)
    };
    let Some(registration) = parameter(target, "registration") else {
        let dead = Filter {
            phase: Some(Phase::Dead),
            ..of_event
        };
        return due(queue::recover(dead).await.map_err(problem)?);
    };
    if !draw::is_id(&registration) {
        let mistake = "registration is not the id of one".to_string();
        return Err(Problem::invalid(vec![mistake]));
    }
    let one = Filter {
        lane: Some(registration),
        ..of_event
    };
    let mut count = 0;
    for job in queue::jobs(one, None, 1).await.map_err(problem)? {
        count += u64::from(queue::resend(job.id).await.map_err(problem)?);
    }
    due(count)
}

/// `POST /registrations/{id}/recover?since=TIME`: its dead letters of events that were accepted then or later.
pub(super) async fn recover(id: String, target: &str) -> Result<Answer, Problem> {
    receivers::one(&id).await?;
    let invalid = |mistake: String| Problem::invalid(vec![mistake]);
    let since = parameter(target, "since").ok_or_else(|| {
        invalid("since is missing: the time from which on, such as 2026-01-31T12:00:00Z".into())
    })?;
    let dead = Filter {
        phase: Some(Phase::Dead),
        since: Some(moment::parse(&since).map_err(invalid)?),
        ..lane(&id)
    };
    due(queue::recover(dead).await.map_err(problem)?)
}

/// `POST /registrations/{id}/enable`: delivers to it again, beginning with what comes next.
pub(super) async fn enable(id: String) -> Result<Answer, Problem> {
    if !receivers::enable(&id).await? {
        return Err(Problem::no_such_registration());
    }
    let resumed = queue::resume(QUEUE.to_string(), id).await;
    resumed.map_err(problem)?;
    Ok(Answer::empty(204))
}

fn due(count: u64) -> Result<Answer, Problem> {
    Ok(Answer::json(
        202,
        "application/json",
        &json!({ "due": count }),
    ))
}

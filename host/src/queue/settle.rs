//! What an attempt does to its job and to its lane. Comes in: how it ended; goes out: the next state, in the same
//! words for every engine. Never writes it down.

use super::{Ended, Limits, Outcome, Policy, State, retry};
use core::time::Duration;

/// The reason of a job whose lease ended without a word.
pub const LEASE_EXPIRED: &str = "lease expired: whoever had the job did not say what came of it";

/// What is known of a job when its attempt ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried<'a> {
    /// Its own schedule.
    pub(super) own: Option<&'a [Duration]>,
    /// How often it was tried since it was last put at its beginning, this attempt included.
    pub(super) times: u32,
}

/// What the attempt comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Where the job stands next.
    pub(super) state: State,
    /// How the attempt ended.
    pub(super) ended: Ended,
    /// What is kept of the worker's words.
    pub(super) note: String,
}

impl Verdict {
    /// Whether the lane worked; none where the attempt says nothing about it.
    pub(super) fn worked(&self) -> Option<bool> {
        match self.ended {
            Ended::Done => Some(true),
            Ended::Retry => Some(false),
            // The job's fault, or the host's.
            Ended::Dead | Ended::Expired => None,
        }
    }
}

/// Judges an attempt by its outcome, or by having none.
pub(super) fn verdict(
    (policy, limits): (&Policy, &Limits),
    tried: Tried<'_>,
    outcome: Option<&Outcome>,
    now: u64,
    chance: u64,
) -> Verdict {
    let dead = |note: &str| State::Dead {
        ended_at: now,
        reason: note.to_owned(),
    };
    let again = |after: Option<Duration>, note: &str| match retry::next(
        policy,
        tried.own,
        tried.times,
        after,
        now,
        chance,
    ) {
        retry::Next::At(due_at) => State::Waiting { due_at },
        retry::Next::Dead => dead(note),
    };
    let (ended, note) = match outcome {
        Some(Outcome::Done { note }) => (Ended::Done, note.as_str()),
        Some(Outcome::Retry { reason, .. }) => (Ended::Retry, reason.as_str()),
        Some(Outcome::Dead { reason }) => (Ended::Dead, reason.as_str()),
        None => (Ended::Expired, LEASE_EXPIRED),
    };
    let note = limits.cut(note);
    let state = match outcome {
        Some(Outcome::Done { .. }) => State::Done { ended_at: now },
        Some(Outcome::Retry { after, .. }) => again(*after, &note),
        Some(Outcome::Dead { .. }) => dead(&note),
        None => again(None, &note),
    };
    Verdict { state, ended, note }
}

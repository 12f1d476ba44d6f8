//! A call's stop sign. Owns the two reasons to end a statement early: nobody waits for it any more,
//! or its time is up. Comes in: either; goes out: the answer to "go on?", asked at every occasion.
//! Never ends anything itself.

use super::backend::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The stop sign of one call. Clones are the same sign.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    raised: Arc<AtomicBool>,
    limit: Duration,
    began: Instant,
}

impl Stop {
    /// A sign that goes up by itself when `limit` has passed.
    pub(super) fn within(limit: Duration) -> Self {
        Self {
            raised: Arc::default(),
            limit,
            began: Instant::now(),
        }
    }

    /// Puts the sign up.
    pub(super) fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Whether somebody put it up.
    pub(super) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// How much time is left.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.began.elapsed())
    }

    /// Whether the statement has to end.
    pub(super) fn is_up(&self) -> bool {
        self.is_raised() || self.left().is_zero()
    }

    /// Why it has to.
    pub(super) fn reason(&self) -> Error {
        if self.is_raised() {
            Error::Stopped
        } else {
            Error::TimedOut(self.limit)
        }
    }
}

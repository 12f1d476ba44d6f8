//! What all threads of a host count together: its connections and its requests. Comes in: the limits;
//! goes out: permits, which give their place back when they are dropped. Never waits for a place.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;
use crate::metrics::Metrics;
use crate::telemetry::Seldom;

/// How many connections that are turned away may be told so at once; those beyond are just closed.
const FAREWELLS: usize = 256;

/// One host's counts, shared by its threads.
pub struct Shared {
    /// The bounds.
    pub limits: Limits,
    pub(super) metrics: Arc<Metrics>,
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    farewells: Arc<Semaphore>,
    pub(super) full: Seldom,
    pub(super) accept: Seldom,
}

impl Shared {
    /// Counts that start at zero.
    pub fn new(limits: Limits, metrics: Arc<Metrics>) -> Self {
        let places = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            connections: places(limits.max_connections),
            requests: places(limits.max_requests),
            farewells: places(FAREWELLS),
            full: Seldom::default(),
            accept: Seldom::default(),
            limits,
            metrics,
        }
    }

    /// A place for one more connection, or none.
    pub(super) fn connection(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.connections).try_acquire_owned().ok()
    }

    /// A place for one more request, or none.
    pub(super) fn request(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).try_acquire_owned().ok()
    }

    /// A place for one more connection that is told to come back later, or none.
    pub(super) fn farewell(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.farewells).try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_when_its_permit_is_dropped() {
        let limits = Limits {
            max_connections: 1,
            ..Limits::default()
        };
        let shared = Shared::new(limits, Arc::default());
        let held = shared.connection();
        assert!(held.is_some() && shared.connection().is_none());
        drop(held);
        assert!(shared.connection().is_some());
    }
}

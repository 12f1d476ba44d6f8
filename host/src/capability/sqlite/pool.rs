//! One database and the sessions on it. Owns the idle sessions and the count of all; comes in: a
//! wish for a session; goes out: a [`Lease`], which comes back by being dropped. A session that left
//! something open is put in order elsewhere: to drop a lease never blocks. Never hands a session to
//! two holders, nor one with a transaction of somebody else.

use super::Limits;
use super::backend::{Backend, Error, Session};
use crate::capability::Label;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A database by its label.
pub(super) struct Database {
    label: Label,
    backend: Box<dyn Backend>,
    idle: Mutex<Vec<Box<dyn Session>>>,
    places: Arc<Semaphore>,
    limits: Limits,
}

impl Database {
    pub(super) fn new(label: Label, backend: Box<dyn Backend>, limits: Limits) -> Self {
        Self {
            label,
            backend,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(limits.connections)),
            limits,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A place among the database's sessions, once there is one. Opens nothing yet.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, Error> {
        let busy = || Error::Busy {
            label: self.label.clone(),
            limit: self.limits.connections,
        };
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                let place = Arc::clone(&self.places).acquire_owned();
                tokio::time::timeout(self.limits.wait, place)
                    .await
                    .map_err(|_| busy())?
                    .map_err(|_| busy())?
            }
        };
        Ok(Lease {
            database: Arc::clone(self),
            session: None,
            sound: true,
            place: Some(place),
        })
    }

    /// Opens a session ahead of the first wish, and so finds out whether that works. Blocks.
    pub(super) fn warm(&self) -> Result<(), Error> {
        let session = self.backend.connect()?;
        self.idle().push(session);
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Box<dyn Session>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the session for the next holder, or gives it back when there are enough.
    fn keep(&self, session: Box<dyn Session>) -> Option<Box<dyn Session>> {
        let mut idle = self.idle();
        if idle.len() < self.limits.idle {
            idle.push(session);
            return None;
        }
        Some(session)
    }

    #[cfg(test)]
    pub(super) fn idle_sessions(&self) -> usize {
        self.idle().len()
    }
}

/// The right to one session, opened at its first use.
pub(super) struct Lease {
    database: Arc<Database>,
    session: Option<Box<dyn Session>>,
    /// False while a call runs, and for ever after one that panicked.
    sound: bool,
    place: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Whether the session can be used.
    pub(super) fn is_sound(&self) -> bool {
        self.sound
    }

    /// The session, if it was used already.
    pub(super) fn session(&self) -> Option<&dyn Session> {
        self.session.as_deref()
    }

    /// Whether whoever holds the lease is as well off with another one.
    pub(super) fn is_as_new(&self) -> bool {
        self.sound && self.session().is_none_or(Session::is_as_new)
    }

    /// Does something with the session. Blocks.
    pub(super) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let session = match &mut self.session {
            Some(session) => session,
            empty @ None => {
                let idle = self.database.idle().pop();
                let mut session = match idle {
                    Some(session) => session,
                    None => self.database.backend.connect()?,
                };
                session.renew();
                empty.insert(session)
            }
        };
        self.sound = false;
        let outcome = work(&mut **session);
        self.sound = true;
        outcome
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        let place = self.place.take();
        if !self.sound {
            return elsewhere(move || drop((session, place)));
        }
        let session = if session.is_clean() {
            self.database.keep(session)
        } else {
            Some(session)
        };
        if let Some(mut session) = session {
            let database = Arc::clone(&self.database);
            elsewhere(move || {
                let surplus = if session.tidy_up() {
                    database.keep(session)
                } else {
                    Some(session)
                };
                // Closed before its place is free, or there would be more sessions than places.
                drop(surplus);
                drop(place);
            });
        }
    }
}

/// Runs what may block where nobody waits for it: on the runtime's blocking threads, or on a thread
/// of its own where there is no runtime. Should neither work, the session closes here, and closing
/// rolls back.
fn elsewhere(work: impl FnOnce() + Send + 'static) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => drop(std::thread::Builder::new().spawn(work)),
    }
}

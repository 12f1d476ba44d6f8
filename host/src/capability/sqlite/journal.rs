//! When a commit is on disk. SQLite writes a commit to its log and makes it visible; this file
//! brings the log to disk, once for all commits that wait together, because that costs the same for
//! one as for many. Comes in: commits, announced before anyone can see them; goes out: for the one
//! who committed and for the one who read it, that it is on disk. A log that could once not be
//! brought to disk is never trusted again: what the system kept of it nobody knows.

use super::backend::Error;
use super::stop::Stop;
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Brings the log to disk.
type Sync = Box<dyn Fn() -> io::Result<()> + Send + std::marker::Sync>;

/// The log of one database file.
pub(super) struct Journal {
    sync: Sync,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the last commit that was announced.
    announced: u64,
    /// The commits that may be visible and are not known to be on disk.
    pending: BTreeSet<u64>,
    /// Those of them that are written to the log, and wait for the disk.
    written: Vec<u64>,
    /// Whether somebody is bringing the log to disk.
    syncing: bool,
    failed: Option<Arc<io::Error>>,
}

impl State {
    fn sound(&self) -> Result<(), Error> {
        match &self.failed {
            Some(error) => Err(Error::Unsynced(Arc::clone(error))),
            None => Ok(()),
        }
    }
}

impl Journal {
    pub(super) fn new(
        sync: impl Fn() -> io::Result<()> + Send + std::marker::Sync + 'static,
    ) -> Self {
        Self {
            sync: Box::new(sync),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the log can still be trusted.
    pub(super) fn sound(&self) -> Result<(), Error> {
        self.state().sound()
    }

    /// Notes a commit that nobody can see yet, and numbers it.
    pub(super) fn announce(&self) -> u64 {
        let mut state = self.state();
        state.announced += 1;
        let number = state.announced;
        state.pending.insert(number);
        number
    }

    /// Waits until a commit that was announced, and is written by now, is on disk. Whoever finds
    /// nobody at it brings the log there, for all that are written so far.
    pub(super) fn settle(&self, number: u64) -> Result<(), Error> {
        let mut state = self.state();
        state.written.push(number);
        while state.pending.contains(&number) {
            state.sound()?;
            if state.syncing {
                state = self.wait(state);
                continue;
            }
            state.syncing = true;
            let written = std::mem::take(&mut state.written);
            drop(state);
            let outcome = (self.sync)();
            state = self.state();
            state.syncing = false;
            match outcome {
                Ok(()) => state.pending.retain(|number| !written.contains(number)),
                Err(error) => state.failed = Some(Arc::new(error)),
            }
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Waits until every commit that can be seen by now is on disk: what was read is not taken back.
    pub(super) fn read(&self, stop: &Stop) -> Result<(), Error> {
        let mut state = self.state();
        let seen = state.announced;
        while state.pending.first().is_some_and(|first| *first <= seen) {
            state.sound()?;
            if stop.is_up() {
                return Err(stop.reason());
            }
            let waited = self.changed.wait_timeout(state, stop.left());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.sound()
    }
}

#[cfg(test)]
#[path = "tests/journal.rs"]
mod tests;

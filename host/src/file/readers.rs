//! Those who read a file beside its writer. Owns their connections; comes in: questions; goes out: answers, each
//! of one moment. Runs on threads that may block, never writes.

use super::Failed;
use super::form::connect;
use rusqlite::{Connection, OpenFlags, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::spawn_blocking;

/// How many connections are kept for the next reads.
const IDLE: usize = 16;

/// The readers of one file.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Of a file that was opened, and written to, before.
    pub(crate) fn of(path: &Path) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            idle: Mutex::default(),
        })
    }

    /// Reads.
    pub(crate) async fn ask<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Failed> {
        let outcome = spawn_blocking(move || self.read(work)).await;
        Ok(outcome.map_err(|broken| Failed::Gone(broken.into()))??)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        let outcome = work(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
        outcome
    }
}

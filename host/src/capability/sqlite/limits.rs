//! How much of everything there may be on a database. Owns the bounds and their defaults; comes in:
//! what the manifest sets; goes out: numbers that the room keeps to. Never enforces one itself.

use std::time::Duration;

/// The bounds of every database of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement may run, its waits for locks and for the reader of its rows included.
    pub statement: Duration,
    /// How long a statement waits for another's transaction to end.
    pub lock_wait: Duration,
    /// The most rows of one result.
    pub rows: usize,
    /// The most the host keeps of one result, in bytes.
    pub result_bytes: usize,
    /// The longest statement, value or row, in bytes.
    pub value_bytes: usize,
    /// Statements and parameters of one instance that wait or run, in bytes.
    pub pending_bytes: usize,
    /// Connections in use at once on one database.
    pub connections: usize,
    /// Connections one instance may hold open.
    pub open_per_instance: usize,
    /// How long a call waits for a connection when all are in use.
    pub wait: Duration,
    /// The largest a database file may grow, in bytes; temporary tables of a connection likewise.
    pub database_bytes: u64,
    /// Connections kept open for the next guest.
    pub idle: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            statement: Duration::from_secs(30),
            lock_wait: Duration::from_secs(5),
            rows: 1_000_000,
            result_bytes: 64 << 20,
            value_bytes: 16 << 20,
            pending_bytes: 32 << 20,
            connections: 64,
            open_per_instance: 64,
            wait: Duration::from_secs(5),
            database_bytes: 1 << 30,
            idle: 16,
        }
    }
}

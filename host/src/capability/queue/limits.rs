//! How much of everything there may be in a queue. Owns the bounds of what guests pass and ask; comes in: what
//! the manifest sets; goes out: numbers that the room keeps to. Never enforces one itself.

use crate::queue;

/// The bounds of every queue of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// What one batch may be, and all of them together.
    pub engine: queue::Limits,
    /// What one instance has on its way, in bytes.
    pub pending_bytes: usize,
    /// Jobs that one call may ask for.
    pub jobs_per_call: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            engine: queue::Limits::default(),
            pending_bytes: 32 << 20,
            jobs_per_call: 1_000,
        }
    }
}

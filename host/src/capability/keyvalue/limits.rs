//! How much of everything there may be in a bucket. Owns the bounds and their defaults; comes in:
//! what the manifest sets; goes out: numbers that the room keeps to. Never enforces one itself.

/// The bounds of every bucket of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest key, in bytes.
    pub key_bytes: usize,
    /// The longest value, in bytes.
    pub value_bytes: usize,
    /// What one instance has on its way, and what one call passes or is answered at once, in bytes.
    pub pending_bytes: usize,
    /// Keys that one call may name, or is told at once.
    pub keys_per_call: usize,
    /// Buckets, and handles for compare-and-swap, that one instance may hold open.
    pub open_per_instance: usize,
    /// The largest a bucket may grow, in bytes: its file, or what it has in memory.
    pub store_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            key_bytes: 1024,
            value_bytes: 10 << 20,
            pending_bytes: 32 << 20,
            keys_per_call: 10_000,
            open_per_instance: 256,
            store_bytes: 1 << 30,
        }
    }
}

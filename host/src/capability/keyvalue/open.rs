//! How much an instance holds open: its buckets, and its handles for compare-and-swap. Comes in: one more;
//! goes out: a place for it, counted for as long as it lives, or the refusal. Never knows what is held.

use super::Error;
use std::sync::Arc;

/// One place. All places of an instance, and the instance itself, refer to one count.
#[derive(Clone, Default)]
pub(super) struct Open(Arc<()>);

impl Open {
    /// One more, of at most so many.
    pub(super) fn another(&self, most: usize) -> Result<Self, Error> {
        // The instance itself is one of those who refer to it.
        if Arc::strong_count(&self.0) > most {
            return Err(Error::TooManyOpen(most));
        }
        Ok(self.clone())
    }
}

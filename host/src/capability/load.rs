//! How many bytes of one instance are on their way to a backend. A guest can make call after call
//! without waiting for an answer, and what it passes is copied each time; here that has an end. Comes
//! in: the bytes of a call; goes out: a [`Carried`], which counts for as long as it lives, or none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What an instance has on its way. Clones are the same count.
#[derive(Debug, Clone, Default)]
pub(super) struct Load(Arc<AtomicUsize>);

/// The bytes of one call; to drop it is to say that they are gone.
#[derive(Debug)]
pub(super) struct Carried {
    load: Load,
    bytes: usize,
}

impl Load {
    /// Counts `bytes`, unless that makes more than `limit`. A call that is alone may be of any size.
    pub(super) fn carry(&self, bytes: usize, limit: usize) -> Option<Carried> {
        let more = |carried: usize| {
            let sum = carried.checked_add(bytes)?;
            (carried == 0 || sum <= limit).then_some(sum)
        };
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Carried {
            load: self.clone(),
            bytes,
        })
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        self.load.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Load;

    #[test]
    fn calls_together_have_a_limit_and_one_alone_has_none() {
        let load = Load::default();
        let alone = load.carry(100, 10);
        assert!(alone.is_some() && load.carry(1, 10).is_none());
        drop(alone);
        let _one = load.carry(6, 10).unwrap();
        assert!(load.carry(5, 10).is_none());
        assert!(load.carry(4, 10).is_some());
    }
}

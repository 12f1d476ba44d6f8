//! Compare-and-swap: a value is replaced if it is still what one saw. Comes in: a key, then a new value; goes
//! out: that it was replaced, or a new handle that has seen what is there now. What was seen is kept as its
//! digest, so that a handle is small however large the value is. A value that changed and changed back is
//! the same value.

use super::open::Open;
use super::{Bucket, Error};
use sha2::{Digest, Sha256};

/// What somebody saw under a key: nothing, or a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen(Option<[u8; 32]>);

impl Seen {
    /// What was there. Takes a while for a long value.
    pub(super) fn of(value: Option<&[u8]>) -> Self {
        Self(value.map(|value| Sha256::digest(value).into()))
    }
}

/// A handle on one key, which remembers what it saw there.
pub struct Cas {
    bucket: Bucket,
    key: String,
    seen: Seen,
    /// It counts among what the instance holds open.
    _open: Open,
}

/// Why a value was not replaced.
pub enum SwapError {
    /// Somebody else wrote meanwhile. The handle has seen what.
    Lost(Cas),
    /// It could not be tried.
    Failed(Error),
}

impl Cas {
    pub(super) fn new(bucket: Bucket, key: String, seen: Seen, open: Open) -> Self {
        Self {
            bucket,
            key,
            seen,
            _open: open,
        }
    }

    /// What is there now. From now on this is what the handle has seen.
    pub async fn current(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let (value, seen) = self.bucket.look(self.key.clone()).await?;
        self.seen = seen;
        Ok(value)
    }

    /// Puts `value` in the place of what was seen, if that is still there.
    pub async fn swap(mut self, value: Vec<u8>) -> Result<(), SwapError> {
        let swapped = self.bucket.swap(self.key.clone(), self.seen, value).await;
        match swapped.map_err(SwapError::Failed)? {
            Ok(()) => Ok(()),
            Err(seen) => {
                self.seen = seen;
                Err(SwapError::Lost(self))
            }
        }
    }
}

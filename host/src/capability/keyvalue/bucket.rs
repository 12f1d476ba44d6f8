//! The bucket a guest holds. Comes in: keys and values from the guest; goes out: what the backend
//! has. Refuses what is out of the limits before any backend sees it.

use super::super::load::Load;
use super::backend::{Backend, keys};
use super::{Error, Limits};
use futures::stream::BoxStream;
use std::sync::Arc;

/// A guest's open bucket. Clones are the same bucket.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    backend: Arc<dyn Backend>,
    limits: Limits,
    /// What the instance has on its way.
    load: Load,
    /// Counts the open buckets of the instance, by being there.
    _open: Arc<()>,
}

impl Bucket {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        limits: Limits,
        load: Load,
        open: Arc<()>,
    ) -> Self {
        Self(Arc::new(Inner {
            backend,
            limits,
            load,
            _open: open,
        }))
    }

    /// The value under `key`.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        let key = self.valid(key)?;
        self.0.backend.get(key).await
    }

    /// Puts `value` under `key`, in place of what was there.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        let key = self.valid(key)?;
        let limit = self.0.limits.value_bytes;
        if value.len() > limit {
            return Err(Error::ValueTooLarge {
                length: value.len(),
                limit,
            });
        }
        let most = self.0.limits.pending_bytes;
        let carried = self
            .0
            .load
            .carry(key.len().saturating_add(value.len()), most);
        let _carried = carried.ok_or(Error::TooMuchPending(most))?;
        self.0.backend.set(key, value).await
    }

    /// Removes `key`. Removing what is not there is no error.
    pub async fn delete(&self, key: String) -> Result<(), Error> {
        let key = self.valid(key)?;
        self.0.backend.delete(key).await
    }

    /// Whether there is a value under `key`.
    pub async fn exists(&self, key: String) -> Result<bool, Error> {
        let key = self.valid(key)?;
        self.0.backend.exists(key).await
    }

    /// All keys, in the order of their bytes, until the end or an error.
    pub fn keys(&self) -> BoxStream<'static, Result<String, Error>> {
        keys(Arc::clone(&self.0.backend))
    }

    fn valid(&self, key: String) -> Result<String, Error> {
        let (length, limit) = (key.len(), self.0.limits.key_bytes);
        if length == 0 || length > limit {
            return Err(Error::KeyLength { length, limit });
        }
        Ok(key)
    }
}

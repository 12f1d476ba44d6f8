//! The bucket a guest holds. Comes in: keys and values from the guest; goes out: what the backend
//! has. Refuses what is out of the limits before any backend sees it.

use super::Error;
use super::backend::{Backend, keys};
use futures::stream::{BoxStream, StreamExt};
use std::sync::Arc;

/// The longest key, in bytes.
const KEY_BYTES: usize = 1024;
/// The longest value, in bytes.
const VALUE_BYTES: usize = 10 << 20;

/// A guest's open bucket. Clones are the same bucket.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    backend: Arc<dyn Backend>,
    /// Counts the open buckets of the instance, by being there.
    _open: Arc<()>,
}

impl Bucket {
    pub(super) fn new(backend: Arc<dyn Backend>, open: Arc<()>) -> Self {
        Self(Arc::new(Inner {
            backend,
            _open: open,
        }))
    }

    /// The value under `key`.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        self.0
            .backend
            .get(valid(key)?)
            .await
            .map_err(Error::Backend)
    }

    /// Puts `value` under `key`, in place of what was there.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        let key = valid(key)?;
        if value.len() > VALUE_BYTES {
            return Err(Error::ValueTooLarge {
                length: value.len(),
                limit: VALUE_BYTES,
            });
        }
        self.0.backend.set(key, value).await.map_err(Error::Backend)
    }

    /// Removes `key`. Removing what is not there is no error.
    pub async fn delete(&self, key: String) -> Result<(), Error> {
        self.0
            .backend
            .delete(valid(key)?)
            .await
            .map_err(Error::Backend)
    }

    /// Whether there is a value under `key`.
    pub async fn exists(&self, key: String) -> Result<bool, Error> {
        self.0
            .backend
            .exists(valid(key)?)
            .await
            .map_err(Error::Backend)
    }

    /// All keys, in the order of their bytes, until the end or an error.
    pub fn keys(&self) -> BoxStream<'static, Result<String, Error>> {
        keys(Arc::clone(&self.0.backend))
            .map(|key| key.map_err(Error::Backend))
            .boxed()
    }
}

fn valid(key: String) -> Result<String, Error> {
    match key.len() {
        1..=KEY_BYTES => Ok(key),
        length => Err(Error::KeyLength {
            length,
            limit: KEY_BYTES,
        }),
    }
}

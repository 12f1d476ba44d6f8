//! The bucket a guest holds. Comes in: keys and values from the guest; goes out: what the backend
//! has. Refuses what is out of the limits before any backend sees it.

use super::super::load::{Carried, Load};
use super::backend::{Backend, keys};
use super::cas::{Cas, Seen};
use super::counter::{self, Delta};
use super::open::Open;
use super::{Error, Limits};
use futures::stream::{BoxStream, TryStreamExt};
use std::sync::Arc;

/// A guest's open bucket. Clones are the same bucket.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    backend: Arc<dyn Backend>,
    limits: Limits,
    /// What the instance has on its way.
    load: Load,
    /// Its place among what the instance holds open.
    open: Open,
}

/// Where a page of keys begins.
pub enum After {
    /// Behind this key.
    Key(String),
    /// Behind so many keys.
    Count(u64),
}

/// Some of a bucket's keys, in the order of their bytes.
pub struct Page {
    /// The keys.
    pub keys: Vec<String>,
    /// Whether others come after them.
    pub more: bool,
}

impl Bucket {
    pub(super) fn new(backend: Arc<dyn Backend>, limits: Limits, load: Load, open: Open) -> Self {
        Self(Arc::new(Inner {
            backend,
            limits,
            load,
            open,
        }))
    }

    /// The value under `key`.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        self.check_key(&key)?;
        self.0.backend.get(key).await
    }

    /// The values under `keys`, in the order of these, all of one moment.
    pub async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let bytes = self.check_keys(keys.iter())?;
        let _carried = self.carry(bytes)?;
        self.0
            .backend
            .get_many(keys, self.0.limits.pending_bytes)
            .await
    }

    /// Puts `value` under `key`, in place of what was there.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        self.set_many(vec![(key, value)]).await
    }

    /// Puts each value under its key: all of them, or none.
    pub async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        let mut bytes = self.check_keys(entries.iter().map(|(key, _)| key))?;
        for (_, value) in &entries {
            self.check_value(value.len())?;
            bytes = bytes.saturating_add(value.len());
        }
        // One value alone has a limit of its own.
        let most = self.0.limits.pending_bytes;
        if entries.len() > 1 && bytes > most {
            return Err(Error::TooMuchAtOnce(most));
        }
        let _carried = self.carry(bytes)?;
        self.0.backend.set(entries).await
    }

    /// Removes `key`. Removing what is not there is no error.
    pub async fn delete(&self, key: String) -> Result<(), Error> {
        self.delete_many(vec![key]).await
    }

    /// Removes those keys that are there: all of them, or none.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        let bytes = self.check_keys(keys.iter())?;
        let _carried = self.carry(bytes)?;
        self.0.backend.delete(keys).await
    }

    /// Whether there is a value under `key`.
    pub async fn exists(&self, key: String) -> Result<bool, Error> {
        self.check_key(&key)?;
        self.0.backend.exists(key).await
    }

    /// Adds to the counter under `key`, and answers the sum.
    pub async fn increment(&self, key: String, delta: Delta) -> Result<i64, Error> {
        self.check_key(&key)?;
        self.check_value(counter::BYTES)?;
        self.0.backend.increment(key, delta).await
    }

    /// A handle for compare-and-swap, which has seen what is under `key` now.
    pub async fn cas(&self, key: String) -> Result<Cas, Error> {
        self.check_key(&key)?;
        let open = self.0.open.another(self.0.limits.open_per_instance)?;
        let (_, seen) = self.look(key.clone()).await?;
        Ok(Cas::new(self.clone(), key, seen, open))
    }

    pub(super) async fn look(&self, key: String) -> Result<(Option<Vec<u8>>, Seen), Error> {
        self.0.backend.look(key).await
    }

    pub(super) async fn swap(
        &self,
        key: String,
        seen: Seen,
        value: Vec<u8>,
    ) -> Result<Result<(), Seen>, Error> {
        self.check_value(value.len())?;
        let _carried = self.carry(key.len().saturating_add(value.len()))?;
        self.0.backend.swap(key, seen, value).await
    }

    /// All keys, in the order of their bytes, until the end or an error.
    pub fn keys(&self) -> BoxStream<'static, Result<String, Error>> {
        keys(Arc::clone(&self.0.backend), String::new(), 0)
    }

    /// All keys at once, if they are not too many to be held.
    pub async fn all_keys(&self) -> Result<Vec<String>, Error> {
        let most = self.0.limits.pending_bytes;
        let page = collect(self.keys(), usize::MAX, most).await?;
        match page.more {
            false => Ok(page.keys),
            true => Err(Error::TooMuchAtOnce(most)),
        }
    }

    /// Keys, as many as one call gives.
    pub async fn page(&self, after: After) -> Result<Page, Error> {
        let (after, skip) = match after {
            After::Key(key) => (key, 0),
            After::Count(count) => (String::new(), count),
        };
        let keys = keys(Arc::clone(&self.0.backend), after, skip);
        let limits = &self.0.limits;
        collect(keys, limits.keys_per_call, limits.pending_bytes).await
    }

    fn check_key(&self, key: &str) -> Result<(), Error> {
        let (length, limit) = (key.len(), self.0.limits.key_bytes);
        if length == 0 || length > limit {
            return Err(Error::KeyLength { length, limit });
        }
        Ok(())
    }

    /// Checks all keys of a call, and adds up their bytes.
    fn check_keys<'k>(
        &self,
        keys: impl ExactSizeIterator<Item = &'k String>,
    ) -> Result<usize, Error> {
        let (count, limit) = (keys.len(), self.0.limits.keys_per_call);
        if count > limit {
            return Err(Error::TooManyKeys { count, limit });
        }
        let mut bytes = 0_usize;
        for key in keys {
            self.check_key(key)?;
            bytes = bytes.saturating_add(key.len());
        }
        Ok(bytes)
    }

    fn check_value(&self, length: usize) -> Result<(), Error> {
        let limit = self.0.limits.value_bytes;
        if length > limit {
            return Err(Error::ValueTooLarge { length, limit });
        }
        Ok(())
    }

    fn carry(&self, bytes: usize) -> Result<Carried, Error> {
        let most = self.0.limits.pending_bytes;
        let carried = self.0.load.carry(bytes, most);
        carried.ok_or(Error::TooMuchPending(most))
    }
}

/// The first keys, up to so many and so many bytes, but one at least.
async fn collect(
    mut keys: BoxStream<'static, Result<String, Error>>,
    most: usize,
    most_bytes: usize,
) -> Result<Page, Error> {
    let (mut first, mut bytes) = (Vec::new(), 0_usize);
    while let Some(key) = keys.try_next().await? {
        bytes = bytes.saturating_add(key.len() + size_of::<String>());
        if first.len() == most || (bytes > most_bytes && !first.is_empty()) {
            return Ok(Page {
                keys: first,
                more: true,
            });
        }
        first.push(key);
    }
    Ok(Page {
        keys: first,
        more: false,
    })
}

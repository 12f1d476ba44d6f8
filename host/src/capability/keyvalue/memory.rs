//! A bucket in memory: it is gone with the app. For trying things out, and to keep the trait honest.
//! Comes in: keys and values; goes out: the same. Never touches a disk.

use super::backend::{Answer, Backend, PAGE};
use std::collections::BTreeMap;
use std::future::ready;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The keys and their values.
#[derive(Default)]
pub(super) struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Memory {
    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn get(&self, key: String) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(ready(Ok(self.map().get(&key).cloned())))
    }

    fn set(&self, key: String, value: Vec<u8>) -> Answer<'_, ()> {
        self.map().insert(key, value);
        Box::pin(ready(Ok(())))
    }

    fn delete(&self, key: String) -> Answer<'_, ()> {
        self.map().remove(&key);
        Box::pin(ready(Ok(())))
    }

    fn exists(&self, key: String) -> Answer<'_, bool> {
        Box::pin(ready(Ok(self.map().contains_key(&key))))
    }

    fn keys_after(&self, after: String) -> Answer<'_, Vec<String>> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let keys = self
            .map()
            .range(range)
            .take(PAGE)
            .map(|(key, _)| key.clone())
            .collect();
        Box::pin(ready(Ok(keys)))
    }
}

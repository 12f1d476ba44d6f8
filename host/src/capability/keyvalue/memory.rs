//! A bucket in memory: it is gone with the app. For trying things out, and to keep the trait honest.
//! Comes in: keys and values; goes out: the same. Never touches a disk, never grows beyond its limit.

use super::backend::{Answer, Backend, PAGE};
use super::{Error, Limits};
use std::collections::BTreeMap;
use std::future::ready;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The keys and their values.
pub(super) struct Memory {
    content: Mutex<Content>,
    limit: u64,
}

#[derive(Default)]
struct Content {
    map: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

/// There is no room for the value.
#[derive(Debug, thiserror::Error)]
#[error("store has its {0} bytes in use")]
struct NoRoom(u64);

impl Memory {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            content: Mutex::default(),
            limit: limits.store_bytes,
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much room a key and its value take.
fn weight(key: &str, value: &[u8]) -> u64 {
    key.len().saturating_add(value.len()) as u64
}

impl Content {
    fn weight_of(&self, key: &str) -> u64 {
        self.map.get(key).map_or(0, |value| weight(key, value))
    }

    fn set(&mut self, key: String, value: Vec<u8>, limit: u64) -> Result<(), Error> {
        let rest = self.bytes - self.weight_of(&key);
        let bytes = rest.saturating_add(weight(&key, &value));
        if bytes > limit {
            return Err(Error::Full(NoRoom(limit).into()));
        }
        self.bytes = bytes;
        self.map.insert(key, value);
        Ok(())
    }

    fn delete(&mut self, key: &str) {
        self.bytes -= self.weight_of(key);
        self.map.remove(key);
    }
}

impl Backend for Memory {
    fn get(&self, key: String) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(ready(Ok(self.content().map.get(&key).cloned())))
    }

    fn set(&self, key: String, value: Vec<u8>) -> Answer<'_, ()> {
        Box::pin(ready(self.content().set(key, value, self.limit)))
    }

    fn delete(&self, key: String) -> Answer<'_, ()> {
        self.content().delete(&key);
        Box::pin(ready(Ok(())))
    }

    fn exists(&self, key: String) -> Answer<'_, bool> {
        Box::pin(ready(Ok(self.content().map.contains_key(&key))))
    }

    fn keys_after(&self, after: String) -> Answer<'_, Vec<String>> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let content = self.content();
        let keys = content.map.range(range).take(PAGE);
        Box::pin(ready(Ok(keys.map(|(key, _)| key.clone()).collect())))
    }
}

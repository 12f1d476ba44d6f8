//! A bucket in memory: it is gone with the app. For trying things out, and to keep the trait honest.
//! Comes in: keys and values; goes out: the same. Never touches a disk, never grows beyond its limit.

use super::backend::{Answer, Backend, PAGE};
use super::cas::Seen;
use super::counter::Delta;
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

    fn set(&mut self, entries: Vec<(String, Vec<u8>)>, limit: u64) -> Result<(), Error> {
        // Of two values for one key the later stays.
        let entries: BTreeMap<_, _> = entries.into_iter().collect();
        let gone: u64 = entries.keys().map(|key| self.weight_of(key)).sum();
        let come = entries.iter().map(|(key, value)| weight(key, value));
        let bytes = come.fold(self.bytes - gone, u64::saturating_add);
        if bytes > limit {
            return Err(Error::Full(NoRoom(limit).into()));
        }
        self.bytes = bytes;
        self.map.extend(entries);
        Ok(())
    }

    fn increment(&mut self, key: String, delta: Delta, limit: u64) -> Result<i64, Error> {
        let sum = delta.add(self.map.get(&key).map(Vec::as_slice))?;
        self.set(vec![(key, sum.to_le_bytes().into())], limit)?;
        Ok(sum)
    }

    fn swap(
        &mut self,
        key: String,
        seen: Seen,
        value: Vec<u8>,
        limit: u64,
    ) -> Result<Result<(), Seen>, Error> {
        let there = Seen::of(self.map.get(&key).map(Vec::as_slice));
        if there != seen {
            return Ok(Err(there));
        }
        self.set(vec![(key, value)], limit).map(Ok)
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

    fn get_many(&self, keys: Vec<String>, most: usize) -> Answer<'_, Vec<Option<Vec<u8>>>> {
        let content = self.content();
        let mut left = most;
        let values = keys.iter().map(|key| {
            let value = content.map.get(key);
            left = left
                .checked_sub(value.map_or(0, Vec::len))
                .ok_or(Error::TooMuchAtOnce(most))?;
            Ok(value.cloned())
        });
        Box::pin(ready(values.collect()))
    }

    fn look(&self, key: String) -> Answer<'_, (Option<Vec<u8>>, Seen)> {
        let value = self.content().map.get(&key).cloned();
        let seen = Seen::of(value.as_deref());
        Box::pin(ready(Ok((value, seen))))
    }

    fn exists(&self, key: String) -> Answer<'_, bool> {
        Box::pin(ready(Ok(self.content().map.contains_key(&key))))
    }

    fn set(&self, entries: Vec<(String, Vec<u8>)>) -> Answer<'_, ()> {
        Box::pin(ready(self.content().set(entries, self.limit)))
    }

    fn delete(&self, keys: Vec<String>) -> Answer<'_, ()> {
        let mut content = self.content();
        keys.iter().for_each(|key| content.delete(key));
        Box::pin(ready(Ok(())))
    }

    fn increment(&self, key: String, delta: Delta) -> Answer<'_, i64> {
        let sum = self.content().increment(key, delta, self.limit);
        Box::pin(ready(sum))
    }

    fn swap(&self, key: String, seen: Seen, value: Vec<u8>) -> Answer<'_, Result<(), Seen>> {
        let swapped = self.content().swap(key, seen, value, self.limit);
        Box::pin(ready(swapped))
    }

    fn keys_after(&self, after: String, skip: u64) -> Answer<'_, Vec<String>> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let content = self.content();
        let keys = content.map.range(range).skip(skip).take(PAGE);
        Box::pin(ready(Ok(keys.map(|(key, _)| key.clone()).collect())))
    }
}

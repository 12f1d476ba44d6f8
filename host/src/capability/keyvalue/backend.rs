//! What a bucket must be able to do, in words that name no database. Comes in: keys and values that
//! are within the limits; goes out: what is there. A change that was answered stays, as far as the
//! backend keeps anything, and each change is made whole or not at all: no other change comes between
//! what it reads and what it writes. Never asks who may open a bucket: that is settled before.

use super::Error;
use super::cas::Seen;
use super::counter::Delta;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many keys are read at a time.
pub(super) const PAGE: usize = 256;

/// A backend's failure, in its own words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a backend answers, later.
pub(super) type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// Keys and values.
pub(super) trait Backend: Send + Sync {
    /// The value under `key`.
    fn get(&self, key: String) -> Answer<'_, Option<Vec<u8>>>;

    /// The values under `keys`, in the order of these, all of one moment. Refused where they have more
    /// than `most` bytes.
    fn get_many(&self, keys: Vec<String>, most: usize) -> Answer<'_, Vec<Option<Vec<u8>>>>;

    /// The value under `key`, and the same as what was seen.
    fn look(&self, key: String) -> Answer<'_, (Option<Vec<u8>>, Seen)>;

    /// Whether there is a value under `key`.
    fn exists(&self, key: String) -> Answer<'_, bool>;

    /// Puts each value under its key, in place of what was there: all of them, or none. Of two values
    /// for one key the later stays.
    fn set(&self, entries: Vec<(String, Vec<u8>)>) -> Answer<'_, ()>;

    /// Removes those keys that are there: all of them, or none.
    fn delete(&self, keys: Vec<String>) -> Answer<'_, ()>;

    /// Adds to the counter under `key`, and answers the sum.
    fn increment(&self, key: String, delta: Delta) -> Answer<'_, i64>;

    /// Puts `value` under `key` if what is there is what was seen; else answers what is there.
    fn swap(&self, key: String, seen: Seen, value: Vec<u8>) -> Answer<'_, Result<(), Seen>>;

    /// Up to [`PAGE`] of the keys that come after `after`, in the order of their bytes, without the first
    /// `skip` of them.
    fn keys_after(&self, after: String, skip: u64) -> Answer<'_, Vec<String>>;
}

/// All keys that come after `after`, without the first `skip` of them, a page at a time: a slow reader
/// holds up nobody. A key that comes or goes meanwhile is seen or not; every other key is seen once.
pub(super) fn keys(
    backend: Arc<dyn Backend>,
    after: String,
    skip: u64,
) -> BoxStream<'static, Result<String, Error>> {
    struct Walk {
        backend: Arc<dyn Backend>,
        page: VecDeque<String>,
        /// The last key seen, and how many behind it are left out; none at the end.
        last: Option<(String, u64)>,
    }
    let start = Walk {
        backend,
        page: VecDeque::new(),
        last: Some((after, skip)),
    };
    Box::pin(stream::try_unfold(start, |mut walk| async move {
        if walk.page.is_empty()
            && let Some((last, skip)) = walk.last.take()
        {
            walk.page = walk.backend.keys_after(last, skip).await?.into();
            if walk.page.len() == PAGE {
                walk.last = walk.page.back().map(|key| (key.clone(), 0));
            }
        }
        Ok(walk.page.pop_front().map(|key| (key, walk)))
    }))
}

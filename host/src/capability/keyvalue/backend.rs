//! What a bucket must be able to do, in words that name no database. Comes in: keys and values that
//! are within the limits; goes out: what is there. A change that was answered stays, as far as the
//! backend keeps anything. Never asks who may open a bucket: that is settled before.

use super::Error;
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

    /// Puts `value` under `key`, in place of what was there.
    fn set(&self, key: String, value: Vec<u8>) -> Answer<'_, ()>;

    /// Removes `key`, if it is there.
    fn delete(&self, key: String) -> Answer<'_, ()>;

    /// Whether there is a value under `key`.
    fn exists(&self, key: String) -> Answer<'_, bool>;

    /// Up to [`PAGE`] keys that come after `after`, in the order of their bytes.
    fn keys_after(&self, after: String) -> Answer<'_, Vec<String>>;
}

/// All keys, a page at a time: a slow reader holds up nobody. A key that comes or goes meanwhile is
/// seen or not; every other key is seen once.
pub(super) fn keys(backend: Arc<dyn Backend>) -> BoxStream<'static, Result<String, Error>> {
    struct Walk {
        backend: Arc<dyn Backend>,
        page: VecDeque<String>,
        /// The last key seen; none at the end.
        last: Option<String>,
    }
    let start = Walk {
        backend,
        page: VecDeque::new(),
        last: Some(String::new()),
    };
    Box::pin(stream::try_unfold(start, |mut walk| async move {
        if walk.page.is_empty()
            && let Some(last) = walk.last.take()
        {
            walk.page = walk.backend.keys_after(last).await?.into();
            if walk.page.len() == PAGE {
                walk.last = walk.page.back().cloned();
            }
        }
        Ok(walk.page.pop_front().map(|key| (key, walk)))
    }))
}

//! A bucket whose keys are listed with a number as the cursor: how many keys have been told. A number alone
//! would skip keys when some of those told are removed meanwhile; so the bucket remembers the last key it
//! told, and goes on from there. A number that it did not give itself, or not last, is a count and no more.

use super::bucket::{After, Page};
use super::{Bucket, Error};

/// A guest's open bucket.
pub struct Numbered {
    bucket: Bucket,
    /// The last cursor given, and the key it stands behind.
    last: Option<(u64, String)>,
}

impl Numbered {
    /// Lists the keys of `bucket`.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, last: None }
    }

    /// The bucket itself.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Keys, as many as one call gives, and the cursor for those that come after them, if there are any.
    pub async fn list(&mut self, cursor: Option<u64>) -> Result<(Vec<String>, Option<u64>), Error> {
        let told = cursor.unwrap_or(0);
        let after = match &self.last {
            Some((given, key)) if cursor == Some(*given) => After::Key(key.clone()),
            _ => After::Count(told),
        };
        let Page { keys, more } = self.bucket.page(after).await?;
        let next = told.saturating_add(keys.len() as u64);
        if !more {
            return Ok((keys, None));
        }
        self.last = keys.last().map(|key| (next, key.clone()));
        Ok((keys, Some(next)))
    }
}

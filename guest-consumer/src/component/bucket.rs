//! The consumer's bucket in key-value, `default`: the signing key, whether its producer speaks Standard
//! Webhooks, and the key before. In come keys; out go keys. It never shows one to anyone but `hmac`'s caller.

use super::bindings::spin::key_value::key_value::{Error, Store};
use crate::hmac::Hmac;
use crate::keys::{Held, Previous};
use crate::problem::Problem;

const KEY: &str = "signing-key-data";
const STANDARD: &str = "standard-webhooks";
const PREVIOUS: &str = "previous-signing-key";

/// An open bucket.
pub(super) struct Bucket(Store);

impl Bucket {
    /// Opens the bucket.
    pub(super) async fn open() -> Result<Self, Problem> {
        let opened = Store::open("default".to_string()).await;
        opened.map(Self).map_err(problem)
    }

    /// The current key, if a handshake has brought one.
    pub(super) async fn current(&self) -> Result<Option<Held>, Problem> {
        let Some(key) = self.0.get(KEY.to_string()).await.map_err(problem)? else {
            return Ok(None);
        };
        let standard = self.0.exists(STANDARD.to_string()).await.map_err(problem)?;
        Ok(Some(Held { key, standard }))
    }

    /// The key before, as long as it verifies. One whose time is over is removed.
    pub(super) async fn previous(&self, now: u64) -> Result<Option<Held>, Problem> {
        let Some(stored) = self.0.get(PREVIOUS.to_string()).await.map_err(problem)? else {
            return Ok(None);
        };
        let previous = serde_json::from_slice::<Previous>(&stored);
        let previous = previous.ok().and_then(|previous| previous.at(now));
        if previous.is_none() {
            self.forget(PREVIOUS).await?;
        }
        Ok(previous)
    }

    /// Stores a new key, keeps the current one for a while, and forgets what the producer of that did: in this
    /// order, so that whichever step fails, too much is required and not too little, and no key is lost.
    pub(super) async fn renew(
        &self,
        key: String,
        current: Option<Held>,
        now: u64,
        hmac: &impl Hmac,
    ) -> Result<(), Problem> {
        let key = key.into_bytes();
        // The same once more changes nothing, least of all what is required.
        if current.as_ref().is_some_and(|held| held.key == key) {
            return Ok(());
        }
        match current.and_then(|held| Previous::of(held, now, hmac)) {
            // Texts and numbers always serialize.
            Some(previous) => {
                let stored = serde_json::to_vec(&previous).unwrap_or_default();
                self.set(PREVIOUS, stored).await?;
            }
            None => self.forget(PREVIOUS).await?,
        }
        self.set(KEY, key).await?;
        self.forget(STANDARD).await
    }

    /// Requires the three headers of whoever has the current key.
    pub(super) async fn require_standard(&self) -> Result<(), Problem> {
        self.set(STANDARD, b"1".to_vec()).await
    }

    async fn set(&self, name: &str, value: Vec<u8>) -> Result<(), Problem> {
        self.0.set(name.to_string(), value).await.map_err(problem)
    }

    async fn forget(&self, name: &str) -> Result<(), Problem> {
        self.0.delete(name.to_string()).await.map_err(problem)
    }
}

fn problem(error: Error) -> Problem {
    Problem::internal(match error {
        Error::AccessDenied => {
            "the store `default` is not granted: add it to key_value_stores in the manifest"
                .to_string()
        }
        Error::NoSuchStore => "the store `default` is not configured".to_string(),
        Error::StoreTableFull => "too many stores are open".to_string(),
        Error::Other(why) => format!("the store failed: {why}"),
    })
}

//! The consumer's bucket in key-value, `default`: the signing key, and whether its producer speaks
//! Standard Webhooks. In come values; out go values. It never shows the key to anyone but `hmac`'s
//! caller.

use super::bindings::spin::key_value::key_value::{Error, Store};
use crate::problem::Problem;

const KEY: &str = "signing-key-data";
const STANDARD: &str = "standard-webhooks";

/// An open bucket.
pub(super) struct Bucket(Store);

impl Bucket {
    /// Opens the bucket.
    pub(super) async fn open() -> Result<Self, Problem> {
        let opened = Store::open("default".to_string()).await;
        opened.map(Self).map_err(problem)
    }

    /// The signing key, if a handshake has brought one.
    pub(super) async fn key(&self) -> Result<Option<Vec<u8>>, Problem> {
        self.0.get(KEY.to_string()).await.map_err(problem)
    }

    /// Stores a new key and forgets what the producer of the old one did. In this order: should the
    /// second step fail, too much is required and not too little.
    pub(super) async fn renew(&self, key: String) -> Result<(), Problem> {
        let stored = self.0.set(KEY.to_string(), key.into_bytes()).await;
        stored.map_err(problem)?;
        self.0.delete(STANDARD.to_string()).await.map_err(problem)
    }

    /// Whether the three headers of Standard Webhooks are required.
    pub(super) async fn requires_standard(&self) -> Result<bool, Problem> {
        self.0.exists(STANDARD.to_string()).await.map_err(problem)
    }

    /// Requires them from now on.
    pub(super) async fn require_standard(&self) -> Result<(), Problem> {
        let stored = self.0.set(STANDARD.to_string(), b"1".to_vec()).await;
        stored.map_err(problem)
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

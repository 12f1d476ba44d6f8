//! The consumer's store in key-value, `default`: the signing key, and whether its producer speaks Standard
//! Webhooks. In come values; out go values.

use guest_consumer::keys::Held;
use guest_consumer::problem::Problem;
use spin_sdk::key_value::{Error, Store};

const KEY: &str = "signing-key-data";
const STANDARD: &str = "standard-webhooks";

/// The open store.
pub(crate) struct Keys(Store);

impl Keys {
    /// Opens the store.
    pub(crate) async fn open() -> Result<Self, Problem> {
        Store::open_default().await.map(Self).map_err(problem)
    }

    /// The signing key, if a handshake has brought one.
    pub(crate) async fn current(&self) -> Result<Option<Held>, Problem> {
        let Some(key) = self.0.get(KEY).await.map_err(problem)? else {
            return Ok(None);
        };
        let standard = self.0.exists(STANDARD).await.map_err(problem)?;
        Ok(Some(Held { key, standard }))
    }

    /// Stores a new key, and only then forgets what the producer of the old one did.
    pub(crate) async fn renew(&self, key: &str) -> Result<(), Problem> {
        self.0.set(KEY, key).await.map_err(problem)?;
        self.0.delete(STANDARD).await.map_err(problem)
    }

    /// Requires the three headers of Standard Webhooks from now on.
    pub(crate) async fn require_standard(&self) -> Result<(), Problem> {
        self.0.set(STANDARD, "1").await.map_err(problem)
    }
}

fn problem(error: Error) -> Problem {
    Problem::internal(match error {
        Error::AccessDenied => {
            "the store `default` is not granted: add it to key_value_stores in the manifest".into()
        }
        error => format!("the store `default` failed: {error}"),
    })
}

//! What the command line puts into an app's storage at each start, before the first request: statements for
//! databases, values for the default store. Comes in: what was typed; goes out: that it is there. Never makes
//! up a database or a store that no component is granted.

use std::sync::Arc;

use super::grants::GrantError;
pub use crate::capability::sqlite::Script;
use crate::capability::{Grants as Labels, Label, keyvalue};

/// What is put where.
#[derive(Debug, Clone, Default)]
pub struct First {
    /// Statements to run, in this order.
    pub scripts: Vec<Script>,
    /// Keys of the default store, and their values.
    pub values: Vec<(String, String)>,
}

impl First {
    /// Whether there is nothing to put anywhere.
    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty() && self.values.is_empty()
    }

    /// Checks that every script is for a database that is there.
    pub(super) fn check<'a>(
        &self,
        databases: impl Iterator<Item = &'a Label> + Clone,
    ) -> Result<(), GrantError> {
        for script in &self.scripts {
            if !databases.clone().any(|label| *label == script.label) {
                return Err(GrantError::NoStorage {
                    flag: "--sqlite",
                    what: "sqlite_databases",
                    label: script.label.clone(),
                });
            }
        }
        Ok(())
    }

    /// Puts the values into the store `default`.
    pub(super) fn set(&self, stores: &keyvalue::Shared, label: &str) -> anyhow::Result<()> {
        if self.values.is_empty() {
            return Ok(());
        }
        let label = Label::new(label);
        let granted = Arc::new([label.clone()].into_iter().collect::<Labels>());
        let bucket = match stores.ctx(&granted).open(label.as_str()) {
            Ok(bucket) => bucket,
            Err(_) => {
                return Err(GrantError::NoStorage {
                    flag: "--key-value",
                    what: "key_value_stores",
                    label,
                }
                .into());
            }
        };
        for (key, value) in &self.values {
            let set = bucket.set(key.clone(), value.clone().into_bytes());
            futures::executor::block_on(set)?;
        }
        Ok(())
    }
}

//! Key-value for guests. Owns the buckets of an app; comes in: where each label's bucket is kept;
//! goes out: buckets, to those components that were granted the label. The grant is asked before
//! existence. Never blocks the threads that run guests, never shows one bucket's keys in another.

mod backend;
mod bucket;
mod cas;
#[cfg(test)]
mod contract;
mod counter;
mod host;
mod limits;
mod memory;
mod numbered;
mod open;
mod sqlite;

pub use backend::Failure;
pub use bucket::{After, Bucket, Page};
pub use cas::{Cas, SwapError};
pub use counter::Delta;
pub use host::{View, add_to_linker};
pub use limits::Limits;
pub use numbered::Numbered;

use super::load::Load;
use super::{Grants, Label};
use crate::file;
use backend::Backend;
use open::Open;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a bucket is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this file, which is made if it is not there.
    File(PathBuf),
    /// In memory, until the app ends.
    Memory,
}

/// The buckets of an app, as the manifest has them.
#[derive(Debug, Default)]
pub struct Config {
    /// Where each bucket is kept.
    pub buckets: BTreeMap<Label, Location>,
    /// How much of everything there may be.
    pub limits: Limits,
}

/// Why the buckets of an app could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be made or read.
    #[error("key-value store `{label}`: file {} cannot be used", path.display())]
    File {
        /// The bucket.
        label: Label,
        /// Its file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no bucket, or the database cannot open it.
    #[error("key-value store `{label}`: file {} cannot be opened", path.display())]
    Open {
        /// The bucket.
        label: Label,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: Failure,
    },
}

/// Why an operation on a bucket failed. To its reader, the guest's author, a bucket is a store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The label was not granted, whether it exists or not.
    #[error("key-value store `{0}` is not granted: name it in `key_value_stores` of the component")]
    AccessDenied(Label),
    /// The label is granted, and nothing is configured for it.
    #[error("key-value store `{0}` is not configured: give it a file")]
    NoSuchBucket(Label),
    /// This instance holds too many buckets, or handles for compare-and-swap.
    #[error("instance holds {0} key-value stores and compare-and-swap handles already: drop one")]
    TooManyOpen(usize),
    /// Too much of this instance is on its way already.
    #[error("instance has more than {0} bytes on their way: wait for an answer first")]
    TooMuchPending(usize),
    /// The key is empty or too long.
    #[error("key has {length} bytes: it takes 1 to {limit}")]
    KeyLength {
        /// How long the key is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The value is too long.
    #[error("value has {length} bytes: it takes at most {limit}")]
    ValueTooLarge {
        /// How long the value is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A call names too many keys.
    #[error("call names {count} keys: it takes at most {limit}")]
    TooManyKeys {
        /// How many it names.
        count: usize,
        /// How many it may name.
        limit: usize,
    },
    /// A call passes too much, or too much would be its answer.
    #[error("call passes or asks for more than {0} bytes: do it in parts")]
    TooMuchAtOnce(usize),
    /// The value cannot be incremented.
    #[error("value has {0} bytes and is no counter: that has 8, a little-endian 64-bit integer")]
    NotACounter(usize),
    /// The sum cannot be said.
    #[error("sum is beyond what the counter, or the interface, can hold: nothing was added")]
    CounterRange,
    /// The disk, or the space given to the bucket, is used up.
    #[error("key-value store is full")]
    Full(#[source] Failure),
    /// The backend's own words.
    #[error(transparent)]
    Backend(Failure),
}

impl Config {
    /// Opens the buckets. Blocks: it is for the start.
    pub fn open(self) -> Result<Shared, OpenError> {
        let mut buckets = BTreeMap::<Label, Arc<dyn Backend>>::new();
        for (label, location) in self.buckets {
            let backend: Arc<dyn Backend> = match location {
                Location::Memory => Arc::new(memory::Memory::new(&self.limits)),
                Location::File(path) => Arc::new(open(&label, path, &self.limits)?),
            };
            buckets.insert(label, backend);
        }
        Ok(Shared {
            buckets: Arc::new(buckets),
            limits: self.limits,
        })
    }
}

fn open(label: &Label, path: PathBuf, limits: &Limits) -> Result<sqlite::Sqlite, OpenError> {
    if let Err(source) = file::private::create_file(&path) {
        return Err(OpenError::File {
            label: label.clone(),
            path,
            source,
        });
    }
    sqlite::Sqlite::open(&path, limits).map_err(|source| OpenError::Open {
        label: label.clone(),
        path,
        source,
    })
}

/// The buckets of an app. Clones are the same buckets.
#[derive(Clone)]
pub struct Shared {
    buckets: Arc<BTreeMap<Label, Arc<dyn Backend>>>,
    limits: Limits,
}

impl Shared {
    /// What one instance sees of them. Opens nothing.
    pub fn ctx(&self, grants: &Arc<Grants>) -> Ctx {
        Ctx {
            shared: self.clone(),
            grants: Arc::clone(grants),
            load: Load::default(),
            open: Open::default(),
        }
    }
}

/// What one instance may open.
pub struct Ctx {
    shared: Shared,
    grants: Arc<Grants>,
    /// What the instance has on its way.
    load: Load,
    /// What it holds open is counted here.
    open: Open,
}

impl Ctx {
    /// The bucket of this label.
    pub fn open(&self, label: &str) -> Result<Bucket, Error> {
        let label = Label::new(label);
        if !self.grants.allows(&label) {
            self.grants
                .tell(&label, |name| format!("key_value_stores = [{name:?}]"));
            return Err(Error::AccessDenied(label));
        }
        let Some(backend) = self.shared.buckets.get(&label) else {
            return Err(Error::NoSuchBucket(label));
        };
        let limits = &self.shared.limits;
        let open = self.open.another(limits.open_per_instance)?;
        Ok(Bucket::new(
            Arc::clone(backend),
            limits.clone(),
            self.load.clone(),
            open,
        ))
    }
}

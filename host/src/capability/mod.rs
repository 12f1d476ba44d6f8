//! What a capability is: a label that names one thing, and grants that say which labels a component
//! may open. Owns those two words; comes in: what the manifest grants; goes out: yes or no. Never
//! opens anything itself: each capability does that in its own room.

pub mod bindings;
pub mod file;
pub mod http;
pub mod keyvalue;
mod load;
pub mod sqlite;
pub mod variables;

use std::collections::BTreeSet;
use std::fmt;

/// The name under which a component opens a store or a database: `default`, `sessions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Takes any text: whether the label means anything is for the grants and the backends to say.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The labels of one capability that one component may open. Empty unless the manifest says more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(BTreeSet<Label>);

impl Grants {
    /// Whether `label` is granted. Asked before anyone looks whether it exists.
    pub fn allows(&self, label: &Label) -> bool {
        self.0.contains(label)
    }

    /// The granted labels, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.0.iter()
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Label> for Grants {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        Self(labels.into_iter().collect())
    }
}

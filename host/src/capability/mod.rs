//! What a capability is: a label that names one thing, and grants that say which labels a component
//! may open. Owns those two words; comes in: what the manifest grants; goes out: yes or no. Never
//! opens anything itself: each capability does that in its own room.

pub mod bindings;
pub mod http;
pub mod keyvalue;
mod load;
pub mod queue;
pub mod sqlite;
pub mod variables;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use crate::telemetry::Seldom;

/// How many characters of a label that a guest made up are shown.
const MOST_TOLD: usize = 64;

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
#[derive(Debug, Default)]
pub struct Grants {
    labels: BTreeSet<Label>,
    /// Whose they are; empty if nobody said so.
    component: String,
    /// When it was last said what was refused.
    told: Seldom,
}

impl Grants {
    /// The same, with a name for whose they are.
    pub fn of(mut self, component: &str) -> Self {
        component.clone_into(&mut self.component);
        self
    }

    /// Whether `label` is granted. Asked before anyone looks whether it exists.
    pub fn allows(&self, label: &Label) -> bool {
        self.labels.contains(label)
    }

    /// Says in the host's log that `label` was refused, and the line of the manifest that would grant it.
    fn tell(&self, label: &Label, grant: impl Fn(&str) -> String) {
        let Some(times) = self.told.count(Instant::now()) else {
            return;
        };
        // The guest chose the text: as much of it as a name has, and nothing that begins a line.
        let name: String = label.as_str().chars().take(MOST_TOLD).collect();
        tracing::warn!(
            component = self.component,
            times,
            "opening {name:?} was denied: to grant it, write `{}` into the component's table of the manifest",
            grant(&name),
        );
    }

    /// The granted labels, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter()
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

impl FromIterator<Label> for Grants {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        Self {
            labels: labels.into_iter().collect(),
            ..Self::default()
        }
    }
}

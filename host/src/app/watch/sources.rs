//! What components are built from, and building them when it changes. Comes in: the builds of a plan, with
//! the patterns of their sources; goes out: components that were built anew, in their files. A build that
//! fails is told, and nothing else happens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::in_full;
use super::looks::Looks;
use crate::app::build::build;
use crate::app::plan::Plan;
use crate::manifest::Build;

/// Patterns are looked up in folders once in so many looks at files.
const LOOKS_PER_WALK: u32 = 4;

/// The sources of a plan's components.
#[derive(Debug, Default)]
pub(in crate::app) struct Sources {
    looks: Looks,
    /// Which build each file belongs to: several components may share sources.
    owners: BTreeMap<PathBuf, BTreeSet<String>>,
    turn: u32,
}

impl Sources {
    /// Looks at all sources for the first time.
    pub(super) fn at(plan: &Plan) -> Self {
        let mut sources = Self::default();
        sources.walk(plan);
        sources.looks.note(sources.owners.keys().cloned().collect());
        sources
    }

    /// Builds the components whose sources changed, one after another.
    pub(super) fn look(&mut self, plan: &Plan) {
        self.turn = (self.turn + 1) % LOOKS_PER_WALK;
        if self.turn == 0 {
            self.walk(plan);
            self.looks.expect(self.owners.keys().cloned().collect());
        }
        let changed = self.looks.changed();
        let owners = changed.iter().filter_map(|path| self.owners.get(path));
        let stale: BTreeSet<_> = owners.flatten().cloned().collect();
        for one in builds(plan).filter(|build| stale.contains(&build.component)) {
            let said = build([one], |one, command| {
                tracing::info!(component = one.component, command, "building");
            });
            match said {
                Ok(()) => tracing::info!(component = one.component, "built"),
                Err(error) => tracing::error!("{}", in_full(&error.into())),
            }
        }
    }

    fn walk(&mut self, plan: &Plan) {
        self.owners.clear();
        for build in builds(plan) {
            for pattern in &build.watch {
                // A pattern that is none has no files; the folder's own name is none.
                let folder = glob::Pattern::escape(&build.workdir.to_string_lossy());
                let pattern = Path::new(&folder).join(pattern);
                let found = glob::glob(&pattern.to_string_lossy());
                for path in found.into_iter().flatten().flatten() {
                    if path.is_file() {
                        let owners = self.owners.entry(path).or_default();
                        owners.insert(build.component.clone());
                    }
                }
            }
        }
    }
}

fn builds(plan: &Plan) -> impl Iterator<Item = &Build> {
    plan.apps.iter().flat_map(|planned| &planned.app.builds)
}

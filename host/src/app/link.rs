//! From a component of a manifest to the bytes that are compiled: its source and its dependencies,
//! linked. Comes in: the manifest's component and its files; goes out: one component. Never compiles.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::InputError;
use super::plan::Files;
use crate::capability::Label;
use crate::manifest::{self, Dependency, Digest, Inherit};
use crate::runtime::admit::{AdmitError, admit};
use crate::runtime::cache::hex;
use crate::runtime::compose::{self, ComposeError, Composed, Link, Part};
use crate::runtime::inspect::{HANDLERS, Inspection, WORKER, inspect};
use crate::runtime::linker;

/// Why a component could not be linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// A component's file cannot be read.
    #[error("{component}: {} cannot be read: build it first, or correct `source`", path.display())]
    Unreadable {
        /// The component.
        component: String,
        /// Its file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not the one that the manifest means.
    #[error("{component}: {} is another file than the manifest means: its digest is sha256:{found}", path.display())]
    Digest {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// The digest that it has.
        found: String,
    },
    /// A core module that cannot be made a component.
    #[error("{component}: {} cannot be taken", path.display())]
    Admit {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: AdmitError,
    },
    /// The parts do not fit.
    #[error("{component}, from {}, cannot be linked", path.display())]
    Compose {
        /// The component.
        component: String,
        /// Its file.
        path: PathBuf,
        /// What does not fit.
        source: Box<ComposeError>,
    },
}

/// Why a component's queues would never be worked on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Queues without a worker.
    #[error(
        "{component} has queue `{queue}` and exports no {WORKER}: export it, or leave `tool.signet.queue` out"
    )]
    NoWorker {
        /// The component.
        component: String,
        /// The first of its queues.
        queue: Label,
    },
    /// A worker without a queue.
    #[error(
        "{component} exports {WORKER} and has no queue: give it one with `[component.{component}.tool.signet.queue.NAME]`"
    )]
    NoQueue {
        /// The component.
        component: String,
    },
}

/// Links a component with its dependencies, and those with theirs.
pub fn link(component: &manifest::Component, files: Files) -> Result<Composed, LinkError> {
    let reader = Reader {
        component: &component.name,
        files,
    };
    let root = Part {
        name: component.name.clone(),
        bytes: reader.read(&component.source, component.digest.as_ref())?,
        dependencies: reader.links(&component.dependencies)?,
    };
    compose::compose(&root, linker::Served).map_err(|source| LinkError::Compose {
        component: component.name.clone(),
        path: component.source.clone(),
        source: Box::new(source),
    })
}

/// Links a component that is to answer requests.
pub(super) fn serving(
    component: &manifest::Component,
    files: Files,
) -> Result<Composed, InputError> {
    let composed = link(component, files)?;
    match inspect(&composed.bytes) {
        Ok(Inspection {
            http: None,
            exports,
            ..
        }) => Err(InputError::NoHandler {
            component: component.name.clone(),
            exports: match exports.as_slice() {
                [] => "and nothing else".to_owned(),
                exports => format!("but {}", exports.join(", ")),
            },
            wanted: HANDLERS,
        }),
        Ok(Inspection { works, .. }) => {
            working(component, works)?;
            Ok(composed)
        }
        // What cannot be read fails with better words when it is compiled.
        Err(_) => Ok(composed),
    }
}

/// Whether a component's queues have a worker, and its worker has a queue.
fn working(component: &manifest::Component, works: bool) -> Result<(), WorkerError> {
    match (component.queues.keys().next(), works) {
        (Some(queue), false) => Err(WorkerError::NoWorker {
            component: component.name.clone(),
            queue: queue.clone(),
        }),
        (None, true) => Err(WorkerError::NoQueue {
            component: component.name.clone(),
        }),
        (Some(_), true) | (None, false) => Ok(()),
    }
}

/// Reads the files of one component.
struct Reader<'a> {
    component: &'a str,
    files: Files,
}

impl Reader<'_> {
    fn links(&self, dependencies: &[Dependency]) -> Result<Vec<Link>, LinkError> {
        let link = |dependency: &Dependency| {
            Ok(Link {
                selector: selector(&dependency.selector),
                export: dependency.export.clone(),
                part: Part {
                    name: part_name(dependency),
                    bytes: self.read(&dependency.source, dependency.digest.as_ref())?,
                    dependencies: self.links(&dependency.dependencies)?,
                },
                inherit: inherit(&dependency.inherit),
            })
        };
        dependencies.iter().map(link).collect()
    }

    fn read(&self, path: &Path, digest: Option<&Digest>) -> Result<Arc<[u8]>, LinkError> {
        let bytes = self.files.read(path);
        let bytes = bytes.map_err(|source| LinkError::Unreadable {
            component: self.component.to_owned(),
            path: path.to_owned(),
            source,
        })?;
        if let Some(digest) = digest {
            let found = hex(&Sha256::digest(&bytes));
            if found != digest.as_str() {
                return Err(LinkError::Digest {
                    component: self.component.to_owned(),
                    path: path.to_owned(),
                    found,
                });
            }
        }
        let component = admit(bytes).map_err(|source| LinkError::Admit {
            component: self.component.to_owned(),
            path: path.to_owned(),
            source,
        })?;
        Ok(Arc::from(component))
    }
}

/// The parts that get something of what their dependent is granted, and what, in words.
pub(super) fn inheriting(dependencies: &[Dependency]) -> Vec<(String, String)> {
    let words = |dependency: &Dependency| {
        let words = match &dependency.inherit {
            Inherit::All => "all".to_owned(),
            Inherit::Only(kinds) if kinds.is_empty() => return Vec::new(),
            Inherit::Only(kinds) => kinds.join(", "),
        };
        let mut parts = vec![(part_name(dependency), words)];
        parts.extend(inheriting(&dependency.dependencies));
        parts
    };
    dependencies.iter().flat_map(words).collect()
}

fn inherit(inherit: &Inherit) -> compose::Inherit {
    match inherit {
        Inherit::All => compose::Inherit::ALL,
        Inherit::Only(kinds) => {
            let kinds = kinds.iter().filter_map(|kind| compose::Inherit::kind(kind));
            kinds.fold(compose::Inherit::NOTHING, compose::Inherit::or)
        }
    }
}

fn part_name(dependency: &Dependency) -> String {
    dependency
        .source
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

pub(super) fn selector(selector: &manifest::Selector) -> compose::Selector {
    compose::Selector {
        namespace: selector.namespace.clone(),
        package: selector.package.clone(),
        interface: selector.interface.clone(),
        version: selector.version.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::INHERITABLE;
    use crate::runtime::compose::Inherit;

    #[test]
    fn whatever_a_manifest_lets_inherit_is_known_to_linking() {
        for kind in INHERITABLE {
            assert!(Inherit::kind(kind).is_some(), "{kind}");
        }
    }
}

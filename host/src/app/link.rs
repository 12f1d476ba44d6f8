//! From a component of a manifest to the bytes that are compiled: its source and its dependencies,
//! linked. Comes in: the manifest's component and its files; goes out: one component. Never compiles.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::plan::Files;
use crate::manifest;
use crate::runtime::compose::{self, ComposeError, Composed, Link, Part};
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
    /// The parts do not fit.
    #[error("{component} cannot be linked")]
    Compose {
        /// The component.
        component: String,
        /// What does not fit.
        source: Box<ComposeError>,
    },
}

/// Links a component with its dependencies.
pub fn link(component: &manifest::Component, files: Files) -> Result<Composed, LinkError> {
    let read = |path: &Path| {
        files
            .read(path)
            .map(Arc::from)
            .map_err(|source| LinkError::Unreadable {
                component: component.name.clone(),
                path: path.to_owned(),
                source,
            })
    };
    let mut links = Vec::new();
    for dependency in &component.dependencies {
        let part = Part {
            name: part_name(dependency),
            bytes: read(&dependency.source)?,
            dependencies: Vec::new(),
        };
        links.push(Link {
            selector: selector(&dependency.selector),
            export: dependency.export.clone(),
            part,
            inherit: dependency.inherit,
        });
    }
    let root = Part {
        name: component.name.clone(),
        bytes: read(&component.source)?,
        dependencies: links,
    };
    compose::compose(&root, &linker::provides).map_err(|source| LinkError::Compose {
        component: component.name.clone(),
        source: Box::new(source),
    })
}

/// The names of the parts that get what their dependent is granted.
pub(super) fn inheriting(component: &manifest::Component) -> Vec<String> {
    component
        .dependencies
        .iter()
        .filter(|dependency| dependency.inherit)
        .map(part_name)
        .collect()
}

fn part_name(dependency: &manifest::Dependency) -> String {
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

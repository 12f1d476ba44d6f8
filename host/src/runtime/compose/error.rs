//! Why components do not become one.
//!
//! Owns the words: every message names the component it is about, what it has, what was wanted, and
//! the cure when there is one. It never decides anything.

use std::fmt;

use thiserror::Error;

use super::deny::DenyError;
use crate::runtime::inspect::NotAComponent;

/// A fault found while linking.
#[derive(Debug, Error)]
pub enum ComposeError {
    /// A part's bytes are something else.
    #[error("{part} is not a component that can be linked")]
    NotAComponent {
        /// The part.
        part: String,
        /// What it is.
        source: NotAComponent,
    },
    /// A part is a component whose types could not be read.
    #[error("{part} cannot be read: {reason}")]
    Unreadable {
        /// The part.
        part: String,
        /// What the reader said.
        reason: String,
    },
    /// A dependency is declared for imports that do not exist.
    #[error("{dependent} imports nothing of {selector}; {imports}")]
    SelectsNothing {
        /// The part that was to be linked.
        dependent: String,
        /// The selector as written.
        selector: String,
        /// What it imports instead, in words.
        imports: String,
    },
    /// A dependency does not have what it was declared for.
    #[error("{dependency} does not export {wanted}, which is to satisfy {dependent}; {exports}")]
    NotExported {
        /// The part that imports.
        dependent: String,
        /// The part that should export.
        dependency: String,
        /// The name of the import, or of the export asked for.
        wanted: String,
        /// What it exports instead, in words.
        exports: String,
    },
    /// Import and export have one name and two types.
    #[error(
        "{dependency} exports {export}, which does not fit {import} as {dependent} imports it: {difference}; build both against the same WIT"
    )]
    Mismatch {
        /// The part that imports.
        dependent: String,
        /// The part that exports.
        dependency: String,
        /// The name of the import.
        import: String,
        /// The name of the export.
        export: String,
        /// The first difference.
        difference: String,
    },
    /// One export is to stand for several imports.
    #[error(
        "{selector} of {dependent} selects {selected} but takes the one export {export}; name one interface in the selector"
    )]
    OneExportForMany {
        /// The part that imports.
        dependent: String,
        /// The selector as written.
        selector: String,
        /// The imports it selects.
        selected: String,
        /// The export asked for.
        export: String,
    },
    /// Two dependencies claim one import.
    #[error(
        "{import} of {dependent} is selected by both {first} and {second}; keep one, or name the interface in one of them"
    )]
    SelectedTwice {
        /// The part that imports.
        dependent: String,
        /// The import.
        import: String,
        /// The selector that came first.
        first: String,
        /// The selector that came second.
        second: String,
    },
    /// A linked interface brings types of one that the host has too.
    #[error(
        "{import} of {dependent} is linked to {dependency} and uses the types of {used}, which the host has and {dependency} exports as well; to take both from {dependency}, declare it for {used} too"
    )]
    UsesProvided {
        /// The part that imports.
        dependent: String,
        /// The part that exports both.
        dependency: String,
        /// The import that is linked.
        import: String,
        /// The interface whose types it uses.
        used: String,
    },
    /// Imports that neither a dependency nor the host provides.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Missing(Vec<MissingImport>),
    /// The denials for an isolated component could not be made.
    #[error(
        "{part} cannot be isolated from what it imports; let it inherit with `dependencies_inherit_configuration = true` if it may have its dependent's grants"
    )]
    Deny {
        /// The part.
        part: String,
        /// What went wrong.
        source: DenyError,
    },
    /// The parts fit one by one and yet not together.
    #[error("{root} cannot be put together with its dependencies: {reason}")]
    Unwritable {
        /// The root.
        root: String,
        /// What the writer said.
        reason: String,
    },
}

/// An import that nothing provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingImport {
    /// The part that imports.
    pub part: String,
    /// The name of the import.
    pub import: String,
    /// What comes near: an export and the part that has it.
    pub near: Option<Near>,
    /// The versions of the interface that the host does provide.
    pub provided: Vec<&'static str>,
}

/// An export that comes near to a missing import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The dependency that exports it.
    pub part: String,
    /// The name of the export.
    pub export: String,
    /// Whether it would do, were it selected; otherwise its version is another.
    pub fits: bool,
}

impl fmt::Display for MissingImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            part,
            import,
            near,
            provided,
        } = self;
        write!(f, "{part} imports {import}, which nothing provides; ")?;
        match near {
            None if !provided.is_empty() => write!(
                f,
                "the host has it in version {}: build {part} against that",
                provided.join(" or ")
            ),
            None => match dependency(import) {
                Some((package, file)) => write!(
                    f,
                    "link a component that exports it, by `\"{package}\" = {{ path = \"{file}\" }}` in the \
                     dependencies of {part}, or build {part} without it"
                ),
                None => write!(
                    f,
                    "it names no interface, so neither the host nor a dependency can: build {part} without it"
                ),
            },
            Some(near) if near.fits => write!(
                f,
                "{} exports {}, but no dependency selects it: declare one that does",
                near.part, near.export
            ),
            Some(near) => write!(
                f,
                "{} exports {}, another version: build both against the same one",
                near.part, near.export
            ),
        }
    }
}

/// The key and the file of the dependency that an import asks for.
pub fn dependency(import: &str) -> Option<(String, String)> {
    let (path, version) = match import.split_once('@') {
        Some((path, version)) => (path, format!("@{version}")),
        None => (import, String::new()),
    };
    let (package, _) = path.split_once('/')?;
    let (_, name) = package.split_once(':')?;
    Some((format!("{package}{version}"), format!("{name}.wasm")))
}

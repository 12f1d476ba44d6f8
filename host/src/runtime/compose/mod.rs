//! Components become one component, before the engine sees them.
//!
//! Owns linking at load. A root and its dependencies come in as bytes with selectors; one component
//! goes out, in which every link was checked by name, version and type before it was made, and in
//! which a dependency that inherits nothing cannot reach the host past its baseline. It does no
//! I/O, knows no clock and no engine, and never links what nobody asked for.

mod baseline;
mod deny;
mod error;
mod explain;
mod select;
mod selector;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

pub use deny::DenyError;
pub use error::{ComposeError, MissingImport, Near};
pub use selector::Selector;

/// A component, and what it is to be linked with.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What messages call it: `webhook-producer`, `fermyon:hmac (hmac.wasm)`.
    pub name: String,
    /// The component.
    pub bytes: Arc<[u8]>,
    /// What satisfies imports of it.
    pub dependencies: Vec<Link>,
}

/// A dependency and the imports it satisfies.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Which imports of the dependent.
    pub selector: Selector,
    /// The export to take for the one selected import; none takes the one of the same name.
    pub export: Option<String>,
    /// The component that exports.
    pub part: Part,
    /// Whether it may have what its dependent may have.
    pub inherit: bool,
}

/// One component made of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The component. A root without dependencies is unchanged.
    pub bytes: Vec<u8>,
    /// Every link that was made.
    pub linked: Vec<LinkedImport>,
    /// Every part that was denied something.
    pub isolated: Vec<Isolated>,
}

/// An import that another component satisfies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedImport {
    /// The part that imports.
    pub into: String,
    /// The name of the import.
    pub import: String,
    /// The part that exports.
    pub from: String,
    /// The name of the export.
    pub export: String,
}

/// A part that inherits nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isolated {
    /// The part.
    pub part: String,
    /// Its imports that answer with a denial.
    pub denied: Vec<String>,
}

/// Links `root` with its dependencies, theirs included.
///
/// `provided` says of an import's name whether the host itself provides it.
pub fn compose(root: &Part, provided: &dyn Fn(&str) -> bool) -> Result<Composed, ComposeError> {
    wire::Wiring::new(provided).finish(root)
}

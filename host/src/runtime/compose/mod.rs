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
mod inherit;
mod select;
mod selector;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

pub use deny::DenyError;
pub use error::{ComposeError, MissingImport, Near, dependency};
pub use inherit::Inherit;
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
    /// What it may have of what its dependent may have.
    pub inherit: Inherit,
}

/// One component made of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The component. A root without dependencies and without refused imports is unchanged.
    pub bytes: Vec<u8>,
    /// Every link that was made.
    pub linked: Vec<LinkedImport>,
    /// Every part that was denied something.
    pub isolated: Vec<Isolated>,
    /// Every import that answers with a refusal.
    pub refused: Vec<Refused>,
}

/// An import that is answered with a refusal, because the host knows it and does not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The part that imports.
    pub part: String,
    /// The name of the import.
    pub import: String,
    /// What each call is told.
    pub words: &'static str,
}

/// What a host has for the imports that no dependency satisfies.
pub trait Host {
    /// Whether it provides the import of this name.
    fn provides(&self, import: &str) -> bool;

    /// What a call of the import is told, if the host knows it and does not have it.
    fn refuses(&self, import: &str) -> Option<&'static str>;

    /// The versions in which it provides the interface, whichever the import wants.
    fn versions(&self, import: &str) -> Vec<&'static str>;
}

/// A host that knows no more than it provides.
impl<F: Fn(&str) -> bool> Host for F {
    fn provides(&self, import: &str) -> bool {
        self(import)
    }

    fn refuses(&self, _: &str) -> Option<&'static str> {
        None
    }

    fn versions(&self, _: &str) -> Vec<&'static str> {
        Vec::new()
    }
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

/// A part that does not inherit all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isolated {
    /// The part.
    pub part: String,
    /// Its imports that answer with a denial.
    pub denied: Vec<String>,
}

/// Links `root` with its dependencies, theirs included. `host` provides, or refuses, the rest.
pub fn compose(root: &Part, host: impl Host) -> Result<Composed, ComposeError> {
    wire::Wiring::new(&host).finish(root)
}

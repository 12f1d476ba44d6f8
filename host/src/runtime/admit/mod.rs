//! The door for everybody's WebAssembly: what is nearly a component of today becomes one. Comes in: bytes as
//! they were built; goes out: a component, the same bytes where they are one already. Does no I/O, and never
//! touches what it cannot make sense of: whoever links it says what it is.

mod candidate;
mod module;

use std::borrow::Cow;

use super::inspect::{NotAComponent, inspect};

/// Why a core module could not be made a component.
#[derive(Debug, thiserror::Error)]
#[error(
    "it is a core module that describes its component, and cannot be made one: {reason}; build it with a newer SDK, or for wasm32-wasip2"
)]
pub struct AdmitError {
    /// What the encoder said.
    pub reason: String,
}

/// Makes a component of what is built as a core module with a description of its component, and gives
/// interfaces of the last candidate of WASI 0.3 the names they have since.
pub fn admit(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, AdmitError> {
    let (component, surface) = match inspect(&bytes) {
        Err(NotAComponent::ModuleWithTypes) => {
            let component = module::componentize(&bytes)?;
            let surface = inspect(&component);
            (Cow::Owned(component), surface)
        }
        surface => (bytes, surface),
    };
    // What is no component is told so by whoever links it.
    let renamed = surface
        .ok()
        .and_then(|surface| candidate::renamed(&component, &surface));
    Ok(renamed.map_or(component, Cow::Owned))
}

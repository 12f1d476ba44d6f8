//! From bytes to instances: links components, compiles or loads them, and keeps instances to serve
//! requests. Comes in: component bytes, grants and limits; goes out: responses. Never opens a file of
//! a guest's: that is the capabilities' business.

pub mod inspect;
pub mod admit;
pub mod compose;
pub mod needs;
pub mod cache;
pub mod engine;
pub mod ticker;
pub mod linker;
pub mod refused;
pub mod reset;
pub mod state;
pub mod pool;
pub mod signer;

pub use pool::{HandleError, Slot};

#[cfg(test)]
#[path = "tests/interfaces.rs"]
mod interfaces;

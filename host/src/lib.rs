//! Signet: a host runtime on Wasmtime for signed webhooks.
//!
//! The modules stand in reading order, which is the way of the data: the command line names a
//! manifest, the manifest becomes an [`app`], the app loads components through [`runtime`], gives
//! them capabilities, and serves them.

pub mod capability;
pub mod manifest;
pub mod runtime;
pub mod server;

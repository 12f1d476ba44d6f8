//! Signet: a host runtime on Wasmtime for signed webhooks.
//!
//! The modules stand in reading order, which is the way of the data: the command line names a
//! manifest, the manifest becomes an [`app`], the app loads components through [`runtime`], gives
//! them what their [`manifest`] grants of each [`capability`], and [`server`] brings them requests.

pub mod cli;
pub mod app;
pub mod manifest;
pub mod server;
pub mod runtime;
pub mod capability;
pub mod queue;
pub mod file;
pub mod clock;
pub mod net;
pub mod admin;
pub mod metrics;
pub mod telemetry;
pub mod builtin;

#[cfg(test)]
#[path = "tests/cases.rs"]
mod cases;

//! The webhook producer: keeps registrations in SQLite, signs payloads through `hmac` and sends them
//! to the consumers. In come HTTP requests and, from its queue, deliveries to make; out go answers, handshakes
//! and signed events.
//!
//! What it decides is in the modules listed here, pure and tested natively; what it does with
//! WebAssembly's imports is in `component`. It never logs a key or a token, and it shows a key once,
//! in the answer that created it.

pub mod answer;
pub mod api;
pub mod custom;
pub mod delivery;
pub mod draw;
pub mod endpoints;
pub mod event;
pub mod filter;
pub mod guard;
pub mod headers;
pub mod idempotency;
pub mod keys;
pub mod message;
pub mod moment;
pub mod openapi;
pub mod problem;
pub mod query;
pub mod registration;
pub mod schema;
pub mod seal;
pub mod target;
pub mod trace;
pub mod verdict;

// The imports and the export exist in WebAssembly only.
#[cfg(target_arch = "wasm32")]
mod component;

//! The webhook producer: keeps registrations in SQLite, signs payloads through `hmac` and sends them
//! to the consumers. In come HTTP requests; out go answers, handshakes and signed events.
//!
//! What it decides is in the modules listed here, pure and tested natively; what it does with
//! WebAssembly's imports is in `component`. It never logs a key or a token, and it shows a key once,
//! in the answer that created it.

pub mod answer;
pub mod api;
pub mod delivery;
pub mod draw;
pub mod event;
pub mod filter;
pub mod headers;
pub mod problem;
pub mod registration;
pub mod schema;
pub mod target;

// The imports and the export exist in WebAssembly only.
#[cfg(target_arch = "wasm32")]
mod component;

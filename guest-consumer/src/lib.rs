//! The webhook consumer: keeps its signing key in key-value and verifies what it receives through
//! `hmac`. In come handshakes and signed payloads; out go 200 or a problem.
//!
//! What it decides is in the modules listed here, pure and tested natively; what it does with
//! WebAssembly's imports is in `component`. It never logs a key or a token, and it never takes a key
//! from someone who shows neither the operator's token nor the current key.

pub mod answer;
pub mod api;
pub mod encoding;
pub mod handshake;
pub mod problem;
pub mod signature;

// The imports and the export exist in WebAssembly only.
#[cfg(all(target_arch = "wasm32", feature = "component"))]
mod component;

//! The webhook consumer: keeps its signing keys in key-value, verifies what it receives through `hmac`, and
//! applies it once. In come handshakes and signed payloads; out go 200 or a problem.
//!
//! What it decides is in the modules listed here, pure and tested natively; what it does with
//! WebAssembly's imports is in `component`. It never logs a key or a token, and it never takes a key
//! from someone who shows neither the operator's token nor the current key.

pub mod answer;
pub mod api;
pub mod event;
pub mod handshake;
pub mod hmac;
pub mod keys;
pub mod problem;
pub mod schema;
pub mod signature;

// The imports and the export exist in WebAssembly only.
#[cfg(all(target_arch = "wasm32", feature = "component"))]
mod component;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod native;

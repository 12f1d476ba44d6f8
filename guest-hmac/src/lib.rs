//! The `hmac` component: signs and verifies with HMAC-SHA256 for every other component, in whatever
//! language. In come the calls of `fermyon:hmac`; out go tags and verdicts, which [`mac`] makes. It
//! never imports anything: a signer that can reach no one cannot leak a key.

#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod mac;

// The component's exports exist in WebAssembly only: natively the crate is `mac` and its tests.
#[cfg(target_arch = "wasm32")]
extern crate alloc;
#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
mod realloc;

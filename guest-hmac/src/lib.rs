//! The `hmac` component: signs and verifies webhooks for every other component, in whatever language. In come
//! the calls of `fermyon:hmac` and `signet:webhooks`; out go signatures and verdicts, which [`mac`],
//! [`standard`] and [`sender`] make. It never imports anything: a signer that can reach no one cannot leak a
//! key.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod mac;
pub mod refusal;
pub mod sender;
pub mod standard;
pub mod timestamp;

// The component's exports exist in WebAssembly only: natively the crate is its decisions and their tests.
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
mod bare;
#[cfg(target_arch = "wasm32")]
mod component;

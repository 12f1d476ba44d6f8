//! The built-in hmac component on its own, for the command line. Comes in: data and a key; goes out: a
//! tag or a verdict. Never signs without the component.

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use crate::builtin;

mod bindings {
    wasmtime::component::bindgen!({ path: "../wit/deps/fermyon-hmac", world: "signing" });
}

/// An instance of the hmac component.
pub struct Signer {
    store: Store<()>,
    instance: bindings::Signing,
}

impl Signer {
    /// Compiles and instantiates the component. The Linker is empty: the component imports nothing.
    pub fn new() -> wasmtime::Result<Self> {
        let bytes = builtin::component("hmac").unwrap_or_default();
        Self::of(bytes)
    }

    /// An instance of another component with the same exports.
    pub fn of(bytes: &[u8]) -> wasmtime::Result<Self> {
        let engine = Engine::default();
        let component = Component::new(&engine, bytes)?;
        let mut store = Store::new(&engine, ());
        let instance =
            bindings::Signing::instantiate(&mut store, &component, &Linker::new(&engine))?;
        Ok(Self { store, instance })
    }

    /// The tag of `data` under `key`, or the component's refusal in words.
    pub fn sign(&mut self, data: &[u8], key: &[u8]) -> wasmtime::Result<Result<Vec<u8>, String>> {
        self.instance
            .fermyon_hmac_sign()
            .call_sign(&mut self.store, data, key)
    }

    /// Whether `tag` is that of `data` under `key`.
    pub fn verify(&mut self, data: &[u8], key: &[u8], tag: &[u8]) -> wasmtime::Result<bool> {
        self.instance
            .fermyon_hmac_verify()
            .call_verify(&mut self.store, data, key, tag)
    }
}

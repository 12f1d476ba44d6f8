//! The built-in hmac component on its own, for the command line. Comes in: data and a key; goes out: a
//! signature or a verdict. Never signs without the component.

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use crate::builtin;

mod bindings {
    #![allow(missing_docs, reason = "generated; the WIT says what each is")]
    wasmtime::component::bindgen!({
        path: ["../wit/deps/fermyon-hmac", "../wit/deps/signet-webhooks", "../wit/hmac"],
        world: "signet:hmac/hmac",
    });
}

use bindings::exports::signet as ours;
pub use ours::webhooks::{senders, standard, types};

/// An instance of the hmac component.
pub struct Signer {
    store: Store<()>,
    instance: bindings::Hmac,
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
        let instance = bindings::Hmac::instantiate(&mut store, &component, &Linker::new(&engine))?;
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

    /// The list of signatures of a webhook under Standard Webhooks.
    pub fn sign_standard(
        &mut self,
        id: &str,
        timestamp: u64,
        body: &[u8],
        keys: &[standard::Key],
    ) -> wasmtime::Result<Result<String, types::SignError>> {
        self.instance.signet_webhooks_standard().call_sign(
            &mut self.store,
            id,
            timestamp,
            body,
            keys,
        )
    }

    /// Which signature of a webhook under Standard Webhooks is right, and under which key.
    pub fn verify_standard(
        &mut self,
        headers: &standard::Headers,
        body: &[u8],
        keys: &[standard::Key],
        clock: types::Clock,
    ) -> wasmtime::Result<Result<standard::Verified, types::Refusal>> {
        self.instance.signet_webhooks_standard().call_verify(
            &mut self.store,
            headers,
            body,
            keys,
            clock,
        )
    }

    /// The header with which `sender` signs.
    pub fn sign_as(
        &mut self,
        sender: senders::Sender,
        timestamp: Option<u64>,
        body: &[u8],
        key: &[u8],
    ) -> wasmtime::Result<Result<String, types::SignError>> {
        self.instance.signet_webhooks_senders().call_sign(
            &mut self.store,
            sender,
            timestamp,
            body,
            key,
        )
    }

    /// The place of the key under which the header of `sender` is right.
    pub fn verify_from(
        &mut self,
        sender: senders::Sender,
        headers: &senders::Headers,
        body: &[u8],
        keys: &[Vec<u8>],
        clock: types::Clock,
    ) -> wasmtime::Result<Result<u32, types::Refusal>> {
        self.instance.signet_webhooks_senders().call_verify(
            &mut self.store,
            sender,
            headers,
            body,
            keys,
            clock,
        )
    }

    /// Why a webhook was refused, in words.
    pub fn explain(&mut self, reason: types::Refusal) -> wasmtime::Result<String> {
        self.instance
            .signet_webhooks_standard()
            .call_explain(&mut self.store, reason)
    }

    /// Why nothing was signed, in words.
    pub fn explain_sign_error(&mut self, reason: types::SignError) -> wasmtime::Result<String> {
        self.instance
            .signet_webhooks_standard()
            .call_explain_sign_error(&mut self.store, reason)
    }
}

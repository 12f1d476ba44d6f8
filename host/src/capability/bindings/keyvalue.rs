//! The faces of key-value as Rust: the world `host-key-value`. WIT says store where the room says bucket. The
//! resource is one type of the room's, but for the face whose cursors the bucket itself must remember.

mod generated {
    // Names and missing words here are the generator's, not ours.
    #![allow(missing_docs, non_camel_case_types, unreachable_pub)]

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "signet:worlds/host-key-value",
        imports: {
            // Synchronous for the guest, and still no reason to block a thread.
            "fermyon:spin/key-value.[method]store.get": async | trappable,
            "fermyon:spin/key-value.[method]store.set": async | trappable,
            "fermyon:spin/key-value.[method]store.delete": async | trappable,
            "fermyon:spin/key-value.[method]store.exists": async | trappable,
            "fermyon:spin/key-value.[method]store.get-keys": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft.[method]bucket.get": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft.[method]bucket.set": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft.[method]bucket.delete": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft.[method]bucket.exists": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft.[method]bucket.list-keys": async | trappable,
            "wasi:keyvalue/atomics@0.2.0-draft.increment": async | trappable,
            "wasi:keyvalue/batch@0.2.0-draft": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.get": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.set": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.delete": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.exists": async | trappable,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.list-keys": async | trappable,
            "wasi:keyvalue/atomics@0.2.0-draft2.[static]cas.new": async | trappable,
            "wasi:keyvalue/atomics@0.2.0-draft2.[method]cas.current": async | trappable,
            "wasi:keyvalue/atomics@0.2.0-draft2.increment": async | trappable,
            "wasi:keyvalue/atomics@0.2.0-draft2.swap": async | trappable,
            "wasi:keyvalue/batch@0.2.0-draft2": async | trappable,
            default: trappable,
        },
        with: {
            "spin:key-value/key-value.store": crate::capability::keyvalue::Bucket,
            "fermyon:spin/key-value.store": crate::capability::keyvalue::Bucket,
            "wasi:keyvalue/store@0.2.0-draft.bucket": crate::capability::keyvalue::Numbered,
            "wasi:keyvalue/store@0.2.0-draft2.bucket": crate::capability::keyvalue::Bucket,
            "wasi:keyvalue/atomics@0.2.0-draft2.cas": crate::capability::keyvalue::Cas,
        },
    });
}

pub use generated::fermyon::spin::key_value as fermyon_spin;
pub use generated::spin::key_value::key_value as spin_key_value;
pub use generated::wasi::{
    keyvalue0_2_0_draft as wasi_keyvalue_draft, keyvalue0_2_0_draft2 as wasi_keyvalue_draft2,
};

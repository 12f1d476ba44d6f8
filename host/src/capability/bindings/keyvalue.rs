//! The faces of key-value as Rust: the world `host-key-value`. WIT says store where the room says bucket.

mod generated {
    // Names and missing words here are the generator's, not ours.
    #![allow(missing_docs, non_camel_case_types, unreachable_pub)]

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "signet:worlds/host-key-value",
        imports: { default: trappable },
        with: {
            "spin:key-value/key-value.store": crate::capability::keyvalue::Bucket,
        },
    });
}

pub use generated::spin::key_value::key_value as spin_key_value;

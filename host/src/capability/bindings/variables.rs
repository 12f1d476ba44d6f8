//! The faces of variables as Rust: the world `host-variables`.

mod generated {
    // Names and missing words here are the generator's, not ours.
    #![allow(missing_docs, non_camel_case_types, unreachable_pub)]

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "signet:worlds/host-variables",
        imports: { default: trappable },
    });
}

pub use generated::spin::variables::variables as spin_variables;

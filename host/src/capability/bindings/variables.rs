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

pub use generated::fermyon::spin::variables as fermyon_spin;
pub use generated::spin::variables::variables as spin_variables;
pub use generated::wasi::config0_2_0_draft::runtime as wasi_config_draft_runtime;
pub use generated::wasi::config0_2_0_draft::store as wasi_config_draft_store;
pub use generated::wasi::config0_2_0_draft_2024_09_27::store as wasi_config_draft_2024_09_27;
pub use generated::wasi::config0_2_0_rc_1::store as wasi_config_rc_1;

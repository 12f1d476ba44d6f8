//! The WIT of the world `host`, as Rust: the one list of what guests may import beside WASI. Comes
//! in: the files under `wit/`; goes out: the traits that each capability's `host` implements. Never
//! holds a line of behaviour.

mod generated {
    // Names and missing words here are the generator's, not ours.
    #![allow(missing_docs, non_camel_case_types, unreachable_pub)]

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "signet:worlds/host",
        imports: {
            // Synchronous for the guest, and still no reason to block a thread.
            "spin:sqlite/sqlite.[method]connection.execute": async | trappable,
            "spin:sqlite/sqlite.[method]connection.last-insert-rowid": async | trappable,
            "spin:sqlite/sqlite.[method]connection.changes": async | trappable,
            default: trappable,
        },
        with: {
            "spin:sqlite/sqlite.connection": crate::capability::sqlite::Connection,
            "spin:key-value/key-value.store": crate::capability::keyvalue::Bucket,
        },
    });
}

pub use generated::spin::{key_value, sqlite, variables};

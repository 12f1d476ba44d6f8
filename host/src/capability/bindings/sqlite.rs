//! The faces of SQLite as Rust: the world `host-sqlite`. Their resource is one type of the room's, so that
//! whichever face opens a connection, there is one kind of them.

mod generated {
    // Names and missing words here are the generator's, not ours.
    #![allow(missing_docs, non_camel_case_types, unreachable_pub)]

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "signet:worlds/host-sqlite",
        imports: {
            // Synchronous for the guest, and still no reason to block a thread.
            "fermyon:spin/sqlite.[method]connection.execute": async | trappable,
            "spin:sqlite/sqlite.[method]connection.execute": async | trappable,
            "spin:sqlite/sqlite.[method]connection.last-insert-rowid": async | trappable,
            "spin:sqlite/sqlite.[method]connection.changes": async | trappable,
            default: trappable,
        },
        with: {
            "fermyon:spin/sqlite.connection": crate::capability::sqlite::Connection,
            "spin:sqlite/sqlite.connection": crate::capability::sqlite::Connection,
        },
    });
}

pub use generated::fermyon::spin::sqlite as fermyon_spin;
pub use generated::spin::sqlite::sqlite as spin_sqlite;

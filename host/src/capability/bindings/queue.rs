//! The queue as Rust: the world `host-queue`, which guests import, and the world `queue-worker`, which they
//! export. Its types are one set for both.

mod generated {
    // Names and missing words here are the generator's, not ours.
    #![allow(missing_docs, non_camel_case_types, unreachable_pub)]

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "signet:worlds/host-queue",
        imports: { default: trappable },
    });
}

// The package's namespace has the name of the host, which is not meant.
use generated::signet as wit;
pub use generated::{HostQueue, HostQueuePre};
pub use wit::queue::{queue, types};

//! A WASI 0.3 guest for measuring what it does to others. Comes in: any request; goes out: nothing, ever. It
//! computes until its host ends it.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]
#![allow(unsafe_code, reason = "generated bindings lift and lower raw memory")]

use wasip3::http::types::{ErrorCode, Request, Response};

struct Loops;

wasip3::http::service::export!(Loops);

impl wasip3::exports::http::handler::Guest for Loops {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        loop {
            core::hint::spin_loop();
        }
    }
}

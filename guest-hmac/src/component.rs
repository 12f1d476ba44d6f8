//! The glue between the component's interfaces and the rooms that decide, and what a crate without `std` owes
//! the linker: an allocator and a panic handler. In come lists, out go lists. It never decides anything, and
//! never imports anything.

mod convert;
mod webhooks;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::mac;

mod bindings {
    // Generated: it lifts and lowers by the canonical ABI, which is raw pointers.
    #![allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
    #![allow(missing_docs)]
    // Errors are `core::error::Error` where the crate has a feature of that name, which it does not need.
    #![allow(unexpected_cfgs)]
    wit_bindgen::generate!({
        path: ["../wit/deps/fermyon-hmac", "../wit/deps/signet-webhooks", "../wit/hmac"],
        world: "signet:hmac/hmac",
        std_feature,
    });
    use super::Hmac;
    export!(Hmac with_types_in self);
}

use bindings::exports::fermyon::hmac::{sign, verify};

struct Hmac;

impl sign::Guest for Hmac {
    fn sign(data: Vec<u8>, keyvalue: Vec<u8>) -> Result<Vec<u8>, String> {
        match mac::sign(&data, &keyvalue) {
            Some(tag) => Ok(tag.to_vec()),
            None => Err(mac::EMPTY_KEY.to_string()),
        }
    }
}

impl verify::Guest for Hmac {
    fn verify(data: Vec<u8>, keyvalue: Vec<u8>, tag: Vec<u8>) -> bool {
        mac::verify(&data, &keyvalue, &tag)
    }
}

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Ends the instance: there is nobody here to tell more to.
#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

//! A WASI 0.2 guest for measuring. Comes in: any request; goes out: 200 and a line. It reads nothing of the
//! request and keeps nothing.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]
#![allow(unsafe_code, reason = "generated bindings lift and lower raw memory")]

use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Hello;

wasip2::http::proxy::export!(Hello);

impl wasip2::exports::http::incoming_handler::Guest for Hello {
    fn handle(_request: IncomingRequest, out: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        if let Ok(stream) = body.write() {
            let _ = stream.blocking_write_and_flush(b"Hello, world!\n");
        }
        let _ = OutgoingBody::finish(body, None);
    }
}

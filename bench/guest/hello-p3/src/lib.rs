//! A WASI 0.3 guest for measuring. Comes in: any request; goes out: 200 and a line. It reads nothing of the
//! request and keeps nothing.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]
#![allow(unsafe_code, reason = "generated bindings lift and lower raw memory")]

use wasip3::http::types::{ErrorCode, Fields, Request, Response};

struct Hello;

wasip3::http::service::export!(Hello);

impl wasip3::exports::http::handler::Guest for Hello {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let (mut body, contents) = wasip3::wit_stream::new();
        let (end, trailers) = wasip3::wit_future::new(|| Ok(None));
        let (response, _sent) = Response::new(Fields::new(), Some(contents), trailers);
        wit_bindgen::spawn_local(async move {
            body.write_all(b"Hello, world!\n".to_vec()).await;
            drop(body);
            // Nobody wrote trailers: dropped, the future has its default, none.
            drop(end);
        });
        Ok(response)
    }
}

//! A component of `wasi:http` 0.2 and nothing else: it runs on any host that serves that, and knows none of
//! them. In comes a request; out goes a greeting that repeats the request's path and body.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::StreamError;

struct Hello;

wasip2::http::proxy::export!(Hello);

/// What one read may bring, and one write may take, in bytes.
const PIECE: u64 = 4096;

impl Guest for Hello {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let response = OutgoingResponse::new(Fields::new());
        // A body can be taken once, and no one else has this one.
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        if answer(&request, &path, &body).is_ok() {
            // Who has gone away needs no end.
            let _ = OutgoingBody::finish(body, None);
        }
    }
}

/// Writes the greeting, then the request's body as it comes.
fn answer(request: &IncomingRequest, path: &str, body: &OutgoingBody) -> Result<(), StreamError> {
    let (Ok(output), Ok(incoming)) = (body.write(), request.consume()) else {
        return Err(StreamError::Closed);
    };
    output.blocking_write_and_flush(format!("Hello from {path}\n").as_bytes())?;
    let Ok(input) = incoming.stream() else {
        return Err(StreamError::Closed);
    };
    loop {
        match input.blocking_read(PIECE) {
            Ok(piece) => output.blocking_write_and_flush(&piece)?,
            Err(StreamError::Closed) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

//! How deep components ask one another. Comes in: a request of an instance to its own app; goes out: the
//! same with its depth, or that it goes round in circles. The depth is kept beside the request, where no
//! guest can write it.

use std::sync::Arc;

use wasmtime_wasi_http::{Error, WasiBody};

use super::ticket::Tickets;
use crate::capability::http::allow::Within;
use crate::capability::http::{Asking, Inside};

/// How many components may ask one another for one request from outside.
const DEEPEST: u8 = 16;

/// A request's depth: none for those from outside.
#[derive(Clone, Copy)]
struct Depth(u8);

/// The depth of a request.
pub(super) fn depth(request: &http::Request<WasiBody>) -> u8 {
    let depth = request.extensions().get::<Depth>();
    depth.map_or(0, |depth| depth.0)
}

/// What one instance asks of its own app.
pub(super) struct Chain {
    pub(super) component: String,
    pub(super) tickets: Tickets,
    pub(super) inside: Arc<dyn Inside>,
}

impl Inside for Chain {
    fn ask(&self, to: Within, mut request: http::Request<WasiBody>) -> Asking {
        let depth = self.tickets.depth().saturating_add(1);
        if depth > DEEPEST {
            tracing::warn!(
                component = self.component,
                ?to,
                deepest = DEEPEST,
                "a request within the app was refused: components ask one another in a circle"
            );
            return Box::pin(async { Err(Error::LoopDetected) });
        }
        request.extensions_mut().insert(Depth(depth));
        self.inside.ask(to, request)
    }
}

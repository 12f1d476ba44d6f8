//! Requests that do not leave the app: to another of its components by name, or to the app itself. Owns
//! the word for whoever answers them; comes in: a request that was granted; goes out: the response, or that
//! there is nobody of this name. Never opens a connection, and never knows how a component is run.

use std::pin::Pin;
use std::sync::Arc;

use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::allow::Within;

/// The response to a request that does not leave the app.
pub type Asking = Pin<Box<dyn Future<Output = Result<http::Response<WasiBody>, Error>> + Send>>;

/// Whoever answers requests that do not leave the app.
pub trait Inside: Send + Sync {
    /// Asks, without waiting: the work goes on while the caller does other things, and ends when what this
    /// returns is dropped.
    fn ask(&self, to: Within, request: http::Request<WasiBody>) -> Asking;
}

/// Sends a request that was granted. How long the response may take is the callee's own bound; the caller
/// may ask for less.
pub(super) async fn send(
    inside: Arc<dyn Inside>,
    to: Within,
    request: http::Request<WasiBody>,
    options: RequestOptions,
) -> Result<http::Response<WasiBody>, Error> {
    let response = inside.ask(to, request);
    let Some(patience) = options.first_byte_timeout else {
        return response.await;
    };
    let response = timeout(patience, response).await;
    response.unwrap_or(Err(Error::ConnectionReadTimeout))
}

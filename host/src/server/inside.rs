//! Requests that components make to their own app: answered on the thread they are made on, by the same
//! steps as a client's, without a socket. Comes in: a request and whom it is for; goes out: the response.
//! Never waits for a place: what is full answers so, and a circle of components cannot hold up a thread.

use std::sync::{Arc, OnceLock, Weak};

use http::Request;
use http::header::HeaderValue;
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;
use wasmtime_wasi_http::{Error, WasiBody};

use super::answer::{From, Here, answer};
use super::request_body::RequestBody;
use super::response_body::Held;
use super::trace;
use crate::runtime::pool::{self, Asking, Within};

/// The way from one app's components back to the app, on one thread. It is made before the components'
/// pools, which hold it, and connected when the app is served.
#[derive(Clone, Default)]
pub struct Inside(Arc<OnceLock<Weak<Here>>>);

/// What a callee is told of its client's address: there is none.
const NOWHERE: HeaderValue = HeaderValue::from_static("0.0.0.0:0");

impl Inside {
    pub(super) fn connect(&self, here: &Arc<Here>) {
        // Who is connected stays so: a site is served once.
        let _ = self.0.set(Arc::downgrade(here));
    }
}

impl pool::Inside for Inside {
    fn ask(&self, to: Within, request: Request<WasiBody>) -> Asking {
        // Instances may outlive what is served, by the time that the thread takes to end.
        let Some(here) = self.0.get().and_then(Weak::upgrade) else {
            return Box::pin(async { Err(Error::ConnectionTerminated) });
        };
        if let Within::Component(name) = &to
            && here.component(name).is_none()
        {
            let error = nobody(&here, name);
            return Box::pin(async { Err(error) });
        }
        // A task of its own: an instance that computes does not look at what it asked for.
        let mut task = JoinSet::new();
        task.spawn(work(here, to, request));
        Box::pin(async move {
            match task.join_next().await {
                Some(Ok(response)) => Ok(response),
                Some(Err(error)) if error.is_panic() => {
                    tracing::error!("a request's task panicked: please report this as a defect");
                    Err(Error::ConnectionTerminated)
                }
                Some(Err(_)) | None => Err(Error::ConnectionTerminated),
            }
        })
    }
}

async fn work(here: Arc<Here>, to: Within, request: Request<WasiBody>) -> http::Response<WasiBody> {
    let held = Held {
        id: trace::name(),
        place: here.shared.request(),
        _flight: None,
        stall: None,
    };
    let timeout = here.shared.limits.body_timeout;
    let request = request.map(|body| RequestBody::new(body, timeout, None));
    let response = answer(&here, request, From::Guest { to: &to }, &NOWHERE, held).await;
    response.map(|body| body.boxed_unsync())
}

/// There is no component of this name; what there is, the operator is told.
fn nobody(here: &Here, name: &str) -> Error {
    let components: Vec<_> = here.components.iter().map(|(name, _)| name).collect();
    tracing::warn!(
        name,
        ?components,
        "a component asked one that this app does not have"
    );
    Error::DnsError {
        rcode: Some(format!("the app has no component `{name}`")),
        info_code: None,
    }
}

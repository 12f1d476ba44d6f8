//! One request, from its head to the response that goes out. Comes in: a request and who sent it; goes
//! out: the guest's response, or the host's own. Never lets a guest see what a client may have forged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::HeaderValue;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use wasmtime_wasi_http::WasiBody;

use super::connection::Incident;
use super::request_body::RequestBody;
use super::respond::Refusal;
use super::response_body::{Held, ResponseBody};
use super::router::Router;
use super::shared::Shared;
use super::{head, respond, spin, trace};
use crate::metrics::Asked;
use crate::runtime::Slot;

/// What answers the requests of one site.
pub(super) struct Here {
    router: Router<Place>,
    pub(super) shared: Arc<Shared>,
    /// Whether each answer is the last one on its connection.
    pub(super) stopping: AtomicBool,
}

/// A component at the end of a route.
struct Place {
    slot: Slot,
    route: spin::Route,
}

impl Here {
    pub(super) fn new(router: Router<Slot>, shared: Arc<Shared>) -> Self {
        Self {
            router: router.map(|pattern, slot| Place {
                slot,
                route: spin::Route::new(pattern),
            }),
            shared,
            stopping: AtomicBool::new(false),
        }
    }
}

/// One request, from its head to the response that goes out.
pub(super) async fn answer(
    here: Arc<Here>,
    request: Request<Incoming>,
    incident: Incident,
    client: HeaderValue,
) -> Response<ResponseBody> {
    let version = request.version();
    let id = trace::name();
    let (place, mut asked) = (here.shared.request(), None);
    let answered = match &place {
        Some(_) => ask(&here, request, &id, &incident, &client, &mut asked).await,
        None => Err(Refusal::Full),
    };
    let (mut response, limit) = answered.unwrap_or_else(|refusal| {
        tracing::debug!(request = id, ?refusal, "a request was refused");
        let mut response = respond::refuse(&refusal);
        here.shared.metrics.refused(response.status().as_u16());
        if refusal.is_last() {
            head::last(response.headers_mut(), version);
        }
        (response, u64::MAX)
    });
    if let Some(asked) = asked {
        Asked::answered(asked, response.status().as_u16());
    }
    if here.stopping.load(Ordering::Relaxed) {
        head::last(response.headers_mut(), version);
    }
    trace::put(response.headers_mut(), trace::REQUEST_ID, &id);
    let held = Held {
        id,
        _place: place,
        _flight: incident.flight,
        stall: incident.stall,
    };
    response.map(|body| ResponseBody::new(body, limit, held))
}

/// The guest's response, if there is one that can be sent, and how large its body may be.
async fn ask(
    here: &Here,
    request: Request<Incoming>,
    id: &str,
    incident: &Incident,
    client: &HeaderValue,
    asked: &mut Option<Asked>,
) -> Result<(Response<WasiBody>, u64), Refusal> {
    let limits = &here.shared.limits;
    let (mut parts, body) = request.into_parts();
    // The body is taken over first: whatever is refused from here on is dropped unread.
    let traffic = Arc::clone(incident.flight.traffic());
    let body = RequestBody::new(body, limits.body_timeout, traffic);
    head::for_guest(&mut parts, limits)?;
    trace::tell(&mut parts.headers, id);
    let found = here.router.route(parts.uri.path());
    let found = found.ok_or(Refusal::NoRoute)?;
    let Place { slot, route } = found.value;
    let way = (&*found.params, found.trailing);
    route.tell(&mut parts.headers, &parts.uri, way, client);
    let pool = slot.pool();
    let guest = pool.guest();
    *asked = Some(guest.metrics.asked());
    let body = body.at_most(guest.limits.request_body)?;
    let fate = body.fate();
    let request = Request::from_parts(parts, body.boxed_unsync());
    let answered = pool.handle(request, id).await;
    // What a guest makes of a body that broke off is not what the client needs to know.
    if let Some(refusal) = fate.refusal() {
        return Err(refusal);
    }
    let name = &guest.name;
    let response = answered.map_err(|error| {
        tracing::error!(request = id, component = name, %error, "a request was not answered by its component");
        Refusal::from(&error)
    })?;
    let (parts, body) = response.into_parts();
    let too_large = body.size_hint().lower() > guest.limits.response_body;
    let fault = head::fault(&parts, limits).or(too_large.then_some("its body is too large"));
    if let Some(fault) = fault {
        tracing::error!(
            request = id,
            component = name,
            fault,
            "a response was not sent"
        );
        return Err(Refusal::Failed);
    }
    Ok((
        Response::from_parts(parts, body),
        guest.limits.response_body,
    ))
}

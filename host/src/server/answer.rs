//! One request, from its head to the response that goes out: a client's, or one that a guest makes to its own
//! app. Comes in: a request and who sent it; goes out: the guest's response, or the host's own. Never lets a
//! guest see what a client may have forged.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::uri::{Authority, Scheme, Uri};
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use super::connection::Incident;
use super::request_body::RequestBody;
use super::respond::Refusal;
use super::response_body::{Held, ResponseBody};
use super::router::{Pattern, Router};
use super::shared::Shared;
use super::tls::Tls;
use super::{head, respond, spin, trace};
use crate::metrics::Asked;
use crate::runtime::Slot;
use crate::runtime::pool::Within;
use crate::telemetry::RequestId;

/// What answers the requests of one site.
pub(super) struct Here {
    /// Where it listens.
    pub(super) address: SocketAddr,
    pub(super) tls: Option<Tls>,
    pub(super) router: Router<Place>,
    /// By name.
    pub(super) components: Vec<(String, Place)>,
    pub(super) shared: Arc<Shared>,
    /// Whether each answer is the last one on its connection.
    pub(super) stopping: AtomicBool,
}

/// A component, where it is reached: at the end of a route, or by its name.
pub(super) struct Place {
    slot: Slot,
    route: spin::Route,
}

/// Who sent a request.
#[derive(Clone, Copy)]
pub(super) enum From<'a> {
    /// A client.
    Client,
    /// A guest of this app.
    Guest {
        /// Whom it is for.
        to: &'a Within,
    },
}

impl Place {
    /// The components at the ends of these routes.
    pub(super) fn router(router: Router<Slot>) -> Router<Self> {
        router.map(|pattern, slot| Self {
            slot,
            route: spin::Route::new(pattern),
        })
    }

    /// The components by their names: each answers any path.
    pub(super) fn named(slots: Vec<(String, Slot)>) -> Vec<(String, Self)> {
        let any = Pattern::any();
        let place = |slot| Self {
            slot,
            route: spin::Route::new(&any),
        };
        let named = slots.into_iter().map(|(name, slot)| (name, place(slot)));
        named.collect()
    }
}

impl Here {
    /// The component of this name, which is the name of a host: case counts for nothing.
    pub(super) fn component(&self, name: &str) -> Option<&Place> {
        let mut components = self.components.iter();
        let (_, place) = components.find(|(have, _)| have.eq_ignore_ascii_case(name))?;
        Some(place)
    }

    /// How the app is asked from outside.
    fn scheme(&self) -> Scheme {
        match self.tls {
            Some(_) => Scheme::HTTPS,
            None => Scheme::HTTP,
        }
    }

    /// The name under which the app itself is asked.
    fn authority(&self) -> Option<Authority> {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        address.to_string().parse().ok()
    }

    /// Who answers, and the values of its parameters and its wildcard.
    fn find<'p>(&self, from: From<'_>, path: &'p str) -> Option<(&Place, Way<'_, 'p>)> {
        if let From::Guest {
            to: Within::Component(name),
        } = from
        {
            return Some((self.component(name)?, (Vec::new(), path)));
        }
        let found = self.router.route(path)?;
        Some((found.value, (found.params, found.trailing)))
    }
}

type Way<'r, 'p> = (Vec<(&'r str, &'p str)>, &'p str);

/// Answers a client.
pub(super) async fn answer_client(
    here: Arc<Here>,
    request: Request<Incoming>,
    incident: Incident,
    client: HeaderValue,
) -> Response<ResponseBody> {
    let version = request.version();
    // The body is taken over first: whatever is refused from here on is dropped unread.
    let traffic = Some(Arc::clone(incident.flight.traffic()));
    let timeout = here.shared.limits.body_timeout;
    let request = request.map(|body| RequestBody::new(body, timeout, traffic));
    let held = Held {
        id: trace::name(),
        place: here.shared.request(),
        _flight: Some(incident.flight),
        stall: incident.stall,
    };
    let mut response = answer(&here, request, From::Client, &client, held).await;
    if here.stopping.load(Ordering::Relaxed) {
        head::last(response.headers_mut(), version);
    }
    response
}

/// Answers whoever asks.
pub(super) async fn answer<B>(
    here: &Here,
    request: Request<RequestBody<B>>,
    from: From<'_>,
    client: &HeaderValue,
    held: Held,
) -> Response<ResponseBody>
where
    B: Body<Data = Bytes, Error: Into<Error>> + Send + Unpin + 'static,
{
    let version = request.version();
    let mut asked = None;
    let answered = match &held.place {
        Some(_) => ask(here, request, from, client, &held.id, &mut asked).await,
        None => Err(Refusal::Full),
    };
    let (mut response, limit) = answered.unwrap_or_else(|refusal| {
        tracing::debug!(request = %held.id, ?refusal, "a request was refused");
        let mut response = respond::refuse(&refusal);
        here.shared.metrics.refused(response.status().as_u16());
        if refusal.is_last() && matches!(from, From::Client) {
            head::last(response.headers_mut(), version);
        }
        (response, u64::MAX)
    });
    if let Some(asked) = asked {
        Asked::answered(asked, response.status().as_u16());
    }
    trace::put(response.headers_mut(), trace::REQUEST_ID, held.id.digits());
    response.map(|body| ResponseBody::new(body, limit, held))
}

/// The guest's response, if there is one that can be sent, and how large its body may be.
async fn ask<B>(
    here: &Here,
    request: Request<RequestBody<B>>,
    from: From<'_>,
    client: &HeaderValue,
    id: &RequestId,
    asked: &mut Option<Asked>,
) -> Result<(Response<WasiBody>, u64), Refusal>
where
    B: Body<Data = Bytes, Error: Into<Error>> + Send + Unpin + 'static,
{
    let limits = &here.shared.limits;
    let (mut parts, body) = request.into_parts();
    match from {
        From::Client => head::of_client(&mut parts, limits, here.scheme())?,
        From::Guest { to } => {
            head::of_guest(&mut parts, limits)?;
            if *to == Within::App {
                readdress(&mut parts, here.scheme(), here.authority());
            }
        }
    }
    let uri = parts.uri.clone();
    let (place, (params, trailing)) = here.find(from, uri.path()).ok_or(Refusal::NoRoute)?;
    let complete = |parts: &mut http::request::Parts| {
        trace::tell(&mut parts.headers, id);
        let way = (&*params, trailing);
        let route = &place.route;
        route.tell(&mut parts.headers, &parts.uri, way, client);
    };
    let pool = place.slot.pool();
    let guest = pool.guest();
    *asked = Some(guest.metrics.asked());
    let body = body.at_most(guest.limits.request_body)?;
    let fate = body.fate();
    let request = Request::from_parts(parts, body.boxed_unsync());
    let answered = pool.handle(request, *id, complete).await;
    // What a guest makes of a body that broke off is not what the client needs to know.
    if let Some(refusal) = fate.refusal() {
        return Err(refusal);
    }
    let name = &guest.name;
    let response = answered.map_err(|error| {
        tracing::error!(request = %id, component = name, %error, "a request was not answered by its component");
        Refusal::from(&error)
    })?;
    let (parts, body) = response.into_parts();
    let too_large = body.size_hint().lower() > guest.limits.response_body;
    let fault = head::fault(&parts, limits).or(too_large.then_some("its body is too large"));
    if let Some(fault) = fault {
        tracing::error!(
            request = %id,
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

/// Gives a request to the app itself the name under which the app is asked from outside.
fn readdress(parts: &mut http::request::Parts, scheme: Scheme, authority: Option<Authority>) {
    let Some(authority) = authority else { return };
    if let Ok(host) = HeaderValue::try_from(authority.as_str()) {
        parts.headers.insert(HOST, host);
    }
    let mut uri = parts.uri.clone().into_parts();
    (uri.scheme, uri.authority) = (Some(scheme), Some(authority));
    if let Ok(uri) = Uri::from_parts(uri) {
        parts.uri = uri;
    }
}

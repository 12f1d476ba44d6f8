//! The heads of requests and responses: what is let through. Comes in: a head as it was read or made;
//! goes out: the head as a guest may see it, or why there is none. Never touches a body.

use http::header::{CONNECTION, HOST, HeaderMap};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Method, Version, response};

use super::limits::Limits;
use super::respond::Refusal;
use crate::runtime::pool::Within;

/// Checks the head of a client's request and gives it the absolute URI that WASI expects: over HTTP/1 the
/// authority comes in the Host header. The scheme is that of the listener, whatever the client takes it for.
pub(super) fn of_client(parts: &mut Parts, limits: &Limits, scheme: Scheme) -> Result<(), Refusal> {
    bounded(parts, limits)?;
    let authority = authority(parts)?;
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    if uri
        .scheme
        .as_ref()
        .is_some_and(|scheme| *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS)
    {
        return Err(Refusal::BadTarget);
    }
    uri.scheme = Some(scheme);
    uri.authority = Some(authority);
    parts.uri = Uri::from_parts(uri).map_err(|_| Refusal::BadTarget)?;
    // An offer to speak another protocol stands here; it is not taken up.
    parts.extensions = http::Extensions::new();
    Ok(())
}

/// Checks the head of a request that a guest makes within its app. Its URI is absolute, and the host wrote
/// its Host header.
pub(super) fn of_guest(parts: &mut Parts, limits: &Limits) -> Result<(), Refusal> {
    bounded(parts, limits)?;
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    // Nothing is encrypted on a way that is none.
    uri.scheme = Some(Scheme::HTTP);
    parts.uri = Uri::from_parts(uri).map_err(|_| Refusal::BadTarget)?;
    Ok(())
}

fn bounded(parts: &Parts, limits: &Limits) -> Result<(), Refusal> {
    let target = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
    if target.len() > limits.max_target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    if parts.headers.len() > limits.max_headers || size(&parts.headers) > limits.max_header_bytes {
        return Err(Refusal::HeadTooLarge);
    }
    // A target without a path names the host itself, or asks to be connected to another.
    if parts.method == Method::CONNECT || !target.starts_with('/') {
        return Err(Refusal::BadTarget);
    }
    Ok(())
}

/// Whom the request is for. Where target and header both say it, they must agree: whoever stands in
/// front of this host may have looked at the other one.
fn authority(parts: &Parts) -> Result<Authority, Refusal> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let header = hosts.next();
    if hosts.next().is_some() || (header.is_none() && parts.version == Version::HTTP_11) {
        return Err(Refusal::NoHost);
    }
    let header = header
        .map(|host| Authority::try_from(host.as_bytes()))
        .transpose()
        .map_err(|_| Refusal::NoHost)?;
    let authority = match (parts.uri.authority(), header) {
        (Some(target), Some(header)) if *target != header => return Err(Refusal::NoHost),
        (Some(target), _) => target.clone(),
        (None, header) => header.ok_or(Refusal::NoHost)?,
    };
    let is_nobody = authority.host().is_empty() || authority.as_str().contains('@');
    // Who is asked by such a name takes it that a component of its own app is asking.
    let is_inside = matches!(Within::of(authority.host()), Some(Within::Component(_)));
    if is_nobody || is_inside {
        return Err(Refusal::NoHost);
    }
    Ok(authority)
}

/// Why a guest's response cannot be sent, if it cannot.
pub(super) fn fault(head: &response::Parts, limits: &Limits) -> Option<&'static str> {
    if head.status.is_informational() {
        Some("its status is not that of a final response")
    } else if head.headers.len() > limits.max_headers {
        Some("it has too many headers")
    } else if size(&head.headers) > limits.max_header_bytes {
        Some("its headers are too large")
    } else {
        None
    }
}

/// Tells an HTTP/1 client that its connection ends with this response.
pub(super) fn last(headers: &mut HeaderMap, version: Version) {
    if version < Version::HTTP_2 {
        headers.insert(CONNECTION, http::HeaderValue::from_static("close"));
    }
}

/// What the headers take on the wire of HTTP/1, about.
fn size(headers: &HeaderMap) -> usize {
    let sizes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(request: http::request::Builder) -> Result<String, Refusal> {
        let limits = Limits {
            max_target_bytes: 10,
            max_headers: 3,
            max_header_bytes: 100,
            ..Limits::default()
        };
        let mut parts = request.body(()).unwrap().into_parts().0;
        of_client(&mut parts, &limits, Scheme::HTTP).map(|()| parts.uri.to_string())
    }

    fn get(target: &str) -> http::request::Builder {
        Request::get(target)
    }

    #[test]
    fn the_uri_of_a_guest_is_absolute() {
        for request in [
            get("/a?b").header(HOST, "here:80"),
            get("http://here:80/a?b").header(HOST, "HERE:80"),
            get("https://here:80/a?b").version(Version::HTTP_2),
            get("/a?b")
                .header(HOST, "here:80")
                .version(Version::HTTP_10),
        ] {
            let uri = check(request).unwrap();
            assert_eq!(uri.to_lowercase(), "http://here:80/a?b");
        }
    }

    #[test]
    fn a_request_for_nobody_or_for_two_is_refused() {
        for request in [
            get("/"),
            get("/").version(Version::HTTP_10),
            get("http://here/"),
            get("/").header(HOST, ""),
            get("/").header(HOST, "a b"),
            get("/").header(HOST, "user@here"),
            get("/").header(HOST, ":80"),
            get("/").header(HOST, "a.spin.internal"),
            get("/").header(HOST, "A.Spin.Internal.:80"),
            get("http://a.spin.internal/").version(Version::HTTP_2),
            get("/").header(HOST, "here").header(HOST, "here"),
            get("http://here/").header(HOST, "there"),
            get("http://user:secret@here/").version(Version::HTTP_2),
        ] {
            let shown = format!("{request:?}");
            assert_eq!(check(request), Err(Refusal::NoHost), "{shown}");
        }
    }

    #[test]
    fn a_target_without_a_path_is_refused() {
        for request in [
            get("*").header(HOST, "here"),
            Request::connect("here:80").header(HOST, "here:80"),
            get("here:80").header(HOST, "here:80"),
            get("ftp://here/").header(HOST, "here"),
        ] {
            let shown = format!("{request:?}");
            assert_eq!(check(request), Err(Refusal::BadTarget), "{shown}");
        }
    }

    #[test]
    fn a_head_over_its_bounds_is_refused() {
        let host = |target| get(target).header(HOST, "here");
        assert!(check(host("/123456789")).is_ok());
        assert_eq!(check(host("/1234567890")), Err(Refusal::TargetTooLong));
        let two = || host("/").header("a", "b").header("c", "d");
        assert!(check(two()).is_ok());
        assert_eq!(check(two().header("e", "f")), Err(Refusal::HeadTooLarge));
        let large = host("/").header("a", "b".repeat(100));
        assert_eq!(check(large), Err(Refusal::HeadTooLarge));
    }
}

//! The headers in which a guest made for Spin reads how its request was routed: `spin-path-info` and its
//! kin, for every guest. Comes in: a request and its route; goes out: the request with these headers, each
//! in the place of whatever the client sent under its name. Never lets a client's own through, under either
//! spelling that a guest's library may take for the same.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Uri};

use super::router::Pattern;

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// What the name of each parameter of a route stands behind.
const PATH_MATCH: &str = "spin-path-match-";

/// How many of them each request has.
const FIXED: usize = 7;

/// What all names begin with, whatever stands between their words.
const SPIN: &str = "spin";

/// What is the same for all requests of a route.
pub(super) struct Route {
    matched: HeaderValue,
    base: HeaderValue,
    raw: HeaderValue,
    component: HeaderValue,
    params: Vec<HeaderName>,
}

impl Route {
    /// What a guest is told of `pattern`.
    pub(super) fn new(pattern: &Pattern) -> Self {
        let (base, own) = pattern.split();
        let exact = ["/...", "/*"];
        let exact = exact.iter().find_map(|wildcard| own.strip_suffix(wildcard));
        let name = |param| HeaderName::try_from(format!("{PATH_MATCH}{param}")).ok();
        Self {
            matched: value(pattern.as_str()),
            base: value(if base.is_empty() { "/" } else { base }),
            raw: value(own),
            component: value(exact.unwrap_or(own)),
            // The names of parameters are those that headers can have.
            params: pattern.parameters().filter_map(name).collect(),
        }
    }

    /// Tells the guest what became of `uri`: the values of the route's parameters, in order, what its
    /// wildcard stands for, and who asks.
    pub(super) fn tell(
        &self,
        headers: &mut HeaderMap,
        uri: &Uri,
        (params, trailing): (&[(&str, &str)], &str),
        client: &HeaderValue,
    ) {
        forget(headers);
        headers.reserve(FIXED + params.len());
        headers.insert(PATH_INFO, value(trailing));
        headers.insert(FULL_URL, url(uri));
        headers.insert(MATCHED_ROUTE, self.matched.clone());
        headers.insert(BASE_PATH, self.base.clone());
        headers.insert(RAW_COMPONENT_ROUTE, self.raw.clone());
        headers.insert(COMPONENT_ROUTE, self.component.clone());
        headers.insert(CLIENT_ADDR, client.clone());
        for (name, (_, segment)) in self.params.iter().zip(params) {
            headers.insert(name, value(segment));
        }
    }
}

/// A client's address as guests are told it.
pub(super) fn client(address: SocketAddr) -> HeaderValue {
    value(&address.to_string())
}

/// A request's whole URL, put together in one allocation that the header keeps.
fn url(uri: &Uri) -> HeaderValue {
    let parts = [
        uri.scheme_str().unwrap_or_default(),
        "://",
        uri.authority().map_or("", Authority::as_str),
        uri.path_and_query().map_or("", PathAndQuery::as_str),
    ];
    HeaderValue::from_maybe_shared(Bytes::from(parts.concat()))
        .unwrap_or(HeaderValue::from_static(""))
}

/// Routes and targets have no character that a header's value cannot have.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static(""))
}

/// Drops what a client sent under these names.
fn forget(headers: &mut HeaderMap) {
    let ours = headers.keys().filter(|name| is_ours(name.as_str()));
    for name in ours.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

fn is_ours(name: &str) -> bool {
    if !name.starts_with(SPIN) {
        return false;
    }
    let name = name.replace('_', "-");
    let fixed: [HeaderName; FIXED] = [
        PATH_INFO,
        FULL_URL,
        MATCHED_ROUTE,
        BASE_PATH,
        RAW_COMPONENT_ROUTE,
        COMPONENT_ROUTE,
        CLIENT_ADDR,
    ];
    name.starts_with(PATH_MATCH) || fixed.iter().any(|fixed| fixed == name.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::router::Router;
    use super::*;

    fn told(base: &str, route: &str, url: &str, sent: &[(&str, &str)]) -> BTreeMap<String, String> {
        let uri: Uri = url.parse().unwrap();
        let router = Router::new(vec![(Pattern::below(base, route).unwrap(), ())])
            .map(|pattern, ()| Route::new(pattern));
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let found = router.route(uri.path()).unwrap();
        let client = client("127.0.0.1:8777".parse().unwrap());
        let route = found.value;
        route.tell(&mut headers, &uri, (&found.params, found.trailing), &client);
        let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
        let told = headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)));
        let told: Vec<_> = told.collect();
        let once: BTreeMap<_, _> = told.iter().cloned().collect();
        assert_eq!(once.len(), told.len(), "{told:?}");
        once
    }

    #[test]
    fn a_guest_reads_how_its_request_was_routed() {
        for (base, route, url, expected) in [
            (
                "",
                "/foo/:UserId/...",
                "https://here.example/foo/42/bar/?a=b&c",
                [
                    ("spin-path-info", "/bar/"),
                    ("spin-full-url", "https://here.example/foo/42/bar/?a=b&c"),
                    ("spin-matched-route", "/foo/:UserId/..."),
                    ("spin-base-path", "/"),
                    ("spin-raw-component-route", "/foo/:UserId/..."),
                    ("spin-component-route", "/foo/:UserId"),
                    ("spin-client-addr", "127.0.0.1:8777"),
                    ("spin-path-match-userid", "42"),
                ],
            ),
            (
                "/base",
                "/:a",
                "http://here:80/base/x%2Fy",
                [
                    ("spin-path-info", ""),
                    ("spin-full-url", "http://here:80/base/x%2Fy"),
                    ("spin-matched-route", "/base/:a"),
                    ("spin-base-path", "/base"),
                    ("spin-raw-component-route", "/:a"),
                    ("spin-component-route", "/:a"),
                    ("spin-client-addr", "127.0.0.1:8777"),
                    ("spin-path-match-a", "x%2Fy"),
                ],
            ),
        ] {
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(told(base, route, url, &[]), BTreeMap::from(expected));
        }
        let all = told("", "/...", "http://here/", &[]);
        assert_eq!(all["spin-component-route"], "");
        assert_eq!(all["spin-path-info"], "/");
    }

    #[test]
    fn nothing_that_a_client_sends_under_these_names_is_left() {
        let sent = [
            ("spin-path-info", "/forged"),
            ("Spin-Path-Info", "/twice"),
            ("spin_path_info", "/forged"),
            ("spin-client-addr", "10.0.0.1:1"),
            ("spin-path-match-a", "forged"),
            ("spin-path-match-other", "forged"),
            ("spin_path-match_other", "forged"),
            ("spin-base-path", "/forged"),
            ("x-mine", "mine"),
            ("spin-mine", "mine"),
            ("spinning", "mine"),
        ];
        let told = told("", "/:a/...", "http://here/b", &sent);
        assert!(!format!("{told:?}").contains("forged"), "{told:?}");
        assert_eq!(told["spin-path-match-a"], "b");
        assert_eq!(told.len(), 11, "{told:?}");
        for name in ["x-mine", "spin-mine", "spinning"] {
            assert_eq!(told[name], "mine");
        }
    }
}

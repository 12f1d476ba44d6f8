//! The name of a request, and its place in a trace that others began. Comes in: a request's headers; goes
//! out: the headers as the guest sees them, and the name that stands in the log, in `x-request-id` of the
//! response and wherever a person asks what happened. Never takes a name over from a client: what stands in
//! the log is unique and nobody else's words.

use std::hash::{BuildHasher as _, RandomState};

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::telemetry::RequestId;

/// The header that carries the name, to the guest and to the client.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// W3C Trace Context: whose work this request is part of.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// One more request's name.
pub(super) fn name() -> RequestId {
    let [first, second] = [random(), random()].map(hexadecimal);
    let mut digits = [0; 32];
    digits[..16].copy_from_slice(&first);
    digits[16..].copy_from_slice(&second);
    RequestId::new(digits)
}

/// The digits of a number, for a place that is there: no text is allocated for them.
fn hexadecimal(number: u64) -> [u8; 16] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|at| DIGITS[(number >> (60 - 4 * at)) as usize & 0xf])
}

/// Tells the guest: `x-request-id` is the name, `traceparent` is the client's if it is one, and a new one
/// if not. A trace that begins here has the request's name as its id.
///
/// The host keeps no spans, so it hands on what it got: the guest's parent is the client's span.
pub(super) fn tell(headers: &mut HeaderMap, name: &RequestId) {
    put(headers, REQUEST_ID, name.digits());
    let mut parents = headers.get_all(TRACEPARENT).iter();
    let parent = parents.next().map(HeaderValue::as_bytes);
    if parent.is_some_and(is_traceparent) && parents.next().is_none() {
        return;
    }
    // The state belongs to the parent: without a valid one it says nothing (Trace Context, 3.3).
    headers.remove(TRACESTATE);
    let mut parent = *b"00-00000000000000000000000000000000-0000000000000000-00";
    parent[3..35].copy_from_slice(name.digits());
    parent[36..52].copy_from_slice(&hexadecimal(random()));
    // Not sampled: nobody here records anything.
    put(headers, TRACEPARENT, &parent);
}

/// Sets a header in the place of all of its name.
pub(super) fn put(headers: &mut HeaderMap, header: HeaderName, value: &[u8]) {
    // Digits and dashes are a value.
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(header, value);
    }
}

/// A number that is another one each time and on each machine, never zero. Hashers are keyed with the
/// system's randomness, each differently; that is enough for a name, which is no secret.
fn random() -> u64 {
    RandomState::new().hash_one(0_u8).max(1)
}

/// Whether this is a `traceparent` (Trace Context, 3.2): of version 00, or of a later one that begins so.
fn is_traceparent(text: &[u8]) -> bool {
    let hex = |range: std::ops::Range<usize>| {
        text.get(range).filter(|digits| {
            digits
                .iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let named = |range| hex(range).is_some_and(|digits| digits.iter().any(|digit| *digit != b'0'));
    let dash = |at| text.get(at) == Some(&b'-');
    let version = hex(0..2).filter(|version| *version != b"ff");
    let ends = match text.len() {
        55 => true,
        more => more > 55 && dash(55) && version != Some(b"00"),
    };
    ends && version.is_some()
        && dash(2)
        && named(3..35)
        && dash(35)
        && named(36..52)
        && dash(52)
        && hex(53..55).is_some()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn named(pairs: &[(HeaderName, &'static str)]) -> (RequestId, HeaderMap) {
        let (id, mut headers) = (name(), HeaderMap::new());
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_static(value));
        }
        tell(&mut headers, &id);
        (id, headers)
    }

    #[test]
    fn no_two_requests_have_one_name() {
        let names: BTreeSet<_> = (0..1000).map(|_| name().to_string()).collect();
        assert_eq!(names.len(), 1000);
        let is_plain =
            |name: &String| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(names.iter().all(is_plain));
    }

    #[test]
    fn a_clients_name_for_a_request_is_not_taken_over() {
        let (id, headers) = named(&[(REQUEST_ID, "mine"), (REQUEST_ID, "too")]);
        let seen: Vec<_> = headers.get_all(REQUEST_ID).iter().collect();
        assert_eq!(seen, [id.as_str()]);
    }

    #[test]
    fn a_valid_trace_goes_on() {
        let (_, headers) = named(&[(TRACEPARENT, PARENT), (TRACESTATE, "a=b")]);
        assert_eq!(headers[TRACEPARENT], PARENT);
        assert_eq!(headers[TRACESTATE], "a=b");
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert_eq!(named(&[(TRACEPARENT, later)]).1[TRACEPARENT], later);
    }

    #[test]
    fn a_trace_begins_with_the_requests_name_where_there_is_none_that_is_valid() {
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        ] {
            let (id, headers) = named(&[(TRACEPARENT, wrong), (TRACESTATE, "a=b")]);
            let parent = headers[TRACEPARENT].to_str().unwrap();
            assert!(is_traceparent(parent.as_bytes()), "{parent}");
            assert!(parent.starts_with(&format!("00-{id}-")), "{parent}");
            assert!(!headers.contains_key(TRACESTATE));
        }
        let (id, headers) = named(&[(TRACEPARENT, PARENT), (TRACEPARENT, PARENT)]);
        assert!(headers[TRACEPARENT].to_str().unwrap().contains(id.as_str()));
        assert_eq!(headers.get_all(TRACEPARENT).iter().count(), 1);
    }
}

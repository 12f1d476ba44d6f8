//! The trace that a delivery belongs to, as W3C Trace Context writes it (<https://www.w3.org/TR/trace-context/>). In come
//! the headers of a request, or what was kept of them; out go those of one attempt. It never makes randomness itself,
//! and hands on nothing that is not valid: then a trace begins anew.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// The lengths of the id of a trace and of a span, in bytes.
const ID: usize = 16;
const SPAN: usize = 8;

/// The longest state that is handed on, in characters: what everybody should hand on at least (3.3.1.5).
const STATE_LIMIT: usize = 512;

/// The most members of a state (3.3.1.1).
const MEMBER_LIMIT: usize = 32;

/// The flags that have a meaning: whether the caller may have recorded the trace, and whether its id is random. The
/// others must be sent as zero (3.2.2.5).
const FLAGS: u8 = 0b11;

/// A place in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Whose trace, in hexadecimal digits.
    id: String,
    /// Which part of it, likewise.
    span: String,
    flags: u8,
    /// What others have to say of it.
    state: Option<String>,
}

/// A place as it is kept: its headers.
#[derive(Serialize, Deserialize)]
struct Kept {
    traceparent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracestate: Option<String>,
}

impl Trace {
    /// The place that a request's headers say it has, if they say one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(PARENT).iter();
        let parent = parents.next().filter(|_| parents.next().is_none())?;
        let states = headers.get_all(STATE).iter().map(HeaderValue::to_str);
        // A state that is sent in parts is one (3.3.1).
        let states: Result<Vec<_>, _> = states.collect();
        let state = states.map(|parts| parts.join(",")).unwrap_or_default();
        Self::read(parent.to_str().ok()?, &state)
    }

    /// The beginning of a trace.
    pub fn begun(mut source: impl FnMut(usize) -> Vec<u8>) -> Self {
        Self {
            id: digits(ID, &mut source),
            span: digits(SPAN, source),
            // Nobody here records anything.
            flags: 0,
            state: None,
        }
    }

    /// The trace of an event of which none was kept: it has the event's id, which is one of 32 digits, and so it is the
    /// same at each attempt.
    pub fn of_event(event: &str, mut source: impl FnMut(usize) -> Vec<u8>) -> Self {
        let begun = Self::begun(&mut source);
        match is_id(event, ID) {
            true => Self {
                id: event.to_string(),
                ..begun
            },
            false => begun,
        }
    }

    /// What is kept of it.
    #[must_use]
    pub fn kept(&self) -> Vec<u8> {
        let kept = Kept {
            traceparent: self.parent(),
            tracestate: self.state.clone(),
        };
        // A struct of strings always serializes.
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    /// Reads what was kept; none if nothing was.
    #[must_use]
    pub fn from_kept(bytes: &[u8]) -> Option<Self> {
        let kept: Kept = serde_json::from_slice(bytes).ok()?;
        Self::read(&kept.traceparent, &kept.tracestate.unwrap_or_default())
    }

    /// Another part of the same trace.
    #[must_use]
    pub fn part(&self, source: impl FnMut(usize) -> Vec<u8>) -> Self {
        Self {
            span: digits(SPAN, source),
            ..self.clone()
        }
    }

    /// The headers that say so.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let state = self.state.clone().map(|state| (STATE, state));
        std::iter::once((PARENT, self.parent()))
            .chain(state)
            .collect()
    }

    fn parent(&self) -> String {
        let Self {
            id, span, flags, ..
        } = self;
        format!("00-{id}-{span}-{flags:02x}")
    }

    /// Reads a `traceparent` of version 00, or of a later one that begins so (3.2), with the state that belongs to it.
    fn read(parent: &str, state: &str) -> Option<Self> {
        let (version, rest) = parent.split_once('-')?;
        let (id, rest) = rest.split_once('-')?;
        let (span, rest) = rest.split_once('-')?;
        let (flags, more) = match rest.split_once('-') {
            // What later versions add is not known.
            Some((flags, _)) => (flags, true),
            None => (rest, false),
        };
        let is_known = is_hex(version, 1) && version != "ff" && !(more && version == "00");
        if !is_known || !is_id(id, ID) || !is_id(span, SPAN) || !is_hex(flags, 1) {
            return None;
        }
        Some(Self {
            id: id.to_string(),
            span: span.to_string(),
            flags: u8::from_str_radix(flags, 16).ok()? & FLAGS,
            state: read_state(state),
        })
    }
}

/// The members of a state, if all are valid and there is room for them; what cannot be read may be dropped (3.3.1.1).
fn read_state(text: &str) -> Option<String> {
    let members = text
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    let members: Vec<_> = members.filter(|member| !member.is_empty()).collect();
    let mut keys = BTreeSet::new();
    let valid = members.iter().all(|member| {
        let pair = member.split_once('=');
        pair.is_some_and(|(key, value)| is_key(key) && is_value(value) && keys.insert(key))
    });
    let state = members.join(",");
    let fits = (1..=MEMBER_LIMIT).contains(&members.len()) && state.len() <= STATE_LIMIT;
    (valid && fits).then_some(state)
}

/// Whether this is a key: a vendor's name, or a tenant's at a vendor (3.3.1.3.1).
fn is_key(text: &str) -> bool {
    let is_name = |text: &str, first: fn(u8) -> bool, limit: usize| {
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/".contains(&byte)
        };
        text.len() <= limit && text.bytes().next().is_some_and(first) && text.bytes().all(plain)
    };
    let letter = |byte: u8| byte.is_ascii_lowercase();
    let either = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match text.split_once('@') {
        Some((tenant, system)) => is_name(tenant, either, 241) && is_name(system, letter, 14),
        None => is_name(text, letter, 256),
    }
}

/// Whether this is a value (3.3.1.3.2); the spaces behind it are gone by now.
fn is_value(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    (1..=256).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether this is so many bytes in hexadecimal digits, not all of them zero.
fn is_id(text: &str, bytes: usize) -> bool {
    is_hex(text, bytes) && text.bytes().any(|digit| digit != b'0')
}

fn is_hex(text: &str, bytes: usize) -> bool {
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 2 * bytes && text.bytes().all(digit)
}

/// So many random bytes in hexadecimal digits. Zeros alone are no id (3.2.2.3).
fn digits(length: usize, mut source: impl FnMut(usize) -> Vec<u8>) -> String {
    loop {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            bytes.extend(source(length - bytes.len()));
        }
        bytes.truncate(length);
        if bytes.iter().any(|byte| *byte != 0) {
            return base16ct::lower::encode_string(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const SPAN_OF_SEVENS: &str = "0707070707070707";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn sevens(length: usize) -> Vec<u8> {
        vec![7; length]
    }

    fn state(text: &str) -> Option<String> {
        Trace::of(&headers(&[(PARENT, ONE), (STATE, text)]))
            .unwrap()
            .state
    }

    #[test]
    fn an_attempt_is_another_part_of_the_trace_that_it_was_given() {
        let trace = Trace::of(&headers(&[(PARENT, ONE), (STATE, "a=1"), (STATE, "b=2")])).unwrap();
        let kept = Trace::from_kept(&trace.kept()).unwrap();
        assert_eq!(kept, trace);
        let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{SPAN_OF_SEVENS}-01");
        let pairs = vec![(PARENT, parent), (STATE, "a=1,b=2".to_string())];
        assert_eq!(kept.part(sevens).pairs(), pairs);
    }

    #[test]
    fn what_is_no_traceparent_is_no_trace() {
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        ] {
            assert_eq!(Trace::of(&headers(&[(PARENT, wrong)])), None, "{wrong}");
            let kept = serde_json::json!({ "traceparent": wrong }).to_string();
            assert_eq!(Trace::from_kept(kept.as_bytes()), None, "{wrong}");
        }
        let twice = headers(&[(PARENT, ONE), (PARENT, ONE)]);
        assert_eq!(Trace::of(&twice), None);
        assert_eq!(Trace::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known_and_sent_as_version_00() {
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-more";
        let trace = Trace::of(&headers(&[(PARENT, later)])).unwrap();
        let known = ONE.replace("-01", "-03");
        assert_eq!(trace.pairs(), [(PARENT, known)]);
    }

    #[test]
    fn a_state_is_handed_on_if_it_is_short_and_valid() {
        let members = |count: usize| {
            let members: Vec<_> = (0..count).map(|number| format!("k{number}=v")).collect();
            members.join(",")
        };
        let of = |length: usize| format!("k={},l={}", "v".repeat(254), "v".repeat(length - 259));
        for (given, kept) in [
            ("a=1 , b@c=2,\t,0t/x@v=~ !", "a=1,b@c=2,0t/x@v=~ !"),
            (&members(32), &members(32)),
            (&of(512), &of(512)),
        ] {
            assert_eq!(state(given).as_deref(), Some(kept));
        }
        let long = format!("a={}", "v".repeat(257));
        for dropped in [
            "",
            ",",
            "a",
            "=1",
            "a=",
            "a=1=2",
            "A=1",
            "0a=1",
            "a@0b=1",
            "a@b@c=1",
            "a b=1",
            "a=1,a=2",
            "a=\u{e9}",
            &members(33),
            &of(513),
            &long,
        ] {
            assert_eq!(state(dropped), None, "{dropped}");
        }
    }

    #[test]
    fn what_was_kept_before_there_were_traces_has_the_trace_of_its_event() {
        assert_eq!(Trace::from_kept(b""), None);
        let event = "019ac0ffee00019ac0ffee00019ac0ff";
        let trace = Trace::of_event(event, sevens);
        let parent = format!("00-{event}-{SPAN_OF_SEVENS}-00");
        assert_eq!(trace.pairs(), [(PARENT, parent)]);
        let zeros = "0".repeat(32);
        assert_eq!(Trace::of_event(&zeros, sevens), Trace::begun(sevens));
    }

    #[test]
    fn no_id_that_is_made_is_all_zeros_and_a_short_read_is_made_up_for() {
        let mut turn = 0;
        let trace = Trace::begun(|_| {
            turn += 1;
            // Sixteen zeros are an id that is refused.
            vec![u8::from(turn > 20)]
        });
        assert!(
            is_id(&trace.id, ID) && is_id(&trace.span, SPAN),
            "{trace:?}"
        );
        let mut first = true;
        let span = trace.part(|length| vec![u8::from(!std::mem::take(&mut first)); length]);
        assert_eq!(span.span, "01".repeat(SPAN));
        assert_eq!(span.id, trace.id);
    }
}

//! What a verified body says that it is. In comes the body; out goes an [`Event`], or the problem to answer. It
//! never trusts what the body says: it is cut, and shown in quotes only.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::problem::Problem;

/// How much of a type is kept and shown, in characters.
pub const TYPE_LENGTH: usize = 64;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// The text in the member `type`, or else in `event`.
    pub kind: Option<String>,
}

impl Event {
    /// The event that `body` is: a JSON object.
    ///
    /// # Errors
    /// It is none.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let text = str::from_utf8(body).ok();
        let read = text.and_then(|text| {
            let mut reader = serde_json::Deserializer::from_str(text);
            let event = reader.deserialize_map(Members).ok()?;
            reader.end().ok().map(|()| event)
        });
        read.ok_or_else(|| {
            let detail = "the body is no JSON object: send one, as {\"type\": \"...\", ...}";
            Problem::new(400, "not-an-event", "the payload is no event", detail)
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            // Escaped: no line of the log begins inside it.
            Some(kind) => write!(out, "event {kind:?}"),
            None => out.write_str("event without a type"),
        }
    }
}

/// Reads the two members and passes over all others, however deep they are.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Event;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let (mut of_type, mut of_event) = (None, None);
        while let Some(name) = map.next_key::<String>()? {
            let member = match name.as_str() {
                "type" => &mut of_type,
                "event" => &mut of_event,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = map.next_value::<&RawValue>()?;
            *member = serde_json::from_str::<String>(value.get()).ok();
        }
        let kind = of_type.or(of_event);
        let cut = |kind: String| kind.chars().take(TYPE_LENGTH).collect();
        Ok(Event {
            kind: kind.map(cut),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str) -> String {
        Event::read(body.as_bytes()).unwrap().to_string()
    }

    #[test]
    fn an_event_says_its_type() {
        assert_eq!(shown(r#"{"type":"a.b","event":"c"}"#), "event \"a.b\"");
        assert_eq!(shown(r#"{"event":"c","type":7}"#), "event \"c\"");
        for body in ["{}", r#"{"type":null}"#, r#"{"event":["a"]}"#] {
            assert_eq!(shown(body), "event without a type", "{body}");
        }
    }

    #[test]
    fn a_type_is_cut_and_escaped() {
        let long = format!(r#"{{"type":"{}"}}"#, "\u{e9}".repeat(TYPE_LENGTH + 1));
        let kind = Event::read(long.as_bytes()).unwrap().kind.unwrap();
        assert_eq!(kind.chars().count(), TYPE_LENGTH);
        let forged = shown(r#"{"type":"a\nCONSUMER: \u202eb\""}"#);
        assert_eq!(forged, r#"event "a\nCONSUMER: \u{202e}b\"""#);
    }

    #[test]
    fn anything_but_an_object_is_no_event() {
        for body in [
            &b""[..],
            b" ",
            b"7",
            b"[]",
            b"{",
            b"{}{}",
            b"{\"a\":}",
            b"\xff",
        ] {
            assert_eq!(Event::read(body).unwrap_err().status(), 400, "{body:?}");
        }
        assert!(Event::read(b"{\"data\":\"\xff\"}").is_err());
    }

    #[test]
    fn depth_is_no_matter() {
        let deep = format!(
            r#"{{"data":{0}{1},"type":"t"}}"#,
            "[".repeat(500_000),
            "]".repeat(500_000)
        );
        assert_eq!(shown(&deep), "event \"t\"");
        let deep = format!(
            r#"{{"type":{0}{1}}}"#,
            "[".repeat(500_000),
            "]".repeat(500_000)
        );
        assert_eq!(shown(&deep), "event without a type");
    }
}

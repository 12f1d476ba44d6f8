//! What is asked for by `POST /fire`. In comes a body, perhaps an empty one; out goes an [`Event`]
//! and the payload that all its consumers get. It never changes the data: the bytes that came are
//! the bytes that are signed and sent.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::filter::{self, NAME_LIMIT, is_name};
use crate::problem::Problem;

/// An event: its name and its data.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The name.
    #[serde(rename = "event", default = "sample_name")]
    pub name: String,
    #[serde(default = "sample_data")]
    data: Box<RawValue>,
}

impl Event {
    /// Reads and checks the body of a request.
    ///
    /// # Errors
    /// The problem that says what is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let body = if body.is_empty() { b"{}" } else { body };
        // A sequence would be read as the members in their order, so an object is asked for first.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::invalid(vec!["body is not a JSON object".into()]));
        }
        let event: Self = serde_json::from_slice(body)
            .map_err(|error| Problem::invalid(vec![format!("body is not an event: {error}")]))?;
        if !is_name(&event.name) || event.name.len() > NAME_LIMIT {
            return Err(Problem::invalid(vec![format!(
                "event is not a name of 1 to {NAME_LIMIT} letters, digits, `_`, `.` and `-`"
            )]));
        }
        filter::is_free(&event.name).map_err(|mistake| Problem::invalid(vec![mistake]))?;
        Ok(event)
    }

    /// The body that is signed and sent.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        // A string and JSON that was read before always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn sample_name() -> String {
    "sample.event".to_string()
}

fn sample_data() -> Box<RawValue> {
    let text = r#"{"message":"Hello from the producer"}"#.to_string();
    // The text above is JSON; JSON's null stands in for what cannot happen.
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(body: &str) -> String {
        String::from_utf8(Event::parse(body.as_bytes()).unwrap().payload()).unwrap()
    }

    #[test]
    fn an_empty_body_fires_the_sample() {
        let sample = r#"{"event":"sample.event","data":{"message":"Hello from the producer"}}"#;
        assert_eq!(payload(""), sample);
        assert_eq!(payload("{}"), sample);
    }

    #[test]
    fn data_is_sent_as_it_came() {
        let body =
            r#"{ "data": {"n": 12345678901234567890123, "a": 1.10}, "event": "order.paid" }"#;
        let sent = r#"{"event":"order.paid","data":{"n": 12345678901234567890123, "a": 1.10}}"#;
        assert_eq!(payload(body), sent);
        assert_eq!(
            payload(r#"{"event":"e","data":null}"#),
            r#"{"event":"e","data":null}"#
        );
    }

    #[test]
    fn only_a_concrete_name_can_be_fired() {
        for body in [
            r#"{"event":"*"}"#,
            r#"{"event":"order.*"}"#,
            r#"{"event":""}"#,
            r#"{"event":"a b"}"#,
            r#"{"event":"signet.test"}"#,
            r#"{"event":null}"#,
            r#"{"events":"a"}"#,
            "[]",
            r#"["a",{}]"#,
            "x",
            "{",
        ] {
            assert_eq!(
                Event::parse(body.as_bytes()).unwrap_err().status(),
                400,
                "{body}"
            );
        }
        let long = format!(r#"{{"event":"{}"}}"#, "a".repeat(NAME_LIMIT + 1));
        assert!(Event::parse(long.as_bytes()).is_err());
    }
}

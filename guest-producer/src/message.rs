//! What `POST /events` takes, what is kept of it, and what a consumer gets. In comes a body; out go a [`Message`]
//! and its payload. It never changes the data: the bytes that came are the bytes that are signed and sent.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::filter::{self, NAME_LIMIT, is_name};
use crate::moment;
use crate::problem::Problem;

/// The event that `POST /registrations/{id}/test` sends.
pub const TEST: &str = "signet.test";

/// The event that says that a registration was disabled.
pub const DISABLED: &str = "signet.registration.disabled";

/// An event that was accepted: its type and its data.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The type, a name with dots.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is to be said, as it came.
    pub data: Box<RawValue>,
}

/// What a consumer gets: a payload as Standard Webhooks recommends it.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    data: &'a RawValue,
}

impl Message {
    /// Reads and checks the body of a request.
    ///
    /// # Errors
    /// The problem that says what is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let invalid = |mistake: String| Problem::invalid(vec![mistake]);
        // A sequence would be read as the members in their order, so an object is asked for first.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(invalid("body is not a JSON object".into()));
        }
        let message: Self = serde_json::from_slice(body).map_err(|error| {
            invalid(format!(
                "body is not {{\"type\": ..., \"data\": ...}}: {error}"
            ))
        })?;
        if !is_name(&message.kind) || message.kind.len() > NAME_LIMIT {
            return Err(invalid(format!(
                "type is not a name of 1 to {NAME_LIMIT} letters, digits, `_`, `.` and `-`"
            )));
        }
        filter::is_free(&message.kind).map_err(invalid)?;
        Ok(message)
    }

    /// An event of the producer's own.
    #[must_use]
    pub fn own(kind: &str, data: &impl Serialize) -> Self {
        // The values said here are structs with string keys, which always serialize.
        let data = serde_json::value::to_raw_value(data);
        Self {
            kind: kind.to_string(),
            data: data.unwrap_or_else(|_| RawValue::NULL.to_owned()),
        }
    }

    /// What is kept. The same event gives the same bytes.
    #[must_use]
    pub fn kept(&self) -> Vec<u8> {
        // A string and JSON that was read before always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// It is not what [`Self::kept`] writes.
    pub fn from_kept(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| format!("the event is not readable: {error}"))
    }

    /// The body that is signed and sent, the same at every attempt: the time is when the event was accepted, in
    /// milliseconds since 1970.
    #[must_use]
    pub fn payload(&self, accepted_at: u64) -> Vec<u8> {
        let payload = Payload {
            kind: &self.kind,
            timestamp: moment::text(accepted_at),
            data: &self.data,
        };
        serde_json::to_vec(&payload).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_type_timestamp_and_the_data_as_it_came() {
        let body =
            br#"{ "data": {"n": 12345678901234567890123, "a": 1.10}, "type": "order.paid" }"#;
        let message = Message::parse(body).unwrap();
        let kept = Message::from_kept(&message.kept()).unwrap();
        let payload = String::from_utf8(kept.payload(1_764_115_200_000)).unwrap();
        assert_eq!(
            payload,
            concat!(
                r#"{"type":"order.paid","timestamp":"2025-11-26T00:00:00Z","#,
                r#""data":{"n": 12345678901234567890123, "a": 1.10}}"#
            )
        );
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for body in [
            "",
            "[]",
            "7",
            "{",
            "not json",
            r#"["a",{}]"#,
            r#"{"type":"a"}"#,
            r#"{"data":{}}"#,
            r#"{"type":"*","data":{}}"#,
            r#"{"type":"a b","data":{}}"#,
            r#"{"type":"","data":{}}"#,
            r#"{"type":7,"data":{}}"#,
            r#"{"type":"a","data":{},"x":1}"#,
            r#"{"type":"signet.test","data":{}}"#,
        ] {
            let refused = Message::parse(body.as_bytes());
            assert_eq!(refused.unwrap_err().status(), 400, "{body}");
        }
        assert!(Message::parse(br#"{"type":"a","data":null}"#).is_ok());
    }
}

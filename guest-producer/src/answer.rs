//! What the producer answers: a status, headers and a body, before they become `wasi:http`'s. In
//! comes something that serializes, or nothing; out goes an [`Answer`]. It never decides a status.

use serde::Serialize;

/// An HTTP response that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, without `content-length`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// `value` as JSON, of the media type `media`.
    #[must_use]
    pub fn json(status: u16, media: &str, value: &impl Serialize) -> Self {
        // The values answered here are structs with string keys, which always serialize.
        let body = serde_json::to_string(value).unwrap_or_default();
        Self::empty(status)
            .with("content-type", media)
            .with_body(body)
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn with_body(mut self, body: String) -> Self {
        self.body = body;
        self
    }
}

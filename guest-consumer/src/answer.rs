//! What the consumer answers: a status, headers and a body, before they become `wasi:http`'s. In come
//! texts; out goes an [`Answer`]. It never decides a status.

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
    /// `body`, of the media type `media`.
    #[must_use]
    pub fn new(status: u16, media: &str, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", media.to_string())],
            body: body.into(),
        }
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }
}

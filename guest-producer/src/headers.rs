//! The headers of a delivery: the tag as the sample sends it, and the three of Standard Webhooks. In
//! come an id, a time and what `hmac` signed; out go names and values. It never sees a key.

/// The headers of one delivery.
#[derive(Debug, PartialEq, Eq)]
pub struct Signed {
    /// `X-Signature`: the tag of the body.
    pub tag: String,
    /// `webhook-id`: the same for every consumer of one event.
    pub id: String,
    /// `webhook-timestamp`: when it was sent, in seconds since 1970.
    pub timestamp: u64,
    /// `webhook-signature`: `v1,` and a tag of id, timestamp and body in base64.
    pub signature: String,
}

impl Signed {
    /// Names and values, in the order of sending.
    #[must_use]
    pub fn pairs(self) -> Vec<(&'static str, String)> {
        vec![
            ("content-type", "application/json".to_string()),
            ("x-signature", self.tag),
            ("webhook-id", self.id),
            ("webhook-timestamp", self.timestamp.to_string()),
            ("webhook-signature", self.signature),
        ]
    }
}

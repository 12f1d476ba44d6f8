//! What the consumer asks of the `hmac` component, whichever SDK its bindings are of. In come bytes and keys; out
//! go verdicts, and reasons for the log. It never decides what a verdict leads to.

use crate::keys::Form;

/// The three headers of Standard Webhooks as they came, none where one did not.
#[derive(Debug, Clone, Copy)]
pub struct Standard<'a> {
    /// `webhook-id`
    pub id: Option<&'a str>,
    /// `webhook-timestamp`
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`
    pub signature: Option<&'a str>,
}

/// The linked component, or for native tests what it is made of.
pub trait Hmac {
    /// Whether `tag`, in hexadecimal digits, is that of `data`: `fermyon:hmac/verify`.
    fn is_tag(&self, data: &[u8], key: &[u8], tag: &[u8]) -> bool;

    /// The place of the key under which the headers are those of `body`, at `now` in seconds since 1970:
    /// `verify` of `signet:webhooks/standard`, with [`TOLERANCE`].
    ///
    /// # Errors
    /// They are not: its `explain`.
    fn verify(
        &self,
        headers: Standard<'_>,
        body: &[u8],
        keys: &[Form<'_>],
        now: u64,
    ) -> Result<usize, String>;

    /// Why nothing can be verified with this key; nothing if it is one. There is no function for that, so
    /// something is signed with it: a key that is none is refused first, and a public one for what it is.
    fn fault(&self, key: Form<'_>) -> Option<String>;
}

/// How far a timestamp may be from now, in seconds, either way: what Standard Webhooks says.
pub const TOLERANCE: u64 = 300;

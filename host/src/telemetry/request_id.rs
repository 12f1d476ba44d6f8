//! The name of a request, wherever it is spoken of. Comes in: its digits; goes out: the same, as text. Never
//! allocates: there is one for each request, and few are ever read.

use std::fmt;

/// A request's name: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 32]);

impl RequestId {
    /// The name with these digits.
    pub fn new(digits: [u8; 32]) -> Self {
        Self(digits)
    }

    /// Its digits.
    pub fn digits(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same as text; empty if they were no digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! What a client may take of the host. Owns the numbers and their defaults; comes in: nothing, or what
//! the operator set; goes out: bounds for the files beside this one. Never enforces anything itself. How
//! large a body may be is a component's own bound, and stands with the others of its kind.

use std::time::Duration;

/// Bounds of connections and requests. All are on by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many connections the host has open at once, all threads and addresses together. One more is
    /// answered 503 and closed.
    pub max_connections: usize,
    /// How many requests are under way at once, all threads and addresses together, each until its
    /// response has been handed to the connection. One more is answered 503.
    pub max_requests: usize,
    /// How long a client may take for the head of a request, from its first byte to its last; for the
    /// first request of a connection, from the moment the connection was accepted.
    pub header_timeout: Duration,
    /// How long a connection without a request is kept.
    pub idle_timeout: Duration,
    /// How long the sender of a request's body may fall silent while the guest waits for more.
    pub body_timeout: Duration,
    /// How long a client may take no byte of what waits to be sent to it.
    pub write_timeout: Duration,
    /// How many headers a request may have, and a guest's response.
    pub max_headers: usize,
    /// How large the head of a request may be, and that of a guest's response, in bytes.
    pub max_header_bytes: usize,
    /// How long the target of a request may be, in bytes.
    pub max_target_bytes: usize,
    /// How many requests one HTTP/2 connection may have under way at once.
    pub max_h2_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_requests: 8_192,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            max_headers: 100,
            max_header_bytes: 64 << 10,
            max_target_bytes: 8 << 10,
            max_h2_streams: 200,
        }
    }
}

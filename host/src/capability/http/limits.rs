//! What one component's requests to elsewhere may take. Comes in: nothing; goes out: the defaults. Never
//! enforces anything itself: the client and the exchange do.

use std::time::Duration;

/// How long outbound requests may take, where the guest does not ask for less, how large they and what
/// comes back may be, and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, TCP connection and TLS handshake.
    pub connect: Duration,
    /// From the request's begin to the head of the response.
    pub first_byte: Duration,
    /// Between two pieces of the response's body, while the guest reads.
    pub between_bytes: Duration,
    /// The whole exchange, until both bodies have ended. Two minutes: as long as the response that the
    /// guest itself may be giving.
    pub total: Duration,
    /// How many requests of one component may be under way, on all threads together; more wait for their
    /// turn.
    pub max_concurrent: usize,
    /// How many names may be looked up at once for one component; more wait. Each takes a thread that
    /// SQLite also works on.
    pub max_lookups: usize,
    /// A request's body, in bytes.
    pub request_body: u64,
    /// The headers of a response, names and values together, in bytes.
    pub response_head: usize,
    /// How many headers a response may have.
    pub response_headers: usize,
    /// A response's body, in bytes.
    pub response_body: u64,
    /// Connections without a request that are kept for one destination, on one thread.
    pub max_idle: usize,
    /// How long a connection without a request is kept.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(30),
            between_bytes: Duration::from_secs(30),
            total: Duration::from_secs(120),
            max_concurrent: 256,
            max_lookups: 32,
            request_body: 64 << 20,
            response_head: 64 << 10,
            response_headers: 100,
            response_body: 64 << 20,
            max_idle: 256,
            idle: Duration::from_secs(60),
        }
    }
}

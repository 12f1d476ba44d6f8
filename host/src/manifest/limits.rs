//! Bounds of a component's instances: `[limits]` of `signet.toml` for all components, and
//! `[component.NAME.tool.signet]` for one. Comes in: a table; goes out: what is set in it. Never knows a
//! default.

use std::time::Duration;

use super::reader::Table;

/// Bounds of a component's instances; what is none is left to the host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// How long a request may take until its response begins.
    pub request_timeout: Option<Duration>,
    /// How long a response may take from its head to its end.
    pub response_timeout: Option<Duration>,
    /// The memory of one instance, in bytes.
    pub memory: Option<usize>,
    /// How many resources of the host one instance may hold.
    pub handles: Option<usize>,
    /// How many requests one instance serves before it is replaced.
    pub max_reuse: Option<usize>,
    /// How many requests one instance serves at once.
    pub max_concurrent: Option<usize>,
    /// How many instances the component may have at once.
    pub max_instances: Option<usize>,
    /// How many requests to the component may be under way at once.
    pub max_requests: Option<usize>,
    /// The longest body of a request, in bytes.
    pub request_body: Option<u64>,
    /// The longest body of a response, in bytes.
    pub response_body: Option<u64>,
    /// How long an instance without work is kept.
    pub idle_timeout: Option<Duration>,
}

/// The keys of bounds, for tables that have other keys as well.
pub(super) const KEYS: [&str; 11] = [
    "request_timeout_ms",
    "response_timeout_ms",
    "memory_mb",
    "max_handles",
    "max_reuse",
    "max_concurrent",
    "max_instances",
    "max_requests",
    "max_request_body_bytes",
    "max_response_body_bytes",
    "instance_idle_ms",
];

const MEGABYTE: usize = 1 << 20;

/// The bounds that stand in a table.
pub(super) fn read(table: &Table<'_>) -> Limits {
    Limits {
        request_timeout: duration(table, "request_timeout_ms"),
        response_timeout: duration(table, "response_timeout_ms"),
        memory: count(table, "memory_mb").map(|megabytes| megabytes.saturating_mul(MEGABYTE)),
        handles: count(table, "max_handles"),
        max_reuse: count(table, "max_reuse"),
        max_concurrent: count(table, "max_concurrent"),
        max_instances: count(table, "max_instances"),
        max_requests: count(table, "max_requests"),
        request_body: table.number("max_request_body_bytes"),
        response_body: table.number("max_response_body_bytes"),
        idle_timeout: duration(table, "instance_idle_ms"),
    }
}

/// The milliseconds under `key`.
pub(super) fn duration(table: &Table<'_>, key: &str) -> Option<Duration> {
    table.number(key).map(Duration::from_millis)
}

/// The count under `key`. What no machine can count to is no bound.
pub(super) fn count(table: &Table<'_>, key: &str) -> Option<usize> {
    let number = table.number(key)?;
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}

//! Bounds of a component's instances: `[limits]` of `signet.toml` for all components, and
//! `[component.NAME.tool.signet]` for one. Comes in: a table; goes out: what is set in it. Never knows a
//! default.

use std::time::Duration;

use super::reader::Table;

/// Bounds of a component's instances; what is none is left to the host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// How long a request may take.
    pub request_timeout: Option<Duration>,
    /// The memory of one instance, in bytes.
    pub memory: Option<usize>,
    /// How many requests one instance serves before it is replaced.
    pub max_reuse: Option<usize>,
    /// How many requests one instance serves at once.
    pub max_concurrent: Option<usize>,
}

/// The keys of bounds, for tables that have other keys as well.
pub(super) const KEYS: [&str; 4] = [
    "request_timeout_ms",
    "memory_mb",
    "max_reuse",
    "max_concurrent",
];

const MEGABYTE: usize = 1 << 20;

/// The bounds that stand in a table.
pub(super) fn read(table: &Table<'_>) -> Limits {
    // What no machine can count to is no bound.
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Limits {
        request_timeout: duration(table, "request_timeout_ms"),
        memory: table
            .number("memory_mb")
            .map(|megabytes| count(megabytes).saturating_mul(MEGABYTE)),
        max_reuse: table.number("max_reuse").map(count),
        max_concurrent: table.number("max_concurrent").map(count),
    }
}

/// The milliseconds under `key`.
pub(super) fn duration(table: &Table<'_>, key: &str) -> Option<Duration> {
    table.number(key).map(Duration::from_millis)
}

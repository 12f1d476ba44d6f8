//! All bounds that a manifest can set, table by table. Each line is a key, and the field of the room that
//! keeps it; `docs/limits.md` is held against this list. Never says what a default is.

use std::time::Duration;

use super::bound::{Bound, count, milliseconds, number};
use crate::capability::{http, keyvalue, queue, sqlite};
use crate::queue::Policy;
use crate::runtime::pool;

const MEGABYTE: usize = 1 << 20;

/// `[limits]` of `signet.toml` for all components, `[component.NAME.tool.signet]` for one.
pub const COMPONENT: &[Bound<pool::Limits>] = &[
    Bound::new(
        "request_timeout_ms",
        |limits, ms| limits.request_timeout = Duration::from_millis(ms),
        |limits| milliseconds(limits.request_timeout),
    ),
    Bound::new(
        "response_timeout_ms",
        |limits, ms| limits.response_timeout = Duration::from_millis(ms),
        |limits| milliseconds(limits.response_timeout),
    ),
    Bound::new(
        "memory_mb",
        |limits, megabytes| limits.memory = count(megabytes).saturating_mul(MEGABYTE),
        |limits| number(limits.memory / MEGABYTE),
    ),
    Bound::new(
        "max_handles",
        |limits, most| limits.handles = count(most),
        |limits| number(limits.handles),
    ),
    Bound::new(
        "max_reuse",
        |limits, most| limits.max_reuse = count(most),
        |limits| number(limits.max_reuse),
    ),
    Bound::new(
        "max_serial_reuse",
        |limits, most| limits.max_serial_reuse = count(most),
        |limits| number(limits.max_serial_reuse),
    ),
    Bound::new(
        "max_concurrent",
        |limits, most| limits.max_concurrent = count(most),
        |limits| number(limits.max_concurrent),
    ),
    Bound::new(
        "max_instances",
        |limits, most| limits.max_instances = count(most),
        |limits| number(limits.max_instances),
    ),
    Bound::new(
        "max_requests",
        |limits, most| limits.max_requests = count(most),
        |limits| number(limits.max_requests),
    ),
    Bound::new(
        "max_request_body_bytes",
        |limits, bytes| limits.request_body = bytes,
        |limits| Some(limits.request_body),
    ),
    Bound::new(
        "max_response_body_bytes",
        |limits, bytes| limits.response_body = bytes,
        |limits| Some(limits.response_body),
    ),
    Bound::new(
        "instance_idle_ms",
        |limits, ms| limits.idle_timeout = Duration::from_millis(ms),
        |limits| milliseconds(limits.idle_timeout),
    ),
    Bound::new(
        "max_line_bytes",
        |limits, bytes| limits.print.line = count(bytes),
        |limits| number(limits.print.line),
    ),
    Bound::new(
        "max_lines_per_second",
        |limits, most| limits.print.lines_per_second = most,
        |limits| Some(limits.print.lines_per_second),
    ),
    Bound::new(
        "max_files",
        |limits, most| limits.files = count(most),
        |limits| number(limits.files),
    ),
    Bound::new(
        "max_files_bytes",
        |limits, bytes| limits.files_bytes = bytes,
        |limits| Some(limits.files_bytes),
    ),
];

/// `[server]` of `signet.toml`: what all components share.
pub const HOST: &[Bound<Host>] = &[
    Bound::new(
        "max_instances",
        |host, most| host.instances = u32::try_from(most).unwrap_or(u32::MAX),
        |host| Some(host.instances.into()),
    ),
    Bound::new(
        "max_connections",
        |host, most| host.server.max_connections = count(most),
        |host| number(host.server.max_connections),
    ),
    Bound::new(
        "max_requests",
        |host, most| host.server.max_requests = count(most),
        |host| number(host.server.max_requests),
    ),
    Bound::new(
        "header_timeout_ms",
        |host, ms| host.server.header_timeout = Duration::from_millis(ms),
        |host| milliseconds(host.server.header_timeout),
    ),
    Bound::new(
        "idle_timeout_ms",
        |host, ms| host.server.idle_timeout = Duration::from_millis(ms),
        |host| milliseconds(host.server.idle_timeout),
    ),
    Bound::new(
        "body_timeout_ms",
        |host, ms| host.server.body_timeout = Duration::from_millis(ms),
        |host| milliseconds(host.server.body_timeout),
    ),
    Bound::new(
        "write_timeout_ms",
        |host, ms| host.server.write_timeout = Duration::from_millis(ms),
        |host| milliseconds(host.server.write_timeout),
    ),
    Bound::new(
        "max_headers",
        |host, most| host.server.max_headers = count(most),
        |host| number(host.server.max_headers),
    ),
    Bound::new(
        "max_header_bytes",
        |host, most| host.server.max_header_bytes = count(most),
        |host| number(host.server.max_header_bytes),
    ),
    Bound::new(
        "max_target_bytes",
        |host, most| host.server.max_target_bytes = count(most),
        |host| number(host.server.max_target_bytes),
    ),
    Bound::new(
        "max_h2_streams",
        |host, most| host.server.max_h2_streams = u32::try_from(most).unwrap_or(u32::MAX),
        |host| Some(host.server.max_h2_streams.into()),
    ),
    Bound::new(
        "shutdown_timeout_ms",
        |host, ms| host.drain = Duration::from_millis(ms),
        |host| milliseconds(host.drain),
    ),
];

/// `[outbound_http]` of `signet.toml`.
pub const OUTBOUND: &[Bound<http::Limits>] = &[
    Bound::new(
        "connect_timeout_ms",
        |limits, ms| limits.connect = Duration::from_millis(ms),
        |limits| milliseconds(limits.connect),
    ),
    Bound::new(
        "first_byte_timeout_ms",
        |limits, ms| limits.first_byte = Duration::from_millis(ms),
        |limits| milliseconds(limits.first_byte),
    ),
    Bound::new(
        "between_bytes_timeout_ms",
        |limits, ms| limits.between_bytes = Duration::from_millis(ms),
        |limits| milliseconds(limits.between_bytes),
    ),
    Bound::new(
        "total_timeout_ms",
        |limits, ms| limits.total = Duration::from_millis(ms),
        |limits| milliseconds(limits.total),
    ),
    Bound::new(
        "max_concurrent_requests",
        |limits, most| limits.max_concurrent = count(most),
        |limits| number(limits.max_concurrent),
    ),
    Bound::new(
        "max_lookups",
        |limits, most| limits.max_lookups = count(most),
        |limits| number(limits.max_lookups),
    ),
    Bound::new(
        "max_request_body_bytes",
        |limits, bytes| limits.request_body = bytes,
        |limits| Some(limits.request_body),
    ),
    Bound::new(
        "max_response_header_bytes",
        |limits, bytes| limits.response_head = count(bytes),
        |limits| number(limits.response_head),
    ),
    Bound::new(
        "max_response_headers",
        |limits, most| limits.response_headers = count(most),
        |limits| number(limits.response_headers),
    ),
    Bound::new(
        "max_response_body_bytes",
        |limits, bytes| limits.response_body = bytes,
        |limits| Some(limits.response_body),
    ),
    Bound::new(
        "max_idle_connections",
        |limits, most| limits.max_idle = count(most),
        |limits| number(limits.max_idle),
    ),
    Bound::new(
        "connection_idle_ms",
        |limits, ms| limits.idle = Duration::from_millis(ms),
        |limits| milliseconds(limits.idle),
    ),
];

/// `[sqlite]` of `signet.toml`.
pub const SQLITE: &[Bound<sqlite::Limits>] = &[
    Bound::new(
        "statement_timeout_ms",
        |limits, ms| limits.statement = Duration::from_millis(ms),
        |limits| milliseconds(limits.statement),
    ),
    Bound::new(
        "lock_timeout_ms",
        |limits, ms| limits.lock_wait = Duration::from_millis(ms),
        |limits| milliseconds(limits.lock_wait),
    ),
    Bound::new(
        "max_rows",
        |limits, most| limits.rows = count(most),
        |limits| number(limits.rows),
    ),
    Bound::new(
        "max_result_bytes",
        |limits, bytes| limits.result_bytes = count(bytes),
        |limits| number(limits.result_bytes),
    ),
    Bound::new(
        "max_value_bytes",
        |limits, bytes| limits.value_bytes = count(bytes),
        |limits| number(limits.value_bytes),
    ),
    Bound::new(
        "max_pending_bytes",
        |limits, bytes| limits.pending_bytes = count(bytes),
        |limits| number(limits.pending_bytes),
    ),
    Bound::new(
        "max_connections",
        |limits, most| limits.connections = count(most),
        |limits| number(limits.connections),
    ),
    Bound::new(
        "max_connections_per_instance",
        |limits, most| limits.open_per_instance = count(most),
        |limits| number(limits.open_per_instance),
    ),
    Bound::new(
        "connection_timeout_ms",
        |limits, ms| limits.wait = Duration::from_millis(ms),
        |limits| milliseconds(limits.wait),
    ),
    Bound::new(
        "max_database_bytes",
        |limits, bytes| limits.database_bytes = bytes,
        |limits| Some(limits.database_bytes),
    ),
];

/// `[key_value]` of `signet.toml`.
pub const KEY_VALUE: &[Bound<keyvalue::Limits>] = &[
    Bound::new(
        "max_key_bytes",
        |limits, bytes| limits.key_bytes = count(bytes),
        |limits| number(limits.key_bytes),
    ),
    Bound::new(
        "max_value_bytes",
        |limits, bytes| limits.value_bytes = count(bytes),
        |limits| number(limits.value_bytes),
    ),
    Bound::new(
        "max_pending_bytes",
        |limits, bytes| limits.pending_bytes = count(bytes),
        |limits| number(limits.pending_bytes),
    ),
    Bound::new(
        "max_keys_per_call",
        |limits, most| limits.keys_per_call = count(most),
        |limits| number(limits.keys_per_call),
    ),
    Bound::new(
        "max_open_stores",
        |limits, most| limits.open_per_instance = count(most),
        |limits| number(limits.open_per_instance),
    ),
    Bound::new(
        "max_store_bytes",
        |limits, bytes| limits.store_bytes = bytes,
        |limits| Some(limits.store_bytes),
    ),
];

/// `[component.NAME.tool.signet.queue.QUEUE]`: how a queue is worked on, as far as it is a number above zero.
pub const QUEUE: &[Bound<Policy>] = &[
    Bound::new(
        "attempts",
        |policy, most| policy.attempts = u32::try_from(most).unwrap_or(u32::MAX),
        |policy| Some(policy.attempts.into()),
    ),
    Bound::new(
        "timeout_ms",
        |policy, ms| policy.timeout = Duration::from_millis(ms),
        |policy| milliseconds(policy.timeout),
    ),
    Bound::new(
        "lease_ms",
        |policy, ms| policy.lease = Duration::from_millis(ms),
        |policy| milliseconds(policy.lease),
    ),
    Bound::new(
        "concurrency",
        |policy, most| policy.concurrency = u32::try_from(most).unwrap_or(u32::MAX),
        |policy| Some(policy.concurrency.into()),
    ),
    Bound::new(
        "lane_concurrency",
        |policy, most| policy.lane_concurrency = u32::try_from(most).unwrap_or(u32::MAX),
        |policy| Some(policy.lane_concurrency.into()),
    ),
    Bound::new(
        "max_retry_after_ms",
        |policy, ms| policy.most_after = Duration::from_millis(ms),
        |policy| milliseconds(policy.most_after),
    ),
    Bound::new(
        "breaker_failures",
        |policy, most| {
            policy.breaker.get_or_insert_default().failures =
                u32::try_from(most).unwrap_or(u32::MAX);
        },
        |policy| Some(policy.breaker?.failures.into()),
    ),
    Bound::new(
        "breaker_open_ms",
        |policy, ms| policy.breaker.get_or_insert_default().open = Duration::from_millis(ms),
        |policy| milliseconds(policy.breaker?.open),
    ),
    Bound::new(
        "keep_done_ms",
        |policy, ms| policy.done.age = Duration::from_millis(ms),
        |policy| milliseconds(policy.done.age),
    ),
    Bound::new(
        "keep_done_count",
        |policy, most| policy.done.count = most,
        |policy| Some(policy.done.count),
    ),
    Bound::new(
        "keep_dead_ms",
        |policy, ms| policy.dead.age = Duration::from_millis(ms),
        |policy| milliseconds(policy.dead.age),
    ),
    Bound::new(
        "keep_dead_count",
        |policy, most| policy.dead.count = most,
        |policy| Some(policy.dead.count),
    ),
];

/// `[queue]` of `signet.toml`.
pub const QUEUES: &[Bound<queue::Limits>] = &[
    Bound::new(
        "max_body_bytes",
        |limits, most| limits.engine.body_bytes = count(most),
        |limits| number(limits.engine.body_bytes),
    ),
    Bound::new(
        "max_detail_bytes",
        |limits, most| limits.engine.detail_bytes = count(most),
        |limits| number(limits.engine.detail_bytes),
    ),
    Bound::new(
        "max_jobs_per_batch",
        |limits, most| limits.engine.jobs_per_batch = count(most).min(1 << 16),
        |limits| number(limits.engine.jobs_per_batch),
    ),
    Bound::new(
        "max_name_bytes",
        |limits, most| limits.engine.name_bytes = count(most),
        |limits| number(limits.engine.name_bytes),
    ),
    Bound::new(
        "max_note_bytes",
        |limits, most| limits.engine.note_bytes = count(most),
        |limits| number(limits.engine.note_bytes),
    ),
    Bound::new(
        "max_schedule_length",
        |limits, most| limits.engine.schedule_length = count(most),
        |limits| number(limits.engine.schedule_length),
    ),
    Bound::new(
        "max_attempts_kept",
        |limits, most| limits.engine.attempts_kept = u32::try_from(most).unwrap_or(u32::MAX),
        |limits| Some(limits.engine.attempts_kept.into()),
    ),
    Bound::new(
        "max_pending_bytes",
        |limits, most| limits.pending_bytes = count(most),
        |limits| number(limits.pending_bytes),
    ),
    Bound::new(
        "max_jobs_per_call",
        |limits, most| limits.jobs_per_call = count(most),
        |limits| number(limits.jobs_per_call),
    ),
    Bound::new(
        "max_store_bytes",
        |limits, most| limits.engine.store_bytes = most,
        |limits| Some(limits.engine.store_bytes),
    ),
];

/// What belongs to the host as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// How many instances there may be at once, all components together.
    pub instances: u32,
    /// What clients may take.
    pub server: crate::server::Limits,
    /// How long requests in flight may take when the host is told to stop.
    pub drain: Duration,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            instances: 1_000,
            server: crate::server::Limits::default(),
            drain: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
#[path = "tests/limits.rs"]
mod tests;

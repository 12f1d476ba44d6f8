//! A guest before it has instances: what its manifest says of it, its bounds, its compiled code. Comes
//! in: a compiled component and its description; goes out: what any thread can instantiate. Counts the
//! instances and requests of the guest over all threads.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi_http::handler::ProxyPre;

use super::super::state::State;
use crate::capability::bindings::queue::HostQueuePre;
use crate::capability::{Grants, http, keyvalue, queue, sqlite, variables};
use crate::metrics;
use crate::telemetry;

/// How one component's instances are used and bounded.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a request may take until its response begins.
    pub request_timeout: Duration,
    /// How long a response may take from its head to its end, and the guest to end what it does after it.
    pub response_timeout: Duration,
    /// How much memory one instance may have, in bytes, over all its linear memories and tables.
    pub memory: usize,
    /// How many resources of the host (streams, fields, pollables) one instance may hold at once.
    pub handles: usize,
    /// How many requests one instance of WASI 0.3 serves before it is dropped.
    pub max_reuse: usize,
    /// How many requests one instance of WASI 0.2 serves, one after another, before it is dropped. Guests of
    /// 0.2 are written to be new for each: more than one is for those that are known not to mind.
    pub max_serial_reuse: usize,
    /// How many requests one instance serves at once. WASI 0.2: always 1.
    pub max_concurrent: usize,
    /// How many instances the component may have at once, over all threads.
    pub max_instances: usize,
    /// How many requests to the component may be under way at once, over all threads.
    pub max_requests: usize,
    /// The longest body of a request, in bytes.
    pub request_body: u64,
    /// The longest body of a response, in bytes.
    pub response_body: u64,
    /// How long an instance without work is kept.
    pub idle_timeout: Duration,
    /// How much it may print.
    pub print: telemetry::Limits,
    /// How many files it may be given to read.
    pub files: usize,
    /// How many bytes they may have together.
    pub files_bytes: u64,
}

impl Default for Limits {
    /// Reuse and concurrency are those of `wasmtime serve`.
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            response_timeout: Duration::from_secs(120),
            memory: 256 << 20,
            handles: 10_000,
            max_reuse: 128,
            max_serial_reuse: 1,
            max_concurrent: 16,
            max_instances: 1_000,
            max_requests: 4_096,
            request_body: 16 << 20,
            response_body: 64 << 20,
            idle_timeout: Duration::from_secs(1),
            print: telemetry::Limits::default(),
            files: 10_000,
            files_bytes: 256 << 20,
        }
    }
}

/// A component as its manifest describes it: what each of its instances gets.
pub struct Guest {
    /// The component's name in its manifest.
    pub name: String,
    /// Where its lines go.
    pub lines: telemetry::Source,
    /// Where it is counted what it does.
    pub metrics: Arc<metrics::Component>,
    /// Its environment variables.
    pub environment: Vec<(String, String)>,
    /// What it sees as `/` and may read; none sees nothing. Gone with the last who has it.
    pub files: Option<TempDir>,
    /// Its bounds.
    pub limits: Limits,
    /// The databases, and which of them it may open.
    pub sqlite: (sqlite::Shared, Arc<Grants>),
    /// The key-value stores, and which of them it may open.
    pub keyvalue: (keyvalue::Shared, Arc<Grants>),
    /// The app's queues, and which of them are its own.
    pub queue: (queue::Shared, Arc<Grants>),
    /// Its variables.
    pub variables: Arc<variables::Resolved>,
    /// Its way out.
    pub http: http::Shared,
}

/// A guest that is compiled, checked against the Linker and ready to be instantiated on any thread.
pub struct Loaded {
    pub(super) guest: Guest,
    pub(super) pre: ProxyPre<State>,
    /// What works on the jobs of its queues, if it has any.
    pub(super) worker: Option<HostQueuePre<State>>,
    /// A place for each instance it may have.
    pub(super) places: Arc<Semaphore>,
    /// A turn for each request that may be under way.
    pub(super) turns: Arc<Semaphore>,
}

impl Loaded {
    /// Checks that the Linker has what the component imports, with the same types, and that the
    /// component exports an HTTP handler of WASI 0.3 or 0.2.
    pub fn new(
        linker: &Linker<State>,
        component: &Component,
        guest: Guest,
    ) -> wasmtime::Result<Self> {
        let pre = pre(linker, component)?;
        let worker = match guest.queue.1.is_empty() {
            true => None,
            false => Some(HostQueuePre::new(linker.instantiate_pre(component)?)?),
        };
        let count = |limit: usize| Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        Ok(Self {
            places: count(guest.limits.max_instances),
            turns: count(guest.limits.max_requests),
            guest,
            pre,
            worker,
        })
    }

    /// The same check, for a component that is not going to be served now.
    pub fn check(linker: &Linker<State>, component: &Component) -> wasmtime::Result<()> {
        pre(linker, component).map(drop)
    }

    /// The guest as it was described.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// The version of WASI that the guest's handler is of.
    pub fn wasi(&self) -> &'static str {
        match self.pre {
            ProxyPre::P2(_) => "0.2",
            ProxyPre::P3(_) => "0.3",
        }
    }

    /// Whether an instance serves one request at a time, as guests of WASI 0.2 expect.
    pub(super) fn is_serial(&self) -> bool {
        matches!(self.pre, ProxyPre::P2(_))
    }

    pub(super) fn engine(&self) -> &wasmtime::Engine {
        match &self.pre {
            ProxyPre::P2(pre) => pre.engine(),
            ProxyPre::P3(pre) => pre.engine(),
        }
    }
}

fn pre(linker: &Linker<State>, component: &Component) -> wasmtime::Result<ProxyPre<State>> {
    let instance = linker.instantiate_pre(component)?;
    Ok(
        match wasmtime_wasi_http::p3::bindings::ServicePre::new(instance.clone()) {
            Ok(pre) => ProxyPre::P3(pre),
            Err(_) => ProxyPre::P2(wasmtime_wasi_http::p2::bindings::ProxyPre::new(instance)?),
        },
    )
}

//! What the host counts: one value that hangs on the app, and a handle for each component. Comes in: what
//! happened, from whoever saw it; goes out: Prometheus' text format. Never makes a request wait: a count is
//! an atomic addition, and labels are looked up when an app is opened.

mod component;
mod histogram;
mod queue;
mod storage;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

pub use component::{Asked, Component, Outbound};
pub use prometheus_client::metrics::counter::Counter;
pub use prometheus_client::metrics::gauge::Gauge;
pub use queue::{Attempt, Ended, Found, Queue};
pub use storage::File;

/// The names and values that tell apart what is counted under one name.
type Labels = Vec<(&'static str, String)>;

/// Brings up to date what nobody counts while nobody asks.
pub type Source = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// How long all sources together may take: who asks gets the rest though a disk hangs.
const LOOK_TIMEOUT: Duration = Duration::from_secs(3);

/// One app's counts.
pub struct Metrics {
    registry: Registry,
    families: component::Families,
    queues: queue::Families,
    refusals: Family<Labels, Counter>,
    /// Connections that were accepted.
    pub connections: Counter,
    /// Connections that are open.
    pub connections_open: Gauge,
    /// Connections that were turned away because there was no place.
    pub connections_refused: Counter,
    storage: storage::Files,
    sources: Mutex<Vec<Source>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("signet");
        let families = component::Families::new(&mut registry);
        let queues = queue::Families::new(&mut registry);
        let build = Family::<Labels, Gauge>::default();
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        build.get_or_create_owned(&version).set(1);
        registry.register("build_info", "1, with the version as a label", build);
        let storage = storage::Files::default();
        registry.register_collector(Box::new(storage.clone()));
        let mut own = Self {
            registry,
            families,
            queues,
            refusals: Family::default(),
            connections: Counter::default(),
            connections_open: Gauge::default(),
            connections_refused: Counter::default(),
            storage,
            sources: Mutex::default(),
        };
        own.register_server();
        own
    }
}

impl Metrics {
    fn register_server(&mut self) {
        self.registry.register(
            "connections",
            "Connections that were accepted",
            self.connections.clone(),
        );
        self.registry.register(
            "connections_open",
            "Connections that are open",
            self.connections_open.clone(),
        );
        self.registry.register(
            "connections_refused",
            "Connections that were turned away for want of a place",
            self.connections_refused.clone(),
        );
        self.registry.register(
            "refusals",
            "Requests that the host answered itself, by status",
            self.refusals.clone(),
        );
    }

    /// The counts of one component of one app.
    pub fn component(&self, app: &str, component: &str) -> Arc<Component> {
        Arc::new(self.families.component(app, component))
    }

    /// The counts of one queue of one component.
    pub fn queue(&self, app: &str, component: &str, queue: &str) -> Arc<Queue> {
        Arc::new(self.queues.queue(app, component, queue))
    }

    /// The host answered a request itself.
    pub fn refused(&self, status: u16) {
        let label = vec![("status", status.to_string())];
        self.refusals.get_or_create_owned(&label).inc();
    }

    /// Shows the size of a file from now on.
    pub fn watch(&self, file: File) {
        let files = self.storage.0.lock();
        files.unwrap_or_else(PoisonError::into_inner).push(file);
    }

    /// Asks this source whenever somebody wants to know.
    pub fn ask(&self, source: Source) {
        let sources = self.sources.lock();
        sources.unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// Asks all sources. One that does not answer in time leaves what it said before.
    pub async fn look(&self) {
        let asked: Vec<_> = {
            let sources = self.sources.lock();
            let sources = sources.unwrap_or_else(PoisonError::into_inner);
            sources.iter().map(|source| source()).collect()
        };
        // It is told by whoever waits for the engine.
        let _ = tokio::time::timeout(LOOK_TIMEOUT, join_all(asked)).await;
    }

    /// All counts as they are known.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

/// What is counted for as long as it is there.
pub struct Present(Gauge);

impl Present {
    /// One more is there, until this is dropped.
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests;

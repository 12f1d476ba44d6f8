//! What is counted of one component, over all threads. Owns the names of these counts; comes in: what
//! happened; goes out: the same under the component's name. Never looks a label up after the start.

use std::sync::Arc;
use std::time::Instant;

use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::histogram::Histogram;
use super::{Counter, Gauge, Labels};

/// The counts of one component.
pub struct Component {
    /// By the first digit of the status; none if the client left before there was one.
    answers: [Counter; 6],
    under_way: Gauge,
    duration: Histogram,
    /// Instances that are alive.
    pub instances: Gauge,
    /// Bytes of linear memories and tables that the instances have.
    pub memory: Gauge,
    /// Instances that ended with an error.
    pub traps: Counter,
    /// Requests whose time was up.
    pub deadlines: Counter,
    /// Requests for which there was no instance or no turn.
    pub full: Counter,
    /// Lines that were dropped.
    pub lines_dropped: Counter,
    /// Its requests to elsewhere.
    pub outbound: Outbound,
}

/// How a component's requests to elsewhere went.
#[derive(Clone, Default)]
pub struct Outbound {
    /// A response came, whatever it says.
    pub answered: Counter,
    /// The manifest does not grant the destination.
    pub denied: Counter,
    /// No response came.
    pub failed: Counter,
}

const ANSWERS: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

impl Component {
    /// Notes that a request begins.
    pub fn asked(self: &Arc<Self>) -> Asked {
        self.under_way.inc();
        Asked {
            component: Arc::clone(self),
            at: Instant::now(),
            answer: 0,
        }
    }
}

/// A request that is under way until its response begins.
pub struct Asked {
    component: Arc<Component>,
    at: Instant,
    answer: usize,
}

impl Asked {
    /// Notes the response's status.
    pub fn answered(mut self, status: u16) {
        self.answer = usize::from(status / 100);
        self.component.duration.observe(self.at.elapsed());
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.component.under_way.dec();
        if let Some(counter) = self.component.answers.get(self.answer) {
            counter.inc();
        }
    }
}

/// What all components have, by name.
pub(super) struct Families {
    requests: Family<Labels, Counter>,
    under_way: Family<Labels, Gauge>,
    duration: Family<Labels, Histogram>,
    instances: Family<Labels, Gauge>,
    memory: Family<Labels, Gauge>,
    traps: Family<Labels, Counter>,
    deadlines: Family<Labels, Counter>,
    full: Family<Labels, Counter>,
    lines_dropped: Family<Labels, Counter>,
    outbound: Family<Labels, Counter>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        Self {
            requests: family(
                registry,
                "requests",
                "Requests to a component, by the class of the response's status",
            ),
            under_way: family(
                registry,
                "requests_under_way",
                "Requests that wait for the begin of their response",
            ),
            duration: family(
                registry,
                "request_duration_seconds",
                "From a request's head to the head of its response",
            ),
            instances: family(registry, "instances", "Instances that are alive"),
            memory: family(
                registry,
                "instance_memory_bytes",
                "Linear memories and tables of the instances that are alive",
            ),
            traps: family(registry, "traps", "Instances that ended with an error"),
            deadlines: family(registry, "deadlines", "Requests whose time was up"),
            full: family(
                registry,
                "full",
                "Requests for which there was no instance or no turn",
            ),
            lines_dropped: family(
                registry,
                "guest_lines_dropped",
                "Lines of guests that were dropped",
            ),
            outbound: family(
                registry,
                "outbound_requests",
                "Requests of components to elsewhere, by outcome",
            ),
        }
    }

    pub(super) fn component(&self, app: &str, component: &str) -> Component {
        let labels = vec![("app", app.to_owned()), ("component", component.to_owned())];
        let with = |name, value: &str| {
            let more = std::iter::once((name, value.to_owned()));
            labels.iter().cloned().chain(more).collect::<Labels>()
        };
        let outbound = |outcome| self.outbound.get_or_create_owned(&with("outcome", outcome));
        Component {
            answers: ANSWERS.map(|class| self.requests.get_or_create_owned(&with("status", class))),
            under_way: self.under_way.get_or_create_owned(&labels),
            duration: self.duration.get_or_create_owned(&labels),
            instances: self.instances.get_or_create_owned(&labels),
            memory: self.memory.get_or_create_owned(&labels),
            traps: self.traps.get_or_create_owned(&labels),
            deadlines: self.deadlines.get_or_create_owned(&labels),
            full: self.full.get_or_create_owned(&labels),
            lines_dropped: self.lines_dropped.get_or_create_owned(&labels),
            outbound: Outbound {
                answered: outbound("answered"),
                denied: outbound("denied"),
                failed: outbound("failed"),
            },
        }
    }
}

pub(super) fn family<M>(registry: &mut Registry, name: &str, help: &str) -> Family<Labels, M>
where
    M: Default + Clone,
    Family<Labels, M>: prometheus_client::registry::Metric,
{
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}

//! The cases: what is served, by whom, and how it is loaded. Comes in: the hosts; goes out: a list. It measures
//! nothing itself. The first side of a case is ours; each other one is a peer.

mod beside;
mod delivery;
mod growth;
mod hello;
mod old;
mod start;
mod verify;
mod webhooks;

use std::net::SocketAddr;

use anyhow::Result;

use crate::goals::Metric;
use crate::hosts::Hosts;
use crate::http::{Ask, Client};
use crate::invocation::Invocation;
use crate::load::Load;

/// Where the parts of one turn listen.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The server; several where it serves several apps.
    pub(crate) servers: Vec<SocketAddr>,
    /// Whom it calls.
    pub(crate) sink: SocketAddr,
}

impl Place {
    /// The first of the servers.
    pub(crate) fn server(&self) -> SocketAddr {
        self.servers[0]
    }
}

type Start<'a> = Box<dyn Fn(&Place) -> Result<Invocation> + 'a>;
type ByHand<'a> = Box<dyn Fn(&Place) -> String + 'a>;
type Prepare<'a> = Box<dyn Fn(&Client, &Place) -> Result<()> + 'a>;

/// One host in a case.
pub(crate) struct Side<'a> {
    pub(crate) name: String,
    pub(crate) start: Start<'a>,
    /// What is answered 200 once it serves; what the case loads unless said otherwise.
    pub(crate) ready: Option<Ask>,
    /// What is done before it is loaded.
    pub(crate) prepare: Option<Prepare<'a>>,
    /// The same as a stranger types it.
    pub(crate) by_hand: Option<ByHand<'a>>,
    /// How many addresses it listens on.
    pub(crate) addresses: usize,
}

impl<'a> Side<'a> {
    fn new(name: &str, start: impl Fn(&Place) -> Result<Invocation> + 'a) -> Self {
        Self {
            name: name.to_owned(),
            start: Box::new(start),
            ready: None,
            prepare: None,
            by_hand: None,
            addresses: 1,
        }
    }

    fn ready(mut self, ask: Ask) -> Self {
        self.ready = Some(ask);
        self
    }

    fn prepare(mut self, prepare: impl Fn(&Client, &Place) -> Result<()> + 'a) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    fn by_hand(mut self, line: impl Fn(&Place) -> String + 'a) -> Self {
        self.by_hand = Some(Box::new(line));
        self
    }
}

/// What is measured.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Requests under load.
    Loaded(Load),
    /// The time until the first 200, with nothing kept from an earlier start, or with everything.
    Started {
        /// Nothing is kept.
        cold: bool,
        /// The request that is answered 200.
        ask: Ask,
    },
    /// Events on their way to consumers.
    Delivered(Deliveries),
    /// Nothing, once this was answered 200.
    Idle(Ask),
}

impl Kind {
    /// The figure that it is measured for.
    pub(crate) fn main(&self) -> Metric {
        match self {
            Self::Loaded(_) => Metric::RequestsPerS,
            Self::Started { .. } => Metric::Start,
            Self::Delivered(Deliveries { events: None, .. }) => Metric::RequestsPerS,
            Self::Delivered(_) => Metric::Growth,
            Self::Idle(_) => Metric::Wakeups,
        }
    }
}

/// What is posted to a producer.
#[derive(Debug, Clone)]
pub(crate) struct Deliveries {
    /// How many events a second.
    pub(crate) rate: f64,
    /// How many in all; as many as fit into a turn unless said otherwise.
    pub(crate) events: Option<u64>,
    /// How many types they are of, in turn.
    pub(crate) types: u64,
    /// How many consumers get each of them.
    pub(crate) fan_out: u64,
    /// The side whose consumer of the first type never answers.
    pub(crate) dead: Option<&'static str>,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            rate: 1.0,
            events: None,
            types: 1,
            fan_out: 1,
            dead: None,
        }
    }
}

/// What is asked for beside the load of one side.
#[derive(Debug, Clone)]
pub(crate) struct Beside {
    /// The side.
    pub(crate) side: &'static str,
    /// The requests.
    pub(crate) load: Load,
}

/// One case.
pub(crate) struct Case<'a> {
    pub(crate) id: String,
    pub(crate) says: String,
    pub(crate) kind: Kind,
    pub(crate) sides: Vec<Side<'a>>,
    /// Peers that cannot run it, and why.
    pub(crate) cannot: Vec<(&'static str, String)>,
    /// How often the server calls others for a request.
    pub(crate) calls: usize,
    /// Whether a receiver of signed events runs beside.
    pub(crate) receives: bool,
    /// Whether it is measured once, however many rounds there are.
    pub(crate) once: bool,
    /// How many connections are kept open beside the load.
    pub(crate) idle: usize,
    /// What else is asked for meanwhile.
    pub(crate) beside: Option<Beside>,
    /// Why it cannot be measured here.
    pub(crate) left_out: Option<String>,
}

impl<'a> Case<'a> {
    pub(crate) fn loaded(id: &str, says: &str, load: Load, sides: Vec<Side<'a>>) -> Self {
        Self {
            id: id.to_owned(),
            says: says.to_owned(),
            kind: Kind::Loaded(load),
            sides,
            cannot: Vec::new(),
            calls: 0,
            receives: false,
            once: false,
            idle: 0,
            beside: None,
            left_out: None,
        }
    }
}

/// All cases, in the order of the report. A quick run leaves out what cannot be made short.
pub(crate) fn all(hosts: &Hosts, quick: bool) -> Result<Vec<Case<'_>>> {
    let mut cases = hello::cases(hosts)?;
    cases.extend(verify::cases(hosts)?);
    cases.extend(hello::connections(hosts)?);
    cases.extend(webhooks::cases(hosts)?);
    cases.extend(delivery::cases(hosts, quick)?);
    cases.extend(old::cases(hosts)?);
    cases.extend(start::cases(hosts)?);
    cases.extend(growth::cases(hosts)?);
    cases.push(beside::case(hosts)?);
    Ok(cases)
}

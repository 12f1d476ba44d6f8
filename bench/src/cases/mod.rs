//! The cases: what is served, by whom, and how it is loaded. Comes in: the hosts; goes out: a list. It measures
//! nothing itself. The first side of a case is ours; each other one is a peer.

mod beside;
mod growth;
mod hello;
mod old;
mod start;
mod verify;
mod webhooks;

use std::net::SocketAddr;

use anyhow::Result;

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
            idle: 0,
            beside: None,
            left_out: None,
        }
    }
}

/// All cases, in the order of the report.
pub(crate) fn all(hosts: &Hosts) -> Result<Vec<Case<'_>>> {
    let mut cases = hello::cases(hosts)?;
    cases.extend(verify::cases(hosts)?);
    cases.extend(hello::connections(hosts)?);
    cases.extend(webhooks::cases(hosts)?);
    cases.extend(old::cases(hosts)?);
    cases.extend(start::cases(hosts)?);
    cases.extend(growth::cases(hosts)?);
    cases.push(beside::case(hosts)?);
    Ok(cases)
}

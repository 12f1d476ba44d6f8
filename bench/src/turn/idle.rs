//! A turn in which nobody asks for anything: how often the host's threads run all the same.

use anyhow::Result;
use std::time::{Duration, Instant};

use super::{Pace, forget, place, said};
use crate::cases::Side;
use crate::hosts::Hosts;
use crate::http::{Ask, Client};
use crate::process::Server;
use crate::record::{Commands, Sample};

/// What a start leaves to be done is done by then.
const REST: Duration = Duration::from_secs(2);

pub(super) fn take(
    hosts: &Hosts,
    client: &Client,
    pace: Pace,
    side: &Side<'_>,
    ask: &Ask,
) -> Result<(Sample, Commands)> {
    forget(&hosts.state())?;
    let place = place(side.addresses)?;
    let invocation = (side.start)(&place)?;
    let mut server = Server::spawn(&invocation, &hosts.root, &said(hosts, "server"))?;
    server.ready(client, place.server(), ask)?;
    std::thread::sleep(REST);
    let (began, before) = (Instant::now(), server.switches()?);
    std::thread::sleep(Duration::from_secs_f64(pace.seconds));
    let switches = server.switches()? - before;
    let sample = Sample {
        wakeups_per_s: Some(switches as f64 / began.elapsed().as_secs_f64()),
        rss_idle_mb: Some(server.memory()?),
        requests: 1,
        ..Sample::default()
    };
    server.stop()?;
    let commands = Commands {
        server: invocation.line(&hosts.root),
        ..Commands::default()
    };
    Ok((sample, commands))
}

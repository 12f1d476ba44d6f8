//! A turn of events on their way: post them at a steady rate, wait until the receiver has what is due to it, and read
//! how long that took. An event that was accepted and does not arrive is a failure.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::{Pace, forget, place, run, said, start_sink};
use crate::cases::{Case, Deliveries, Place, Side};
use crate::hosts::Hosts;
use crate::http::{Ask, Client};
use crate::invocation::Invocation;
use crate::native::receiver::{TAKEN, Taken};
use crate::post::Posted;
use crate::process::Server;
use crate::record::{Commands, Sample};
use crate::stats::median;

/// How long what was accepted may be under way after the last post, and the last post behind its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the host's memory is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// One posting, and how it went.
struct Round {
    posted: Posted,
    taken: Taken,
    /// Deliveries that were due and did not come.
    missing: u64,
    seconds: f64,
    memory: Vec<f64>,
}

pub(super) fn take(
    hosts: &Hosts,
    client: &Client,
    pace: Pace,
    (case, side): (&Case<'_>, &Side<'_>),
    deliveries: &Deliveries,
) -> Result<(Sample, Commands)> {
    forget(&hosts.state())?;
    let place = place(side.addresses)?;
    let receiver = start_sink(hosts, client, case, &place)?;
    let invocation = (side.start)(&place)?;
    let mut server = Server::spawn(&invocation, &hosts.root, &said(hosts, "server"))?;
    let ready = side.ready.as_ref();
    server.ready(client, place.server(), ready.context("no ready request")?)?;
    if let Some(prepare) = &side.prepare {
        prepare(client, &place)?;
    }
    let rss_idle = server.memory()?;
    let has_dead = deliveries.dead == Some(&*side.name);
    let events = |seconds: f64| (deliveries.rate * seconds).ceil() as u64;
    let post = |events: u64| round(hosts, client, &server, &place, deliveries, events, has_dead);
    post(events(pace.warm_up))?;
    server.forget_peak();
    let before = server.cpu()?;
    let count = deliveries.events.unwrap_or_else(|| events(pace.seconds));
    let round = post(count)?;
    let cpu = server.cpu()?.saturating_sub(before).as_secs_f64();
    let mut sample = Sample {
        requests_per_s: Some(round.taken.count as f64 / round.seconds),
        cpu_us: (round.taken.count > 0).then(|| cpu * 1e6 / round.taken.count as f64),
        busy: Some(cpu / round.seconds / hosts.halves.server_count as f64),
        rss_idle_mb: Some(rss_idle),
        rss_peak_mb: Some(server.peak()?),
        rss_after_mb: Some(server.memory()?),
        rss_growth: growth(&round.memory),
        requests: round.taken.count,
        ..Sample::default()
    };
    server.stop()?;
    if let Some(ms) = round.taken.ms {
        sample.p50_ms = Some(ms.p50);
        sample.p90_ms = Some(ms.p90);
        sample.p95_ms = Some(ms.p95);
        sample.p99_ms = Some(ms.p99);
        sample.p999_ms = Some(ms.p999);
    }
    sample.failures = round.posted.failures;
    for (what, count) in [
        ("delivery that did not come", round.missing),
        ("delivery without a valid signature", round.taken.refused),
    ] {
        if count > 0 {
            sample.failures.insert(what.to_owned(), count);
        }
    }
    let commands = Commands {
        sink: receiver.map(|(_, line)| line),
        server: invocation.line(&hosts.root),
        prepare: side.by_hand.as_ref().map(|line| line(&place)),
        load: Some(posting(hosts, &place, deliveries, count).line(&hosts.root)),
    };
    Ok((sample, commands))
}

fn posting(hosts: &Hosts, place: &Place, deliveries: &Deliveries, events: u64) -> Invocation {
    let post = hosts.post(place.server());
    post.args(["--rate", &deliveries.rate.to_string()])
        .args(["--types", &deliveries.types.to_string()])
        .args(["--events", &events.to_string()])
}

fn round(
    hosts: &Hosts,
    client: &Client,
    server: &Server,
    place: &Place,
    deliveries: &Deliveries,
    events: u64,
    has_dead: bool,
) -> Result<Round> {
    let file = hosts.write("post.json", "")?;
    let bound = Duration::from_secs_f64(events as f64 / deliveries.rate) + PATIENCE;
    let began = Instant::now();
    let (mut memory, mut looked) = (Vec::new(), began);
    let invocation = posting(hosts, place, deliveries, events);
    run(hosts, &invocation, &file, bound, || {
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            memory.push(server.memory()?);
        }
        Ok(())
    })?;
    let posted: Posted = serde_json::from_slice(&fs::read(&file)?).context("what was posted")?;
    let dead = if has_dead {
        events.div_ceil(deliveries.types)
    } else {
        0
    };
    let due = posted.accepted.saturating_sub(dead) * deliveries.fan_out;
    let posted_at = Instant::now();
    while so_far(client, place)?.count < due && posted_at.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(2));
    }
    let seconds = began.elapsed().as_secs_f64();
    let taken = taken(client, place)?;
    Ok(Round {
        posted,
        missing: due.saturating_sub(taken.count),
        taken,
        seconds,
        memory,
    })
}

/// What the receiver has taken since it was told to forget, without how long it took.
fn so_far(client: &Client, place: &Place) -> Result<Taken> {
    let said = client.good(place.sink, &Ask::get(TAKEN))?;
    serde_json::from_str(&said).context("what was taken")
}

/// The same with how long it took, which the receiver forgets by that.
fn taken(client: &Client, place: &Place) -> Result<Taken> {
    let said = client.good(place.sink, &Ask::post(TAKEN, ""))?;
    serde_json::from_str(&said).context("what was taken")
}

/// What was in memory at the end over what it was after the first tenth, each the median of some looks.
fn growth(memory: &[f64]) -> Option<f64> {
    let tenth = memory.len() / 10;
    let first = median(memory.get(tenth..2 * tenth)?)?;
    let last = median(&memory[memory.len() - tenth..])?;
    Some(last / first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_grows_after_the_first_tenth_is_growth() {
        let begin = [10.0, 50.0, 100.0, 100.0];
        let flat: Vec<_> = begin.into_iter().chain([100.0; 36]).collect();
        assert_eq!(growth(&flat), Some(1.0));
        let grows: Vec<_> = (0..40).map(|look| 100.0 + f64::from(look)).collect();
        assert!(growth(&grows).unwrap() > 1.2);
        assert_eq!(growth(&[100.0; 5]), None);
    }
}

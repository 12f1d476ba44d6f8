//! One turn of one host: start it, wait for its first 200, load it, read what it cost, stop it. Comes in: a side of
//! a case; goes out: a sample and the commands that were run. Every host goes through the same steps.

mod delivered;
mod idle;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::cases::{Case, Kind, Place, Side};
use crate::hosts::Hosts;
use crate::http::{Ask, Client};
use crate::invocation::Invocation;
use crate::load::{self, Found, Load, Target};
use crate::native::SERVED;
use crate::process::Server;
use crate::record::{Commands, Sample};

/// How long things go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How long a turn is loaded.
    pub(crate) seconds: f64,
    /// How long before that, uncounted.
    pub(crate) warm_up: f64,
}

/// Runs one turn.
pub(crate) fn take(
    hosts: &Hosts,
    client: &Client,
    pace: Pace,
    case: &Case<'_>,
    side: &Side<'_>,
) -> Result<(Sample, Commands)> {
    match &case.kind {
        Kind::Loaded(load) => loaded(hosts, client, pace, case, side, load),
        Kind::Started { cold, ask } => started(hosts, client, side, *cold, ask),
        Kind::Delivered(deliveries) => {
            delivered::take(hosts, client, pace, (case, side), deliveries)
        }
        Kind::Idle(ask) => idle::take(hosts, client, pace, side, ask),
    }
}

/// One start that is not counted, so that what each host keeps from it is there: compiled components.
pub(crate) fn rehearse(
    hosts: &Hosts,
    client: &Client,
    case: &Case<'_>,
    side: &Side<'_>,
) -> Result<()> {
    let ask = match &case.kind {
        Kind::Loaded(load) => side.ready.as_ref().unwrap_or(&load.ask),
        Kind::Started { cold: true, .. } => return Ok(()),
        Kind::Started { ask, .. } | Kind::Idle(ask) => ask,
        Kind::Delivered(_) => side
            .ready
            .as_ref()
            .context("a producer says when it is ready")?,
    };
    forget(&hosts.state())?;
    let place = place(side.addresses)?;
    let _sink = start_sink(hosts, client, case, &place)?;
    let mut server = Server::spawn(&(side.start)(&place)?, &hosts.root, &said(hosts, "server"))?;
    server.ready(client, place.server(), ask)?;
    server.stop()
}

fn loaded(
    hosts: &Hosts,
    client: &Client,
    pace: Pace,
    case: &Case<'_>,
    side: &Side<'_>,
    load: &Load,
) -> Result<(Sample, Commands)> {
    forget(&hosts.state())?;
    let place = place(side.addresses)?;
    let sink = start_sink(hosts, client, case, &place)?;
    let invocation = (side.start)(&place)?;
    let mut server = Server::spawn(&invocation, &hosts.root, &said(hosts, "server"))?;
    server.ready(
        client,
        place.server(),
        side.ready.as_ref().unwrap_or(&load.ask),
    )?;
    if let Some(prepare) = &side.prepare {
        prepare(client, &place)?;
    }
    let urls = urls(hosts, &place, load)?;
    let target = match &urls {
        Some(file) => Target::UrlsOf(file),
        None => Target::Url(place.server()),
    };
    let mut sample = Sample {
        rss_idle_mb: Some(server.memory()?),
        ..Sample::default()
    };
    generate(hosts, load, pace.warm_up, target)?;
    let idle = keep_open(place.server(), &load.ask, case.idle, &server, &mut sample)?;
    server.forget_peak();
    let called = calls(client, &place, case)?;
    let beside = case.beside.iter().filter(|beside| beside.side == side.name);
    let beside = beside.map(|beside| Background::start(hosts, &beside.load, pace.seconds, target));
    let beside: Vec<_> = beside.collect::<Result<_>>()?;
    let before = server.cpu()?;
    let (mut found, line) = generate(hosts, load, pace.seconds, target)?;
    let cpu = server.cpu()?.saturating_sub(before);
    let called = calls(client, &place, case)? - called;
    let due = found.answered * case.calls as u64;
    if called < due {
        found
            .failures
            .insert("call that was not made".to_owned(), due - called);
    }
    sample.rss_peak_mb = Some(server.peak()?);
    sample.rss_after_mb = Some(server.memory()?);
    drop((idle, beside));
    server.stop()?;
    fill(&mut sample, found, cpu, hosts.halves.server_count);
    let commands = Commands {
        sink: sink.map(|(_, line)| line),
        server: invocation.line(&hosts.root),
        prepare: side.by_hand.as_ref().map(|line| line(&place)),
        load: Some(line),
    };
    Ok((sample, commands))
}

fn fill(sample: &mut Sample, found: Found, cpu: Duration, cpus: usize) {
    let cpu = cpu.as_secs_f64();
    sample.requests_per_s = Some(found.requests_per_s);
    sample.p50_ms = Some(found.p50_ms);
    sample.p90_ms = Some(found.p90_ms);
    sample.p95_ms = Some(found.p95_ms);
    sample.p99_ms = Some(found.p99_ms);
    sample.p999_ms = Some(found.p999_ms).filter(|value| value.is_finite());
    sample.cpu_us = (found.answered > 0).then(|| cpu * 1e6 / found.answered as f64);
    sample.busy = Some(cpu / found.seconds / cpus as f64);
    sample.requests = found.answered;
    sample.failures = found.failures;
}

fn started(
    hosts: &Hosts,
    client: &Client,
    side: &Side<'_>,
    cold: bool,
    ask: &Ask,
) -> Result<(Sample, Commands)> {
    if cold {
        forget(&hosts.state())?;
        forget(&hosts.cold_cache())?;
        hosts.write_cache(&hosts.cold_cache())?;
    }
    let place = place(side.addresses)?;
    let invocation = (side.start)(&place)?;
    let mut server = Server::spawn(&invocation, &hosts.root, &said(hosts, "server"))?;
    let took = server.ready(client, place.server(), ask)?;
    let sample = Sample {
        start_ms: Some(took.as_secs_f64() * 1e3),
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

fn place(addresses: usize) -> Result<Place> {
    let mut all = Vec::new();
    // All are held until the last is found, so that none comes twice.
    let mut held = Vec::new();
    for _ in 0..=addresses {
        let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        all.push(listener.local_addr()?);
        held.push(listener);
    }
    let sink = all.pop().context("one more address than servers")?;
    Ok(Place { servers: all, sink })
}

fn start_sink(
    hosts: &Hosts,
    client: &Client,
    case: &Case<'_>,
    place: &Place,
) -> Result<Option<(Server, String)>> {
    let invocation = match case.calls {
        _ if case.receives => hosts.receiver(place.sink),
        0 => return Ok(None),
        _ => hosts.sink(place.sink),
    };
    let mut server = Server::spawn(&invocation, &hosts.root, &said(hosts, "sink"))?;
    server.ready(client, place.sink, &Ask::get("/"))?;
    Ok(Some((server, invocation.line(&hosts.root))))
}

/// How often the server has called others until now.
fn calls(client: &Client, place: &Place, case: &Case<'_>) -> Result<u64> {
    if case.calls == 0 {
        return Ok(0);
    }
    let said = client.good(place.sink, &Ask::get(SERVED))?;
    said.trim()
        .parse()
        .context("the sink does not say a number")
}

/// The file with the addresses of many servers.
fn urls(hosts: &Hosts, place: &Place, load: &Load) -> Result<Option<std::path::PathBuf>> {
    if place.servers.len() == 1 {
        return Ok(None);
    }
    let lines = place
        .servers
        .iter()
        .map(|server| format!("http://{server}{}\n", load.ask.path));
    Ok(Some(hosts.write("urls", lines.collect::<String>())?))
}

/// A load that nobody measures, until it is dropped.
struct Background(Child);

impl Background {
    fn start(hosts: &Hosts, load: &Load, seconds: f64, target: Target<'_>) -> Result<Self> {
        // It ends by itself in any case.
        let invocation = load.invocation(hosts.oha(), 2.0 * seconds, target);
        let mut command = invocation.command(&hosts.root);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("the generator cannot be started")?;
        // Its requests are there before those that are measured.
        std::thread::sleep(Duration::from_millis(200));
        Ok(Self(child))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn generate(
    hosts: &Hosts,
    load: &Load,
    seconds: f64,
    target: Target<'_>,
) -> Result<(Found, String)> {
    let invocation = load.invocation(hosts.oha(), seconds, target);
    let line = invocation.line(&hosts.root);
    let json = hosts.write("oha.json", "")?;
    let bound = Duration::from_secs_f64(seconds) + load::PATIENCE + MARGIN;
    run(hosts, &invocation, &json, bound, || Ok(()))?;
    let found = load::read(&fs::read(&json)?).with_context(|| format!("`{line}`"))?;
    Ok((found, line))
}

/// Runs a generator until it ends by itself, what it says in a file. It may take so long, and meanwhile somebody looks.
fn run(
    hosts: &Hosts,
    invocation: &Invocation,
    said: &Path,
    bound: Duration,
    mut look: impl FnMut() -> Result<()>,
) -> Result<()> {
    let line = invocation.line(&hosts.root);
    let mut command = invocation.command(&hosts.root);
    command
        .stdout(fs::File::create(said)?)
        .stderr(Stdio::null());
    let mut generator = command.spawn().with_context(|| format!("`{line}`"))?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = generator.try_wait()? {
            break status;
        }
        let looked = look();
        if looked.is_err() || began.elapsed() > bound {
            generator.kill()?;
            generator.wait()?;
            looked?;
            bail!("`{line}` did not end by itself");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    ensure!(status.success(), "`{line}` ended with {status}");
    Ok(())
}

/// What the generator may take longer than its requests.
const MARGIN: Duration = Duration::from_secs(20);

/// Opens connections that have asked once and then keep silent, and says what each of them weighs.
fn keep_open(
    address: SocketAddr,
    ask: &Ask,
    count: usize,
    server: &Server,
    sample: &mut Sample,
) -> Result<Vec<TcpStream>> {
    let before = server.memory()?;
    let mut open = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(address)?;
        let head = format!("GET {} HTTP/1.1\r\nhost: {address}\r\n\r\n", ask.path);
        stream.write_all(head.as_bytes())?;
        let mut answer = [0; 1024];
        let read = stream.read(&mut answer)?;
        ensure!(
            answer[..read].starts_with(b"HTTP/1.1 200"),
            "a connection was not answered 200"
        );
        open.push(stream);
    }
    if count > 0 {
        let more = server.memory()? - before;
        sample.idle_kb = Some(more.max(0.0) * 1024.0 / count as f64);
    }
    Ok(open)
}

/// The file that keeps what a process says.
fn said(hosts: &Hosts, name: &str) -> std::path::PathBuf {
    hosts.out.join(format!("{name}.log"))
}

fn forget(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

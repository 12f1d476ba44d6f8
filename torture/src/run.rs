//! A run: everything is set up, cycle follows cycle, and the first thing that must not be ends it. Comes in: what was
//! typed; goes out: the report, and an exit code. Keeps the state when something is wrong, removes it otherwise.

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use tokio::sync::watch;

use crate::Arguments;
use crate::apps::{self, APPS, DELIVERY_MS, LANES};
use crate::audit::{Rules, audit};
use crate::client::Client;
use crate::consumer::Consumer;
use crate::cycle::Torture;
use crate::deck::Deck;
use crate::disk::{self, Disk};
use crate::host::Starter;
use crate::ledger::Ledger;
use crate::report::Report;

/// Where the state and everything that is said goes, and what else a run needs.
pub(crate) fn run(arguments: &Arguments, mounts: bool) -> Result<ExitCode> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let seed = arguments.seed.unwrap_or(since.as_secs());
    let folder = tempfile::Builder::new().prefix("signet-run-").tempdir()?;
    let mut report = Report {
        signet: version(arguments)?,
        commit: commit(),
        seed,
        ..Report::default()
    };
    if !mounts {
        report
            .left_out
            .push("disk-full, read-only: this system mounts nothing".to_owned());
    }
    println!(
        "torture: seed {seed}, {} cycles, in {}",
        arguments.cycles,
        folder.path().display()
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let begun = Instant::now();
    let cycles = cycles(arguments, mounts, folder.path(), &mut report);
    let ended = runtime.block_on(cycles);
    report.seconds = begun.elapsed().as_secs();
    if let Some(file) = &arguments.report {
        report.write(file)?;
    }
    println!("{}", report.line());
    if ended.is_ok() && report.violations.is_empty() {
        if mounts {
            disk::unmount(&folder.path().join("disk"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    for violation in &report.violations {
        eprintln!("wrong: {violation}");
    }
    // What is on a disk that is mounted goes with this process: a copy stays.
    let kept = folder.keep();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(kept.join("disk"))
        .arg(kept.join("kept"))
        .status();
    eprintln!(
        "kept: {} ({copied:?}); again with --seed {seed}",
        kept.display()
    );
    ended.map(|()| ExitCode::FAILURE)
}

async fn cycles(
    arguments: &Arguments,
    mounts: bool,
    folder: &std::path::Path,
    report: &mut Report,
) -> Result<()> {
    let mut deck = Deck::new(mounts, &arguments.only);
    ensure!(
        !deck.is_empty(),
        "no fault has such a name here: {:?}",
        arguments.only
    );
    let ledger = Arc::new(Ledger::new());
    let lanes = 0..APPS.len() * LANES;
    let consumers: Vec<_> = lanes
        .map(|lane| Consumer::start(lane, Arc::clone(&ledger)))
        .collect::<Result<_>>()?;
    let addresses: Vec<_> = consumers
        .iter()
        .map(|consumer| consumer.address())
        .collect();
    apps::write(folder, &arguments.guests, &addresses)?;
    let rules = Rules {
        apps: (0..consumers.len()).map(|lane| lane / LANES).collect(),
        ordered: (0..consumers.len())
            .map(|lane| APPS[lane / LANES] == "ordered")
            .collect(),
        timeout: DELIVERY_MS,
    };
    let signet = arguments.signet.canonicalize();
    let mut torture = Torture {
        starter: Starter {
            signet: signet
                .with_context(|| format!("{} is not there", arguments.signet.display()))?,
            folder: folder.to_owned(),
            ahead: 0,
        },
        disk: Disk::make(folder.join("disk"), mounts)?,
        consumers,
        ledger: Arc::clone(&ledger),
        client: Client::new(),
        place: watch::Sender::new(None),
        host: None,
        registrations: Vec::new(),
        chance: fastrand::Rng::with_seed(report.seed),
        number: 0,
        run: report.seed,
        reached: Default::default(),
    };
    torture.rise().await?;
    torture.register().await?;
    for number in 1..=arguments.cycles {
        let fault = deck.draw(&mut torture.chance);
        let began = Instant::now();
        let said = torture
            .cycle(fault)
            .await
            .with_context(|| format!("cycle {number}"))?;
        let page = ledger.turn();
        let (account, wrong) = audit(&page, &said, &rules);
        *report.faults.entry(fault.name()).or_default() += 1;
        report.falls += page.falls.len() as u64;
        report.reposts += page.reposts;
        report.refusals += page.refusals;
        report.points_reached.clone_from(&torture.reached);
        report.add(account);
        println!(
            "{number:4} {:20} {:5} ms  {:3} accepted {:3} delivered {:3} dead {:3} came {:2} twice",
            fault.name(),
            began.elapsed().as_millis(),
            account.accepted,
            account.delivered,
            account.dead,
            account.arrivals,
            account.duplicates,
        );
        if !wrong.is_empty() {
            report.violations = wrong
                .into_iter()
                .map(|what| format!("cycle {number}: {what}"))
                .collect();
            break;
        }
    }
    if let Some(host) = torture.host.take() {
        host.kill().await?;
    }
    Ok(())
}

/// What the host calls itself.
fn version(arguments: &Arguments) -> Result<String> {
    let output = Command::new(&arguments.signet).arg("--version").output();
    let output = output.with_context(|| format!("{} cannot be run", arguments.signet.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The commit of the checkout that this is run in, where it is known: a version is that of many hosts.
fn commit() -> Option<String> {
    let mut git = Command::new("git");
    let output = git.args(["describe", "--always", "--dirty"]).output().ok();
    let output = output.filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

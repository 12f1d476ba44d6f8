//! A run: all cases, round by round. Comes in: what was typed; goes out: `results.json`, `run.json` and the report.
//! The hosts take turns (A B A B ...), so that what disturbs the machine for a while disturbs all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};

use crate::CompareArguments;
use crate::cases::{self, Case};
use crate::guests::Guests;
use crate::hosts::{Hosts, root};
use crate::http::Client;
use crate::invocation::Invocation;
use crate::machine::{Halves, Machine, version};
use crate::process::supported;
use crate::record::{Commands, Row, Run};
use crate::rows::{Turns, rows};
use crate::turn::{self, Pace};
use crate::{report, tools};

/// Measures what was asked for, and writes the report.
pub(crate) fn compare(arguments: &CompareArguments) -> Result<()> {
    supported()?;
    ensure!(arguments.rounds > 0, "--rounds must be at least 1");
    let began = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let clock = Instant::now();
    let hosts = hosts(arguments)?;
    let mut versions = versions(&hosts)?;
    for (name, version) in &versions {
        println!("{name}: {version}");
    }
    println!("{}", hosts.halves.words());
    let pace = pace(arguments);
    let client = Client::new()?;
    hosts.write_cache(&hosts.cache())?;

    let all = cases::all(&hosts, arguments.quick)?;
    let chosen = chosen(&all, &arguments.only)?;
    let mut kept = Vec::new();
    let mut left_out = BTreeMap::new();
    for (at, case) in chosen.iter().enumerate() {
        println!("\n[{}/{}] {}: {}", at + 1, chosen.len(), case.id, case.says);
        if let Some(why) = &case.left_out {
            println!("    left out: {why}");
            left_out.insert(case.id.clone(), why.clone());
            continue;
        }
        let turns = measure(&hosts, &client, pace, arguments.rounds, case)?;
        let rows = rows(case, &turns);
        for row in &rows {
            println!("{}", report::line(row));
        }
        commands(&turns);
        kept.extend(rows);
    }
    versions.extend(commit(&hosts.root));
    let run = Run {
        machine: Machine::here(),
        halves: hosts.halves.clone(),
        versions,
        command: typed(),
        began,
        took_s: clock.elapsed().as_secs(),
        rounds: arguments.rounds,
        seconds: pace.seconds,
        warm_up_seconds: pace.warm_up,
        left_out,
    };
    report::write(&hosts.out, &run, &kept)?;
    println!("\n{}", report::table(&run, &kept));
    println!(
        "{} has the page, the plots and the raw results",
        hosts.out.display()
    );
    Ok(())
}

fn pace(arguments: &CompareArguments) -> Pace {
    let seconds = if arguments.quick { 0.5 } else { 5.0 };
    let seconds = arguments.seconds.unwrap_or(seconds);
    Pace {
        seconds,
        warm_up: (seconds / 4.0).clamp(0.3, 1.0),
    }
}

/// All rounds of a case, side after side in each.
fn measure(
    hosts: &Hosts,
    client: &Client,
    pace: Pace,
    rounds: usize,
    case: &Case<'_>,
) -> Result<Vec<Turns>> {
    let name = |side: &cases::Side<'_>| Turns {
        name: side.name.clone(),
        ..Turns::default()
    };
    let mut turns: Vec<Turns> = case.sides.iter().map(name).collect();
    for (side, turns) in case.sides.iter().zip(&mut turns) {
        if let Err(error) = turn::rehearse(hosts, client, case, side) {
            fail(turns, &error);
        }
    }
    let rounds = if case.once { 1 } else { rounds };
    for _ in 0..rounds {
        for (side, turns) in case.sides.iter().zip(&mut turns) {
            if turns.failed.is_some() {
                continue;
            }
            match turn::take(hosts, client, pace, case, side) {
                Ok((sample, commands)) => {
                    turns.samples.push(sample);
                    turns.commands = Some(commands);
                }
                Err(error) => fail(turns, &error),
            }
        }
    }
    Ok(turns)
}

fn fail(turns: &mut Turns, error: &anyhow::Error) {
    let why = format!("{error:#}");
    println!("    {} FAILED: {why}", turns.name);
    turns.failed = Some(why);
}

fn commands(turns: &[Turns]) {
    for turns in turns {
        for line in turns.commands.iter().flat_map(Commands::lines) {
            println!("    $ {line}");
        }
    }
}

/// The cases that were asked for: by name, or by what their names begin with.
fn chosen<'a, 'b>(all: &'b [Case<'a>], only: &[String]) -> Result<Vec<&'b Case<'a>>> {
    if only.is_empty() {
        return Ok(all.iter().collect());
    }
    let mut chosen = Vec::new();
    for word in only {
        let whole: Vec<_> = all.iter().filter(|case| case.id == *word).collect();
        let begun = all.iter().filter(|case| case.id.starts_with(&**word));
        let found = if whole.is_empty() {
            begun.collect()
        } else {
            whole
        };
        let known = || {
            all.iter()
                .map(|case| &*case.id)
                .collect::<Vec<_>>()
                .join(", ")
        };
        ensure!(
            !found.is_empty(),
            "there is no case {word:?}: there are {}",
            known()
        );
        chosen.extend(found);
    }
    Ok(chosen)
}

fn hosts(arguments: &CompareArguments) -> Result<Hosts> {
    let native = std::env::current_exe()?;
    let beside = native
        .parent()
        .context("this program stands in no folder")?;
    let signet = match &arguments.signet {
        Some(file) => std::path::absolute(file)?,
        None => beside.join("signet"),
    };
    ensure!(
        signet.is_file(),
        "{} is not there: cargo build --release --package signet",
        signet.display()
    );
    let out = match &arguments.out {
        Some(folder) => std::path::absolute(folder)?,
        None => beside
            .parent()
            .context("the target folder is gone")?
            .join("compare"),
    };
    std::fs::create_dir_all(&out)?;
    let root = root()?;
    println!("building the guests ...");
    Ok(Hosts {
        guests: Guests::build(&root, &out, &signet)?,
        wasmtime: tools::WASMTIME.get()?,
        oha: tools::OHA.get()?,
        halves: Halves::here(),
        root,
        out,
        signet,
        native,
    })
}

fn versions(hosts: &Hosts) -> Result<BTreeMap<String, String>> {
    let rustc = PathBuf::from("rustc");
    let programs = [
        ("signet", &hosts.signet),
        ("wasmtime", &hosts.wasmtime),
        ("oha", &hosts.oha),
        ("rustc", &rustc),
    ];
    let mut versions = BTreeMap::new();
    for (name, program) in programs {
        let said = version(program)
            .with_context(|| format!("{} does not say its version", program.display()))?;
        versions.insert(name.to_owned(), said);
    }
    Ok(versions)
}

/// The commit that is measured, where it is known.
fn commit(root: &Path) -> Option<(String, String)> {
    let mut git = Invocation::tool(Path::new("git"), "git")
        .args(["describe", "--always", "--dirty"])
        .command(root);
    let output = git.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(("commit".to_owned(), text.trim().to_owned()))
}

/// The command of this run, as a stranger types it.
fn typed() -> String {
    let mut words = vec!["just".to_owned(), "compare".to_owned()];
    let mut arguments = std::env::args().skip(2);
    while let Some(argument) = arguments.next() {
        // Where something stands on this machine is nobody else's business.
        if argument == "--signet" || argument == "--out" {
            arguments.next();
        } else if !argument.starts_with("--signet=") && !argument.starts_with("--out=") {
            words.push(argument);
        }
    }
    words.join(" ")
}

/// Rows, for whoever reads them again.
pub(crate) fn read(folder: &Path) -> Result<(Run, Vec<Row>)> {
    let file = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let run = serde_json::from_slice(&file("run.json")?).context("run.json")?;
    let rows = serde_json::from_slice(&file("results.json")?).context("results.json")?;
    Ok((run, rows))
}

//! `signet-torture`: runs the real host, hurts it in every way it knows, and holds what consumers received against
//! what was accepted. Comes in: what is typed; goes out: a report, and exit code 1 with the state kept at the first
//! thing that must not be. It knows the host by its command line, its HTTP interface and its signals alone.

mod apps;
mod audit;
mod client;
mod consumer;
mod cycle;
mod deck;
mod disk;
mod host;
mod hurt;
mod ledger;
mod mood;
mod poster;
mod report;
mod run;
mod signature;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Hurts a running Signet, again and again, and audits what came of it.
#[derive(Debug, Parser)]
#[command(name = "signet-torture", version)]
struct Arguments {
    /// The host: one that was built with `--features failpoints`, or the cards that need it do nothing.
    #[arg(long, value_name = "FILE")]
    signet: PathBuf,
    /// The folder with producer.wasm and hmac.wasm, as a build of the host leaves it.
    #[arg(long, value_name = "DIR", default_value = "target/guests")]
    guests: PathBuf,
    /// How many cycles.
    #[arg(long, default_value_t = 50, value_name = "N")]
    cycles: u32,
    /// Chance begins here; the one of a run that failed repeats its faults.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where the report goes, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// These faults only, by the names that the report has.
    #[arg(long, num_args = 1.., value_name = "FAULT")]
    only: Vec<String>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    // Before there are threads: what is mounted from here on goes with this process.
    let mounts = disk::alone();
    run::run(&arguments, mounts)
}

//! `signet-bench`: measures Signet against `wasmtime serve` and against native code. Comes in: what is typed;
//! goes out: `results.json`, `run.json`, `table.md`, `index.html` and plots in one folder. It is no test:
//! nothing passes or fails by what it measures.

mod cases;
mod goals;
mod guests;
mod hosts;
mod http;
mod invocation;
mod load;
mod machine;
mod measure;
mod native;
mod post;
mod process;
mod record;
mod report;
mod rows;
mod stats;
mod tools;
mod turn;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures Signet against `wasmtime serve` and against native code.
#[derive(Debug, Parser)]
#[command(name = "signet-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, alternating between the hosts, and write the report.
    Compare(CompareArguments),
    /// Post events to a producer at a steady rate, and say how many it accepted.
    Post(post::Arguments),
    /// Serve natively, without WebAssembly: what the hardware gives.
    Native(native::Arguments),
    /// Write the table, the plots and the page of a run again.
    Report {
        /// The folder of the run.
        folder: PathBuf,
    },
}

/// What is measured, and for how long.
#[derive(Debug, clap::Args)]
struct CompareArguments {
    /// All cases, but shorter: under ten minutes.
    #[arg(long)]
    quick: bool,
    /// These cases only, by their names or by what those begin with; a wrong one lists all.
    #[arg(long, num_args = 1.., value_name = "CASE")]
    only: Vec<String>,
    /// How often each host has its turn.
    #[arg(long, default_value_t = 5, value_name = "N")]
    rounds: usize,
    /// How long each turn is loaded; 5 unless said otherwise, 0.5 with --quick.
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Where everything goes; `compare` in the target folder unless said otherwise.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The `signet` to measure; the one that was built beside this program unless said otherwise.
    #[arg(long, value_name = "FILE")]
    signet: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Compare(arguments) => measure::compare(&arguments),
        Command::Post(arguments) => post::post(&arguments),
        Command::Native(arguments) => native::serve(&arguments),
        Command::Report { folder } => report::again(&folder),
    }
}

//! The `signet` command: parses, runs, prints the chain of causes, sets the exit code.

use std::process::ExitCode;

use clap::Parser as _;
use signet::cli::{Cli, Failure};

fn main() -> ExitCode {
    match signet::cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(failure) => {
            report(&failure);
            failure.code()
        }
    }
}

/// Prints the error and what caused it, one cause a line.
fn report(failure: &Failure) {
    let style = clap::builder::styling::AnsiColor::Red.on_default().bold();
    anstream::eprintln!("{style}error{style:#}: {}", failure.error());
    for cause in failure.error().chain().skip(1) {
        // Several of a kind stand below one another.
        let cause = cause.to_string().replace('\n', "\n          ");
        anstream::eprintln!("  because {cause}");
    }
}

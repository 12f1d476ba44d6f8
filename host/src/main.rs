//! The `signet` command: parses, runs, prints the chain of causes, sets the exit code.

use std::process::ExitCode;

use clap::Parser as _;
use signet::cli::{Cli, Failure};

/// A request makes many small allocations, most of them in Wasmtime. Without huge pages this one keeps no
/// more memory than the system's allocator (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

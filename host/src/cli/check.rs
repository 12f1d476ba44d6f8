//! `signet check`: every mistake of a manifest at once, with file and line; if there is none, what it comes to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::run::environment;
use super::{Failure, print};
use crate::app::effective::effective;
use crate::app::plan::Plan;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A spin.toml or a signet.toml.
    #[arg(required = true)]
    manifests: Vec<PathBuf>,
    /// Print what would be run: apps, grants, limits with their defaults, and where each variable comes from.
    /// No value that may be a secret is shown.
    #[arg(long)]
    print: bool,
}

pub(super) fn check(arguments: &Arguments) -> Result<ExitCode, Failure> {
    // A check needs no address: any will do for manifests that come without one.
    let anywhere = vec![SocketAddr::from(([127, 0, 0, 1], 0)); arguments.manifests.len()];
    let plan = Plan::read(&arguments.manifests, &anywhere).map_err(Failure::input)?;
    for warning in plan.apps.iter().flat_map(|planned| &planned.app.warnings) {
        eprintln!("warning: {warning}");
    }
    if arguments.print {
        let shown = effective(&plan, &environment());
        let text = toml::to_string_pretty(&shown).map_err(anyhow::Error::from)?;
        print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let components: usize = plan
        .apps
        .iter()
        .map(|planned| planned.app.components.len())
        .sum();
    println!(
        "no mistakes: {} app(s), {components} component(s)",
        plan.apps.len()
    );
    Ok(ExitCode::SUCCESS)
}

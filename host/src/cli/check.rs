//! `signet check`: every mistake of a manifest at once, with file and line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::app::plan::Plan;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A spin.toml or a signet.toml.
    #[arg(required = true)]
    manifests: Vec<PathBuf>,
}

pub(super) fn check(arguments: &Arguments) -> Result<ExitCode, Failure> {
    // A check needs no address: any will do for manifests that come without one.
    let anywhere = vec![SocketAddr::from(([127, 0, 0, 1], 0)); arguments.manifests.len()];
    let plan = Plan::read(&arguments.manifests, &anywhere).map_err(Failure::input)?;
    for warning in plan.apps.iter().flat_map(|planned| &planned.app.warnings) {
        eprintln!("warning: {warning}");
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

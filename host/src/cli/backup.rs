//! `signet backup` and `signet restore`: the state folder of a host, put away and back.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, print};
use crate::app::backup::{self, BackupError};

#[derive(Debug, Args)]
#[command(
    after_help = "The host may be running: everything it has acknowledged is in the backup. \
    Keep it as you keep the state folder: it holds the keys that guests store."
)]
pub(super) struct BackupArguments {
    /// The state folder of the host.
    #[arg(long, value_name = "DIR", default_value = ".signet")]
    state_dir: PathBuf,
    /// The folder to write, which must not be there.
    target: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArguments {
    /// A folder that signet backup wrote.
    backup: PathBuf,
    /// The state folder to fill; no host may be using it.
    #[arg(long, value_name = "DIR", default_value = ".signet")]
    state_dir: PathBuf,
    /// Replace what is in the state folder.
    #[arg(long)]
    force: bool,
}

pub(super) fn backup(arguments: &BackupArguments) -> Result<ExitCode, Failure> {
    let files = backup::backup(&arguments.state_dir, &arguments.target).map_err(whose)?;
    let target = arguments.target.display();
    print(&format!("backed up: {files} file(s) in {target}\n"))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(arguments: &RestoreArguments) -> Result<ExitCode, Failure> {
    let RestoreArguments {
        backup,
        state_dir,
        force,
    } = arguments;
    let files = backup::restore(backup, state_dir, *force).map_err(whose)?;
    print(&format!(
        "restored: {files} file(s) in {}\n",
        state_dir.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn whose(error: anyhow::Error) -> Failure {
    if error.is::<BackupError>() {
        Failure::Input(error)
    } else {
        Failure::Running(error)
    }
}

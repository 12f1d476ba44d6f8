//! `signet queue`: what an app's queues hold, and an operator's say in it. Comes in: the state folder of a host that
//! does not run; goes out: jobs in lines, and changes that were asked for twice. Never shows what a job carries
//! unless told to, never changes anything without `--yes`.

mod change;
mod list;
mod row;
mod show;
mod stats;
mod which;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};

use super::Failure;
use crate::app::state::StateDir;
use crate::queue::{Answer, Sqlite};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List jobs, oldest first.
    List(list::Arguments),
    /// Show a job with its attempts.
    Show(show::Arguments),
    /// Make jobs due now that wait or were given up.
    Retry(change::RetryArguments),
    /// Give up jobs that wait: they become dead letters.
    Dead(change::DeadArguments),
    /// Remove jobs that are done or were given up.
    Purge(change::PurgeArguments),
    /// Count the jobs of each queue.
    Stats(stats::Arguments),
}

pub(super) fn queue(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::List(arguments) => list::list(arguments),
        Command::Show(arguments) => show::show(arguments),
        Command::Retry(arguments) => change::retry(arguments),
        Command::Dead(arguments) => change::dead(arguments),
        Command::Purge(arguments) => change::purge(arguments),
        Command::Stats(arguments) => stats::stats(arguments),
    }
}

/// Where the queues are.
#[derive(Debug, Args)]
struct Place {
    /// The state folder of the host, which must not be running.
    #[arg(long, value_name = "DIR", default_value = ".signet")]
    state_dir: PathBuf,
    /// The app, where several have queues.
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
}

/// An app's queues, with the right to use the folder that they are in.
struct Opened {
    engine: Sqlite,
    runtime: tokio::runtime::Runtime,
    _state: StateDir,
}

impl Place {
    fn open(&self) -> Result<Opened, Failure> {
        // Before anything is taken: a folder that has no queue may be anybody's.
        let file = self.file()?;
        let state = StateDir::visit(&self.state_dir).map_err(Failure::input)?;
        let engine = Sqlite::visit(&file).map_err(anyhow::Error::from)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime")?;
        Ok(Opened {
            engine,
            runtime,
            _state: state,
        })
    }

    /// The file of the app that is meant.
    fn file(&self) -> Result<PathBuf, Failure> {
        let folder = &self.state_dir;
        let shown = folder.display();
        if !folder.is_dir() {
            let words = "is no state folder: name the one that the host uses with --state-dir";
            return Err(Failure::Input(anyhow!("{shown} {words}")));
        }
        let file = |app: &str| folder.join(app).join("queue").join("jobs.db");
        let mut apps = Vec::new();
        let entries = std::fs::read_dir(folder);
        for entry in entries.with_context(|| format!("{shown} cannot be read"))? {
            let name = entry.with_context(|| format!("{shown} cannot be read"))?;
            if let Some(name) = name.file_name().to_str()
                && file(name).is_file()
            {
                apps.push(name.to_owned());
            }
        }
        apps.sort();
        match (&self.app, &*apps) {
            (Some(app), _) if apps.contains(app) => Ok(file(app)),
            (None, [app]) => Ok(file(app)),
            (_, []) => Err(Failure::Input(anyhow!(
                "no app in {shown} has a queue: name the folder that the host uses with --state-dir"
            ))),
            (given, _) => {
                let is_wrong = given.as_ref().map_or_else(
                    || "several apps have queues".to_owned(),
                    |given| format!("app `{given}` has no queue"),
                );
                let names = apps.join(", ");
                Err(Failure::Input(anyhow!(
                    "{is_wrong}: name one with --app: {names}"
                )))
            }
        }
    }
}

impl Opened {
    /// What the engine says.
    fn ask<'a, T>(&'a self, ask: impl FnOnce(&'a Sqlite) -> Answer<'a, T>) -> anyhow::Result<T> {
        Ok(self.runtime.block_on(ask(&self.engine))?)
    }
}

//! `signet queue`: what an app's queues hold, and an operator's say in it. Comes in: the state folder of a host that
//! does not run, or the admin listener of one that does; goes out: jobs in lines, and changes that were asked for
//! twice. Never shows what a job carries unless told to, never changes anything without `--yes`.

mod change;
mod folder;
mod host;
mod list;
mod place;
mod row;
mod show;
mod stats;
mod which;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Failure;
use crate::queue::operator::Selection;
use crate::queue::{Change, Changed, Job, JobId, QueueStatus, Shown};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    signet queue stats\n  \
    signet queue list --state dead\n  \
    signet queue retry --state dead --admin http://127.0.0.1:9090 --token-file admin-token")]
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

/// An app's queues, wherever they are.
trait Queues {
    /// Each queue, counted.
    fn stats(&self) -> Result<Vec<QueueStatus>, Failure>;
    /// Up to `most` jobs behind `after`.
    fn list(
        &self,
        which: &Selection,
        after: Option<JobId>,
        most: usize,
    ) -> Result<Vec<Job>, Failure>;
    /// A job, and if `body`, what it carries.
    fn show(&self, job: JobId, body: bool) -> Result<Option<Shown>, Failure>;
    /// How many jobs a change could be made to.
    fn count(&self, which: &Selection, change: &Change) -> Result<u64, Failure>;
    /// Makes a change to one portion.
    fn change(
        &self,
        which: &Selection,
        change: &Change,
        after: Option<JobId>,
    ) -> Result<Changed, Failure>;
}

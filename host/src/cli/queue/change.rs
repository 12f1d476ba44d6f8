//! `signet queue retry`, `dead` and `purge`: first how many jobs it is about, and with `--yes` it is done. In
//! portions, each committed by itself: who breaks off goes on by typing it again.

use std::process::ExitCode;

use clap::Args;

use super::super::{Failure, print};
use super::which::Which;
use super::{Opened, Place};
use crate::queue::{Backend as _, Change, Filter, Phase};

/// How many jobs are changed in one commit.
const PORTION: usize = 500;

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    which: Which,
    /// Do it. Without this, only say how many jobs it is about.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct RetryArguments {
    #[command(flatten)]
    common: Common,
    /// Those that were done as well.
    #[arg(long)]
    done: bool,
}

#[derive(Debug, Args)]
pub(super) struct DeadArguments {
    #[command(flatten)]
    common: Common,
    /// Why, for whoever looks at them later.
    #[arg(long, value_name = "WORDS", default_value = "given up by the operator")]
    reason: String,
}

#[derive(Debug, Args)]
pub(super) struct PurgeArguments {
    #[command(flatten)]
    common: Common,
}

pub(super) fn retry(arguments: &RetryArguments) -> Result<ExitCode, Failure> {
    let change = Change::Retry {
        done: arguments.done,
    };
    make(&arguments.common, &change, "due now")
}

pub(super) fn dead(arguments: &DeadArguments) -> Result<ExitCode, Failure> {
    let reason = arguments.reason.clone();
    make(&arguments.common, &Change::Bury { reason }, "given up")
}

pub(super) fn purge(arguments: &PurgeArguments) -> Result<ExitCode, Failure> {
    make(&arguments.common, &Change::Purge, "removed")
}

fn make(common: &Common, change: &Change, done: &str) -> Result<ExitCode, Failure> {
    let queues = common.place.open()?;
    let filters = common.which.filters();
    let mut count = 0;
    for filter in &filters {
        count += match common.yes {
            true => all(&queues, filter, change)?,
            false => fitting(&queues, filter, change)?,
        };
    }
    print(&match common.yes {
        true => format!("{count} job(s) {done}\n"),
        false => format!("{count} job(s) would be {done}: add --yes to do it\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the change, portion by portion. How many jobs it was made to.
fn all(queues: &Opened, filter: &Filter, change: &Change) -> anyhow::Result<u64> {
    let (mut count, mut after) = (0, None);
    loop {
        let portion =
            queues.ask(|engine| engine.change(filter.clone(), change.clone(), after, PORTION))?;
        count += portion.count;
        after = portion.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}

/// How many jobs the change could be made to.
fn fitting(queues: &Opened, filter: &Filter, change: &Change) -> anyhow::Result<u64> {
    let mut count = 0;
    for phase in [Phase::Waiting, Phase::Claimed, Phase::Done, Phase::Dead] {
        if change.fits(phase) && filter.phase.is_none_or(|only| only == phase) {
            let filter = Filter {
                phase: Some(phase),
                ..filter.clone()
            };
            count += queues.ask(|engine| engine.count(filter))?;
        }
    }
    Ok(count)
}

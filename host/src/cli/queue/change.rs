//! `signet queue retry`, `dead` and `purge`: first how many jobs it is about, and with `--yes` it is done. In
//! portions, each committed by itself: who breaks off goes on by typing it again.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::super::{Failure, print};
use super::Queues;
use super::place::Place;
use super::which::Which;
use crate::queue::operator::{PORTION, REASON, Selection};
use crate::queue::{Change, Changed, JobId};

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
    #[arg(long, value_name = "WORDS", default_value = REASON)]
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
    let which = common.which.selection();
    let text = if common.yes {
        let progress = progress(&*queues, &which, change)?;
        let count = all(done, |after| {
            let portion = queues.change(&which, change, after)?;
            if let Some(progress) = &progress {
                progress.inc(portion.count);
            }
            Ok(portion)
        });
        if let Some(progress) = &progress {
            progress.finish_and_clear();
        }
        format!("{} job(s) {done}\n", count?)
    } else {
        let count = queues.count(&which, change)?;
        format!("{count} job(s) would be {done}: add --yes to do it\n")
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a change, portion by portion. How many jobs it was made to, also if one fails.
fn all(
    done: &str,
    mut portion: impl FnMut(Option<JobId>) -> Result<Changed, Failure>,
) -> Result<u64, Failure> {
    let (mut count, mut after) = (0, None);
    loop {
        let portion = portion(after).map_err(|failure| match count {
            0 => failure,
            count => failure.context(format!(
                "{count} job(s) {done}, then it failed: type it again to go on"
            )),
        })?;
        count += portion.count;
        after = portion.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}

/// Shows a person how far it is, if it is more than one portion.
fn progress(
    queues: &dyn Queues,
    which: &Selection,
    change: &Change,
) -> Result<Option<ProgressBar>, Failure> {
    if !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let count = queues.count(which, change)?;
    if count <= PORTION as u64 {
        return Ok(None);
    }
    let bar = ProgressBar::new(count);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len} jobs") {
        bar.set_style(style);
    }
    Ok(Some(bar))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    fn job(place: u8) -> JobId {
        format!("{}-00{place:02x}", "0".repeat(32)).parse().unwrap()
    }

    #[test]
    fn who_fails_in_between_says_how_many_were_done_before() {
        let asked = std::cell::RefCell::new(Vec::new());
        let fails_at = |number: usize| {
            asked.borrow_mut().clear();
            let portion = |after| {
                let mut asked = asked.borrow_mut();
                asked.push(after);
                if asked.len() > number {
                    return Err(Failure::Running(anyhow!("the disk is full")));
                }
                let next = (asked.len() < 3).then(|| job(asked.len() as u8));
                Ok(Changed { count: 500, next })
            };
            all("removed", portion).map_err(|failure| format!("{:#}", failure.error()))
        };
        assert_eq!(fails_at(0), Err("the disk is full".to_owned()));
        let said = "1000 job(s) removed, then it failed: type it again to go on: the disk is full";
        assert_eq!(fails_at(2), Err(said.to_owned()));
        assert_eq!(fails_at(3), Ok(1500));
        assert_eq!(*asked.borrow(), [None, Some(job(1)), Some(job(2))]);
    }
}

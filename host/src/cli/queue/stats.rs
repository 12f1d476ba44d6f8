//! `signet queue stats`.

use std::process::ExitCode;

use clap::Args;

use super::super::{Failure, print};
use super::place::Place;
use super::row;
use crate::clock::{Clock as _, System};
use crate::queue::QueueStatus;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
}

pub(super) fn stats(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let queues = arguments.place.open()?;
    let now = System::default().now();
    let stats = queues.stats()?;
    let rows: Vec<_> = stats.iter().map(|status| cells(status, now)).collect();
    let heads = ["QUEUE", "WAITING", "CLAIMED", "DONE", "DEAD", "FIRST DUE"];
    print(&row::table(heads, &rows))?;
    Ok(ExitCode::SUCCESS)
}

fn cells(status: &QueueStatus, now: u64) -> [String; 6] {
    let due = status.oldest_due_at.map(|at| row::distance(at, now));
    [
        format!("{}/{}", status.queue.owner, status.queue.name),
        status.depth.waiting.to_string(),
        status.depth.claimed.to_string(),
        status.depth.done.to_string(),
        status.depth.dead.to_string(),
        due.unwrap_or_default(),
    ]
}

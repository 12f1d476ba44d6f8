//! `signet queue show`.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::super::{Failure, print};
use super::place::Place;
use super::row;
use crate::clock::{Clock as _, System};
use crate::queue::{Attempt, Ended, JobId};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The job.
    job: JobId,
    /// Show what it carries as well.
    #[arg(long)]
    body: bool,
}

pub(super) fn show(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let queues = arguments.place.open()?;
    let shown = queues.show(arguments.job, arguments.body)?;
    let Some(shown) = shown else {
        return Err(Failure::Running(anyhow!(
            "job {} is not there: it may be past its retention",
            arguments.job
        )));
    };
    let now = System::default().now();
    let mut text = row::table(row::HEADS, &[row::cells(&shown.job, now)]);
    text.push('\n');
    let attempts: Vec<_> = shown.attempts.iter().map(|it| attempt(it, now)).collect();
    text.push_str(&row::table(
        ["ATTEMPT", "BEGAN", "TOOK", "ENDED", "NOTE"],
        &attempts,
    ));
    if arguments.body {
        let detail = String::from_utf8_lossy(&shown.job.detail);
        let body = String::from_utf8_lossy(&shown.body);
        text.push_str(&format!("\ndetail: {detail:?}\nbody:   {body:?}\n"));
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn attempt(attempt: &Attempt, now: u64) -> [String; 5] {
    let ended = match attempt.ended {
        Ended::Done => "done",
        Ended::Retry => "to be tried again",
        Ended::Dead => "given up",
        Ended::Expired => "lease ended",
    };
    [
        attempt.number.to_string(),
        row::distance(attempt.started_at, now),
        format!("{} ms", attempt.ended_at.saturating_sub(attempt.started_at)),
        ended.to_owned(),
        attempt.note.clone(),
    ]
}

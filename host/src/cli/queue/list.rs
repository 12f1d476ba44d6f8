//! `signet queue list`.

use std::process::ExitCode;

use clap::Args;

use super::super::{Failure, print};
use super::which::Which;
use super::{Place, row};
use crate::clock::{Clock as _, System};
use crate::queue::{Backend as _, JobId};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    which: Which,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    /// Those behind this one.
    #[arg(long, value_name = "JOB")]
    after: Option<JobId>,
    /// One object a line; times are milliseconds since the epoch.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let queues = arguments.place.open()?;
    let mut jobs = Vec::new();
    for filter in arguments.which.filters() {
        let left = arguments.limit - jobs.len();
        if left > 0 {
            jobs.extend(queues.ask(|engine| engine.list(filter, arguments.after, left))?);
        }
    }
    let text = if arguments.json {
        let lines = jobs.iter().map(|job| format!("{}\n", row::json(job)));
        lines.collect()
    } else {
        let now = System::default().now();
        let rows: Vec<_> = jobs.iter().map(|job| row::cells(job, now)).collect();
        let mut text = row::table(row::HEADS, &rows);
        if let Some(last) = jobs.last()
            && jobs.len() == arguments.limit
        {
            text.push_str(&format!("there may be more: --after {}\n", last.id));
        }
        text
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

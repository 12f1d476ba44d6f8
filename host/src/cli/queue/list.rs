//! `signet queue list`.

use std::process::ExitCode;

use clap::Args;

use super::super::{Failure, print};
use super::place::Place;
use super::row;
use super::which::Which;
use crate::clock::{Clock as _, System};
use crate::queue::{JobId, wire};

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
    let which = arguments.which.selection();
    let jobs = queues.list(&which, arguments.after, arguments.limit)?;
    let text = if arguments.json {
        let mut text = String::new();
        for job in &jobs {
            let line = serde_json::to_string(&wire::Job::from(job)).map_err(anyhow::Error::from)?;
            text.push_str(&line);
            text.push('\n');
        }
        text
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

//! The report of a run. Comes in: its rows; goes out: files in one folder, the same from the same rows.

mod page;
mod plots;
mod table;

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::measure;
use crate::record::{Row, Run};

pub(crate) use table::{line, table};

/// Writes everything.
pub(crate) fn write(folder: &Path, run: &Run, rows: &[Row]) -> Result<()> {
    fs::write(
        folder.join("run.json"),
        serde_json::to_string_pretty(run)? + "\n",
    )?;
    fs::write(
        folder.join("results.json"),
        serde_json::to_string_pretty(rows)? + "\n",
    )?;
    render(folder, run, rows)
}

/// Writes what is made of the rows, again.
pub(crate) fn again(folder: &Path) -> Result<()> {
    let (run, rows) = measure::read(folder)?;
    render(folder, &run, &rows)
}

fn render(folder: &Path, run: &Run, rows: &[Row]) -> Result<()> {
    fs::write(folder.join("table.md"), table(run, rows))?;
    let plots = plots::all(rows)?;
    for plot in &plots {
        fs::write(folder.join(format!("{}.svg", plot.name)), &plot.svg)?;
    }
    fs::write(folder.join("index.html"), page::page(run, rows, &plots))?;
    Ok(())
}

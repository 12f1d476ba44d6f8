//! The report of a run. Comes in: its rows; goes out: files in one folder, the same from the same rows.

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
    Ok(())
}

//! A job in a line, for a person. What a program reads is the queue's own (`wire`).

use crate::queue::{Job, State};

/// The heads of the columns of [`cells`].
pub(super) const HEADS: [&str; 6] = ["JOB", "QUEUE", "LANE", "STATE", "ATTEMPTS", "WHEN"];

/// What a person reads of a job.
pub(super) fn cells(job: &Job, now: u64) -> [String; 6] {
    let when = match &job.state {
        State::Waiting { due_at } => format!("due {}", distance(*due_at, now)),
        State::Claimed { until } => format!("leased until {}", distance(*until, now)),
        State::Done { ended_at } => distance(*ended_at, now),
        State::Dead { ended_at, reason } => format!("{}: {reason}", distance(*ended_at, now)),
    };
    [
        job.id.to_string(),
        format!("{}/{}", job.queue.owner, job.queue.name),
        job.lane.clone(),
        job.state.phase().word().to_owned(),
        job.attempts.to_string(),
        when,
    ]
}

/// How far a time is from now, in words. Both are milliseconds since the epoch.
pub(super) fn distance(at: u64, now: u64) -> String {
    let seconds = at.abs_diff(now) / 1000;
    let (count, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    if at > now {
        format!("in {count} {unit}")
    } else {
        format!("{count} {unit} ago")
    }
}

/// Columns as wide as what is in them. The last may be of any width.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let heads = heads.map(str::to_owned);
    let lines = || std::iter::once(&heads).chain(rows);
    let width = |column: usize| lines().map(|line| line[column].chars().count()).max();
    let widths: Vec<_> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines() {
        let cells = line.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        // What a guest gave as a lane or a reason must not move the terminal's cursor.
        let line = cells.join("  ").replace(char::is_control, "\u{fffd}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_told_in_one_unit() {
        let now = 1_000_000_000;
        for (away, words) in [
            (0, "0 s ago"),
            (119_000, "119 s ago"),
            (120_000, "2 min ago"),
            (7_200_000, "2 h ago"),
            (200_000_000, "2 days ago"),
        ] {
            assert_eq!(distance(now - away, now), words);
        }
        assert_eq!(distance(now + 5_500, now), "in 5 s");
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells_and_moves_no_cursor() {
        let rows = [["a\u{1b}[2J".to_owned(), "b".to_owned()]];
        assert_eq!(table(["X", "Y"], &rows), "X      Y\na\u{fffd}[2J  b\n");
    }
}

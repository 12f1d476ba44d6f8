//! The table in Markdown. Comes in: rows; goes out: text. Pure.

use std::fmt::Write as _;

use crate::goals::Metric;
use crate::record::{Row, Run, Sample};
use crate::stats::Spread;

/// One row, for whoever watches the run.
pub(crate) fn line(row: &Row) -> String {
    let ratio = row
        .ratio
        .map_or_else(String::new, |ratio| format!(", ratio {ratio:.2}"));
    let note = row
        .note
        .as_ref()
        .map_or_else(String::new, |note| format!(" ({note})"));
    format!(
        "    {}: {} {}, {} {}{ratio}{}{note}",
        row.case,
        figure(row.ours),
        row.unit,
        row.peer_name,
        figure(row.peer),
        goal(row).map_or_else(String::new, |goal| format!(", goal {goal}")),
    )
}

/// The whole table, with what it was measured on and the commands.
pub(crate) fn table(run: &Run, rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}\n", words(run).join("  \n"));
    let main = |row: &&Row| !row.case.contains('/');
    let _ = writeln!(
        text,
        "| case | against | ours | theirs | ratio (spread) | goal | us CPU a request | busy | p50 / p99 ms | RSS MiB idle / peak / after |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    for row in rows.iter().filter(main) {
        text.push_str(&cells(row));
    }
    if !rows.iter().all(|row| main(&row)) {
        let _ = writeln!(
            text,
            "\nGoals of latency and memory, against the defaults of `wasmtime serve`:\n\n\
         | case | unit | ours | theirs | ratio (spread) | goal |\n| --- | --- | --- | --- | --- | --- |"
        );
        for row in rows.iter().filter(|row| !main(row)) {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                row.case,
                row.unit,
                figure(row.ours),
                figure(row.peer),
                ratio(row.ratio, row.spread.ratio),
                goal(row).unwrap_or_default()
            );
        }
    }
    let notes = rows.iter().filter(main);
    let notes: Vec<_> = notes
        .filter_map(|row| {
            Some(format!(
                "- {} against {}: {}",
                row.case,
                row.peer_name,
                row.note.as_ref()?
            ))
        })
        .chain(
            run.left_out
                .iter()
                .map(|(case, why)| format!("- {case} was left out: {why}")),
        )
        .collect();
    if !notes.is_empty() {
        let _ = writeln!(text, "\nNotes:\n\n{}", notes.join("\n"));
    }
    text
}

/// What the run was made on and how, a sentence each.
pub(crate) fn words(run: &Run) -> Vec<String> {
    let machine = &run.machine;
    let mut words = vec![
        format!(
            "Made by `{}` in {} s: {} rounds, the hosts in turns, {} s each after {} s of warm-up; medians, with the least and the most of the rounds.",
            run.command, run.took_s, run.rounds, run.seconds, run.warm_up_seconds
        ),
        format!(
            "{} x {}, {} MiB of memory, {} MiB of swap, {}, kernel {}.",
            machine.cpus,
            machine.cpu,
            machine.memory_mb,
            machine.swap_mb,
            machine.system,
            machine.kernel
        ),
        format!("{}.", capital(&run.halves.words())),
        "Busy is the share of its CPUs that the server's process used: far below 100 %, something else was the limit, such as the load generator or whoever else runs on the machine, and CPU time is the figure to read.".to_owned(),
    ];
    let versions = run.versions.iter();
    let versions = versions.map(|(name, version)| format!("{name}: {version}"));
    words.push(format!("{}.", versions.collect::<Vec<_>>().join("; ")));
    words
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

fn cells(row: &Row) -> String {
    let (ours, peer) = (&row.metrics.ours, &row.metrics.peer);
    let unit = [
        (Metric::RequestsPerS, "/s"),
        (Metric::Start, " ms"),
        (Metric::Growth, "x"),
        (Metric::Wakeups, "/s"),
    ];
    let unit = unit.iter().find(|(metric, _)| row.unit == metric.unit());
    let unit = unit.map_or("", |(_, short)| short);
    let with = |value: Option<f64>| {
        value.map_or_else(|| "-".to_owned(), |_| format!("{}{unit}", figure(value)))
    };
    let latency = |sample: &Sample| {
        sample
            .p50_ms
            .map(|_| format!("{} / {}", figure(sample.p50_ms), figure(sample.p99_ms)))
    };
    let cpu = row
        .cpu_ratio
        .map_or_else(String::new, |ratio| format!(" ({ratio:.2}x less)"));
    format!(
        "| {} | {} | {} | {} | {} | {} | {}{cpu} | {} | {} | {} |\n",
        row.case,
        row.peer_name,
        with(row.ours),
        with(row.peer),
        ratio(row.ratio, row.spread.ratio),
        goal(row).unwrap_or_default(),
        two(
            ours.cpu_us.map(|_| figure(ours.cpu_us)),
            peer.cpu_us.map(|_| figure(peer.cpu_us))
        ),
        two(ours.busy.map(percent), peer.busy.map(percent)),
        two(latency(ours), latency(peer)),
        two(memory(ours), memory(peer)),
    )
}

/// Ours and the peer's in one cell.
fn two(ours: Option<String>, peer: Option<String>) -> String {
    match (ours, peer) {
        (Some(ours), Some(peer)) => format!("{ours} : {peer}"),
        (Some(ours), None) => ours,
        _ => String::new(),
    }
}

/// In memory when idle, at most under load, and after it.
pub(crate) fn memory(sample: &Sample) -> Option<String> {
    let (peak, after) = (sample.rss_peak_mb?, sample.rss_after_mb);
    let all = [sample.rss_idle_mb, Some(peak), after].map(figure);
    Some(all.join(" / "))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A figure with as many digits as mean something.
pub(crate) fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

fn ratio(ratio: Option<f64>, spread: Option<Spread>) -> String {
    match (ratio, spread) {
        (Some(ratio), Some(spread)) => {
            format!("**{ratio:.2}** ({:.2} .. {:.2})", spread.min, spread.max)
        }
        (Some(ratio), None) => format!("**{ratio:.2}**"),
        (None, _) => "-".to_owned(),
    }
}

/// The goal and whether it is met.
pub(crate) fn goal(row: &Row) -> Option<String> {
    let goal = row.goal.as_ref()?;
    let met = match row.met {
        _ if !row.valid => "INVALID",
        Some(true) => "met",
        Some(false) => "NOT MET",
        None => "not decided here",
    };
    Some(format!("{goal}: {met}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            case: "hello-p3".to_owned(),
            peer_name: "wasmtime serve".to_owned(),
            unit: Metric::RequestsPerS.unit().to_owned(),
            ours: Some(30000.4),
            peer: Some(10000.0),
            ratio: Some(3.0),
            goal: Some(">= 2.5".to_owned()),
            met: Some(true),
            valid: true,
            ..Row::default()
        }
    }

    #[test]
    fn a_row_says_ratio_goal_and_whether_it_is_met() {
        let cells = cells(&row());
        assert!(cells.starts_with(
            "| hello-p3 | wasmtime serve | 30000/s | 10000/s | **3.00** | >= 2.5: met |"
        ));
        assert!(cells.ends_with("|\n"));
    }

    #[test]
    fn a_missed_goal_and_an_invalid_row_are_loud() {
        let mut row = row();
        row.met = Some(false);
        assert_eq!(goal(&row).as_deref(), Some(">= 2.5: NOT MET"));
        row.valid = false;
        assert_eq!(goal(&row).as_deref(), Some(">= 2.5: INVALID"));
    }

    #[test]
    fn what_is_not_there_is_a_dash() {
        let mut row = row();
        (row.peer, row.ratio, row.met) = (None, None, None);
        let cells = cells(&row);
        assert!(
            cells.contains("| 30000/s | - | - | >= 2.5: not decided here |"),
            "{cells}"
        );
    }

    #[test]
    fn figures_have_the_digits_that_mean_something() {
        let figures = [12345.6, 12.34, 1.234].map(|value| figure(Some(value)));
        assert_eq!(figures, ["12346", "12.3", "1.23"]);
    }
}

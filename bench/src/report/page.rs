//! The page: pictures, tables, notes and commands in one file that needs no other. Comes in: rows; goes out: HTML.
//! Pure.

use std::fmt::Write as _;

use super::plots::Plot;
use super::table::{figure, goal, memory, words};
use crate::record::{Commands, Row, Run, Sample};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:1100px;\
    margin:2em auto;padding:0 1em}table{border-collapse:collapse;font-size:14px}\
    th,td{padding:.25em .6em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}\
    th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}\
    svg{max-width:100%;height:auto}figure{margin:2em 0}figcaption{color:#555}\
    .met{color:#1a7f37}.missed,.invalid{color:#b3261e;font-weight:bold}code{font-size:13px;word-break:break-all}\
    .wide{overflow-x:auto}h2{margin-top:2em}";

/// The whole page.
pub(super) fn page(run: &Run, rows: &[Row], plots: &[Plot]) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>Signet, compared</title>\n<style>{STYLE}</style>\n\
         <h1>Signet, compared</h1>\n"
    );
    for sentence in words(run) {
        let _ = writeln!(text, "<p>{}</p>", escaped(&sentence.replace('`', "")));
    }
    for plot in plots {
        let _ = writeln!(
            text,
            "<figure id=\"{}\">\n<h2>{}</h2>\n{}\n<figcaption>{}</figcaption>\n</figure>",
            plot.name,
            escaped(plot.heading),
            plot.svg,
            escaped(plot.caption)
        );
    }
    tables(&mut text, rows);
    notes(&mut text, run, rows);
    commands(&mut text, rows);
    text.push_str("</html>\n");
    text
}

fn tables(text: &mut String, rows: &[Row]) {
    text.push_str(
        "<h2>All rows</h2>\n<div class=\"wide\"><table>\n<tr><th>case<th>against<th>ours<th>theirs<th>unit\
         <th>ratio<th>spread<th>goal<th>us CPU a request<th>busy<th>p50 ms<th>p99 ms<th>RSS MiB idle / peak / after</tr>\n",
    );
    for row in rows {
        let spread = row.spread.ratio;
        let spread = spread.map(|spread| format!("{:.2} .. {:.2}", spread.min, spread.max));
        let ratio = row.ratio.map(|ratio| format!("<b>{ratio:.2}</b>"));
        let class = match row.met {
            _ if !row.valid => "invalid",
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        let pair = |get: fn(&Sample) -> Option<f64>| both(row, get, |value| figure(Some(value)));
        let _ = writeln!(
            text,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td class=\"{class}\">{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
            escaped(&row.case),
            escaped(&row.peer_name),
            figure(row.ours),
            figure(row.peer),
            escaped(&row.unit),
            ratio.unwrap_or_default(),
            spread.unwrap_or_default(),
            escaped(&goal(row).unwrap_or_default()),
            pair(|sample| sample.cpu_us),
            both(
                row,
                |sample| sample.busy,
                |busy| format!("{:.0} %", busy * 100.0)
            ),
            pair(|sample| sample.p50_ms),
            pair(|sample| sample.p99_ms),
            [&row.metrics.ours, &row.metrics.peer]
                .into_iter()
                .filter_map(memory)
                .collect::<Vec<_>>()
                .join(" : "),
        );
    }
    text.push_str("</table></div>\n");
}

/// Ours and the peer's.
fn both(row: &Row, get: fn(&Sample) -> Option<f64>, show: impl Fn(f64) -> String) -> String {
    let (ours, peer) = (get(&row.metrics.ours), get(&row.metrics.peer));
    let shown: Vec<_> = [ours, peer].into_iter().flatten().map(show).collect();
    shown.join(" : ")
}

fn notes(text: &mut String, run: &Run, rows: &[Row]) {
    let main = rows.iter().filter(|row| !row.case.contains('/'));
    let notes = main.filter_map(|row| {
        let note = row.note.as_ref()?;
        Some(format!("{} against {}: {note}", row.case, row.peer_name))
    });
    let left_out = run.left_out.iter();
    let left_out = left_out.map(|(case, why)| format!("{case} was left out: {why}"));
    let all: Vec<_> = notes.chain(left_out).collect();
    if !all.is_empty() {
        text.push_str("<h2>Notes</h2>\n<ul>\n");
        for note in all {
            let _ = writeln!(text, "<li>{}", escaped(&note));
        }
        text.push_str("</ul>\n");
    }
}

fn commands(text: &mut String, rows: &[Row]) {
    text.push_str(
        "<h2>Commands</h2>\n<p>Typed in the project's folder, one after the other in several terminals. \
         <code>just compare --only CASE</code> builds what they need; <code>wasmtime</code> and <code>oha</code> are \
         those of the versions above.</p>\n",
    );
    let mut last = "";
    for row in rows.iter().filter(|row| !row.case.contains('/')) {
        if row.case != last {
            let _ = writeln!(
                text,
                "<h3>{}</h3>\n<p>{}</p>",
                escaped(&row.case),
                escaped(&row.says)
            );
            one(text, "signet", row.commands.ours.as_ref());
            last = &row.case;
        }
        one(text, &row.peer_name, row.commands.peer.as_ref());
    }
}

fn one(text: &mut String, host: &str, commands: Option<&Commands>) {
    let Some(commands) = commands else { return };
    let lines = commands
        .lines()
        .map(|line| format!("<code>{}</code>", escaped(line)));
    let lines = lines.collect::<Vec<_>>().join("<br>");
    let _ = writeln!(text, "<p>{}<br>{lines}</p>", escaped(host));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_text_and_no_markup() {
        assert_eq!(escaped("a <b> & \"c\""), "a &lt;b&gt; &amp; &quot;c&quot;");
    }

    #[test]
    fn a_command_stands_once_for_each_host() {
        let commands = |server: &str| {
            Some(Commands {
                server: server.to_owned(),
                ..Commands::default()
            })
        };
        let row = |peer: &str| {
            let mut row = Row {
                case: "hello".to_owned(),
                peer_name: peer.to_owned(),
                ..Row::default()
            };
            row.commands.ours = commands("signet run");
            row.commands.peer = commands(peer);
            row
        };
        let mut text = String::new();
        super::commands(&mut text, &[row("one"), row("two")]);
        assert_eq!(text.matches("signet run").count(), 1);
        assert!(text.contains("<code>one</code>") && text.contains("<code>two</code>"));
    }
}

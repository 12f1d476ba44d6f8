//! Percentiles of latency, case by case and host by host.

use anyhow::Result;
use plotters::prelude::*;

use super::{FAINT, INK, colour, decades, font, tick, told};
use crate::record::{Row, Sample};

const STEP: u32 = 20;
const NAMES: u32 = 380;
const AROUND: u32 = 80;

/// A line of the picture: a case, a host and its percentiles.
type Line<'a> = (&'a str, &'a str, Vec<f64>);

/// None without a latency.
pub(super) fn draw(rows: &[Row]) -> Result<Option<String>> {
    let lines = lines(rows);
    let Some(range) = decades(lines.iter().flat_map(|(.., values)| values.iter().copied())) else {
        return Ok(None);
    };
    let mut svg = String::new();
    let height = AROUND + STEP * lines.len() as u32;
    {
        let area = SVGBackend::with_string(&mut svg, (980, height)).into_drawing_area();
        area.fill(&WHITE).map_err(told)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(46)
            .y_label_area_size(NAMES)
            .build_cartesian_2d(range.log_scale(), (0..lines.len() - 1).into_segmented())
            .map_err(told)?;
        let name = |at: &SegmentValue<usize>| match at {
            SegmentValue::CenterOf(at) => {
                let line = lines.iter().rev().nth(*at);
                line.map_or_else(String::new, |(case, host, _)| format!("{case} : {host}"))
            }
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .y_labels(lines.len() + 1)
            .y_label_formatter(&name)
            .x_label_formatter(&|ms| tick(*ms))
            .x_desc("milliseconds at the 50th, 90th, 99th and 99.9th percentile (logarithmic)")
            .label_style(font(13))
            .axis_desc_style(font(14))
            .draw()
            .map_err(told)?;
        for (at, (_, host, values)) in lines.iter().enumerate() {
            let place = SegmentValue::CenterOf(lines.len() - 1 - at);
            let points: Vec<_> = values.iter().map(|value| (*value, place.clone())).collect();
            let style = colour(host);
            let line = PathElement::new(points.clone(), style.stroke_width(2));
            chart.draw_series([line]).map_err(told)?;
            let sizes = [5, 4, 3, 3];
            for (point, size) in points.into_iter().zip(sizes) {
                chart
                    .draw_series([Circle::new(point, size, style.filled())])
                    .map_err(told)?;
            }
        }
        area.present().map_err(told)?;
    }
    Ok(Some(svg))
}

/// Ours once for each case, then its peers.
fn lines(rows: &[Row]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for row in rows.iter().filter(|row| row.rounds.is_some()) {
        let first = lines.last().is_none_or(|(case, ..)| *case != row.case);
        let sides = [
            ("signet", &row.metrics.ours),
            (&*row.peer_name, &row.metrics.peer),
        ];
        for (host, sample) in sides.into_iter().skip(usize::from(!first)) {
            let values = percentiles(sample);
            if !values.is_empty() {
                lines.push((&row.case, host, values));
            }
        }
    }
    lines
}

fn percentiles(sample: &Sample) -> Vec<f64> {
    let all = [sample.p50_ms, sample.p90_ms, sample.p99_ms, sample.p999_ms];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Pair;

    #[test]
    fn ours_stands_once_above_its_peers() {
        let row = |peer: &str| Row {
            case: "hello".to_owned(),
            peer_name: peer.to_owned(),
            metrics: Pair {
                ours: Sample {
                    p50_ms: Some(1.0),
                    ..Sample::default()
                },
                peer: Sample {
                    p50_ms: Some(2.0),
                    ..Sample::default()
                },
            },
            rounds: Some(Pair::default()),
            ..Row::default()
        };
        let rows = [row("one"), row("two")];
        let hosts: Vec<_> = lines(&rows).into_iter().map(|(_, host, _)| host).collect();
        assert_eq!(hosts, ["signet", "one", "two"]);
    }
}

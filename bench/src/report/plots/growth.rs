//! How cost grows: with connections, with apps, with the body.

use std::collections::BTreeMap;

use anyhow::Result;
use plotters::prelude::*;

use super::{FAINT, INK, colour, decades, font, tick, told};
use crate::goals::SERVE_BEST;
use crate::record::{Row, Sample};

/// What grows: its name, and the cases with its sizes. `true`: the case's peer is the one to show.
type Axis = (&'static str, &'static [(&'static str, bool, f64)]);

const AXES: [Axis; 3] = [
    (
        "connections",
        &[
            ("connections-1", false, 1.0),
            ("hello-p3", false, 32.0),
            ("connections-256", false, 256.0),
            ("connections-1000", false, 1000.0),
        ],
    ),
    (
        "apps on one host",
        &[
            ("apps-10", true, 1.0),
            ("apps-10", false, 10.0),
            ("apps-100", false, 100.0),
        ],
    ),
    (
        "KiB of body (the first is empty)",
        &[
            ("verify-0", false, 0.1),
            ("verify-1k", false, 1.0),
            ("verify-64k", false, 64.0),
            ("verify-1m", false, 1024.0),
        ],
    ),
];

/// The points of each host.
type Lines<'a> = BTreeMap<&'a str, Vec<(f64, f64)>>;
type Figure = fn(&Sample) -> Option<f64>;

/// None where nothing grows.
pub(super) fn draw(rows: &[Row]) -> Result<Option<String>> {
    let mut svg = String::new();
    let mut empty = true;
    {
        let area = SVGBackend::with_string(&mut svg, (1080, 640)).into_drawing_area();
        area.fill(&WHITE).map_err(told)?;
        let figures: [(&str, Figure, bool); 2] = [
            ("us CPU a request", |sample| sample.cpu_us, true),
            ("MiB peak RSS", |sample| sample.rss_peak_mb, false),
        ];
        let panels = area.split_evenly((figures.len(), AXES.len()));
        for (at, panel) in panels.iter().enumerate() {
            let (unit, figure, logarithmic) = figures[at / AXES.len()];
            let (name, points) = AXES[at % AXES.len()];
            let lines = lines(rows, points, figure);
            let values = || lines.values().flatten().copied();
            let (Some(x), Some(mut y)) = (
                decades(values().map(|(x, _)| x)),
                decades(values().map(|(_, y)| y)),
            ) else {
                continue;
            };
            empty = false;
            if !logarithmic {
                let most = values().map(|(_, y)| y).fold(0.0, f64::max);
                y = 0.0..most * 1.1;
            }
            let x = x.start * 0.9..x.end * 1.1;
            let mut chart = ChartBuilder::on(panel);
            chart.margin(10).x_label_area_size(44).y_label_area_size(56);
            // The two scales are two types.
            if logarithmic {
                let chart = chart
                    .build_cartesian_2d(x.log_scale(), y.log_scale())
                    .map_err(told)?;
                fill(chart, name, unit, &lines)?;
            } else {
                let chart = chart.build_cartesian_2d(x.log_scale(), y).map_err(told)?;
                fill(chart, name, unit, &lines)?;
            }
        }
        area.present().map_err(told)?;
    }
    Ok((!empty).then_some(svg))
}

fn fill<'a, Y>(
    mut chart: ChartContext<'a, SVGBackend<'a>, Cartesian2d<LogCoord<f64>, Y>>,
    name: &str,
    unit: &str,
    lines: &Lines<'_>,
) -> Result<()>
where
    Y: Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .x_desc(name)
        .y_desc(unit)
        .x_label_formatter(&|x| tick(*x))
        .y_label_formatter(&|y| tick(*y))
        .label_style(font(13))
        .axis_desc_style(font(14))
        .draw()
        .map_err(told)?;
    for (host, points) in lines {
        let style = colour(host);
        chart
            .draw_series(
                LineSeries::new(points.iter().copied(), style.stroke_width(2)).point_size(4),
            )
            .map_err(told)?
            .label(*host)
            .legend(move |(x, y)| {
                PathElement::new(vec![(x, y), (x + 16, y)], style.stroke_width(3))
            });
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(font(13))
        .draw()
        .map_err(told)
}

fn lines<'a>(rows: &'a [Row], points: &[(&str, bool, f64)], figure: Figure) -> Lines<'a> {
    let mut lines = Lines::new();
    for (case, of_peer, size) in points {
        let of_case = rows
            .iter()
            .filter(|row| row.case == *case && row.rounds.is_some());
        for (at, row) in of_case.enumerate() {
            let ours = if *of_peer {
                &row.metrics.peer
            } else {
                &row.metrics.ours
            };
            if let Some(value) = figure(ours).filter(|_| at == 0) {
                lines.entry("signet").or_default().push((*size, value));
            }
            // One app beside many is ours too, and the flags of one case alone make no line.
            let peer = row.peer_name.as_str();
            if !peer.starts_with("signet")
                && peer != SERVE_BEST
                && let Some(value) = figure(&row.metrics.peer)
            {
                lines.entry(peer).or_default().push((*size, value));
            }
        }
    }
    lines
}

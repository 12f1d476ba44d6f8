//! Ratios, case by case, with their spreads and goals.

use anyhow::Result;
use plotters::prelude::*;

use super::{FAINT, INK, colour, font, told};
use crate::goals::Metric;
use crate::record::Row;
use crate::stats::Spread;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// Requests per second: ours over the peer's.
    Requests,
    /// CPU time for a request: the peer's over ours.
    Cpu,
}

/// A bar of the picture.
struct Bar<'a> {
    row: &'a Row,
    ratio: f64,
    spread: Option<Spread>,
    goal: Option<f64>,
}

impl Figure {
    fn bar(self, row: &Row) -> Option<Bar<'_>> {
        Some(match self {
            Self::Requests => Bar {
                row,
                ratio: row.ratio?,
                spread: row.spread.ratio,
                goal: row.goal_ratio,
            },
            Self::Cpu => Bar {
                row,
                ratio: row.cpu_ratio?,
                spread: cpu_spread(row),
                goal: None,
            },
        })
    }

    fn words(self) -> &'static str {
        match self {
            Self::Requests => "ratio of requests per second (1 = the same; logarithmic)",
            Self::Cpu => {
                "the peer's CPU time for a request over Signet's (1 = the same; logarithmic)"
            }
        }
    }
}

fn cpu_spread(row: &Row) -> Option<Spread> {
    let rounds = row.rounds.as_ref()?;
    let pairs = rounds.ours.iter().zip(&rounds.peer);
    let ratios = pairs.filter_map(|(ours, peer)| Some(peer.cpu_us? / ours.cpu_us?));
    Spread::of(&ratios.collect::<Vec<_>>())
}

/// The height of a bar and its gap.
const STEP: u32 = 26;
/// Room for the names of cases, and for axis and legend.
const NAMES: u32 = 380;
const AROUND: u32 = 110;

/// The figures stand in a column to the right of all bars, which takes this much of the scale.
const COLUMN: f64 = 5.0;

/// The bars of the rows that are wanted; none without any.
pub(super) fn draw(
    rows: &[Row],
    figure: Figure,
    wanted: &dyn Fn(&Row) -> bool,
) -> Result<Option<String>> {
    let unit = Metric::RequestsPerS.unit();
    let bars: Vec<Bar<'_>> = rows
        .iter()
        .filter(|row| row.unit == unit && wanted(row))
        .filter_map(|row| figure.bar(row))
        .collect();
    if bars.is_empty() {
        return Ok(None);
    }
    let figures = bars.iter().flat_map(|bar| {
        let spread = bar.spread.map(|spread| [spread.min, spread.max]);
        let spread = spread.into_iter().flatten();
        [Some(bar.ratio), bar.goal]
            .into_iter()
            .flatten()
            .chain(spread)
    });
    let (least, most) = figures.fold((1.0_f64, 1.0_f64), |(least, most), figure| {
        (least.min(figure), most.max(figure))
    });
    let mut svg = String::new();
    let height = AROUND + STEP * bars.len() as u32;
    {
        let area = SVGBackend::with_string(&mut svg, (980, height)).into_drawing_area();
        area.fill(&WHITE).map_err(told)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(46)
            .y_label_area_size(NAMES)
            .build_cartesian_2d(
                ((least * 0.8)..(most * COLUMN)).log_scale(),
                (0..bars.len() - 1).into_segmented(),
            )
            .map_err(told)?;
        let name = |at: &SegmentValue<usize>| match at {
            SegmentValue::CenterOf(at) => label(&bars, *at),
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .y_labels(bars.len() + 1)
            .y_label_formatter(&name)
            .x_labels(16)
            .x_label_formatter(&|ratio| format!("{ratio}"))
            .x_desc(figure.words())
            .label_style(font(14))
            .axis_desc_style(font(14))
            .draw()
            .map_err(told)?;
        let above = |place: usize| {
            let next = place + 1;
            if next < bars.len() {
                SegmentValue::Exact(next)
            } else {
                SegmentValue::Last
            }
        };
        for (at, bar) in bars.iter().enumerate() {
            let (row, ratio) = (bar.row, bar.ratio);
            let place = bars.len() - 1 - at;
            let whole = |x: f64| [(x, SegmentValue::Exact(place)), (x, above(place))];
            let mut shape = Rectangle::new(
                [(1.0, SegmentValue::Exact(place)), (ratio, above(place))],
                colour(&row.peer_name)
                    .mix(if row.valid { 0.75 } else { 0.2 })
                    .filled(),
            );
            shape.set_margin(4, 4, 0, 0);
            chart.draw_series([shape]).map_err(told)?;
            if let Some(spread) = bar.spread {
                let middle = SegmentValue::CenterOf(place);
                let line = vec![(spread.min, middle.clone()), (spread.max, middle)];
                chart
                    .draw_series([PathElement::new(line, INK.stroke_width(1))])
                    .map_err(told)?;
            }
            if let Some(goal) = bar.goal {
                let style = RED.stroke_width(3);
                chart
                    .draw_series([PathElement::new(whole(goal).to_vec(), style)])
                    .map_err(told)?;
            }
            let text = format!("{ratio:.2}{}", verdict(bar));
            let at = EmptyElement::at((most * 1.2, SegmentValue::CenterOf(place)))
                + Text::new(text, (8, -7), font(14).color(&INK));
            chart.draw_series([at]).map_err(told)?;
        }
        let one = vec![(1.0, SegmentValue::Exact(0)), (1.0, SegmentValue::Last)];
        chart
            .draw_series([PathElement::new(one, INK.stroke_width(2))])
            .map_err(told)?;
        area.present().map_err(told)?;
    }
    Ok(Some(svg))
}

/// The name of the bar at a place, counted from below.
fn label(bars: &[Bar<'_>], place: usize) -> String {
    let bar = bars.iter().rev().nth(place);
    bar.map_or_else(String::new, |bar| {
        format!("{} : {}", bar.row.case, bar.row.peer_name)
    })
}

fn verdict(bar: &Bar<'_>) -> &'static str {
    match bar.row.met {
        _ if !bar.row.valid => " INVALID",
        Some(true) if bar.goal.is_some() => " (goal met)",
        Some(false) if bar.goal.is_some() => " (goal not met)",
        _ => "",
    }
}

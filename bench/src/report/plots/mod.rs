//! Pictures that explain themselves. Comes in: rows; goes out: SVG. Pure. Each host has one colour in all of them.

mod growth;
mod latency;
mod ratio;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::FontDesc;

use crate::goals::{NATIVE, SERVE, SERVE_BEST};
use crate::record::Row;

/// A picture: the name of its file, its heading, and what is to be seen in it.
pub(crate) struct Plot {
    pub(crate) name: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) caption: &'static str,
    pub(crate) svg: String,
}

/// All pictures that the rows have figures for.
pub(crate) fn all(rows: &[Row]) -> Result<Vec<Plot>> {
    let serve = |row: &Row| [SERVE, SERVE_BEST].contains(&&*row.peer_name);
    let drawn = [
        (
            "ratio-serve",
            "Requests per second, over those of wasmtime serve",
            "Each bar is the median of Signet's rounds over the median of the peer's, on a logarithmic scale: to the \
             right of 1 Signet is faster. The thin line is the least and the most of the rounds; the mark is the goal.",
            ratio::draw(rows, ratio::Figure::Requests, &serve)?,
        ),
        (
            "ratio-others",
            "Requests per second, over those of native code and of Signet itself without what the case is about",
            "As above. Native code does the same work with hyper and without WebAssembly: it is what the hardware gives, \
             not what can be reached.",
            ratio::draw(rows, ratio::Figure::Requests, &|row| !serve(row))?,
        ),
        (
            "cpu-serve",
            "CPU time of a request: that of wasmtime serve over ours",
            "The figure that noise disturbs least, and that does not depend on who else is the limit: the time of the \
             server's process for each request. To the right of 1 Signet takes less.",
            ratio::draw(rows, ratio::Figure::Cpu, &serve)?,
        ),
        (
            "latency",
            "Latency, by percentile",
            "For each host, from left to right: the 50th, 90th, 99th and 99.9th percentile, medians of the rounds, on a \
             logarithmic scale. Each connection waits for its answer before it asks again.",
            latency::draw(rows)?,
        ),
        (
            "growth",
            "How the cost grows",
            "CPU time of the server's process for each request (above) and the most memory it had in the load (below): \
             with the connections, with the apps on one host, and with the size of the body that is verified. Both \
             scales are logarithmic, but that of memory.",
            growth::draw(rows)?,
        ),
    ];
    let plots = drawn
        .into_iter()
        .filter_map(|(name, heading, caption, svg)| {
            Some(Plot {
                name,
                heading,
                caption,
                svg: svg?,
            })
        });
    Ok(plots.collect())
}

/// The colour of a host.
fn colour(host: &str) -> RGBColor {
    match host {
        "signet" => RGBColor(0x1b, 0x6e, 0xc2),
        SERVE => RGBColor(0xd9, 0x7a, 0x06),
        SERVE_BEST => RGBColor(0xa8, 0x4b, 0x2f),
        NATIVE => RGBColor(0x5b, 0x8c, 0x3e),
        _ => RGBColor(0x77, 0x77, 0x77),
    }
}

const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const FAINT: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

fn font(size: u32) -> FontDesc<'static> {
    FontDesc::from(("sans-serif", size))
}

/// The drawing library's errors borrow what they were made of.
fn told<E: std::fmt::Display>(error: E) -> anyhow::Error {
    anyhow!("a plot could not be drawn: {error}")
}

/// The powers of ten around the values.
fn decades(values: impl Iterator<Item = f64>) -> Option<std::ops::Range<f64>> {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for value in values.filter(|value| *value > 0.0) {
        least = least.min(value);
        most = most.max(value);
    }
    (most > 0.0).then(|| 10_f64.powf(least.log10().floor())..10_f64.powf(most.log10().ceil()))
}

/// A figure at an axis.
fn tick(value: f64) -> String {
    if value >= 1000.0 {
        format!("{}k", value / 1000.0)
    } else {
        format!("{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_begins_and_ends_at_powers_of_ten() {
        assert_eq!(decades([0.5, 30.0].into_iter()), Some(0.1..100.0));
        assert_eq!(decades(std::iter::empty()), None);
    }
}

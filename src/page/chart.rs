//! Charts of lines over steps, as the templates draw them in SVG.

use super::MOST_COMPARED;
use super::points::{Thinned, thin};
use crate::report::Axis;
use std::fmt;

/// The size of a chart, in the units of its view box. It is narrow, so that text is legible where a screen is, too.
pub(super) const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 240.0;
pub(super) const LEFT: f64 = 70.0;
pub(super) const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 42.0;
/// Up to so many points each has a dot.
const MOST_DOTS: usize = 40;

/// A coordinate, with a decimal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Px(pub(super) f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

/// A tick, and what stands at it.
pub(super) struct Tick {
    pub(super) at: Px,
    pub(super) text: String,
}

/// What a legend and a line say of a series.
pub(super) struct Line {
    /// Its colour and dashes, from 0.
    pub(super) style: usize,
    pub(super) label: String,
    /// Pieces between gaps.
    pub(super) pieces: Vec<Vec<(Px, Px)>>,
    /// The outlines of what lies between its lowest and highest values.
    pub(super) bands: Vec<Vec<(Px, Px)>>,
    /// Points that a line alone would not show.
    pub(super) dots: Vec<(Px, Px)>,
}

/// A chart.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) caption: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) width: Px,
    pub(super) height: Px,
    pub(super) left: Px,
    pub(super) right: Px,
    pub(super) top: Px,
    pub(super) bottom: Px,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) lines: Vec<Line>,
    /// Places marked by vertical lines.
    pub(super) marks: Vec<Px>,
    /// A level marked by a horizontal line, and what it is.
    pub(super) level: Option<(Px, String)>,
}

/// What a chart is drawn from.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    /// What goes before the notes on thinning, in whole sentences.
    pub(super) caption: String,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    pub(super) logarithmic: bool,
    /// What there is a value for each of: `steps`, or `figures` where these are of some steps only.
    pub(super) unit: &'a str,
    /// (label, places, values)
    pub(super) series: Vec<(String, &'a [f64], &'a [f64])>,
    pub(super) marks: &'a [f64],
    pub(super) level: Option<(f64, &'a str)>,
}

impl Plot<'_> {
    /// The chart; none where no value can be drawn.
    pub(super) fn chart(self) -> Option<Chart> {
        let is_drawable = |y: f64| y.abs() < 1e250 && (!self.logarithmic || y > 1e-250);
        let thinned: Vec<(String, Thinned)> = self
            .series
            .into_iter()
            .map(|(label, xs, ys)| (label, thin(xs, ys, is_drawable)))
            .collect();
        let x = axis(
            thinned
                .iter()
                .flat_map(|(_, s)| s.means.iter().map(|m| m.0)),
            false,
            0.0,
        )?;
        let means = thinned
            .iter()
            .flat_map(|(_, s)| s.means.iter().map(|m| m.1));
        let ranges = thinned
            .iter()
            .flat_map(|(_, s)| s.ranges.iter().flat_map(|r| [r.1, r.2]));
        let level = self.level.map(|level| level.0);
        // Without any value of its own there is nothing to compare with a level.
        means.clone().find(|y| y.is_finite())?;
        let y = axis(means.chain(ranges).chain(level), self.logarithmic, 0.06)?;
        let place = Place { x: &x, y: &y };

        let mut notes = Vec::new();
        let each = thinned.iter().map(|(_, s)| s.each).max().unwrap_or(1);
        if each > 1 {
            notes.push(format!(
                "Each point is the mean of {}{each} {}; the band reaches from the lowest to the highest of them.",
                if thinned.iter().all(|(_, s)| s.each == each) { "" } else { "up to " },
                self.unit
            ));
        }
        let skipped: usize = thinned.iter().map(|(_, s)| s.skipped).sum();
        if skipped > 0 {
            let why = match self.logarithmic {
                true => "not finite or not above 0, and cannot be drawn on this scale",
                false => "not finite",
            };
            notes.push(format!("Left out: {skipped} values that are {why}."));
        }
        let caption = [self.caption].into_iter().chain(notes);
        let caption: Vec<String> = caption.filter(|note| !note.is_empty()).collect();
        Some(Chart {
            title: self.title.into(),
            caption: caption.join(" "),
            x_label: self.x_label.into(),
            y_label: self.y_label.into(),
            width: Px(WIDTH),
            height: Px(HEIGHT),
            left: Px(LEFT),
            right: Px(WIDTH - RIGHT),
            top: Px(TOP),
            bottom: Px(HEIGHT - BOTTOM),
            x_ticks: ticks(&x, |value| place.across(value)),
            y_ticks: ticks(&y, |value| place.up(value)),
            lines: thinned
                .into_iter()
                .enumerate()
                .map(|(style, (label, series))| line(style, label, &series, &place))
                .collect(),
            marks: self.marks.iter().map(|&mark| place.across(mark)).collect(),
            level: self
                .level
                .map(|(level, what)| (place.up(level), what.into())),
        })
    }
}

/// Where values lie in a chart.
struct Place<'a> {
    x: &'a Axis,
    y: &'a Axis,
}

impl Place<'_> {
    fn across(&self, value: f64) -> Px {
        across(self.x, value)
    }

    fn up(&self, value: f64) -> Px {
        Px(HEIGHT - BOTTOM - self.y.position(value) * (HEIGHT - TOP - BOTTOM))
    }

    fn point(&self, (x, y): (f64, f64)) -> (Px, Px) {
        (self.across(x), self.up(y))
    }
}

/// Where `value` lies in the width of a chart.
pub(super) fn across(axis: &Axis, value: f64) -> Px {
    Px(LEFT + axis.position(value) * (WIDTH - LEFT - RIGHT))
}

/// The ticks of an axis, each at its place.
pub(super) fn ticks(axis: &Axis, place: impl Fn(f64) -> Px) -> Vec<Tick> {
    let ticks = axis.ticks().iter();
    ticks
        .map(|(value, text)| Tick {
            at: place(*value),
            text: text.clone(),
        })
        .collect()
}

/// An axis over all finite values, with a margin of this share of their range; none without any.
pub(super) fn axis(
    values: impl Iterator<Item = f64>,
    logarithmic: bool,
    margin: f64,
) -> Option<Axis> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
    }
    if low > high {
        return None;
    }
    if logarithmic {
        (low, high) = (low.log10(), high.log10());
    }
    // Ticks closer than that would need more digits than there is room for.
    let smallest = 1e-3 * low.abs().max(high.abs());
    let margin = if high - low > smallest {
        margin * (high - low)
    } else if logarithmic || (low == 0.0 && high == 0.0) {
        0.5
    } else if high - low > 1e-3 * smallest {
        0.5 * smallest
    } else {
        // What does not vary stands in the middle.
        0.5 * low.abs()
    };
    let (low, high) = (low - margin, high + margin);
    Some(match logarithmic {
        true => Axis::logarithmic(low, high),
        false => Axis::linear(low, high, 0.0),
    })
}

fn line(style: usize, label: String, series: &Thinned, place: &Place<'_>) -> Line {
    let pieces = series.means.split(|(_, mean)| !mean.is_finite());
    let pieces: Vec<Vec<(Px, Px)>> = pieces
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.iter().map(|&point| place.point(point)).collect())
        .collect();
    let all: usize = pieces.iter().map(Vec::len).sum();
    let dots = pieces
        .iter()
        .filter(|piece| all <= MOST_DOTS || piece.len() == 1)
        .flatten()
        .copied()
        .collect();
    let bands = series.ranges.split(|(_, low, _)| !low.is_finite());
    let outline = |band: &[(f64, f64, f64)]| -> Vec<(Px, Px)> {
        let lower = band.iter().map(|&(x, low, _)| place.point((x, low)));
        let upper = band.iter().map(|&(x, _, high)| place.point((x, high)));
        lower.chain(upper.rev()).collect()
    };
    Line {
        style: style % MOST_COMPARED,
        label,
        pieces,
        bands: bands.filter(|band| !band.is_empty()).map(outline).collect(),
        dots,
    }
}

impl Chart {
    /// What a reader is told who does not see it.
    pub(super) fn alt(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| &line.label[..]).collect();
        let ends = |ticks: &[Tick]| match ticks {
            [first, .., last] => format!(" from {} to {}", first.text, last.text),
            _ => String::new(),
        };
        format!(
            "Chart: {}. Across: {}{}. Up: {}{}. Lines: {}.",
            self.title,
            self.x_label,
            ends(&self.x_ticks),
            self.y_label,
            ends(&self.y_ticks),
            lines.join(", ")
        )
    }
}

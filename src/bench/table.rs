//! Figures as a table for people.

use super::figure::{Figure, FigureKind, Header};
use super::growth::GrowthPoint;
use super::timing::{Clock, unit_for};

/// What ran where, and by which clock: the lines above the table.
pub(crate) fn preamble(header: &Header) -> String {
    let adapter = &header.adapter;
    let clock = match header.kernel_clock {
        Clock::Gpu => "the GPU's timestamps",
        Clock::Wall => "the clock on the wall (no timestamps here)",
    };
    let kernels = header.kernels.as_ref();
    let kernels = kernels.map_or(String::new(), |kernels| format!("kernels {kernels}\n"));
    format!(
        "afterimage {}, wgpu {}; {adapter}, driver {}\n\
         {kernels}\
         networks by the clock on the wall, everything else by {clock}; ms: medians",
        header.afterimage, header.wgpu, adapter.driver
    )
}

/// The names of the columns of [`row`].
pub(crate) fn columns() -> String {
    line(
        "",
        [
            "ms",
            "min",
            "quartiles",
            "GPU ms",
            "GFLOP/s",
            "GB/s",
            "ceiling",
            "of work",
            "runs",
        ]
        .map(String::from),
    )
}

/// The line above the figures of one kind or network.
pub(crate) fn heading(figure: &Figure) -> String {
    match (figure.kind, figure.net, figure.batch) {
        (FigureKind::Ceiling, ..) => "ceilings".into(),
        (FigureKind::Layer, ..) => format!(
            "convolution 64→128, 4×4, stride 2, batch 64, {}",
            figure.mode
        ),
        (_, Some(net), Some(batch)) => format!("network {net}, batch {batch}, {}", figure.mode),
        _ => String::new(),
    }
}

/// A figure as one line.
pub(crate) fn row(figure: &Figure) -> String {
    let name = match (figure.kernel, figure.work.as_str()) {
        (Some(kernel), _) => format!("  {kernel} ×{}", trimmed(figure.launches)),
        (None, "langevin") => "langevin: one step".into(),
        (None, "train") => "train: one update".into(),
        (None, "full") if figure.composed => "full: 40 steps + update (sum)".into(),
        (None, "full") => "full: 40 steps + update".into(),
        (None, work) => work.to_owned(),
    };
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    line(
        &format!("  {name}"),
        [
            digits(figure.ms),
            digits(figure.ms_min),
            format!("{}–{}", digits(figure.ms_q1), digits(figure.ms_q3)),
            or_dash(figure.gpu_ms.map(digits)),
            or_dash(figure.gflops.map(digits)),
            or_dash(figure.gb_per_s.map(digits)),
            or_dash(figure.ceiling_share.map(percent)),
            or_dash(figure.work_share.map(percent)),
            figure.runs.to_string(),
        ],
    )
}

fn line(
    name: &str,
    [ms, min, quartiles, gpu, gflops, gb, ceiling, share, runs]: [String; 9],
) -> String {
    format!(
        "{name:44}{ms:>9}{min:>9}{quartiles:>16}{gpu:>9}{gflops:>9}{gb:>8}{ceiling:>9}{share:>9}{runs:>6}"
    )
}

/// The line above the points of one growth curve.
pub(crate) fn growth_heading(point: &GrowthPoint) -> String {
    let cost = format!("per {}", point.unit);
    format!(
        "{:>18}{:>12}{:>12}{cost:>24}{:>14}{:>6}",
        point.curve, "chain, ms", "min", "to the first", "runs"
    )
}

/// A point as one line; `first` is the first of its curve.
pub(crate) fn growth_row(point: &GrowthPoint, first: &GrowthPoint) -> String {
    format!(
        "{:>18}{:>12}{:>12}{:>24}{:>14}{:>6}",
        point.size,
        digits(point.ms),
        digits(point.ms_min),
        duration(point.ns_per_unit),
        format!("×{:.2}", point.ns_per_unit / first.ns_per_unit),
        point.runs
    )
}

/// A positive number with about three significant digits.
fn digits(value: f64) -> String {
    let decimals = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v if v >= 0.1 => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

/// A whole number without decimals, others with two.
fn trimmed(value: f64) -> String {
    match value.fract() == 0.0 {
        true => format!("{value}"),
        false => format!("{value:.2}"),
    }
}

/// Nanoseconds in the unit that suits them.
fn duration(nanoseconds: f64) -> String {
    let (factor, unit) = unit_for(nanoseconds);
    format!("{} {unit}", digits(nanoseconds * factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_and_find_their_unit() {
        assert_eq!(
            [123.4, 12.34, 1.234, 0.1234].map(digits),
            ["123", "12.3", "1.23", "0.123"]
        );
        assert_eq!((trimmed(4.0), trimmed(0.025)), ("4".into(), "0.03".into()));
        let durations = [2.5e6, 2.5e3, 2.5, 0.0025].map(duration);
        assert_eq!(durations, ["2.50 ms", "2.50 µs", "2.50 ns", "2.50 ps"]);
    }

    #[test]
    fn columns_stand_above_their_figures() {
        let end = |text: &str, word: &str| {
            text.find(word)
                .map(|at| text[..at + word.len()].chars().count())
        };
        let row = line(
            "a",
            ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(String::from),
        );
        assert_eq!(end(&columns(), "GFLOP/s"), end(&row, "5"));
        assert_eq!(end(&columns(), "runs"), end(&row, "9"));
    }
}

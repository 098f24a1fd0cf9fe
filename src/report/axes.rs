//! Axes with round tick values, and the frame they make.

use plotters::style::{Color, RGBAColor, RGBColor};

use super::ReportError;
use super::canvas::{Canvas, HPos, VPos};

/// The size of tick labels in pixels.
const LABEL_SIZE: f64 = 15.0;
const TICK_LENGTH: f64 = 4.0;
/// Axes aim for this many intervals between ticks.
const INTERVALS: f64 = 5.0;

pub(super) fn ink() -> RGBAColor {
    RGBColor(45, 45, 45).to_rgba()
}

/// A range of values, linear or logarithmic, with its ticks.
pub(crate) struct Axis {
    /// Bounds, as values on a linear axis and as powers of ten on a logarithmic one.
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis from exactly `low` to `high`, ticks at least `smallest_step` apart.
    pub(crate) fn linear(low: f64, high: f64, smallest_step: f64) -> Axis {
        let ticks = linear_ticks(low, high, smallest_step);
        Axis {
            low,
            high,
            logarithmic: false,
            ticks,
        }
    }

    /// A logarithmic axis from exactly 10^`low` to 10^`high`.
    pub(crate) fn logarithmic(low: f64, high: f64) -> Axis {
        let ticks = logarithmic_ticks(low, high);
        Axis {
            low,
            high,
            logarithmic: true,
            ticks,
        }
    }

    /// A logarithmic axis with a tick at each of `sizes`, which are above zero.
    pub(super) fn sizes(sizes: &[f64]) -> Axis {
        let low = sizes.iter().copied().fold(f64::INFINITY, f64::min);
        let high = sizes.iter().copied().fold(0.0, f64::max);
        let (low, high) = match low <= high {
            true => (low.log10() - 0.1, high.log10() + 0.1),
            false => (0.0, 1.0),
        };
        Axis {
            low,
            high,
            logarithmic: true,
            ticks: sizes.iter().map(|&size| (size, size.to_string())).collect(),
        }
    }

    /// A row for each of `names`, the first at the upper end.
    pub(super) fn rows(names: &[String]) -> Axis {
        let count = names.len();
        let middle = |row: usize| (count - row) as f64 - 0.5;
        Axis {
            low: 0.0,
            high: count.max(1) as f64,
            logarithmic: false,
            ticks: (0..count)
                .map(|row| (middle(row), names[row].clone()))
                .collect(),
        }
    }

    /// Its bounds: values on a linear axis, powers of ten on a logarithmic one.
    pub(super) fn bounds(&self) -> [f64; 2] {
        [self.low, self.high]
    }

    /// The values with a tick, and what stands at it.
    pub(crate) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// Where `value` lies: 0 at the lower end, 1 at the upper.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let value = if self.logarithmic {
            value.log10()
        } else {
            value
        };
        (value - self.low) / (self.high - self.low)
    }
}

/// The rectangle inside two axes, in pixels, y downwards.
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Frame {
    /// The pixel of the point (`x`, `y`).
    pub(super) fn pixel(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.left + self.width * self.x.position(x),
            self.top + self.height * (1.0 - self.y.position(y)),
        )
    }

    /// Draws the grid lines, the border, the ticks and their labels.
    pub(super) fn draw(&self, canvas: &Canvas) -> Result<(), ReportError> {
        let pale = RGBColor(228, 228, 228).to_rgba();
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        for (value, label) in &self.x.ticks {
            let x = self.left + self.width * self.x.position(*value);
            canvas.line(&[(x, self.top), (x, bottom)], pale, 1.0)?;
            canvas.line(&[(x, bottom), (x, bottom + TICK_LENGTH)], ink(), 1.0)?;
            let at = (x, bottom + TICK_LENGTH + 3.0);
            canvas.text(label, at, LABEL_SIZE, ink(), (HPos::Center, VPos::Top))?;
        }
        for (value, label) in &self.y.ticks {
            let y = self.top + self.height * (1.0 - self.y.position(*value));
            canvas.line(&[(self.left, y), (right, y)], pale, 1.0)?;
            canvas.line(&[(self.left - TICK_LENGTH, y), (self.left, y)], ink(), 1.0)?;
            let at = (self.left - TICK_LENGTH - 3.0, y);
            canvas.text(label, at, LABEL_SIZE, ink(), (HPos::Right, VPos::Center))?;
        }
        let corners = [
            (self.left, self.top),
            (right, self.top),
            (right, bottom),
            (self.left, bottom),
            (self.left, self.top),
        ];
        canvas.line(&corners, ink(), 1.0)
    }
}

/// Multiples of 1, 2 or 5 times a power of ten that lie in `low` ..= `high`.
fn linear_ticks(low: f64, high: f64, smallest_step: f64) -> Vec<(f64, String)> {
    let wanted = (high - low) / INTERVALS;
    let power = 10f64.powf(wanted.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .min_by(|a, b| {
            (a * power - wanted)
                .abs()
                .total_cmp(&(b * power - wanted).abs())
        })
        .unwrap_or(1.0);
    let step = (factor * power).max(smallest_step);
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first + 1.0).clamp(0.0, 4.0 * INTERVALS) as usize;
    (0..count)
        .map(|index| (first + index as f64) * step)
        .map(|value| (value, label(value, step, low.abs().max(high.abs()))))
        .collect()
}

/// Powers of ten between 10^`low` and 10^`high`, or finer values where that leaves too few.
fn logarithmic_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let (first, last) = (low.ceil() as i32, high.floor() as i32);
    if last > first {
        let stride = (last - first) as usize / (INTERVALS as usize + 1) + 1;
        return (first..=last)
            .step_by(stride)
            .map(|power| 10f64.powi(power))
            .map(|value| (value, label(value, value, value)))
            .collect();
    }
    let fine: Vec<_> = (low.floor() as i32..=last.max(first))
        .flat_map(|power| [1.0, 2.0, 3.0, 5.0].map(|digit| (digit * 10f64.powi(power), power)))
        .filter(|(value, _)| (low..=high).contains(&value.log10()))
        .map(|(value, power)| (value, label(value, 10f64.powi(power), value)))
        .collect();
    if fine.len() >= 2 {
        fine
    } else {
        linear_ticks(10f64.powf(low), 10f64.powf(high), 0.0)
    }
}

/// `value` with the digits that tell it from its neighbours `step` away; `largest` is the largest
/// magnitude on the axis and decides whether to write a power of ten.
fn label(value: f64, step: f64, largest: f64) -> String {
    // A tick that should be 0 may carry a rounding error of its step.
    let value = if value.abs() < step * 1e-6 {
        0.0
    } else {
        value
    };
    let step_power = (step.log10() + 1e-9).floor();
    let text = if value == 0.0 {
        "0".to_owned()
    } else if largest >= 1e6 || step < 0.99e-4 {
        let digits = (value.abs().log10() + 1e-9).floor() - step_power;
        format!("{value:.*e}", digits.clamp(0.0, 9.0) as usize)
    } else {
        format!("{value:.*}", (-step_power).max(0.0) as usize)
    };
    text.replace('-', "−")
}

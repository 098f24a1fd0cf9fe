//! Histograms of energies along training, one above the other.

use image::RgbImage;
use plotters::style::{Color, RGBAColor, RGBColor};

use super::ReportError;
use super::axes::{Axis, ink};
use super::canvas::{Canvas, HPos, VPos, check_size, paint};
use super::landscape::{DATA_COLOUR, SAMPLE_COLOUR};
use super::training::evenly;
use std::ops::Range;

/// Energies of data and of noise at some step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EnergiesAt<'a> {
    /// The optimiser step, counted from 0.
    pub(crate) step: u64,
    pub(crate) data: &'a [f32],
    pub(crate) noise: &'a [f32],
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 124.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 66.0;
/// From the floor of a row to that of the next, and how high its tallest bar is.
const ROW: f64 = 50.0;
const BARS: f64 = 44.0;
const MOST_ROWS: usize = 12;
const BINS: usize = 48;
const TITLE_SIZE: f64 = 22.0;
const TEXT_SIZE: f64 = 18.0;
/// This share of all energies on either side may lie beyond the bins, where a few far out would leave no room for the rest.
const TAIL: f64 = 0.005;

/// What is drawn of each kind: its name and its colour.
const KINDS: [(&str, RGBColor); 2] = [("data", DATA_COLOUR), ("noise", SAMPLE_COLOUR)];

/// A row of the picture: the step, and energies of data and of noise less the mean energy of the data.
struct Row {
    step: u64,
    kinds: [Vec<f64>; 2],
}

/// Draws histograms of up to twelve of `rows`, evenly spaced, the first one on top: shares of the samples in common bins, each
/// row on a scale of its own. Energies are less the mean energy of the row's data, since the zero of an energy is arbitrary.
/// What is not finite is left out, and so are rows without data or noise.
///
/// # Errors
/// [`ReportError`] if no row is left.
pub(crate) fn energy_histograms(rows: &[EnergiesAt<'_>]) -> Result<RgbImage, ReportError> {
    let rows: Vec<Row> = rows.iter().filter_map(centred).collect();
    let rows: Vec<&Row> = evenly(rows.len(), MOST_ROWS)
        .into_iter()
        .map(|place| &rows[place])
        .collect();
    let mut pooled: Vec<f64> = rows.iter().flat_map(|row| row.kinds.concat()).collect();
    pooled.sort_by(f64::total_cmp);
    let (low, high) = energy_range(&pooled).ok_or(ReportError::Nothing { what: "energies" })?;
    let outside = pooled.iter().filter(|e| !(low..=high).contains(*e)).count();
    let axis = Axis::linear(low, high, 0.0);

    let floor = TOP + ROW * rows.len() as f64;
    let (width, height) = check_size(WIDTH as usize, (floor + BOTTOM) as usize)?;
    paint(width, height, |canvas| {
        draw_words(canvas, floor, outside)?;
        draw_axis(canvas, &axis, floor)?;
        for (row, place) in rows.iter().zip(1..) {
            draw_row(canvas, &axis, row, TOP + ROW * f64::from(place))?;
        }
        Ok(())
    })
}

/// The range of the bins for energies in order: all of it, unless most of that is empty; none without energies.
pub(crate) fn energy_range(sorted: &[f64]) -> Option<(f64, f64)> {
    let (&low, &high) = (sorted.first()?, sorted.last()?);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let (from, to) = (at(TAIL), at(1.0 - TAIL));
    let (low, high) = match high - low > 2.0 * (to - from) && to > from {
        true => (from, to),
        false => (low, high),
    };
    // Equal energies have a bin, too.
    let margin = if high > low { 0.0 } else { 0.5 };
    Some((low - margin, high + margin))
}

/// The share of `energies` in each of `bins` bins between `low` and `high`.
pub(crate) fn binned(energies: &[f64], low: f64, high: f64, bins: usize) -> Vec<f64> {
    let mut shares = vec![0.0; bins];
    for &energy in energies.iter().filter(|&&e| (low..=high).contains(&e)) {
        let bin = (bins as f64 * (energy - low) / (high - low)) as usize;
        shares[bin.min(bins - 1)] += 1.0 / energies.len() as f64;
    }
    shares
}

/// The row; none without data or noise.
fn centred(row: &EnergiesAt<'_>) -> Option<Row> {
    let finite = |kind: &[f32]| -> Vec<f64> {
        let finite = kind.iter().filter(|energy| energy.is_finite());
        finite.map(|&energy| f64::from(energy)).collect()
    };
    let (data, noise) = (finite(row.data), finite(row.noise));
    let mean = data.iter().sum::<f64>() / data.len() as f64;
    let kinds = [data, noise].map(|kind| kind.iter().map(|energy| energy - mean).collect());
    let is_whole = kinds.iter().all(|kind: &Vec<f64>| !kind.is_empty());
    let step = row.step;
    is_whole.then_some(Row { step, kinds })
}

fn draw_words(canvas: &Canvas, floor: f64, outside: usize) -> Result<(), ReportError> {
    let title = "Energies along training, under the live weights";
    let anchor = (HPos::Left, VPos::Center);
    canvas.text(title, (20.0, 26.0), TITLE_SIZE, ink(), anchor)?;
    let mut left = LEFT;
    for (name, colour) in KINDS {
        let at = (left + 26.0, 60.0);
        let corners = [
            (left, 53.0),
            (left + 18.0, 53.0),
            (left + 18.0, 67.0),
            (left, 67.0),
        ];
        canvas.area(&corners, colour.to_rgba())?;
        canvas.text(name, at, TEXT_SIZE, ink(), anchor)?;
        left = at.0 + canvas.text_width(name, TEXT_SIZE)? + 30.0;
    }
    let mut below = "energy less the mean of the step's data (nats)".to_owned();
    if outside > 0 {
        below += &format!("; {outside} lie outside");
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let anchor = (HPos::Center, VPos::Center);
    canvas.text(&below, (middle, floor + 46.0), TEXT_SIZE, ink(), anchor)
}

fn draw_axis(canvas: &Canvas, axis: &Axis, floor: f64) -> Result<(), ReportError> {
    let pale = RGBColor(228, 228, 228).to_rgba();
    for (value, label) in axis.ticks() {
        let x = across(axis, *value);
        canvas.line(&[(x, TOP), (x, floor)], pale, 1.0)?;
        let at = (x, floor + 8.0);
        canvas.text(label, at, TEXT_SIZE, ink(), (HPos::Center, VPos::Top))?;
    }
    Ok(())
}

fn draw_row(canvas: &Canvas, axis: &Axis, row: &Row, floor: f64) -> Result<(), ReportError> {
    let [low, high] = axis.bounds();
    let shares = row
        .kinds
        .each_ref()
        .map(|kind| binned(kind, low, high, BINS));
    let tallest = shares
        .iter()
        .flatten()
        .copied()
        .fold(f64::MIN_POSITIVE, f64::max);
    let edge = |bin: usize| across(axis, low + (high - low) * bin as f64 / BINS as f64);
    for (shares, (_, colour)) in shares.iter().zip(KINDS) {
        for filled in filled(shares) {
            let mut outline = vec![(edge(filled.start), floor)];
            for bin in filled.clone() {
                let y = floor - BARS * shares[bin] / tallest;
                outline.extend([(edge(bin), y), (edge(bin + 1), y)]);
            }
            outline.push((edge(filled.end), floor));
            canvas.area(&outline, colour.mix(0.4))?;
            canvas.line(&outline, colour.to_rgba(), 1.5)?;
        }
    }
    let left = across(axis, low);
    canvas.line(&[(left, floor), (across(axis, high), floor)], soft(), 1.0)?;
    let name = format!("step {}", row.step);
    let at = (LEFT - 12.0, floor - 12.0);
    canvas.text(&name, at, TEXT_SIZE, ink(), (HPos::Right, VPos::Center))
}

/// The stretches of bins that hold something.
fn filled(shares: &[f64]) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for bin in (0..shares.len()).filter(|&bin| shares[bin] > 0.0) {
        match stretches.last_mut() {
            Some(stretch) if stretch.end == bin => stretch.end += 1,
            _ => stretches.push(bin..bin + 1),
        }
    }
    stretches
}

fn across(axis: &Axis, value: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * axis.position(value)
}

fn soft() -> RGBAColor {
    RGBColor(120, 120, 120).to_rgba()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn all_energies_are_in_a_bin_unless_a_few_lie_far_out() {
        let mut energies: Vec<f64> = (0..=500).map(|i| f64::from(i) / 100.0).collect();
        assert_eq!(energy_range(&energies), Some((0.0, 5.0)));
        let shares = binned(&energies, 0.0, 5.0, 40);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(shares.iter().all(|share| (share - 0.025).abs() < 0.005));
        energies.push(1e9);
        let (_, high) = energy_range(&energies).unwrap();
        assert!(high < 6.0, "{high}");
        assert_eq!(energy_range(&[2.0, 2.0]), Some((1.5, 2.5)));
        assert_eq!(energy_range(&[]), None);
    }

    #[test]
    fn bins_that_hold_nothing_have_no_outline() {
        let found = filled(&[0.0, 0.5, 0.1, 0.0, 0.0, 0.4]);
        assert_eq!(found, [1..3, 5..6]);
        assert!(filled(&[0.0; 3]).is_empty());
    }

    #[test]
    fn noise_of_a_higher_energy_stands_to_the_right_of_data_wherever_both_lie() {
        let around = |middle: f32| -> Vec<f32> {
            (-50..=50)
                .map(|place| middle + place as f32 / 50.0)
                .collect()
        };
        // The second step has all energies 1000 lower.
        let kinds = [0.0, -1000.0].map(|shift| [around(shift), around(shift + 8.0)]);
        let rows: Vec<EnergiesAt<'_>> = kinds
            .iter()
            .zip([10, 20])
            .map(|([data, noise], step)| EnergiesAt { step, data, noise })
            .collect();
        let image = energy_histograms(&rows).unwrap();
        assert_eq!(image.height(), (TOP + 2.0 * ROW + BOTTOM) as u32);
        let middle = |row: u32, [red, green, blue]: [u8; 3]| {
            let ys = (TOP + ROW * f64::from(row)) as u32..(TOP + ROW * f64::from(row + 1)) as u32;
            let found = image.enumerate_pixels().filter(|(x, y, pixel)| {
                ys.contains(y) && *x > LEFT as u32 && **pixel == Rgb([red, green, blue])
            });
            let found: Vec<f64> = found.map(|(x, ..)| f64::from(x)).collect();
            assert!(found.len() > 20, "{}", found.len());
            found.iter().sum::<f64>() / found.len() as f64
        };
        let blue = [DATA_COLOUR.0, DATA_COLOUR.1, DATA_COLOUR.2];
        let orange = [SAMPLE_COLOUR.0, SAMPLE_COLOUR.1, SAMPLE_COLOUR.2];
        // Eight of the ten units between the lowest and the highest energy.
        let apart = 0.8 * (WIDTH - LEFT - RIGHT);
        let places = [0, 1].map(|row| [middle(row, blue), middle(row, orange)]);
        for [data, noise] in places {
            // Outlines are those of whole bins: each may lie by up to one beside its energies.
            let bin = (WIDTH - LEFT - RIGHT) / BINS as f64;
            assert!((noise - data - apart).abs() < 2.0 * bin, "{data} {noise}");
        }
        assert!((places[0][0] - places[1][0]).abs() < 2.0, "{places:?}");
    }

    #[test]
    fn there_is_no_picture_of_nothing_and_one_of_a_single_energy() {
        let one = [3.0_f32];
        let row = |data, noise| EnergiesAt {
            step: 1,
            data,
            noise,
        };
        assert!(energy_histograms(&[]).is_err());
        assert!(energy_histograms(&[row(&one, &[])]).is_err());
        assert!(energy_histograms(&[row(&one, &[f32::NAN])]).is_err());
        assert!(energy_histograms(&[row(&one, &one), row(&[], &one)]).is_ok());
        let far = [f32::MAX, f32::MIN, f32::INFINITY];
        assert!(energy_histograms(&[row(&one, &far), row(&far, &one)]).is_ok());
    }
}

//! The picture that `afterimage energy` draws.

use super::error::CliError;
use crate::data::Dataset;
use crate::model::{Model, Weights};
use crate::report::{Words, in_few_digits, labelled_grid};
use crate::train::can_be_shown;
use image::RgbImage;

/// Samples in a row.
const COLUMNS: usize = 10;
/// Samples from either end of the order, where there are too many to show all.
const SHOWN: usize = 30;

/// Refuses what has no picture.
pub(super) fn check(model: &Model) -> Result<(), CliError> {
    let shape = model.architecture().input();
    match can_be_shown(shape) && !shape.is_planar() {
        true => Ok(()),
        false => Err(CliError::Unfit {
            option: "--out",
            why: format!("there are no pictures of {shape}; name a .csv or an .npy"),
        }),
    }
}

/// Draws the samples of the lowest and of the highest `energies`, in order, each with its energy below.
pub(super) fn draw(
    model: &Model,
    weights: Weights,
    data: &Dataset,
    energies: &[f32],
) -> Result<RgbImage, CliError> {
    let shown = ends_of_order(energies);
    let values: Vec<f32> = shown
        .iter()
        .flat_map(|&index| data.samples(index..index + 1))
        .collect();
    let shown_energies: Vec<f32> = shown.iter().map(|&index| energies[index]).collect();
    let count = energies.len();
    let title = match shown.len() < count {
        true => format!("Of {count} samples the {SHOWN} of lowest and of highest energy"),
        false => format!("{count} samples, from the lowest energy to the highest"),
    };
    let words = Words {
        title: [
            &title,
            &format!("the lower, the more probable; {}", weights.words()),
        ],
        heads: &[],
        below: &in_few_digits(&shown_energies),
    };
    let scaling = model.scaling();
    let brightness = |value: f32| scaling.brightness(value);
    let shape = model.architecture().input();
    Ok(labelled_grid(&values, shape, brightness, COLUMNS, &words)?)
}

/// Which samples are shown, from the lowest energy to the highest; of equal ones the first comes first.
fn ends_of_order(energies: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..energies.len()).collect();
    order.sort_by(|&left, &right| energies[left].total_cmp(&energies[right]));
    if order.len() > 2 * SHOWN {
        order.drain(SHOWN..order.len() - SHOWN);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_shown_in_order() {
        assert_eq!(ends_of_order(&[3.0, -1.0, 3.0, 2.0]), [1, 3, 0, 2]);
        let many: Vec<f32> = (0..100).map(|index| (index * 37 % 100) as f32).collect();
        let shown: Vec<f32> = ends_of_order(&many).iter().map(|&i| many[i]).collect();
        let wanted: Vec<f32> = (0..30).chain(70..100).map(|e| e as f32).collect();
        assert_eq!(shown, wanted);
    }
}

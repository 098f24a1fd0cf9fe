//! Energies along training: a line of `energies.jsonl` every `run.sample_every` steps.

use serde::{Deserialize, Serialize};

/// Energies of a kind in a line, at most: enough for a histogram.
const MOST: usize = 256;

/// A line of `energies.jsonl`: energies of samples of a step under the live weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EnergyRow {
    /// The optimiser step, counted from 0.
    pub(crate) step: u64,
    /// Of its data, with the noise of training.
    pub(crate) data: Vec<f32>,
    /// Of its noise samples.
    pub(crate) noise: Vec<f32>,
}

impl EnergyRow {
    /// Of `energies`, first those of so many `data` and then those of the noise, evenly spaced ones where there are many. What
    /// is not finite, which ends a run, is left out.
    pub(super) fn new(step: u64, data: usize, energies: &[f32]) -> Self {
        let (of_data, of_noise) = energies.split_at(data.min(energies.len()));
        EnergyRow {
            step,
            data: some(of_data),
            noise: some(of_noise),
        }
    }
}

/// Evenly spaced ones.
fn some(energies: &[f32]) -> Vec<f32> {
    let places = (0..energies.len()).step_by(energies.len().div_ceil(MOST).max(1));
    let energies = places.map(|place| energies[place]);
    energies.filter(|energy| energy.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_some_of_either_kind() {
        let energies: Vec<f32> = (0..700).map(|place| place as f32).collect();
        let row = EnergyRow::new(4, 600, &energies);
        assert_eq!((row.data.len(), row.noise.len()), (200, 100));
        assert_eq!((row.data[1], row.noise[1]), (3.0, 601.0));
        let row = EnergyRow::new(4, 2, &[1.0, f32::NAN, f32::INFINITY]);
        assert_eq!((row.data, row.noise), (vec![1.0], vec![]));
        assert_eq!(EnergyRow::new(0, 3, &[]), EnergyRow::default());
    }

    #[test]
    fn a_line_gives_its_row_again_to_the_bit() {
        let row = EnergyRow::new(9, 1, &[0.1, -1.0e-7, 3.402_823e38]);
        let line = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<EnergyRow>(&line).unwrap(), row);
    }
}

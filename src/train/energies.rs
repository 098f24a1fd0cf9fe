//! Energies of data and of noise under the last weights, for whoever looks at a run afterwards.

use super::error::TrainError;
use super::trainer::Trainer;
use crate::config::Config;
use crate::model::Model;
use crate::random::{Philox, Stream};
use std::collections::BTreeMap;

/// Energies, in the model's own scale, by what has them.
pub(super) type Energies = BTreeMap<&'static str, Vec<f32>>;

/// Energies of a kind, at most: enough for a histogram.
const MOST: usize = 1000;
/// The Philox step of the noise on the data, which neither runs nor evaluations use.
const NOISE_STEP: u32 = u32::MAX - 7;

/// The energies under `model` of evenly spaced data with the noise of training, and of the noise samples of the last step.
///
/// # Errors
/// What the GPU reported.
pub(super) fn energies(
    trainer: &mut Trainer,
    model: &Model,
    config: &Config,
) -> Result<Energies, TrainError> {
    let mut random = Philox::new(config.run.seed, Stream::DataNoise, NOISE_STEP);
    let mut data = data(trainer);
    for value in &mut data {
        *value += config.data.noise * random.normal();
    }
    let mut noise = trainer.noise_samples()?;
    noise.truncate(MOST * trainer.data().shape().len());

    let (executor, workspace) = trainer.workspace();
    let mark = executor.mark();
    let mut evaluator = model.evaluator_on(executor, workspace)?;
    let found = [("data", data), ("buffer", noise)]
        .into_iter()
        .map(|(name, samples)| Ok((name, evaluator.energies(executor, &samples)?)))
        .collect();
    executor.release_since(mark);
    found
}

/// Evenly spaced, since files may hold one class after the other.
fn data(trainer: &Trainer) -> Vec<f32> {
    let data = trainer.data();
    let Some(count) = data.len() else {
        return data.first(MOST);
    };
    let places = (0..count).step_by(count.div_ceil(MOST));
    places
        .flat_map(|place| data.samples(place..place + 1))
        .collect()
}

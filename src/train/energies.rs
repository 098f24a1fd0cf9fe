//! Energies of data and of noise under the last weights, for whoever looks at a run afterwards.

use super::error::TrainError;
use super::trainer::Trainer;
use crate::config::Config;
use crate::data::Dataset;
use crate::model::Model;
use crate::random::{Philox, Stream};
use std::collections::BTreeMap;

/// Energies, in the model's own scale, by what has them.
pub(super) type Energies = BTreeMap<&'static str, Vec<f32>>;

/// Energies of a kind, at most: enough for a histogram.
const MOST: usize = 1000;
/// The Philox step of the noise on the data, which neither runs nor evaluations use.
const NOISE_STEP: u32 = u32::MAX - 7;

/// The energies under `model` of evenly spaced data with the noise of training, of held-out ones likewise where there are any, and
/// of the noise samples of the last step.
///
/// # Errors
/// What the GPU reported.
pub(super) fn energies(
    trainer: &mut Trainer,
    model: &Model,
    config: &Config,
) -> Result<Energies, TrainError> {
    let mut random = Philox::new(config.run.seed, Stream::DataNoise, NOISE_STEP);
    let mut noisy = |data: &Dataset| -> Vec<f32> {
        let values = spaced(data).into_iter();
        values
            .map(|value| value + config.data.noise * random.normal())
            .collect()
    };
    let data = trainer.data();
    let mut kinds = vec![("data", noisy(data))];
    kinds.extend(
        data.held_out()
            .map(|held_out| ("held_out", noisy(&held_out))),
    );
    kinds.push(("buffer", trainer.noise_samples()?));
    kinds
        .into_iter()
        .map(|(name, samples)| Ok((name, energies_of(trainer, model, samples)?)))
        .collect()
}

/// The energies of the first of some samples.
///
/// # Errors
/// What the GPU reported.
pub(super) fn energies_of(
    trainer: &mut Trainer,
    model: &Model,
    mut samples: Vec<f32>,
) -> Result<Vec<f32>, TrainError> {
    samples.truncate(MOST * trainer.data().shape().len());
    let (executor, workspace) = trainer.workspace();
    let mark = executor.mark();
    let mut evaluator = model.evaluator_on(executor, workspace)?;
    let found = evaluator.energies(executor, &samples);
    executor.release_since(mark);
    Ok(found?)
}

/// Evenly spaced, since files may hold one class after the other.
fn spaced(data: &Dataset) -> Vec<f32> {
    let Some(count) = data.len() else {
        return data.first(MOST);
    };
    let places = (0..count).step_by(count.div_ceil(MOST));
    places
        .flat_map(|place| data.samples(place..place + 1))
        .collect()
}

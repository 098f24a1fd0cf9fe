//! Whether chains that begin at the data stay with them, and whether fresh chains come to where they go.

use super::error::EvaluationError;
use super::evaluate::Stage;
use super::quality::{
    FeatureName, FeatureNetwork, Features, NetworkName, PermutationTest, QualityError,
    permutation_test,
};
use super::samples::{Judged, with_noise};
use super::spaced::spaced;
use crate::gpu::Executor;
use crate::model::{Model, SampleOptions, Weights};
use crate::report::sample_grid;
use image::RgbImage;
use serde::Serialize;

/// Chains of each kind.
const CHAINS: usize = 128;
/// Passes of the run's sampler.
const PASSES: usize = 100;
/// Passes after which chains are shown; 0 are the data that they begin at.
const SHOWN: [usize; 4] = [0, 1, 10, 100];
/// Chains in the picture.
const COLUMNS: usize = 12;
/// How many standard deviations of the data's own energies the chains' mean may move.
const MOST_DEVIATIONS: f64 = 3.0;
/// Random divisions of a permutation test, and the level at which sets count as different.
const PERMUTATIONS: usize = 999;
const LEVEL: f64 = 0.01;
/// The Philox step of the noise on the data.
const NOISE_STEP: u32 = u32::MAX - 6;

/// Chains that begin at data with the noise of training, over many passes of the run's sampler.
#[derive(Clone, Debug, Serialize)]
pub struct StabilityFigures {
    /// Which weights the model computes with.
    pub weights: Weights,
    /// Chains from data, and as many fresh ones.
    pub chains: usize,
    /// Passes of the chains from data.
    pub passes: usize,
    /// Steps of a pass (`sampler.steps`).
    pub steps: usize,
    /// Seed of all of it.
    pub seed: u64,
    /// What fresh chains and those from data are compared by.
    pub features: FeatureName,
    /// Which network features are of, where one was named.
    pub feature_network: Option<NetworkName>,
    /// Energy-gradient evaluations of both kinds of chains.
    pub gradient_evaluations: u64,
    /// Mean energy of the chains at the data and after each pass: one more than `passes`; null from where a chain ran away.
    pub energies: Vec<Option<f64>>,
    /// Standard deviation of the energies of the data.
    pub deviation: f64,
    /// Whether no chain ran away and the mean energy of all passes stayed within 3 `deviation` of that of the data.
    pub stable: bool,
    /// What was wrong where they are not stable; null where they are.
    pub unstable_is: Option<String>,
    /// Whether fresh chains, after `run.sample_steps`, and those from data are samples of one distribution.
    pub fresh_against_data: Judged<PermutationTest>,
    /// Whether they were told apart at 1 %: then one of them has not reached the model's distribution, however well chains of a kind
    /// agree among themselves, and samples are a generator's, not the density's. Null where that cannot be told.
    pub told_apart: Option<bool>,
}

/// What [`stability`] gives.
pub struct StabilityOutcome {
    /// The numbers.
    pub figures: StabilityFigures,
    /// Twelve chains: a row each of the data that they begin at and of their states after 1, 10 and 100 passes; none where
    /// samples are no pictures.
    pub picture: Option<RgbImage>,
}

/// Runs chains of `model` from `data`, clean samples in the model's scale, and as many fresh ones, which are compared in the
/// features of `network` where there is one. `progress` is told the stage, and how much of how much of it is done.
///
/// # Errors
/// When there are fewer than two data, they or their energies are all equal, the network takes other samples, or the GPU fails.
pub fn stability(
    executor: &mut Executor,
    model: &Model,
    data: &[f32],
    network: Option<&FeatureNetwork>,
    seed: u64,
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<StabilityOutcome, EvaluationError> {
    let length = model.architecture().input().len();
    let count = (data.len() / length).min(CHAINS);
    if count < 2 {
        return Err(EvaluationError::Quality(QualityError::TooFew {
            what: "chains from data",
            given: count,
            least: 2,
        }));
    }
    let some: Vec<&[f32]> = spaced(data.len() / length, count)
        .map(|place| &data[place * length..(place + 1) * length])
        .collect();
    if some.iter().all(|datum| *datum == some[0]) {
        return Err(QualityError::NoScale.into());
    }
    // Before any chain is run, so that a network that does not fit costs none.
    let shape = model.architecture().input();
    let features = Features::by(
        network,
        model.config().data.source.name,
        shape,
        model.scaling(),
    )?;
    let noise = model.config().data.noise;
    let starts = with_noise(noise, &some.concat(), seed, NOISE_STEP);
    let passes = model.run_on(executor, &starts, PASSES, seed, &mut |done| {
        progress(Stage::Passes, done, PASSES);
    })?;
    let options = SampleOptions {
        count,
        steps: model.config().run.sample_steps,
        seed,
        // The last state before it is denoised.
        frames: 1,
    };
    let fresh = model.sample(executor, &options, &mut |done, of| {
        progress(Stage::Samples, done, of);
        true
    })?;

    let along: Vec<&[f32]> = [&starts[..]]
        .into_iter()
        .chain(passes.states.iter().map(Vec::as_slice))
        .collect();
    let mark = executor.mark();
    let mut evaluator = model.evaluator(executor, count)?;
    let mut energies = Vec::with_capacity(along.len());
    for states in &along {
        let of_states = evaluator.energies(executor, states)?;
        energies.push(of_states.into_iter().map(f64::from).collect::<Vec<_>>());
    }
    let frame = fresh.frames.last().map_or(&[][..], Vec::as_slice);
    let of_fresh = evaluator.energies(executor, frame)?;
    let of_fresh: Vec<f64> = of_fresh.into_iter().map(f64::from).collect();
    executor.release_since(mark);

    let of_data = mean(&energies[0]);
    let squares: f64 = energies[0].iter().map(|e| (e - of_data).powi(2)).sum();
    let deviation = (squares / (count - 1) as f64).sqrt();
    if deviation == 0.0 {
        return Err(QualityError::NoSpread.into());
    }
    let means: Vec<f64> = energies.iter().map(|energies| mean(energies)).collect();
    let unstable_is = why_unstable(&means, deviation);
    let last = along.last().copied().unwrap_or_default();
    let of_last = energies.last().map_or(&[][..], Vec::as_slice);
    let tested = permutation_test_of(&features, [frame, last], [&of_fresh, of_last], seed);
    let figures = StabilityFigures {
        weights: model.weights(),
        chains: count,
        passes: PASSES,
        steps: model.config().sampler.steps,
        seed,
        features: features.name(),
        feature_network: network.map(|network| network.name().clone()),
        gradient_evaluations: passes.gradient_evaluations + fresh.gradient_evaluations,
        energies: means.iter().map(|m| m.is_finite().then_some(*m)).collect(),
        deviation,
        stable: unstable_is.is_none(),
        unstable_is,
        told_apart: tested.as_ref().ok().map(|test| test.p_value <= LEVEL),
        fresh_against_data: Judged::of(tested),
    };
    let picture = picture(model, &along, count)?;
    Ok(StabilityOutcome { figures, picture })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// What is wrong with chains of these mean energies, the first of which is that of the data.
fn why_unstable(means: &[f64], deviation: f64) -> Option<String> {
    let of_data = means[0];
    for (pass, mean) in means.iter().enumerate() {
        if !mean.is_finite() {
            return Some(format!(
                "after pass {pass} an energy is not finite: a chain ran away"
            ));
        }
        let moved = (mean - of_data) / deviation;
        if moved.abs() > MOST_DEVIATIONS {
            return Some(format!(
                "after pass {pass} the mean energy is {moved:+.1} standard deviations of the data's energies away from theirs"
            ));
        }
    }
    None
}

/// Whether fresh states and those from data differ, in the features that samples are compared in and in their energies.
fn permutation_test_of(
    features: &Features<'_>,
    [fresh, from_data]: [&[f32]; 2],
    energies: [&[f64]; 2],
    seed: u64,
) -> Result<PermutationTest, QualityError> {
    permutation_test(
        &features.points(fresh)?,
        &features.points(from_data)?,
        Some(energies),
        PERMUTATIONS,
        seed,
    )
}

fn picture(
    model: &Model,
    along: &[&[f32]],
    count: usize,
) -> Result<Option<RgbImage>, EvaluationError> {
    let (shape, scaling) = (model.architecture().input(), model.scaling());
    if shape.is_planar() || ![1, 3].contains(&shape.channels) {
        return Ok(None);
    }
    let columns = count.min(COLUMNS);
    let rows = SHOWN.iter().filter_map(|&pass| along.get(pass));
    let values: Vec<f32> = rows
        .flat_map(|states| &states[..columns * shape.len()])
        .copied()
        .collect();
    let image = sample_grid(&values, shape, |value| scaling.brightness(value), columns)?;
    Ok(Some(image))
}

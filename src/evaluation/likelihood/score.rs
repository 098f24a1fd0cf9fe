//! The likelihood of data.

use super::along::{along, disagreement};
use super::estimates::{mean, variance};
use super::figures::{
    CostFigures, DequantisedFigures, EstimatesFigures, IntervalFigures, LikelihoodFigures,
    MethodFigures, ScoredFigures, sentences,
};
use super::log_z::{LogZError, SweepStage, log_z};
use super::network_path::NetworkPath;
use crate::data::{self, Dataset};
use crate::evaluation::{EvaluationError, Stage};
use crate::gpu::Executor;
use crate::model::{Model, ModelError};
use crate::random::{Philox, Stream};
use nalgebra::DMatrix;
use rand::seq::SliceRandom;
use std::f64::consts::{LN_2, PI};
use std::time::Instant;

/// The most samples that are scored; of more data, which may lie in the order of their classes, evenly spaced ones.
const MOST_SCORED: usize = 10_000;
/// Samples whose energies are computed at a time.
const BATCH: usize = 512;
/// Philox steps that no run gets to: of the starts and their noise, of the noise of scored data, and of dequantisation.
const START_STEP: u32 = u32::MAX - 1;
const NOISE_STEP: u32 = u32::MAX - 2;
const DEQUANTISATION_STEP: u32 = u32::MAX - 3;
/// The share of the evaluations for chains along kept snapshots, where there are any.
const ALONG_SHARE: f64 = 0.4;
/// Fewer chains say too little of their own spread.
const FEWEST_CHAINS: usize = 16;
const MOST_CHAINS: usize = 1 << 16;
/// The most dimensions of a Gaussian that is fitted, which takes operations in their square for every sample.
const MOST_FITTED: usize = 1024;
/// A Gaussian that is fitted takes more samples than so many times its dimensions.
const FEWEST_FITTED: usize = 2;
/// Half of the interval of 95 % of a normal law, in standard deviations.
const NORMAL_HALF: f64 = 1.96;

/// What to estimate log Z and likelihoods with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LikelihoodOptions {
    /// Chains that are annealed at once each way, 16 at least.
    pub chains: usize,
    /// The most energy-gradient evaluations of all chains together; where fewer do, fewer are taken.
    pub evaluations: u64,
    /// Seed of chains and noise.
    pub seed: u64,
    /// Whether the data of the model's configuration are others than it was trained on.
    pub other_data: bool,
}

impl LikelihoodOptions {
    /// 32 chains, a million evaluations, the seed of the model's run, and its data.
    pub fn of(model: &Model) -> Self {
        LikelihoodOptions {
            chains: 32,
            evaluations: 1_000_000,
            seed: model.config().run.seed,
            other_data: false,
        }
    }
}

/// Estimates ln Z of `model` and the mean log-likelihood of the data that its configuration names, in any dimension, by
/// annealing chains between the model and its Gaussian base. `progress` is told the stage, and how much of how much of it is
/// done.
///
/// # Errors
/// When the model has no Gaussian base or no layer that scales its network, its energies are not finite, the data cannot be
/// read or has another shape, an option is out of range, or the GPU fails.
pub fn log_likelihood(
    executor: &mut Executor,
    model: &Model,
    options: &LikelihoodOptions,
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<LikelihoodFigures, EvaluationError> {
    log_likelihood_along(executor, model, &[], options, progress)
}

/// As [`log_likelihood`], and with a share of the evaluations along `kept` as well: the parameters of snapshots that training kept
/// on its way to the model, earliest first, as [`kept_snapshots`](crate::model::kept_snapshots) reads them.
///
/// # Errors
/// Those of [`log_likelihood`], and where a snapshot has not as many parameters as the model.
pub fn log_likelihood_along(
    executor: &mut Executor,
    model: &Model,
    kept: &[Vec<f32>],
    options: &LikelihoodOptions,
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<LikelihoodFigures, EvaluationError> {
    if !(FEWEST_CHAINS..=MOST_CHAINS).contains(&options.chains) {
        return Err(EvaluationError::Model(ModelError::OutOfRange {
            what: "a number of annealed chains",
            given: options.chains as u64,
            advice: "take from 16 to 65,536",
        }));
    }
    let config = model.config();
    let data = data::open(&config.data.options(), config.run.seed)?;
    let wanted = model.architecture().input();
    if data.shape() != wanted {
        return Err(EvaluationError::WrongShape {
            found: data.shape(),
            wanted,
        });
    }
    let mark = executor.mark();
    let figures = with_data(executor, model, kept, &data, options, progress);
    executor.release_since(mark);
    figures
}

fn with_data(
    executor: &mut Executor,
    model: &Model,
    kept: &[Vec<f32>],
    data: &Dataset,
    options: &LikelihoodOptions,
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<LikelihoodFigures, EvaluationError> {
    let noise = model.config().data.noise;
    let first = first_unseen(model, data);
    let starts = starts(data, first, options, noise)?;
    let mut path = NetworkPath::new(executor, model, starts, options.seed)?;
    let for_along = match kept.is_empty() {
        true => 0,
        false => (options.evaluations as f64 * ALONG_SHARE) as u64,
    };
    let for_annealed = options.evaluations - for_along;
    let found = log_z(&mut path, for_annealed, &mut |stage, done, of| {
        progress(stage.into(), done, of);
    });
    let settled = path.into_settled();
    // So many for annealed chains are so many for all estimates.
    let together = |evaluations: u64| match kept.is_empty() {
        true => evaluations,
        false => (evaluations as f64 / (1.0 - ALONG_SHARE)).ceil() as u64,
    };
    let mut found = found.map_err(|error| match error {
        LogZError::Path(error) => error,
        LogZError::NotFinite => EvaluationError::PathNotFinite,
        LogZError::TooLong { beta } => EvaluationError::PathTooLong { share: beta },
        LogZError::Pilot { beta } => EvaluationError::PilotTooLong {
            given: options.evaluations,
            share: beta,
        },
        LogZError::Budget { least } => EvaluationError::FewEvaluations {
            given: options.evaluations,
            least: together(least),
        },
    })?;

    found.wanted_evaluations = together(found.wanted_evaluations);
    let along = match kept.is_empty() {
        true => None,
        false => {
            let share = (for_along, options.evaluations, options.seed);
            Some(along(executor, model, kept, settled, share, progress)?)
        }
    };
    let mut not_valid = sentences(&found);
    not_valid.extend(disagreement(
        &found,
        along.as_ref().map(|along| &along.telescope),
    ));
    let is_valid = not_valid.is_empty();

    let began = Instant::now();
    let log_z = is_valid.then(|| IntervalFigures::from(found.bennett));
    let clean = match data.len() {
        None => data.samples(first..first + MOST_SCORED),
        Some(len) => evenly_spaced(len, MOST_SCORED)
            .flat_map(|row| data.samples(row..row + 1))
            .collect(),
    };
    let count = clean.len() / data.shape().len();
    let mut random = Philox::new(options.seed, Stream::DataNoise, NOISE_STEP);
    let noisy = clean.iter().map(|value| value + noise * random.normal());
    let noisy: Vec<f32> = noisy.collect();
    let mut scored = Scored {
        executor,
        model,
        progress,
        evaluations: 0,
    };
    let negative_energy = scored.negative_energies(&noisy)?;
    let dimensions = data.shape().len() as f64;
    let scale = f64::from(data.scaling().scale.abs());
    // p of raw values is p of the model's values times |scale| for each of them.
    let bits = |log_likelihood: IntervalFigures| {
        log_likelihood.map(-1.0 / (dimensions * LN_2), -scale.log2())
    };
    let likelihood = |energy: IntervalFigures| log_z.map(|log_z| energy.minus(log_z));
    let dequantised = match data.has_whole_values() {
        false => None,
        true => {
            let mut random = Philox::new(options.seed, Stream::DataNoise, DEQUANTISATION_STEP);
            let step = data.scaling().scale;
            let values = clean
                .iter()
                .map(|value| value + step * (random.uniform() - 0.5));
            let negative_energy = scored.negative_energies(&values.collect::<Vec<_>>())?;
            Some(DequantisedFigures {
                negative_energy,
                bits_per_dimension: likelihood(negative_energy).map(bits),
            })
        }
    };
    let scored_evaluations = scored.evaluations;
    let gaussian = gaussian_fit(&clean, data.shape().len(), noise);
    let log_likelihood = likelihood(negative_energy);
    let mut cost: Vec<CostFigures> = found
        .costs
        .iter()
        .map(|(stage, cost)| CostFigures {
            part: part(*stage),
            evaluations: cost.evaluations,
            seconds: cost.time.as_secs_f64(),
        })
        .collect();
    cost.extend(along.as_ref().map(|along| along.cost));
    cost.push(CostFigures {
        part: "data",
        evaluations: scored_evaluations,
        seconds: began.elapsed().as_secs_f64(),
    });
    Ok(LikelihoodFigures {
        valid: is_valid,
        not_valid,
        log_z,
        log_z_at_least: found.at_least,
        estimates: EstimatesFigures::of(&found, along.map(|along| along.figures), is_valid),
        data: ScoredFigures {
            source: data.name().into(),
            which: which(data, options),
            count,
            noise,
            negative_energy,
            log_likelihood,
            log_likelihood_at_most: negative_energy.value - found.at_least,
            bits_per_dimension: log_likelihood.map(bits),
            gaussian_fitted_to_scored_data: gaussian.as_ref().ok().copied(),
            gaussian_not_valid: gaussian.err(),
            dequantised,
        },
        method: MethodFigures {
            chains: found.chains,
            temperatures: found.steps,
            equilibration: found.equilibration,
            path_length: found.length,
            evaluations: options.evaluations,
            seed: options.seed,
        },
        cost,
    })
}

/// Generated data has no end, and training on a limited set has seen the first points of the draw of its seed.
fn first_unseen(model: &Model, data: &Dataset) -> usize {
    match data.len() {
        Some(_) => 0,
        None => model.config().data.limit,
    }
}

fn which(data: &Dataset, options: &LikelihoodOptions) -> &'static str {
    match (data.len(), options.other_data) {
        (_, true) => "named data",
        (None, false) => "fresh draws",
        (Some(_), false) => "training data",
    }
}

fn part(stage: SweepStage) -> &'static str {
    match stage {
        SweepStage::Pilot => "pilot",
        SweepStage::Equilibration => "equilibration",
        SweepStage::There => "from the base",
        SweepStage::Back => "from the model",
    }
}

/// `most` of the first `len` whole numbers, or all if they are fewer.
fn evenly_spaced(len: usize, most: usize) -> impl Iterator<Item = usize> {
    let count = len.min(most);
    (0..count).map(move |place| (place as u128 * len as u128 / count as u128) as usize)
}

/// Data with the noise of training, one for each chain.
///
/// # Errors
/// When there are fewer data: chains that start together know of one another.
fn starts(
    data: &Dataset,
    first: usize,
    options: &LikelihoodOptions,
    noise: f32,
) -> Result<Vec<f32>, EvaluationError> {
    let mut random = Philox::new(options.seed, Stream::DataNoise, START_STEP);
    let mut rows: Vec<usize> = match data.len() {
        Some(count) => (0..count).collect(),
        None => (first..first + options.chains).collect(),
    };
    if rows.len() < options.chains {
        return Err(EvaluationError::FewStarts {
            samples: rows.len(),
            chains: options.chains,
        });
    }
    rows.shuffle(&mut random);
    let rows = rows.iter().take(options.chains);
    let values = rows.flat_map(|row| data.samples(*row..row + 1));
    Ok(values
        .map(|value| value + noise * random.normal())
        .collect())
}

/// The mean log-likelihood of `samples` of `length` values with noise of standard deviation `noise`, over all noise, under
/// the Gaussian that makes it largest: the one with their mean and their covariance. −(D·ln 2π + ln det Σ + D)/2.
///
/// # Errors
/// Why it would say nothing.
fn gaussian_fit(samples: &[f32], length: usize, noise: f32) -> Result<f64, String> {
    if length > MOST_FITTED {
        return Err(format!(
            "a covariance of {length} dimensions is too large to fit: {MOST_FITTED} at most"
        ));
    }
    let count = samples.len() / length;
    // A covariance of n samples has n − 1 dimensions at most, and those of few more are close to none.
    if count <= FEWEST_FITTED * length {
        return Err(format!(
            "a Gaussian fitted to {count} samples of {length} dimensions fits their noise: score more than {}",
            FEWEST_FITTED * length
        ));
    }
    let values = samples.iter().map(|value| f64::from(*value));
    let mut values = DMatrix::from_iterator(length, count, values);
    let mean = values.column_mean();
    for mut column in values.column_iter_mut() {
        column -= &mean;
    }
    let mut covariance = &values * values.transpose() / count as f64;
    for place in 0..length {
        covariance[(place, place)] += f64::from(noise).powi(2);
    }
    let Some(factor) = covariance.cholesky() else {
        return Err(
            "the covariance of the data is singular: some of their values depend on others".into(),
        );
    };
    let log_determinant = factor.ln_determinant();
    let dimensions = length as f64;
    Ok(-0.5 * (dimensions * ((2.0 * PI).ln() + 1.0) + log_determinant))
}

/// Energies of data, counted.
struct Scored<'a> {
    executor: &'a mut Executor,
    model: &'a Model,
    progress: &'a mut dyn FnMut(Stage, usize, usize),
    evaluations: u64,
}

impl Scored<'_> {
    /// The mean of −E over `samples`.
    fn negative_energies(&mut self, samples: &[f32]) -> Result<IntervalFigures, EvaluationError> {
        let length = self.model.architecture().input().len();
        let count = samples.len() / length;
        let mut evaluator = self.model.evaluator(self.executor, BATCH.min(count))?;
        let mut values = Vec::with_capacity(count);
        for batch in samples.chunks(BATCH * length) {
            let energies = evaluator.energies(self.executor, batch)?;
            values.extend(energies.into_iter().map(|energy| -f64::from(energy)));
            (self.progress)(Stage::Data, values.len(), count);
        }
        self.evaluations += count as u64;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(EvaluationError::PathNotFinite);
        }
        let value = mean(&values);
        // A single sample has no spread to tell an error by.
        let standard_error = match count {
            0 | 1 => f64::INFINITY,
            _ => (variance(&values) / count as f64).sqrt(),
        };
        let half = NORMAL_HALF * standard_error;
        Ok(IntervalFigures {
            value,
            standard_error,
            interval: [value - half, value + half],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_over_all_of_the_data() {
        let rows = |len, most| evenly_spaced(len, most).collect::<Vec<_>>();
        assert_eq!(rows(3, 5), [0, 1, 2]);
        assert_eq!(rows(10, 4), [0, 2, 5, 7]);
    }

    /// Of (x, x + y) with x = ±1 and y = ±2 the covariance is ((1, 1), (1, 5)).
    #[test]
    fn a_gaussian_is_fitted_to_mean_and_covariance() {
        let samples = [4.0, 3.0, 4.0, 7.0, 2.0, 1.0, 2.0, 5.0].repeat(2);
        for (noise, determinant) in [(0.0, 4.0_f64), (2.0, 5.0 * 9.0 - 1.0)] {
            let wanted = -(2.0 * PI).ln() - 1.0 - 0.5 * determinant.ln();
            let found = gaussian_fit(&samples, 2, noise).unwrap();
            assert!((found - wanted).abs() < 1e-12, "{found}, not {wanted}");
        }
        let refused = |samples: &[f32]| gaussian_fit(samples, 2, 0.0).unwrap_err();
        assert!(refused(&[1.0, 2.0, 3.0, 2.0].repeat(4)).contains("singular"));
        assert!(refused(&samples[..8]).contains("4 samples of 2"));
    }
}

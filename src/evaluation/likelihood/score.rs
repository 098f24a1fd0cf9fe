//! The likelihood of data.

use super::along::{along, disagreement};
use super::comparison::{Scores, compare};
use super::estimates::mean;
use super::figures::{
    CostFigures, DequantisedFigures, EstimatesFigures, IntervalFigures, LikelihoodFigures,
    MethodFigures, ScoredFigures, sentences,
};
use super::gaussian::FittedGaussian;
use super::kernel_density::evenly_spaced;
use super::log_z::{LogZError, SweepStage, log_z};
use super::network_path::NetworkPath;
use crate::data::{Dataset, Scaling};
use crate::evaluation::{DataIs, EvaluationError, ModelData, Stage};
use crate::gpu::Executor;
use crate::model::{Model, ModelError};
use crate::random::{Philox, Stream};
use rand::seq::SliceRandom;
use std::f64::consts::LN_2;
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

/// What to estimate log Z and likelihoods with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LikelihoodOptions {
    /// Chains that are annealed at once each way, 16 at least.
    pub chains: usize,
    /// The most energy-gradient evaluations of all chains together; where fewer do, fewer are taken.
    pub evaluations: u64,
    /// Seed of chains and noise.
    pub seed: u64,
}

impl LikelihoodOptions {
    /// 32 chains, a million evaluations, and the seed of the model's run.
    pub fn of(model: &Model) -> Self {
        LikelihoodOptions {
            chains: 32,
            evaluations: 1_000_000,
            seed: model.config().run.seed,
        }
    }
}

/// Estimates ln Z of `model` and the mean log-likelihood of the data that its configuration names, as [`ModelData::of`] finds
/// them: see [`log_likelihood_of`].
///
/// # Errors
/// When the data cannot be read, and whenever [`log_likelihood_of`] has one.
pub fn log_likelihood(
    executor: &mut Executor,
    model: &Model,
    options: &LikelihoodOptions,
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<LikelihoodFigures, EvaluationError> {
    log_likelihood_of(
        executor,
        model,
        &ModelData::of(model)?,
        &[],
        options,
        progress,
    )
}

/// As [`log_likelihood`], of other `data`, and with a share of the evaluations along `kept` as well: the parameters of snapshots
/// that training kept on its way to the model, earliest first, as [`kept_snapshots`](crate::model::kept_snapshots) reads them.
///
/// # Errors
/// Those of [`log_likelihood`], and where a snapshot has not as many parameters as the model.
pub fn log_likelihood_of(
    executor: &mut Executor,
    model: &Model,
    data: &ModelData,
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
    let mark = executor.mark();
    let figures = with_data(executor, model, data, kept, options, progress);
    executor.release_since(mark);
    figures
}

fn with_data(
    executor: &mut Executor,
    model: &Model,
    model_data: &ModelData,
    kept: &[Vec<f32>],
    options: &LikelihoodOptions,
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<LikelihoodFigures, EvaluationError> {
    let noise = model.config().data.noise;
    let data = model_data.judged();
    // Chains forget where they begin, so that training data do as well, of which there are more.
    let many = |data: &&Dataset| data.len().is_none_or(|len| len >= options.chains);
    let begun = model_data.training().filter(many).unwrap_or(data);
    let starts = starts(begun, options, noise)?;
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
    let rows: Vec<usize> = match data.len() {
        None => (0..MOST_SCORED).collect(),
        Some(len) => evenly_spaced(len, MOST_SCORED).collect(),
    };
    let clean: Vec<f32> = match data.len() {
        None => data.first(MOST_SCORED),
        Some(_) => rows
            .iter()
            .flat_map(|row| data.samples(*row..row + 1))
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
    let negative_energies = scored.negative_energies(&noisy)?;
    let mean_of = |negative_energies: &[f64]| {
        IntervalFigures::of_mean(negative_energies, "the energy", &rows)
    };
    let mut data_not_valid = Vec::new();
    let mut noted = |found: Result<IntervalFigures, String>| match found {
        Ok(figures) => Some(figures),
        Err(reason) => {
            // Of one sample both means say the same.
            if !data_not_valid.contains(&reason) {
                data_not_valid.push(reason);
            }
            None
        }
    };
    let negative_energy = noted(mean_of(&negative_energies));
    let dimensions = data.shape().len() as f64;
    // p of raw values is p of the model's values times |scale| for each of them.
    let bits_by = |scaling: Scaling, log_likelihood: IntervalFigures| {
        let scale = f64::from(scaling.scale.abs());
        log_likelihood.map(-1.0 / (dimensions * LN_2), -scale.log2())
    };
    // Data that were taken as they are are in the model's scale, whose raw values are those of its run.
    let raw_scaling = match data.scaling().raw {
        Some(_) => data.scaling(),
        None => model.scaling(),
    };
    let bits = |log_likelihood: IntervalFigures| bits_by(raw_scaling, log_likelihood);
    let likelihood = |energy: Option<IntervalFigures>| {
        let (energy, log_z) = energy.zip(log_z)?;
        Some(energy.minus(log_z))
    };
    let dequantised = match data.has_whole_values() {
        false => None,
        true => {
            let mut random = Philox::new(options.seed, Stream::DataNoise, DEQUANTISATION_STEP);
            let step = data.scaling().scale;
            let values = clean
                .iter()
                .map(|value| value + step * (random.uniform() - 0.5));
            let energies = scored.negative_energies(&values.collect::<Vec<_>>())?;
            let negative_energy = noted(mean_of(&energies));
            Some(DequantisedFigures {
                negative_energy,
                // In units of those whole numbers, whatever the run's are.
                bits_per_dimension: likelihood(negative_energy)
                    .map(|found| bits_by(data.scaling(), found)),
            })
        }
    };
    let scored_evaluations = scored.evaluations;
    let gaussian = match model_data.is() {
        DataIs::HeldOut => {
            Err("the one that `comparison` has is fitted to the training data".into())
        }
        DataIs::Training | DataIs::Changed | DataIs::Named | DataIs::Fresh => {
            FittedGaussian::fit(&clean, data.shape().len(), noise)
                .map(|fitted| fitted.mean_log_density_of_fitted())
        }
    };
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
    let began = Instant::now();
    let comparison_not_valid = no_comparison(model_data);
    let training = match comparison_not_valid {
        None => model_data.training_samples(model)?,
        Some(_) => Vec::new(),
    };
    let scores = Scores {
        points: &noisy,
        rows: &rows,
        negative_energies: &negative_energies,
        log_z,
        noise,
        length: data.shape().len(),
        seed: options.seed,
    };
    let comparison = match training.is_empty() {
        true => Vec::new(),
        false => compare(&training, &scores, &bits),
    };
    if !comparison.is_empty() {
        cost.push(CostFigures {
            part: "comparison",
            evaluations: 0,
            seconds: began.elapsed().as_secs_f64(),
        });
    }
    Ok(LikelihoodFigures {
        valid: is_valid,
        not_valid,
        log_z,
        log_z_at_least: found.at_least,
        estimates: EstimatesFigures::of(&found, along.map(|along| along.figures), is_valid),
        data: ScoredFigures {
            source: data.name().into(),
            which: model_data.is().name(),
            count,
            not_valid: data_not_valid,
            noise,
            negative_energy,
            log_likelihood,
            log_likelihood_at_most: Some(mean(&negative_energies) - found.at_least)
                .filter(|most| most.is_finite()),
            bits_per_dimension: log_likelihood.map(bits),
            comparison,
            comparison_not_valid,
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

/// Why nothing else is fitted to the training data to score the same values; none where it is.
fn no_comparison(data: &ModelData) -> Option<String> {
    if !data.is().is_unseen() {
        return Some(format!(
            "{} are scored, and what has seen the values that it is scored by shows nothing: name others with --data, or train \
             with data.held_out",
            data.is().name()
        ));
    }
    let why = data.no_training()?;
    Some(format!(
        "the training data {why}, so that there is nothing to fit other densities to"
    ))
}

fn part(stage: SweepStage) -> &'static str {
    match stage {
        SweepStage::Pilot => "pilot",
        SweepStage::Equilibration => "equilibration",
        SweepStage::There => "from the base",
        SweepStage::Back => "from the model",
    }
}

/// Data with the noise of training, one for each chain.
///
/// # Errors
/// When there are fewer data: chains that start together know of one another.
fn starts(
    data: &Dataset,
    options: &LikelihoodOptions,
    noise: f32,
) -> Result<Vec<f32>, EvaluationError> {
    let mut random = Philox::new(options.seed, Stream::DataNoise, START_STEP);
    let mut rows: Vec<usize> = (0..data.len().unwrap_or(options.chains)).collect();
    if rows.len() < options.chains {
        return Err(EvaluationError::FewStarts {
            samples: rows.len(),
            chains: options.chains,
        });
    }
    rows.shuffle(&mut random);
    rows.truncate(options.chains);
    let values: Vec<f32> = match data.len() {
        Some(_) => rows
            .iter()
            .flat_map(|row| data.samples(*row..row + 1))
            .collect(),
        // A draw takes all points before it, so that all are drawn at once.
        None => {
            let (drawn, length) = (data.first(options.chains), data.shape().len());
            let sample = |row: &usize| &drawn[row * length..(row + 1) * length];
            rows.iter().flat_map(sample).copied().collect()
        }
    };
    Ok(values
        .into_iter()
        .map(|value| value + noise * random.normal())
        .collect())
}

/// Energies of data, counted.
struct Scored<'a> {
    executor: &'a mut Executor,
    model: &'a Model,
    progress: &'a mut dyn FnMut(Stage, usize, usize),
    evaluations: u64,
}

impl Scored<'_> {
    /// −E of each of `samples`, finite or not.
    fn negative_energies(&mut self, samples: &[f32]) -> Result<Vec<f64>, EvaluationError> {
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
        Ok(values)
    }
}

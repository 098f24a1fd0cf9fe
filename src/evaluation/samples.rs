//! How good the samples of a model are: drawn by its own sampler, and compared with its data and with the model itself.

use super::error::EvaluationError;
use super::gradients::energy_gradients;
use super::model_data::DataIs;
use super::quality::{
    Auroc, DistanceFigures, FeatureName, FeatureNetwork, Features, MOST, NearestFigures, Neighbour,
    NetworkName, Points, QualityError, SteinFigures, auroc, measure, median_distance, nearest,
    nearest_figures, stein_discrepancy,
};
use crate::config::SamplerConfig;
use crate::gpu::Executor;
use crate::model::{Model, SampleOptions, Samples, Weights};
use crate::random::{Philox, Stream};
use crate::report::sample_grid;
use image::RgbImage;
use serde::Serialize;

/// Points of a Stein discrepancy at most, as its matrix grows with their square.
const STEIN_POINTS: usize = 1000;
/// Draws for its p-value.
const BOOTSTRAPS: usize = 499;
/// Samples whose nearest training samples are looked for: each is compared with all of them.
const NEAREST_POINTS: usize = 200;
/// Data whose features are computed at most: as many as `measure` compares.
pub(super) const DATA_POINTS: usize = 2 * MOST;
/// Samples in a row of the picture, and rows of them.
const COLUMNS: usize = 12;
const ROWS: usize = 2;
/// Fewer held-out samples are not what others are compared with: half of them, 500, is eight times the dimensions of the
/// classifiers' features.
const FEWEST_HELD_OUT: usize = 1000;
/// The Philox steps of the noise on data here, which neither runs nor other evaluations use.
const NOISE_STEP: u32 = u32::MAX - 4;
const OUTSIDE_NOISE_STEP: u32 = u32::MAX - 5;

/// A figure, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Judged<T> {
    /// The figure.
    Valid(T),
    /// There is none.
    NotValid {
        /// Why, and what would help.
        not_valid: String,
    },
}

impl<T> Judged<T> {
    pub(crate) fn of(found: Result<T, QualityError>) -> Self {
        match found {
            Ok(value) => Judged::Valid(value),
            Err(error) => Judged::NotValid {
                not_valid: error.to_string(),
            },
        }
    }

    /// The figure, where there is one.
    pub fn valid(&self) -> Option<&T> {
        match self {
            Judged::Valid(value) => Some(value),
            Judged::NotValid { .. } => None,
        }
    }
}

/// The samples of a model against its data and itself. `docs/evaluation.md` says how to read it.
#[derive(Clone, Debug, Serialize)]
pub struct QualityFigures {
    /// Which chains: `fresh`, from the sampler's start, one sample each.
    pub chains: &'static str,
    /// Which weights the model computes with.
    pub weights: Weights,
    /// Optimiser steps they have seen.
    pub step: u64,
    /// Samples drawn.
    pub count: usize,
    /// How many of them are not finite: chains that ran away. They are left out of all that follows.
    pub lost: usize,
    /// Steps of each chain.
    pub steps: usize,
    /// Seed of the chains and of all that is drawn here.
    pub seed: u64,
    /// The sampler's settings, as the checkpoint holds them.
    pub sampler: SamplerConfig,
    /// The step size in the end.
    pub step_size: f32,
    /// Mean acceptance probability; null for kinds without a test.
    pub acceptance: Option<f32>,
    /// Energy-gradient evaluations: of the chains, and of `stein`.
    pub gradient_evaluations: u64,
    /// Which data `distances`, `classes` and `stein` are of: `held-out data` where there are 1,000 of them, else `training data`;
    /// or `named data`, `changed data` or `fresh draws`.
    pub data_is: &'static str,
    /// Which data `nearest` has compared samples with as data that training has not seen; null where there were none.
    pub nearest_is: Option<&'static str>,
    /// What samples and data are compared by in `distances`.
    pub features: FeatureName,
    /// The network that gives them, where the user named one.
    pub feature_network: Option<NetworkName>,
    /// Samples against data.
    pub distances: Judged<DistanceFigures>,
    /// What the classifier takes samples and data for; null without one.
    pub classes: Option<ClassFigures>,
    /// The chains' last states, before they are denoised, against the model itself.
    pub stein: Judged<SteinPair>,
    /// Samples against the training data, value by value.
    pub nearest: Judged<NearestFigures>,
}

/// Shares of each class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Of samples.
    pub samples: Vec<f64>,
    /// Of data.
    pub data: Vec<f64>,
}

/// Kernel Stein discrepancies from the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SteinPair {
    /// Of states of its chains: how far these are from having reached the model's distribution.
    pub states: SteinFigures,
    /// Of data with the noise of training: how far the model is from the data.
    pub data: SteinFigures,
}

/// How well the energy tells another data set apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutsideFigures {
    /// Samples of the model's own data.
    pub inside: usize,
    /// Samples of the other data.
    pub outside: usize,
    /// The probability that one of the other has the higher energy.
    pub auroc: Auroc,
}

/// The data that samples are compared with, in the model's scale and without noise.
#[derive(Clone, Copy, Debug)]
pub struct QualityData<'a> {
    /// What the model has learned from; nothing where that is not known.
    pub training: &'a [f32],
    /// Other data, if there are any.
    pub others: &'a [f32],
    /// What these are.
    pub others_are: DataIs,
}

impl<'a> QualityData<'a> {
    /// The data that samples of `length` values are compared with, and what they are. What the model has not seen is the better
    /// judge, but of few held-out samples all that is compared would be noise.
    pub(super) fn compared(&self, length: usize) -> (&'a [f32], DataIs) {
        let are_few = self.others.len() / length < FEWEST_HELD_OUT;
        match self.others_are == DataIs::HeldOut && are_few || self.others.is_empty() {
            true if !self.training.is_empty() => (self.training, DataIs::Training),
            _ => (self.others, self.others_are),
        }
    }

    /// Those that the model has not seen, as far as can be known.
    pub(super) fn unseen(&self) -> &'a [f32] {
        match self.others_are.is_unseen() {
            true => self.others,
            false => &[],
        }
    }
}

/// What [`sample_quality`] gives.
pub struct QualityOutcome {
    /// The numbers.
    pub figures: QualityFigures,
    /// The samples nearest to training samples, in rows, each above the row of those; none where samples are no pictures.
    pub picture: Option<RgbImage>,
}

/// Draws samples of `model` from fresh chains and compares them with `data`, in the features of `network` where there is one.
/// `progress` is told how much of all sampling is done.
///
/// # Errors
/// When samples cannot be drawn, `data` is not whole samples of finite values, or the GPU fails. What cannot be told of the
/// samples that there are is [`Judged::NotValid`] instead.
pub fn sample_quality(
    executor: &mut Executor,
    model: &Model,
    data: QualityData<'_>,
    network: Option<&FeatureNetwork>,
    options: &SampleOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<QualityOutcome, EvaluationError> {
    let shape = model.architecture().input();
    let length = shape.len();
    let config = model.config();
    // Before samples are drawn, so that a network that does not fit costs none.
    let features = Features::by(network, config.data.source.name, shape, model.scaling())?;
    // The last frame is the state of the chains before it is denoised.
    let with_states = SampleOptions {
        frames: 1,
        ..*options
    };
    let drawn = model.sample(executor, &with_states, &mut |done, of| {
        progress(done, of);
        true
    })?;
    let (samples, states) = finite(&drawn, length);
    let training = data.training;
    let unseen = data.unseen();
    let (compared, data_is) = data.compared(length);
    // Data may lie in the order of their classes, so not the first but evenly spaced ones.
    let every = (compared.len() / length).div_ceil(DATA_POINTS);
    let some_data: Vec<&[f32]> = compared.chunks(length).step_by(every.max(1)).collect();
    let some_data = some_data.concat();

    let distances = distances(&features, &some_data, &samples, options.seed);
    let classes = classes(&features, &some_data, &samples)?;
    let (stein, evaluations) = stein(executor, model, &some_data, &states, options.seed)?;
    let neighbours = Neighbours::of(&samples, training, length)?;
    let nearest = neighbours.figures(unseen, length);
    let picture = neighbours.picture(model, &samples, training)?;
    let figures = QualityFigures {
        chains: "fresh",
        weights: model.weights(),
        step: model.step(),
        count: options.count,
        lost: drawn.lost,
        steps: options.steps,
        seed: options.seed,
        sampler: config.sampler.clone(),
        step_size: drawn.step_size,
        acceptance: drawn.acceptance,
        gradient_evaluations: drawn.gradient_evaluations + evaluations,
        data_is: data_is.name(),
        nearest_is: (!unseen.is_empty()).then(|| data.others_are.name()),
        features: features.name(),
        feature_network: network.map(|network| network.name().clone()),
        distances: Judged::of(distances),
        classes,
        stein: Judged::of(stein),
        nearest: Judged::of(nearest),
    };
    Ok(QualityOutcome { figures, picture })
}

/// How well the energy of `model` tells `outside`, samples of another data set, from `inside`, samples of its own that it
/// has best not learned from. Both in the model's scale; to both the noise of training is added, without which the
/// comparison would be of noise.
///
/// # Errors
/// When one of them is empty or not whole samples, an energy is not a number, or the GPU fails.
pub fn out_of_distribution(
    executor: &mut Executor,
    model: &Model,
    inside: &[f32],
    outside: &[f32],
    seed: u64,
) -> Result<OutsideFigures, EvaluationError> {
    let mark = executor.mark();
    let mut evaluator = model.evaluator(executor, 256)?;
    let mut energies = |samples: &[f32], step| {
        let noisy = with_noise(model.config().data.noise, samples, seed, step);
        let energies = evaluator.energies(executor, &noisy)?;
        Ok::<_, EvaluationError>(energies.into_iter().map(f64::from).collect::<Vec<_>>())
    };
    let inside = energies(inside, NOISE_STEP)?;
    let outside = energies(outside, OUTSIDE_NOISE_STEP)?;
    executor.release_since(mark);
    Ok(OutsideFigures {
        auroc: auroc(&inside, &outside)?,
        inside: inside.len(),
        outside: outside.len(),
    })
}

/// The samples that are finite, and their states before they were denoised.
fn finite(drawn: &Samples, length: usize) -> (Vec<f32>, Vec<f32>) {
    let frame = drawn.frames.last().map_or(&[][..], Vec::as_slice);
    let is_finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
    let both = drawn.values.chunks(length).zip(frame.chunks(length));
    let kept = both.filter(|(sample, state)| is_finite(sample) && is_finite(state));
    let (samples, states): (Vec<_>, Vec<_>) = kept.unzip();
    (samples.concat(), states.concat())
}

/// `samples` with Gaussian noise of standard deviation `noise`, by the Philox step `step`.
pub(crate) fn with_noise(noise: f32, samples: &[f32], seed: u64, step: u32) -> Vec<f32> {
    let mut random = Philox::new(seed, Stream::DataNoise, step);
    samples
        .iter()
        .map(|value| value + noise * random.normal())
        .collect()
}

pub(super) fn distances(
    features: &Features<'_>,
    data: &[f32],
    samples: &[f32],
    seed: u64,
) -> Result<DistanceFigures, QualityError> {
    measure(&features.points(data)?, &features.points(samples)?, seed)
}

pub(super) fn classes(
    features: &Features<'_>,
    data: &[f32],
    samples: &[f32],
) -> Result<Option<ClassFigures>, QualityError> {
    let shares = |values: &[f32]| -> Result<Option<Vec<f64>>, QualityError> {
        let counts = features.classes(values)?;
        Ok(counts.map(|counts| {
            let total = counts.iter().sum::<usize>().max(1) as f64;
            counts.iter().map(|&count| count as f64 / total).collect()
        }))
    };
    let both = shares(samples)?.zip(shares(data)?);
    Ok(both.map(|(samples, data)| ClassFigures { samples, data }))
}

/// Discrepancies, and the gradients that they took.
pub(super) fn stein(
    executor: &mut Executor,
    model: &Model,
    data: &[f32],
    states: &[f32],
    seed: u64,
) -> Result<(Result<SteinPair, QualityError>, u64), EvaluationError> {
    let length = model.architecture().input().len();
    let count = (states.len() / length)
        .min(data.len() / length)
        .min(STEIN_POINTS);
    let every = (data.len() / length / count.max(1)).max(1);
    let some: Vec<&[f32]> = data.chunks(length).step_by(every).take(count).collect();
    let noise = model.config().data.noise;
    let data = with_noise(noise, &some.concat(), seed, NOISE_STEP);
    let states = &states[..count * length];
    let of_states = energy_gradients(executor, model, states)?;
    let of_data = energy_gradients(executor, model, &data)?;
    let pair = || {
        let data = Points::of_samples(&data, length)?;
        let reach = median_distance(&data)?;
        let of = |points: &Points, gradients: &[f32]| {
            let gradients = Points::of_samples(gradients, length)?;
            stein_discrepancy(points, &gradients, reach, BOOTSTRAPS, seed)
        };
        Ok(SteinPair {
            states: of(&Points::of_samples(states, length)?, &of_states)?,
            data: of(&data, &of_data)?,
        })
    };
    Ok((pair(), 2 * count as u64))
}

/// The first samples' nearest training samples.
pub(super) struct Neighbours {
    training: Points,
    /// None where there are no training data, or no samples.
    of_samples: Vec<Neighbour>,
}

impl Neighbours {
    pub(super) fn of(
        samples: &[f32],
        training: &[f32],
        length: usize,
    ) -> Result<Self, QualityError> {
        let end = samples.len().min(NEAREST_POINTS * length);
        let training = Points::of_samples(training, length)?;
        let of_samples = match training.count() {
            0 => Vec::new(),
            _ => nearest(&Points::of_samples(&samples[..end], length)?, &training)?,
        };
        Ok(Neighbours {
            training,
            of_samples,
        })
    }

    pub(super) fn figures(
        &self,
        held_out: &[f32],
        length: usize,
    ) -> Result<NearestFigures, QualityError> {
        if held_out.is_empty() {
            return Err(QualityError::NothingHeldOut);
        }
        // Not the first, as they may lie in the order of their classes.
        let every = (held_out.len() / length).div_ceil(NEAREST_POINTS);
        let some: Vec<&[f32]> = held_out.chunks(length).step_by(every.max(1)).collect();
        let held_out = Points::of_samples(&some.concat(), length)?;
        nearest_figures(&self.of_samples, &self.training, &held_out)
    }

    /// Rows of samples, nearest first, each above the row of the nearest training samples.
    fn picture(
        &self,
        model: &Model,
        samples: &[f32],
        training: &[f32],
    ) -> Result<Option<RgbImage>, EvaluationError> {
        let (shape, scaling) = (model.architecture().input(), model.scaling());
        let length = shape.len();
        let is_picture = !shape.is_planar() && [1, 3].contains(&shape.channels);
        if !is_picture || self.of_samples.is_empty() {
            return Ok(None);
        }
        let mut pairs: Vec<_> = samples.chunks(length).zip(&self.of_samples).collect();
        pairs.sort_by(|a, b| a.1.distance.total_cmp(&b.1.distance));
        pairs.truncate(COLUMNS * ROWS);
        let mut values = Vec::new();
        for row in pairs.chunks(COLUMNS) {
            // A row that is not full is filled up with black.
            let missing = vec![scaling.low; (COLUMNS - row.len()) * length];
            let neighbour = |index: usize| &training[index * length..(index + 1) * length];
            values.extend(row.iter().flat_map(|(sample, _)| *sample));
            values.extend(&missing);
            values.extend(row.iter().flat_map(|(_, found)| neighbour(found.index)));
            values.extend(&missing);
        }
        let image = sample_grid(&values, shape, |value| scaling.brightness(value), COLUMNS)?;
        Ok(Some(image))
    }
}

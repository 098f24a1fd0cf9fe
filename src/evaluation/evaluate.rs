use super::error::EvaluationError;
use super::figures::{COVERED, Figures, GridFigures, ModeFigures, SampleFigures, ScoreFigures};
use super::likelihood::SweepStage;
use super::picture;
use super::quadrature::{Energies, Level, half_width, integrate};
use crate::data::{self, DataOptions, PlanarDensity};
use crate::gpu::Executor;
use crate::model::{Model, SampleOptions};
use crate::random::{Philox, Stream};
use image::RgbImage;

/// Energies that are computed at a time.
const BATCH: usize = 8192;
/// Fresh data samples that are scored.
const DATA_SAMPLES: usize = 10_000;
/// The Philox step of their noise, which no run gets to.
const NOISE_STEP: u32 = u32::MAX;
/// Tolerances that can be asked for. Energies of some tens are rounded at 2e-6.
const LEAST_TOLERANCE: f64 = 1e-6;
const MOST_TOLERANCE: f64 = 0.1;

/// What to evaluate with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvaluationOptions {
    /// The largest estimated error of the smooth integrals in nats, from 1e-6 to 0.1: see
    /// [`GridFigures::error`].
    pub tolerance: f64,
    /// Samples to draw from the model by its own sampler; 0 for none.
    pub count: usize,
    /// Seed of these samples and of the data that are scored.
    pub seed: u64,
}

impl EvaluationOptions {
    /// 1e-4 nats, and as many samples and the seed as the model's run had.
    pub fn of(model: &Model) -> Self {
        let run = &model.config().run;
        EvaluationOptions {
            tolerance: 1e-4,
            count: run.samples,
            seed: run.seed,
        }
    }
}

/// What takes long in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Energies on a grid, one of several.
    Grid,
    /// Steps of the chains.
    Samples,
    /// Thousandths of the way of the pilot, on which log Z depends for its steps.
    Pilot,
    /// Steps of chains that forget the data that they start from.
    Equilibration,
    /// Temperatures from the base to the model.
    There,
    /// And back.
    Back,
    /// Thousandths of the way along kept snapshots and back.
    Telescope,
    /// Samples of data.
    Data,
    /// Passes of chains from data.
    Passes,
}

impl From<SweepStage> for Stage {
    fn from(stage: SweepStage) -> Self {
        match stage {
            SweepStage::Pilot => Stage::Pilot,
            SweepStage::Equilibration => Stage::Equilibration,
            SweepStage::There => Stage::There,
            SweepStage::Back => Stage::Back,
        }
    }
}

/// What an evaluation gives.
pub struct Outcome {
    /// The numbers.
    pub figures: Figures,
    /// The samples drawn, those included that are not finite.
    pub samples: Vec<[f32; 2]>,
    /// Data density, model density, energy and samples side by side.
    pub picture: RgbImage,
}

/// Evaluates `model` against the exact density of its data. `progress` is told the stage, and how much of how much of it
/// is done.
///
/// The density is the one that the data was generated from, also where `data.limit` kept a finite number of points.
///
/// # Errors
/// When the model was not trained on a generated planar set, an option is out of range, the model's energy is not finite
/// or gives no normalised density, the tolerance cannot be met, or the GPU fails.
pub fn evaluate(
    executor: &mut Executor,
    model: &Model,
    options: &EvaluationOptions,
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<Outcome, EvaluationError> {
    let EvaluationOptions {
        tolerance,
        count,
        seed,
    } = *options;
    if !(LEAST_TOLERANCE..=MOST_TOLERANCE).contains(&tolerance) {
        return Err(EvaluationError::Tolerance {
            given: tolerance,
            least: LEAST_TOLERANCE,
            most: MOST_TOLERANCE,
        });
    }
    let config = model.config();
    let density = PlanarDensity::new(config.data.source.name, f64::from(config.data.noise))?;

    let mark = executor.mark();
    let mut energies = Energies {
        evaluator: model.evaluator(executor, BATCH)?,
        executor,
    };
    let mut on_grid = |done, of| progress(Stage::Grid, done, of);
    let half_width = half_width(&mut energies, &density, &mut on_grid)?;
    let (integrals, change, level) =
        integrate(&mut energies, &density, half_width, tolerance, &mut on_grid)?;
    let panels = picture::Panels::new(&mut energies, &density, integrals.log_z, &mut on_grid)?;
    let data_sample = score(&mut energies, model, integrals.log_z, seed)?;
    executor.release_since(mark);

    let drawn = if count == 0 {
        None
    } else {
        let options = SampleOptions {
            count,
            steps: config.run.sample_steps,
            seed,
            frames: 0,
        };
        let drawn = model.sample(executor, &options, &mut |done, of| {
            progress(Stage::Samples, done, of);
            true
        })?;
        Some(drawn)
    };
    let samples = drawn
        .as_ref()
        .map_or_else(Vec::new, |drawn| drawn.values.as_chunks().0.to_vec());
    let modes = modes(&density, &level, &samples);
    let samples_figures = drawn.map(|drawn| SampleFigures {
        count,
        lost: drawn.lost,
        step_size: drawn.step_size,
        acceptance: drawn.acceptance,
        gradient_evaluations: drawn.gradient_evaluations,
        steps: config.run.sample_steps,
        seed,
        sampler: config.sampler.clone(),
        mode_coverage: coverage(&modes, |mode| mode.samples.unwrap_or(0.0)),
    });
    let is_infinite = integrals.mass_off_data > 0.0;
    let figures = Figures {
        source: config.data.source.name.into(),
        data_noise: config.data.noise,
        weights: model.weights(),
        step: model.step(),
        log_z: integrals.log_z,
        nll: integrals.nll,
        data_entropy: integrals.data_entropy,
        model_entropy: integrals.model_entropy,
        kl_data_model: integrals.nll - integrals.data_entropy,
        kl_model_data: (!is_infinite).then_some(integrals.kl_model_data),
        kl_model_data_is: is_infinite
            .then_some("infinite: the model has mass where the data density is 0"),
        total_variation: integrals.total_variation,
        mass_off_data: integrals.mass_off_data,
        grid: GridFigures {
            tolerance,
            error: change.smooth,
            kl_model_data_error: change.kl_model_data,
            total_variation_error: change.total_variation,
            half_width,
            cell: 1.0 / level.fineness as f64,
            cells: level.places.len() * level.places.len(),
        },
        data_sample,
        samples: samples_figures,
        model_mode_coverage: coverage(&modes, |mode| mode.model),
        modes,
    };
    let picture = panels.draw(&samples)?;
    Ok(Outcome {
        figures,
        samples,
        picture,
    })
}

/// −ln q of points that the data's generator draws afresh, with the noise of training.
fn score(
    energies: &mut Energies<'_>,
    model: &Model,
    log_z: f64,
    seed: u64,
) -> Result<ScoreFigures, EvaluationError> {
    let config = &model.config().data;
    let options = DataOptions {
        path: String::new(),
        limit: 0,
        ..config.options()
    };
    // Training on a limited set has seen the first points of the draw of its seed.
    let seen = model.trained_on().limit;
    let mut points = data::open(&options, seed)?.samples(seen..seen.saturating_add(DATA_SAMPLES));
    let mut random = Philox::new(seed, Stream::DataNoise, NOISE_STEP);
    for value in &mut points {
        *value += config.noise * random.normal();
    }
    let scores = energies.at(&points)?;
    let count = scores.len() as f64;
    let mean = scores.iter().map(|&e| f64::from(e)).sum::<f64>() / count;
    let squares = scores.iter().map(|&e| (f64::from(e) - mean).powi(2));
    let variance = squares.sum::<f64>() / (count - 1.0);
    Ok(ScoreFigures {
        count: scores.len(),
        nll: mean + log_z,
        standard_error: (variance / count).sqrt(),
    })
}

/// The weights of the modes in the data density, the model's and the samples.
fn modes(density: &PlanarDensity, level: &Level, samples: &[[f32; 2]]) -> Vec<ModeFigures> {
    let names = density.mode_names();
    let [mut data, mut model, mut drawn] = [(); 3].map(|()| vec![0.0; names.len()]);
    let (log_z, area) = (level.log_z(), level.area());
    for (point, energy, log_data) in level.points() {
        density.assign(point, log_data.exp() * area, &mut data);
        density.assign(point, (-energy - log_z).exp() * area, &mut model);
    }
    let share = 1.0 / samples.len().max(1) as f64;
    for point in samples
        .iter()
        .filter(|point| point.iter().all(|v| v.is_finite()))
    {
        density.assign(point.map(f64::from), share, &mut drawn);
    }
    let weights = data.into_iter().zip(model).zip(drawn);
    let figures = names.into_iter().zip(weights);
    figures
        .map(|(name, ((data, model), drawn))| ModeFigures {
            name,
            data,
            model,
            samples: (!samples.is_empty()).then_some(drawn),
        })
        .collect()
}

/// The share of modes whose `weight` is at least [`COVERED`] of their due one.
fn coverage(modes: &[ModeFigures], weight: impl Fn(&ModeFigures) -> f64) -> f64 {
    let covered = modes
        .iter()
        .filter(|mode| weight(mode) >= COVERED * mode.data);
    covered.count() as f64 / modes.len() as f64
}

use super::error::TrainError;
use super::memory::size;
use super::plan::TrainingPlan;
use super::settings;
use crate::config::Config;
use crate::data::Dataset;
use crate::evaluation::spaced_samples;
use crate::gpu::{Executor, GpuError};
use crate::kernels::{GaussianMixture, MOST_MIXTURE_VALUES};
use crate::method::{GaussianFit, Strategy, fit_mixture};
use crate::network::{
    Variant, initial_parameters, require_family, trusted_variant_in, tuned_kernels,
};
use crate::shape::Shape;
use std::sync::Arc;

/// Gaussian noise has the moments of up to so many of the first samples, and as many must lie in the box of uniform noise.
const FITTED_SAMPLES: usize = 20_000;

/// A mixture to jump to is fitted to up to so many samples.
const MIXTURE_SAMPLES: usize = 2000;

/// The plan of `config` that suits the adapter.
///
/// # Errors
/// When it does not fit, the adapter cannot be trusted with `run.kernels` or `run.precision`, or the GPU fails.
pub(super) fn chosen_plan(
    executor: &mut Executor,
    config: &Config,
    data: &Dataset,
) -> Result<TrainingPlan, TrainError> {
    if let Some(family) = config.run.kernels {
        require_family(executor, family)?;
    }
    let variant = trusted_variant_in(executor, config.run.precision)?;
    // Checks all sizes, before the host holds as many parameters.
    let plan = fitting_plan(executor, config, data.shape(), variant)?;
    let plan = tuned_plan(executor, config, data.shape(), variant, plan)?;
    let strategy = Strategy::trusted(executor, plan.architecture(), plan.chain_count())?;
    Ok(plan.with_strategy(strategy))
}

/// `plan`, fitted to the data, and all done that comes before its first step.
///
/// # Errors
/// When its noise does not fit the data, or the GPU fails.
pub(super) fn set_up(
    executor: &mut Executor,
    config: &Config,
    data: &Dataset,
    mut plan: TrainingPlan,
) -> Result<TrainingPlan, TrainError> {
    if plan.needs_fit() {
        let fitted = GaussianFit::new(
            &data.first(FITTED_SAMPLES),
            data.shape().len(),
            config.data.noise,
        );
        plan = plan.with_fit(fitted.ok_or(TrainError::NoFit)?);
    }
    if let Some(mixture) = fitted_mixture(config, data)? {
        plan = plan.with_mixture(Arc::new(mixture));
    }
    if let Some((low, high)) = plan.noise_box() {
        let length = data.shape().len();
        let values = data.first(FITTED_SAMPLES);
        let is_outside = |sample: &&[f32]| sample.iter().any(|v| !(low..=high).contains(v));
        let outside = values.chunks_exact(length).filter(is_outside).count();
        let of = values.len() / length;
        // The tails of a law without bounds may reach a little further.
        if outside > of / 100 {
            return Err(TrainError::OutsideBox {
                outside,
                of,
                low,
                high,
            });
        }
    }
    let how = settings::initialisation(config);
    let initial = initial_parameters(plan.architecture(), &how, config.run.seed);
    executor.run(&plan.setup(&initial))?;
    Ok(plan)
}

/// The mixture that chains of `config` jump to, fitted to the data; none where they jump to none.
///
/// # Errors
/// When samples are too large or too few for one.
pub(super) fn fitted_mixture(
    config: &Config,
    data: &Dataset,
) -> Result<Option<GaussianMixture>, TrainError> {
    let Some(components) = config.dynamics().jumps.components() else {
        return Ok(None);
    };
    let (values, most) = (data.shape().len(), MOST_MIXTURE_VALUES);
    if values > most {
        return Err(TrainError::MixtureTooLarge { values, most });
    }
    let samples = spaced_samples(data, MIXTURE_SAMPLES);
    let mixture = fit_mixture(&samples, values, config.data.noise, components);
    mixture
        .map(Some)
        .ok_or(TrainError::NoMixture { components })
}

/// The plan of a run that fits the adapter's limits and `run.memory`. Where `run.slice` is absent, slices are halved
/// until it does.
///
/// # Errors
/// When it does not fit at the given or the smallest slice, or the layers do not fit together.
fn fitting_plan(
    executor: &Executor,
    config: &Config,
    input: Shape,
    variant: Variant,
) -> Result<TrainingPlan, TrainError> {
    let mut slice = config.run.batch * (1 + config.objective.noise_ratio);
    let mut config = config.clone();
    let automatic = config.run.slice.is_none();
    loop {
        if automatic {
            config.run.slice = Some(slice);
        }
        let plan = TrainingPlan::new(&config, input, variant)
            .and_then(|plan| fits(executor, &config, &plan).map(|()| plan));
        match plan {
            Err(error) if automatic && slice > 1 && is_too_large(&error) => {
                slice = slice.div_ceil(2);
            }
            outcome => return outcome,
        }
    }
}

/// `plan`, but on the kernels that were measured to be the fastest. Slices stay as they are, and where other borders
/// and other orders of the weights take too much memory, so does all else: what is computed never depends on
/// measurements.
///
/// # Errors
/// When the GPU fails.
fn tuned_plan(
    executor: &mut Executor,
    config: &Config,
    input: Shape,
    variant: Variant,
    plan: TrainingPlan,
) -> Result<TrainingPlan, TrainError> {
    let slice = plan.network().samples();
    let kernels = tuned_kernels(executor, plan.architecture(), slice, variant)?;
    if kernels.tuning.is_empty() {
        return Ok(plan);
    }
    let mut config = config.clone();
    config.run.slice = Some(slice);
    let tuned = TrainingPlan::new(&config, input, kernels)
        .and_then(|tuned| fits(executor, &config, &tuned).map(|()| tuned));
    match tuned {
        Err(error) if is_too_large(&error) => {
            tracing::info!("not running on the measured kernels: {error}");
            Ok(plan)
        }
        outcome => outcome,
    }
}

fn fits(executor: &Executor, config: &Config, plan: &TrainingPlan) -> Result<(), TrainError> {
    executor.admits(&plan.first_slice())?;
    executor.admits(&plan.first_probe())?;
    let Some(allowed) = config.run.memory else {
        return Ok(());
    };
    let memory = plan.memory();
    let needed = memory.total();
    if needed <= allowed.saturating_mul(1 << 20) {
        return Ok(());
    }
    Err(TrainError::Memory {
        needed: size(needed),
        slice: memory.slice,
        allowed,
        advice: if memory.slice > 1 {
            "lower run.slice or leave it out, or raise run.memory"
        } else {
            "raise run.memory, or lower sampler.buffer, run.batch or the network's size"
        },
    })
}

/// Whether smaller slices may help.
fn is_too_large(error: &TrainError) -> bool {
    matches!(
        error,
        TrainError::Memory { .. }
            | TrainError::Gpu(
                GpuError::TooLarge { .. }
                    | GpuError::ImageTooLarge { .. }
                    | GpuError::TooManyWorkgroups { .. }
                    | GpuError::TooManyTurns { .. }
            )
    )
}

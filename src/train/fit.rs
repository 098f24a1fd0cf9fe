use super::error::TrainError;
use super::memory::size;
use super::plan::TrainingPlan;
use crate::config::Config;
use crate::gpu::{Executor, GpuError};
use crate::network::{Variant, tuned_kernels};
use crate::shape::Shape;

/// The plan of a run that fits the adapter's limits and `run.memory`. Where `run.slice` is absent, slices are halved
/// until it does.
///
/// # Errors
/// When it does not fit at the given or the smallest slice, or the layers do not fit together.
pub(super) fn fitting_plan(
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
pub(super) fn tuned_plan(
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

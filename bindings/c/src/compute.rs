use crate::arguments::{self, Room};
use crate::failure::Failure;
use crate::model::afterimage_model;
use crate::status::afterimage_status::{self, AFTERIMAGE_DIVERGED};
use crate::status::guarded;
use afterimage::model::SampleOptions;

/// Refuses what a model that ran away has computed.
fn finite(values: &[f32], what: &str) -> Result<(), Failure> {
    let (lost, count) = (
        values.iter().filter(|value| !value.is_finite()).count(),
        values.len(),
    );
    match lost {
        0 => Ok(()),
        _ => Err(Failure::new(
            AFTERIMAGE_DIVERGED,
            format!(
                "{lost} of {count} {what} are not finite: the model diverged, or the data lies far outside what it was trained on"
            ),
        )),
    }
}

/// Energies of samples: low where the model finds them likely. `x` holds `x_length` values, a whole number of samples one behind the
/// other; `energies` takes one for each, and `energies_length` says how many that are. Nothing is written if it fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_model_energies(
    model: *const afterimage_model,
    x: *const f32,
    x_length: usize,
    energies: *mut f32,
    energies_length: usize,
) -> afterimage_status {
    guarded(|| {
        // SAFETY: the header asks for a model.
        let model = unsafe { arguments::value(model, "model") }?;
        let shape = model.shape();
        // SAFETY: the header asks for as many floats.
        let x = unsafe { arguments::samples(x, x_length, shape, "x") }?;
        let count = x_length / shape.len();
        let room = Room::new(energies, energies_length, count, "energies")?;
        let mut state = model.device.lock()?;
        let (executor, evaluator) = state.evaluator(&model.model, count)?;
        let found = evaluator.energies(executor, x)?;
        finite(&found, "energies")?;
        // SAFETY: the header asks for room for as many floats.
        unsafe { room.fill(&found) };
        Ok(())
    })
}

/// The gradient of the energy by the values of each sample: `gradient`, of `gradient_length` values, is laid out as `x`, which holds
/// `x_length` and is as above. The two must not overlap. Nothing is written if it fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_model_gradient(
    model: *const afterimage_model,
    x: *const f32,
    x_length: usize,
    gradient: *mut f32,
    gradient_length: usize,
) -> afterimage_status {
    guarded(|| {
        // SAFETY: the header asks for a model.
        let model = unsafe { arguments::value(model, "model") }?;
        let shape = model.shape();
        // SAFETY: the header asks for as many floats.
        let x = unsafe { arguments::samples(x, x_length, shape, "x") }?;
        let room = Room::new(gradient, gradient_length, x_length, "gradient")?;
        let mut state = model.device.lock()?;
        let (executor, evaluator) = state.evaluator(&model.model, x_length / shape.len())?;
        let found = evaluator.gradients(executor, x)?;
        finite(&found, "values of the gradient")?;
        // SAFETY: the header asks for room for as many floats.
        unsafe { room.fill(&found) };
        Ok(())
    })
}

/// Draws `count` samples by `steps` steps of the sampler that the model was trained with, from fresh chains; the same for the same
/// `seed` on the same device. `samples`, of `samples_length` values, takes them one behind the other, so that it is as long as `count`
/// times the values of a sample. Nothing is written if it fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_model_sample(
    model: *const afterimage_model,
    count: usize,
    steps: usize,
    seed: u64,
    samples: *mut f32,
    samples_length: usize,
) -> afterimage_status {
    guarded(|| {
        // SAFETY: the header asks for a model.
        let model = unsafe { arguments::value(model, "model") }?;
        let options = SampleOptions {
            count,
            steps,
            seed,
            frames: 0,
        };
        // More than there can be is refused for its length.
        let wanted = count.saturating_mul(model.shape().len());
        let room = Room::new(samples, samples_length, wanted, "samples")?;
        let mut state = model.device.lock()?;
        let drawn = model
            .model
            .sample(&mut state.executor, &options, &mut |_, _| true)?;
        if drawn.lost > 0 {
            let message = format!(
                "{} of {count} chains ran away to values that are not finite: the model diverged, or its sampler.step_size is too large",
                drawn.lost
            );
            return Err(Failure::new(AFTERIMAGE_DIVERGED, message));
        }
        // SAFETY: the header asks for room for as many floats.
        unsafe { room.fill(&drawn.values) };
        Ok(())
    })
}

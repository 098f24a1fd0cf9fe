use super::error::EvaluationError;
use crate::gpu::{Buffer, Executor, Recording};
use crate::model::Model;

/// Samples whose gradients are computed at a time.
const BATCH: usize = 256;

/// ∇ₓE of any number of samples from the host, in the model's own scale.
pub(super) fn energy_gradients(
    executor: &mut Executor,
    model: &Model,
    samples: &[f32],
) -> Result<Vec<f32>, EvaluationError> {
    let mark = executor.mark();
    let length = model.architecture().input().len();
    let evaluator = model.evaluator(executor, BATCH)?;
    let x = Buffer::new("samples", BATCH * length);
    let energies = Buffer::new("energies", BATCH);
    let gradient = Buffer::new("gradient of the energy", BATCH * length);
    let mut gradients = Vec::with_capacity(samples.len());
    for chunk in samples.chunks(BATCH * length) {
        let mut recording = Recording::new();
        // What is computed of the rest of a last, partial batch is not read.
        recording.upload_f32(x, 0, chunk);
        evaluator.energy_gradient(&mut recording, x, energies, gradient)?;
        executor.run(&recording)?;
        let words = executor.read_words(gradient, 0, chunk.len())?;
        gradients.extend(words.into_iter().map(f32::from_bits));
    }
    executor.release_since(mark);
    Ok(gradients)
}

//! The chains of a run's replay buffer, as training left them: how good they are, apart from fresh ones.

use super::error::EvaluationError;
use super::quality::{DistanceFigures, FeatureNetwork, Features, NearestFigures, QualityError};
use super::samples::{
    ClassFigures, DATA_POINTS, Judged, Neighbours, QualityData, SteinPair, classes, distances,
    stein,
};
use crate::gpu::Executor;
use crate::model::{KeptChains, Model};
use serde::Serialize;

/// Chains that a run kept beside its checkpoint, against its data and the model: the same figures as of fresh ones, with which
/// they are never mixed.
#[derive(Clone, Debug, Serialize)]
pub struct BufferFigures {
    /// Which chains: `buffer`, from where training left them, each at a snapshot as old as its last turn. No step is taken
    /// with them here.
    pub chains: &'static str,
    /// Chains that were kept.
    pub count: usize,
    /// Chains in the replay buffer.
    pub of: usize,
    /// Those that had run away to values that are not finite, and were not kept.
    pub lost: usize,
    /// Energy-gradient evaluations, of denoising and of `stein`.
    pub gradient_evaluations: u64,
    /// The chains, denoised as fresh ones are, against data.
    pub distances: Judged<DistanceFigures>,
    /// What the classifier takes them and data for; null without one.
    pub classes: Option<ClassFigures>,
    /// The chains as they were kept against the model itself.
    pub stein: Judged<SteinPair>,
    /// The denoised chains against the training data, value by value.
    pub nearest: Judged<NearestFigures>,
}

/// Compares the chains that are kept beside the checkpoint of `model` with `data`, in the features of `network` where there is
/// one: none where there are none, and not valid where their file is of other weights or damaged.
///
/// # Errors
/// When `data` is not whole samples of finite values, or the GPU fails. What cannot be told of the chains that there are is
/// [`Judged::NotValid`] instead.
pub fn buffer_quality(
    executor: &mut Executor,
    model: &Model,
    data: QualityData<'_>,
    network: Option<&FeatureNetwork>,
    seed: u64,
) -> Result<Option<Judged<BufferFigures>>, EvaluationError> {
    let kept = match model.kept_chains() {
        None => return Ok(None),
        Some(Err(error)) => {
            return Ok(Some(Judged::NotValid {
                not_valid: error.to_string(),
            }));
        }
        Some(Ok(kept)) => kept,
    };
    let KeptChains { states, of, lost } = kept;
    let length = model.architecture().input().len();
    let count = states.len() / length;
    let samples = model.denoised(executor, &states)?;
    // What ran away in one step must have been far out already.
    let all = || samples.chunks(length).zip(states.chunks(length));
    let is_finite = |(sample, _): &(&[f32], &[f32])| sample.iter().all(|value| value.is_finite());
    let (samples, states): (Vec<_>, Vec<_>) = all().filter(is_finite).unzip();
    let lost = lost + count - samples.len();
    let (samples, states) = (samples.concat(), states.concat());

    let training = data.training;
    let unseen = data.unseen();
    let (compared, _) = data.compared(length);
    // As many as fresh samples are compared with, evenly spaced.
    let every = (compared.len() / length).div_ceil(DATA_POINTS);
    let some: Vec<&[f32]> = compared.chunks(length).step_by(every.max(1)).collect();
    let data = &some.concat()[..];
    let (shape, source) = (
        model.architecture().input(),
        model.config().data.source.name,
    );
    let features = &Features::by(network, source, shape, model.scaling())?;
    let denoising = if model.config().data.noise > 0.0 {
        count as u64
    } else {
        0
    };
    let (found, evaluations) = stein(executor, model, data, &states, seed)?;
    let nearest = || -> Result<NearestFigures, QualityError> {
        Neighbours::of(&samples, training, length)?.figures(unseen, length)
    };
    Ok(Some(Judged::Valid(BufferFigures {
        chains: "buffer",
        count,
        of,
        lost,
        gradient_evaluations: denoising + evaluations,
        distances: Judged::of(distances(features, data, &samples, seed)),
        classes: classes(features, data, &samples)?,
        stein: Judged::of(found),
        nearest: Judged::of(nearest()),
    })))
}

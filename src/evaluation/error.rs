use super::quality::QualityError;
use crate::data::DataError;
use crate::gpu::GpuError;
use crate::model::ModelError;
use crate::network::advised;
use crate::report::ReportError;
use crate::shape::Shape;

/// Why a model could not be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("{}", advised(.0))]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Quality(#[from] QualityError),
    #[error(
        "a tolerance of {given:e} nats cannot be met: energies are 32-bit numbers; ask for one from {least:e} to {most:e}"
    )]
    Tolerance { given: f64, least: f64, most: f64 },
    #[error(
        "the model's energy at ({x}, {y}) is not finite: it diverged in training; evaluate an earlier checkpoint, or \
         train again with a lower optimiser.rate"
    )]
    NotFinite { x: f32, y: f32 },
    #[error(
        "the model has mass {share:.2e} in the outer quarter of ±{half_width}, so it may have no Z: train it with \
         network.base = \"gaussian\" and network.base_std below {}, which bounds it", half_width / 8
    )]
    Unbounded { half_width: usize, share: f64 },
    #[error(
        "after {points} energies a figure still changes by {change:.1e}: ask for a tolerance above that; the energy may \
         be too rough for any"
    )]
    NotConverged { points: usize, change: f64 },
    #[error(
        "log Z needs a law whose Z is known to begin at, which the model lacks: train it with network.base = \"gaussian\""
    )]
    NoBase,
    #[error("log Z needs a path from the model's Gaussian base, and there is none: {reason}")]
    NoPath { reason: &'static str },
    #[error(
        "an energy on the way from the model's base to the model is not finite: it diverged in training; evaluate an \
         earlier checkpoint, or train again with a lower optimiser.rate"
    )]
    PathNotFinite,
    #[error(
        "4,000 steps of the pilot came only {share:.1e} of the way from the model's base to the model: its energies vary too \
         much for log Z to be had; train with network.zero_head = true or with a base_std nearer to the data"
    )]
    PathTooLong { share: f64 },
    #[error(
        "each of {chains} chains needs a sample of its own to start from, and the data has {samples}: take fewer with \
         --chains, 16 at least, or more data"
    )]
    FewStarts { samples: usize, chains: usize },
    #[error(
        "the pilot came only {share:.1e} of the way from the model's base to the model with two fifths of {given} \
         energy-gradient evaluations: ask for more with --evaluations; if some times as many come hardly further, the \
         energies vary too much for log Z to be had: evaluate an earlier checkpoint, or train again with a lower \
         optimiser.rate"
    )]
    PilotTooLong { given: u64, share: f64 },
    #[error(
        "{given} energy-gradient evaluations do not suffice for log Z: ask for --evaluations {least} at least, and better \
         for some times as many"
    )]
    FewEvaluations { given: u64, least: u64 },
    #[error(
        "the data has samples of {found}, the model takes {wanted}: name the data that the model was trained on with --set \
         data.path"
    )]
    WrongShape { found: Shape, wanted: Shape },
}

impl EvaluationError {
    /// Whether the device failed, which says nothing of the model.
    pub(crate) fn is_of_the_device(&self) -> bool {
        matches!(
            self,
            EvaluationError::Gpu(_) | EvaluationError::Model(ModelError::Gpu(_))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_device_is_told_from_a_model_that_has_no_figures() {
        let lost = || GpuError::Lost("unplugged".into());
        assert!(EvaluationError::from(lost()).is_of_the_device());
        assert!(EvaluationError::from(ModelError::from(lost())).is_of_the_device());
        assert!(!EvaluationError::NotFinite { x: 0.0, y: 0.0 }.is_of_the_device());
    }
}

//! What a model is worth: [`evaluate`] has the exact truth in two dimensions, [`log_likelihood`] estimates in any.
//!
//! A model of a planar set against the density of its data.
//!
//! The data density p is known exactly ([`PlanarDensity`](crate::data::PlanarDensity)), and in the plane so is the model's: q(x) = exp(−E(x))/Z with
//! Z by quadrature. [`evaluate`] computes energies on the GPU, everything else in f64 on the host, in an order that does
//! not depend on the number of processors: the same checkpoint on the same adapter gives the same bits.
//!
//! **Box.** Energies on a coarse lattice over a square around the origin say where the model's mass lies. The square
//! doubles until its outer quarter holds less than 1e-10 of the mass, then shrinks to the smallest one of whole units
//! that leaves out no more than that, and none of the data's.
//!
//! **Quadrature.** The midpoint rule on square cells, whose edges lie on whole units, as those of the checkerboard do.
//! For smooth densities that vanish at the borders it converges faster than any power of the cell's side h (L. Trefethen,
//! J. Weideman, *The exponentially convergent trapezoidal rule*, SIAM Review 56, 2014); across edges its error is of
//! order h². Every figure is extrapolated accordingly, M(h) + (M(h) − M(2h))/3, and h is halved until none
//! of the smooth ones changes by more than the tolerance; the change is reported as the error. The integrands of
//! KL(model‖data) and of the total variation have kinks: those two are not waited for and have errors of their own.

mod buffer;
mod error;
mod evaluate;
mod figures;
mod gradients;
mod likelihood;
mod model_data;
mod picture;
mod quadrature;
pub(crate) mod quality;
mod samples;
mod spaced;
mod stability;

pub use buffer::{BufferFigures, buffer_quality};
pub use error::EvaluationError;
pub use evaluate::{EvaluationOptions, Outcome, Stage, evaluate};
pub use figures::{COVERED, Figures, GridFigures, ModeFigures, SampleFigures, ScoreFigures};
pub use likelihood::{
    AnnealedFigures, BennettFigures, ComparisonFigures, CostFigures, DequantisedFigures,
    EstimatesFigures, IntervalFigures, LikelihoodFigures, LikelihoodOptions, MethodFigures,
    ScoredFigures, TelescopedFigures, log_likelihood, log_likelihood_of,
};
pub use model_data::{DataIs, ModelData, samples_of};
pub(crate) use model_data::{are_in_its_place, are_own, share_pictures};
pub use quality::{
    Accuracy, Auroc, DistanceFigures, FeatureName, FeatureNetwork, Measured, NearestFigures,
    NetworkName, PairTest, PermutationTest, QualityError, SteinFigures, TwoSampleFigures,
};
pub(crate) use samples::with_noise;
pub use samples::{
    ClassFigures, Judged, OutsideFigures, QualityData, QualityFigures, QualityOutcome, SteinPair,
    out_of_distribution, sample_quality,
};
pub(crate) use spaced::{spaced, spaced_samples};
pub use stability::{StabilityFigures, StabilityOutcome, stability};

/// What only [`crate::low_level`] shows.
pub(crate) mod low_level {
    pub use crate::evaluation::likelihood::{
        Advanced, Cost, Estimate, FittedGaussian, KernelDensity, LogZ, LogZError, Path, Problem,
        SweepStage, Telescope, TelescopeProblem, Telescoped, Trail, annealed, annealed_back,
        bennett, log_z, telescoped,
    };
}

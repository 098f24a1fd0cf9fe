//! How good samples are: distances from data, each beside its floor and with its spread, all in f64 on the host.
//!
//! [`measure`] compares samples with data in some [`Features`]; [`nearest_figures`] looks for copies of training data,
//! [`stein_discrepancy`] compares samples with the model itself, [`auroc`] tells how well its energy tells another data
//! set apart, and [`permutation_test`] whether two sets of chains come from one distribution. `docs/evaluation.md` says how to read
//! them.
//!
//! Linear algebra is nalgebra's. Square roots of covariances are taken by symmetric eigenvalues, never by a general
//! matrix root, which goes complex where a covariance has no full rank.

mod auroc;
mod energy_distance;
mod error;
mod family;
mod features;
mod frechet;
mod halves;
mod kernel;
mod logistic;
mod measure;
mod nearest;
mod onnx;
mod pairs;
mod permutation;
mod points;
mod prdc;
mod sliced;
mod stein;
mod two_sample;

pub use auroc::{Auroc, auroc};
pub use energy_distance::EnergyDistance;
pub use error::QualityError;
pub use family::{NamedSet, PairTest, pairwise_tests};
pub use features::{Classifier, FeatureName, Features};
pub use frechet::frechet_distance;
pub use kernel::kernel_distance;
pub use logistic::LogisticRegression;
pub(crate) use measure::MOST;
pub use measure::{DistanceFigures, Measured, TwoSampleFigures, measure};
pub use nearest::{NearestFigures, Neighbour, nearest, nearest_figures};
pub use onnx::{FeatureNetwork, NetworkName};
pub use permutation::{PermutationTest, permutation_test};
pub use points::Points;
pub use prdc::{Prdc, prdc};
pub use sliced::{directions, sliced_wasserstein};
pub use stein::{SteinFigures, median_distance, stein_discrepancy};
pub use two_sample::{Accuracy, binomial_interval, two_sample};

//! ln Z and the likelihood of data in any dimension.
//!
//! A model with a Gaussian base has E = f + |x − μ|²/2σ², f the network. Along β·f + |x − μ|²/2σ² there is a way from
//! β = 0, a Gaussian whose Z is known, to the model at β = 1. Chains are annealed along it both ways: from exact draws of the
//! Gaussian, and from data that have forgotten under the model what they were. Their works give three
//! estimates of ln Z: annealed importance sampling (Neal 2001) from either end, which from the base comes out low and from
//! the model high (Burda, Grosse & Salakhutdinov 2015; Grosse, Ancha & Roy 2016), and Bennett's acceptance ratio
//! (Bennett 1976) between the works of both (Crooks 2000; Shirts, Bair, Hooker & Pande 2003), which is what is reported.
//!
//! Between works nothing is asked of the laws on the way; only the ends must be right. The one at the base is; whether the
//! other is, the agreement of both annealed estimates says, of which the first does not depend on it.
//!
//! Where training kept snapshots there is a fourth estimate, by another way: Bennett's ratio between samples of neighbouring laws
//! along them ([`telescoped`]), at each of which chains rest. A lag of them is an error that no error bar shows, so that chains
//! go both ways, which lag against each other, and all estimates must agree.
//!
//! Temperatures and step sizes are fixed by a pilot on other random numbers. An estimate that does not
//! hold is not printed.

mod along;
mod bridges;
mod comparison;
mod estimates;
mod figures;
mod gaussian;
mod kernel_density;
mod log_z;
mod network_path;
mod network_trail;
mod path;
mod schedule;
mod score;
mod telescope;
mod trail;

pub use estimates::{Estimate, annealed, annealed_back, bennett};
pub use figures::{
    AnnealedFigures, BennettFigures, ComparisonFigures, CostFigures, DequantisedFigures,
    EstimatesFigures, IntervalFigures, LikelihoodFigures, MethodFigures, ScoredFigures,
    TelescopedFigures,
};
pub use gaussian::FittedGaussian;
pub use kernel_density::KernelDensity;
pub use log_z::{Cost, LogZ, LogZError, Problem, SweepStage, log_z};
pub use path::{Advanced, Path};
pub use score::{LikelihoodOptions, log_likelihood, log_likelihood_of};
pub use telescope::{Telescope, TelescopeProblem, Telescoped, telescoped};
pub use trail::Trail;

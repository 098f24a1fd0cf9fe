//! What an estimate of log Z and the likelihood of data say, in the names of their JSON.

use super::estimates::Estimate;
use super::log_z::{LogZ, Problem, SweepStage, counts};
use serde::Serialize;

/// log Z of a model and the likelihood of data under it, in nats where nothing else is said. Whatever does not hold is
/// null.
#[derive(Clone, Debug, Serialize)]
pub struct LikelihoodFigures {
    /// Whether the estimates agree and enough chains support them. Where not, `log_z` and the likelihoods are null.
    pub valid: bool,
    /// Why not, and what would help; empty where it is valid.
    pub not_valid: Vec<String>,
    /// ln Z, by Bennett's acceptance ratio of annealed chains.
    pub log_z: Option<IntervalFigures>,
    /// ln Z is above this with 95 %, valid or not, whatever number of attempts it took.
    pub log_z_at_least: f64,
    /// The estimates.
    pub estimates: EstimatesFigures,
    /// The data that were scored.
    pub data: ScoredFigures,
    /// How it was done.
    pub method: MethodFigures,
    /// What it took. Times differ from one time to the next.
    pub cost: Vec<CostFigures>,
}

/// A figure with its error.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct IntervalFigures {
    pub value: f64,
    pub standard_error: f64,
    /// Of 95 %.
    pub interval: [f64; 2],
}

/// Three estimates of ln Z by annealed chains, and one along kept snapshots.
#[derive(Clone, Debug, Serialize)]
pub struct EstimatesFigures {
    /// Annealed importance sampling from the base: low on average but for the bias that the jackknife takes off.
    pub from_base: AnnealedFigures,
    /// Annealed importance sampling from the model: high on average but for that bias.
    pub from_model: AnnealedFigures,
    /// Bennett's acceptance ratio between both.
    pub bennett: BennettFigures,
    /// Along the snapshots that training kept; null where it kept none.
    pub telescoped: Option<TelescopedFigures>,
}

/// Annealed importance sampling.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AnnealedFigures {
    /// What the chains gave, valid or not. It alone says nothing of its error.
    pub value: f64,
    /// Null where the whole is not valid, or fewer than two fifths of the chains count.
    pub log_z: Option<IntervalFigures>,
    /// How many chains count: (Σw)² / Σw².
    pub effective_chains: f64,
    /// Variance of ln w over chains.
    pub log_weight_variance: f64,
}

/// Bennett's acceptance ratio.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BennettFigures {
    /// What the chains gave, valid or not. It alone says nothing of its error.
    pub value: f64,
    /// Null where the whole is not valid, of which an overlap of 0.03 is a part.
    pub log_z: Option<IntervalFigures>,
    /// What the laws of the works both ways have in common, from 0 to 1.
    pub overlap: f64,
}

/// Bennett's acceptance ratio from law to law along the snapshots that training kept.
#[derive(Clone, Debug, Serialize)]
pub struct TelescopedFigures {
    /// What the chains gave, valid or not; null where they did not get past all laws. It alone says nothing of its error.
    pub value: Option<f64>,
    /// Null where it or the whole is not valid.
    pub log_z: Option<IntervalFigures>,
    /// By the chains from the base alone, and by those from the model alone; null likewise.
    pub upward: Option<IntervalFigures>,
    pub downward: Option<IntervalFigures>,
    /// What those two neighbouring laws have in common that have the least, from 0 to 1.
    pub least_overlap: Option<f64>,
    /// Laws from base to model, both of them too.
    pub laws: Option<usize>,
    /// Snapshots that there were, and how many of them the way with the fewest laws leads past. What lies close is passed over,
    /// and weights between two are laws as well.
    pub snapshots: usize,
    pub snapshots_used: Option<usize>,
    /// Records of each chain at each law.
    pub records: Option<usize>,
    /// Why it is not valid, and what would help; empty where it is.
    pub not_valid: Vec<String>,
}

/// The likelihood of data.
#[derive(Clone, Debug, Serialize)]
pub struct ScoredFigures {
    /// Where they came from.
    pub source: String,
    /// What they are: `held-out data`, `training data`, `fresh draws`, `named data` or `changed data`.
    pub which: &'static str,
    /// How many.
    pub count: usize,
    /// Why figures of them are null where log Z is valid, and what would help; empty where they are not.
    pub not_valid: Vec<String>,
    /// Standard deviation of the noise that was added to each, as in training.
    pub noise: f32,
    /// Mean of −E, of which the data's share of all errors comes. Null where an energy is not finite, or there is only one.
    pub negative_energy: Option<IntervalFigures>,
    /// Mean of ln p = −E − ln Z of the data with that noise, in the model's scale.
    pub log_likelihood: Option<IntervalFigures>,
    /// That mean of these very data is below this with 95 %: from `log_z_at_least`. The error of the mean as one of their law is
    /// not in it. Null where an energy is not finite.
    pub log_likelihood_at_most: Option<f64>,
    /// −log₂ p a dimension in units of the raw values, of data in the model's own scale those of its training data; p the density
    /// of the noisy values.
    pub bits_per_dimension: Option<IntervalFigures>,
    /// What densities that were fitted to the training data say of the very same noisy values; empty where these are no data
    /// that training has not seen, or where the training data are not known.
    pub comparison: Vec<ComparisonFigures>,
    /// Why that is empty, where it is.
    pub comparison_not_valid: Option<String>,
    /// What the Gaussian with the mean and the covariance of these very data has of `log_likelihood`. Fitted to what is scored,
    /// it is on equal terms with a model only of training data; of others it has the advantage.
    pub gaussian_fitted_to_scored_data: Option<f64>,
    /// Why there is none, where that is null.
    pub gaussian_not_valid: Option<String>,
    /// Where raw values are whole numbers: these with uniform noise on (−½, ½) in place of the run's.
    pub dequantised: Option<DequantisedFigures>,
}

/// A density that was fitted to the training data in place of a model.
#[derive(Clone, Debug, Serialize)]
pub struct ComparisonFigures {
    /// `gaussian`: of full covariance; `kernel density`: normal kernels around training samples.
    pub name: &'static str,
    /// Training samples that it was fitted to.
    pub training: usize,
    /// Of a kernel density: the standard deviation of a kernel in every dimension beside the noise, in the model's scale.
    pub bandwidth: Option<f64>,
    /// Mean of its ln p of the values that the model was scored by; null where it is not valid.
    pub log_likelihood: Option<IntervalFigures>,
    /// The same as bits per dimension.
    pub bits_per_dimension: Option<IntervalFigures>,
    /// The model's `log_likelihood` less this one, sample by sample, with the error of log Z: above 0 the model is the better.
    /// Null where either is not valid.
    pub difference: Option<IntervalFigures>,
    /// Why there is none.
    pub not_valid: Option<String>,
}

/// Whole raw values with uniform noise on (−½, ½), the mean of whose density is a bound on the probability of the whole
/// numbers (Theis, van den Oord & Bethge 2016).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DequantisedFigures {
    /// Mean of −E; null as that of the noisy values is.
    pub negative_energy: Option<IntervalFigures>,
    /// −log₂ p a dimension in units of those whole numbers: what the literature calls bits per dimension.
    pub bits_per_dimension: Option<IntervalFigures>,
}

/// How log Z was estimated.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MethodFigures {
    /// Chains each way.
    pub chains: usize,
    /// Temperatures each way, with one Hamiltonian transition at each.
    pub temperatures: usize,
    /// Transitions under the model in which chains forgot the data that they had started from.
    pub equilibration: usize,
    /// ∫ sd(f) dβ along the path: temperatures have to be about its square.
    pub path_length: f64,
    /// Energy-gradient evaluations that were allowed.
    pub evaluations: u64,
    /// Seed of all of it.
    pub seed: u64,
}

/// What a part took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CostFigures {
    pub part: &'static str,
    /// Of energy and gradient, or of the energy alone.
    pub evaluations: u64,
    pub seconds: f64,
}

impl From<Estimate> for IntervalFigures {
    fn from(estimate: Estimate) -> Self {
        IntervalFigures {
            value: estimate.value,
            standard_error: estimate.standard_error,
            interval: estimate.interval(),
        }
    }
}

impl IntervalFigures {
    /// The mean of `values`, `what` of each of the samples `rows`, as draws of their law.
    ///
    /// # Errors
    /// Why it has no value or no error, and what would help.
    pub(super) fn of_mean(values: &[f64], what: &str, rows: &[usize]) -> Result<Self, String> {
        let places = values.iter().zip(rows);
        if let Some((_, row)) = places.into_iter().find(|(value, _)| !value.is_finite()) {
            return Err(format!(
                "{what} of sample {row}, counted from 0, is not finite: leave that sample out, or see whether the data are read \
                 in the model's scale (data.range)"
            ));
        }
        match values.len() {
            0 | 1 => Err(
                "one sample has no spread to tell an error by: score two at least, and better hundreds".into(),
            ),
            _ => Ok(Estimate::of_mean(values).into()),
        }
    }

    /// value · `factor` + `more`.
    pub(super) fn map(self, factor: f64, more: f64) -> Self {
        let [a, b] = self.interval.map(|end| end * factor + more);
        IntervalFigures {
            value: self.value * factor + more,
            standard_error: self.standard_error * factor.abs(),
            interval: [a.min(b), a.max(b)],
        }
    }

    /// The difference from another, independent one.
    pub(super) fn minus(self, other: Self) -> Self {
        let half = |figures: Self| 0.5 * (figures.interval[1] - figures.interval[0]);
        let value = self.value - other.value;
        let half = half(self).hypot(half(other));
        IntervalFigures {
            value,
            standard_error: self.standard_error.hypot(other.standard_error),
            interval: [value - half, value + half],
        }
    }
}

impl EstimatesFigures {
    /// Of all of them, which are `valid` or not together: an error over chains is one only where they are what they are taken
    /// for.
    pub(super) fn of(found: &LogZ, telescoped: Option<TelescopedFigures>, valid: bool) -> Self {
        let annealed = |estimate: Estimate, variance| AnnealedFigures {
            value: estimate.value,
            log_z: (valid && counts(&estimate, found.chains)).then(|| estimate.into()),
            effective_chains: estimate.support,
            log_weight_variance: variance,
        };
        EstimatesFigures {
            from_base: annealed(found.there, found.variances[0]),
            from_model: annealed(found.back, found.variances[1]),
            bennett: BennettFigures {
                value: found.bennett.value,
                log_z: valid.then(|| found.bennett.into()),
                overlap: found.bennett.support,
            },
            telescoped: telescoped.map(|telescoped| match valid {
                true => telescoped,
                false => TelescopedFigures {
                    log_z: None,
                    upward: None,
                    downward: None,
                    ..telescoped
                },
            }),
        }
    }
}

/// What is wrong, and what would help, a sentence each.
pub(super) fn sentences(found: &LogZ) -> Vec<String> {
    let more = format!(
        "ask for longer sweeps with --evaluations {}",
        found.wanted_evaluations
    );
    let sentence = |problem: &Problem| match problem {
        Problem::FewChainsCount {
            stage,
            effective,
            of,
        } => {
            let way = match stage {
                SweepStage::Back => "from the model",
                SweepStage::There | SweepStage::Pilot | SweepStage::Equilibration => {
                    "from the base"
                }
            };
            format!(
                "only {effective:.1} of {of} annealed chains {way} count, and with less than a tenth log Z cannot be checked: {more}"
            )
        }
        Problem::NoOverlap { overlap } => format!(
            "the works there and back overlap by {overlap:.1e}, of which 0.03 is the least: {more}"
        ),
        Problem::Disagree {
            names: [a, b],
            values: [x, y],
            apart,
        } => format!(
            "{a} gives {x:.2} and {b} {y:.2}, {apart:.1} standard errors apart: the chains from data are no samples of the \
             model, or the temperatures are too few; {more}, or train with an exact sampler until chains agree"
        ),
        Problem::Drift { middle, end, apart } => format!(
            "chains from data still move away from it under the model (mean of f from {middle:.1} to {end:.1} in the second \
             half of {} transitions, {apart:.1} standard errors): the model is not the data's density, and {more} to let them \
             arrive",
            found.equilibration
        ),
        Problem::Frozen => format!(
            "no chain from data moved in the second half of {} transitions under the model: steps are refused throughout, and \
             the energies are too rough there for log Z to be had; evaluate an earlier checkpoint, or train again with a lower \
             optimiser.rate",
            found.equilibration
        ),
    };
    found.problems.iter().map(sentence).collect()
}

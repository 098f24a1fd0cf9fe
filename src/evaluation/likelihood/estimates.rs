//! From the works of annealed chains to ln Z, with intervals.
//!
//! The work of a chain that was moved from β = 0 to 1 is ln w = −Σ (β′ − β) f(x), with x before each transition; that of one
//! moved from 1 to 0 is minus the same sum. Chains are independent of one another, so that whatever the autocorrelation
//! within them, an error that is taken over chains is honest.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The share of repetitions in which an interval holds the truth.
pub(super) const CONFIDENCE: f64 = 0.95;

/// An estimate of ln Z with its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub standard_error: f64,
    /// Half the width of the interval of 95 %, by Student's t for the number of chains.
    pub half_width: f64,
    /// How well the chains support it. Of annealed importance sampling the effective number of chains, (Σw)² / Σw²; of
    /// Bennett's ratio the overlap of both directions, from 0 (none) to 1 (the same law).
    pub support: f64,
}

impl Estimate {
    pub(super) fn new(value: f64, standard_error: f64, support: f64, freedom: f64) -> Self {
        // At least one degree of freedom, which is a valid distribution.
        let quantile = StudentsT::new(0.0, 1.0, freedom.max(1.0))
            .map_or(f64::INFINITY, |t| t.inverse_cdf(0.5 + CONFIDENCE / 2.0));
        Estimate {
            value,
            standard_error,
            half_width: quantile * standard_error,
            support,
        }
    }

    /// The mean of independent values. One alone has no spread to tell an error by.
    pub(super) fn of_mean(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let error = match values.len() {
            0 | 1 => f64::INFINITY,
            _ => (variance(values) / count).sqrt(),
        };
        Estimate::new(mean(values), error, count, count - 1.0)
    }

    /// The interval of 95 %.
    pub fn interval(&self) -> [f64; 2] {
        [self.value - self.half_width, self.value + self.half_width]
    }

    /// The same with `more` added to the value.
    pub(super) fn shifted(self, more: f64) -> Self {
        Estimate {
            value: self.value + more,
            ..self
        }
    }

    /// An estimate of −ln Z as one of ln Z.
    fn negated(self) -> Self {
        Estimate {
            value: -self.value,
            ..self
        }
    }
}

/// ln of the mean of exp(`logs`).
pub(super) fn log_mean_exp(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    most + (sum / logs.len() as f64).ln()
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Of at least two values.
pub(super) fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2));
    squares.sum::<f64>() / (values.len() as f64 - 1.0)
}

/// ln Z / Z₀ from works from the base to the model (Neal 2001): ln of the mean weight, its bias and its error by the
/// jackknife over chains (Miller 1974).
pub fn annealed(works: &[f64]) -> Estimate {
    let count = works.len() as f64;
    let whole = log_mean_exp(works);
    let weights: Vec<f64> = works.iter().map(|work| (work - whole).exp()).collect();
    let (sum, squares) = weights
        .iter()
        .fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    // Without one chain; a chain that holds all the weight leaves nothing.
    let without: Vec<f64> = weights
        .iter()
        .map(|weight| whole + ((sum - weight).max(f64::MIN_POSITIVE) / (count - 1.0)).ln())
        .collect();
    let spread = variance(&without) * (count - 1.0).powi(2) / count;
    let value = count * whole - (count - 1.0) * mean(&without);
    Estimate::new(value, spread.sqrt(), sum * sum / squares, count - 1.0)
}

/// ln Z / Z₀ from works from the model to the base.
pub fn annealed_back(works: &[f64]) -> Estimate {
    annealed(works).negated()
}

pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln Z / Z₀ from works both ways by Bennett's acceptance ratio (Bennett 1976) for works of finite speed (Crooks 2000;
/// Shirts, Bair, Hooker & Pande 2003): the r at which Σ σ(w − r + M) over the way there is Σ σ(r − w − M) over the way back,
/// M = ln(chains back / chains there), which is the likeliest r given all works. Its error is that of the root of an
/// estimating equation over independent chains, and needs no model of the works.
pub fn bennett(there: &[f64], back: &[f64]) -> Estimate {
    let (n, m) = (there.len() as f64, back.len() as f64);
    let shift = (m / n).ln();
    // As a work from base to model.
    let back: Vec<f64> = back.iter().map(|work| -work).collect();
    let at = |r: f64| -> (Vec<f64>, Vec<f64>) {
        let there = there.iter().map(|work| logistic(work - r + shift));
        let back = back.iter().map(|work| logistic(r - work - shift));
        (there.collect(), back.collect())
    };
    let excess = |r: f64| {
        let (there, back) = at(r);
        there.iter().sum::<f64>() - back.iter().sum::<f64>()
    };
    let all = || there.iter().chain(&back).copied();
    // The excess falls in r: below all works it is positive, and above all of them negative.
    let mut low = all().fold(f64::INFINITY, f64::min) + shift - 40.0;
    let mut high = all().fold(f64::NEG_INFINITY, f64::max) + shift + 40.0;
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        match excess(middle) > 0.0 {
            true => low = middle,
            false => high = middle,
        }
    }
    let value = 0.5 * (low + high);
    let (there, back) = at(value);
    let slope: f64 = there.iter().chain(&back).map(|p| p * (1.0 - p)).sum();
    let spread = n * variance(&there) + m * variance(&back);
    // With equal numbers of chains the mean of either is ½ where both have the same law.
    let overlap = mean(&there) * (1.0 + n / m);
    Estimate::new(
        value,
        spread.sqrt() / slope.max(f64::MIN_POSITIVE),
        overlap,
        n.min(m) - 1.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Philox, Stream};

    /// Works of normal law: N(r − s²/2, s²) on the way there, and on the way back N(−r − s²/2, s²), as Crooks' theorem
    /// has it.
    fn works(r: f64, s: f64, count: usize, seed: u64) -> [Vec<f64>; 2] {
        let mut random = Philox::new(seed, Stream::Sampling, 0);
        [r, -r].map(|r| {
            let draw = |_| r - s * s / 2.0 + s * f64::from(random.normal());
            (0..count).map(draw).collect()
        })
    }

    #[test]
    fn equal_works_give_the_difference_itself() {
        let works = [3.5; 8];
        let back = [-3.5; 8];
        for estimate in [
            annealed(&works),
            annealed_back(&back),
            bennett(&works, &back),
        ] {
            assert!((estimate.value - 3.5).abs() < 1e-12, "{estimate:?}");
            assert!(estimate.standard_error < 1e-12, "{estimate:?}");
        }
        assert_eq!(annealed(&works).support, 8.0);
        assert!((bennett(&works, &back).support - 1.0).abs() < 1e-12);
    }

    #[test]
    fn unequal_numbers_of_chains_change_nothing_of_what_is_estimated() {
        let [there, back] = works(2.0, 1.0, 40_000, 5);
        let estimate = bennett(&there[..10_000], &back);
        let error = (estimate.value - 2.0).abs();
        assert!(error < 4.0 * estimate.standard_error, "{estimate:?}");
        assert!(estimate.standard_error < 0.01, "{estimate:?}");
    }

    /// Of 400 intervals of 95 %, fewer than 365 or more than 393 hold the truth once in a thousand (binomial). The
    /// annealed ones may miss it more often, since weights are skewed: at s = 0.7 their law says 93 %.
    #[test]
    fn intervals_cover_works_whose_law_is_known() {
        let covered = |estimate: fn(&[Vec<f64>; 2]) -> Estimate, s: f64| {
            let holds = |seed| {
                let estimate = estimate(&works(-1.0, s, 64, seed));
                let [low, high] = estimate.interval();
                (low..=high).contains(&-1.0)
            };
            (0..400).filter(|seed| holds(*seed)).count()
        };
        for s in [0.7, 1.5] {
            let hits = covered(|[there, back]| bennett(there, back), s);
            assert!((365..=393).contains(&hits), "{hits} at {s}");
        }
        let hits = covered(|[there, _]| annealed(there), 0.7);
        assert!((355..=393).contains(&hits), "there: {hits}");
        let hits = covered(|[_, back]| annealed_back(back), 0.7);
        assert!((355..=393).contains(&hits), "back: {hits}");
    }

    /// ∫ 2pq/(p + q) for two normal laws s² apart in units of their deviation s, by a sum.
    #[test]
    fn overlap_is_that_of_both_laws() {
        let s: f64 = 1.5;
        let [there, back] = works(0.0, s, 20_000, 9);
        let found = bennett(&there, &back).support;
        let normal = |x: f64, mean: f64| {
            let scale = s * (2.0 * std::f64::consts::PI).sqrt();
            (-(x - mean).powi(2) / (2.0 * s * s)).exp() / scale
        };
        let wanted: f64 = (-2000..2000)
            .map(|place| f64::from(place) * 0.01)
            .map(|x| {
                let (p, q) = (normal(x, -s * s / 2.0), normal(x, s * s / 2.0));
                0.01 * 2.0 * p * q / (p + q)
            })
            .sum();
        // A mean of 20,000 numbers below 1.
        assert!(
            (found - wanted).abs() < 5.0 / 20_000f64.sqrt(),
            "{found}, not {wanted}"
        );
    }
}

//! How well an energy tells two data sets apart.

use super::error::QualityError;
use serde::Serialize;

/// An area under the receiver operating characteristic with its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Auroc {
    /// From 0 to 1; 0.5 where the two sets cannot be told apart.
    pub value: f64,
    /// Its standard error; null where a set has one point only.
    pub standard_error: Option<f64>,
}

/// The probability that a point from `outside` has a higher energy than one from `inside`, where equal energies count
/// half: the area under the ROC curve of the rule "what has a high energy comes from outside". Its standard error is that
/// of E. DeLong, D. DeLong and D. Clarke-Pearson, *Comparing the areas under two or more correlated receiver operating
/// characteristic curves*, 1988. Energies may be infinite.
///
/// # Errors
/// When a set is empty, or an energy is NaN.
pub fn auroc(inside: &[f64], outside: &[f64]) -> Result<Auroc, QualityError> {
    for (energies, which) in [(inside, "inside"), (outside, "outside")] {
        if energies.is_empty() {
            return Err(QualityError::OneClass { which });
        }
        if let Some(index) = energies.iter().position(|energy| energy.is_nan()) {
            return Err(QualityError::NotANumber { which, index });
        }
    }
    // Of each point outside, the share of points inside that it exceeds; and of each inside, by which it is exceeded.
    let exceeding = shares_below(outside, inside);
    let exceeded: Vec<f64> = shares_below(inside, outside)
        .iter()
        .map(|share| 1.0 - share)
        .collect();
    let value = exceeding.iter().sum::<f64>() / exceeding.len() as f64;
    let variance_of_mean = |shares: &[f64]| {
        let count = shares.len() as f64;
        let squares: f64 = shares.iter().map(|share| (share - value).powi(2)).sum();
        squares / (count - 1.0) / count
    };
    let has_spread = inside.len() > 1 && outside.len() > 1;
    let variance = || variance_of_mean(&exceeding) + variance_of_mean(&exceeded);
    Ok(Auroc {
        value,
        standard_error: has_spread.then(|| variance().sqrt()),
    })
}

/// Of each of `values` the share of `others` below it, equal ones counted half.
fn shares_below(values: &[f64], others: &[f64]) -> Vec<f64> {
    let mut sorted = others.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let share = |value: &f64| {
        // By comparison and not by order, so that −0 equals 0.
        let below = sorted.partition_point(|other| other < value);
        let not_above = sorted.partition_point(|other| other <= value);
        (below + not_above) as f64 / (2 * sorted.len()) as f64
    };
    values.iter().map(share).collect()
}

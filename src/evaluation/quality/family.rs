//! Whether several sets come from one distribution: a permutation test for each pair, at one level for all of them.

use super::error::QualityError;
use super::permutation::{PermutationTest, permutation_test};
use super::points::Points;
use serde::Serialize;

/// Two sets and what a test found of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairTest {
    /// What the one set is of.
    pub left: &'static str,
    /// What the other is of.
    pub right: &'static str,
    /// The test of this pair alone.
    #[serde(flatten)]
    pub test: PermutationTest,
    /// Its p-value among those of all pairs, by Holm's procedure.
    pub adjusted_p_value: f64,
    /// Whether that is at most the level: the two are not of one distribution.
    pub told_apart: bool,
}

/// A set that is compared with others.
#[derive(Clone, Copy, Debug)]
pub struct NamedSet<'a> {
    /// What it is of.
    pub name: &'static str,
    pub points: &'a Points,
    /// Energies of the points; compared where both sets of a pair have them.
    pub energies: Option<&'a [f64]>,
}

/// Tests each pair of `sets` by [`permutation_test`]. Where all are of one distribution, any pair is told apart with a
/// probability of at most `level`, whatever the dependence between the tests (S. Holm, *A simple sequentially rejective
/// multiple test procedure*, 1979).
///
/// # Errors
/// Those of [`permutation_test`].
pub fn pairwise_tests(
    sets: &[NamedSet<'_>],
    permutations: usize,
    level: f64,
    seed: u64,
) -> Result<Vec<PairTest>, QualityError> {
    let mut pairs = Vec::new();
    for (index, left) in sets.iter().enumerate() {
        for right in &sets[index + 1..] {
            let energies = left.energies.zip(right.energies).map(<[_; 2]>::from);
            let (a, b) = (left.points, right.points);
            let test = permutation_test(a, b, energies, permutations, seed)?;
            pairs.push((left.name, right.name, test));
        }
    }
    let adjusted = holm(&pairs.iter().map(|pair| pair.2.p_value).collect::<Vec<_>>());
    let found = pairs.into_iter().zip(adjusted);
    Ok(found
        .map(|((left, right, test), adjusted_p_value)| PairTest {
            left,
            right,
            test,
            adjusted_p_value,
            told_apart: adjusted_p_value <= level,
        })
        .collect())
}

/// The p-values adjusted for their number: the k-th smallest of n, counted from 0, times n − k, and never below one before
/// it.
fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        least = least.max((p_values.len() - rank) as f64 * p_values[index]);
        adjusted[index] = least.min(1.0);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As R's `p.adjust(c(0.01, 0.02, 0.03, 0.5), "holm")` and permutations of it.
    #[test]
    fn adjusted_values_are_those_of_holms_procedure() {
        let near = |found: Vec<f64>, wanted: &[f64]| {
            assert_eq!(found.len(), wanted.len());
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-12, "{found}, not {wanted}");
            }
        };
        near(holm(&[0.01, 0.02, 0.03, 0.5]), &[0.04, 0.06, 0.06, 0.5]);
        near(holm(&[0.5, 0.03, 0.01, 0.02]), &[0.5, 0.06, 0.04, 0.06]);
        near(holm(&[0.9, 0.8]), &[1.0, 1.0]);
        near(holm(&[]), &[]);
    }
}

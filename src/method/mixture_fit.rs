//! A mixture of Gaussians, fitted to data.

use crate::kernels::{GaussianMixture, MixtureComponent, MixtureSize};
use nalgebra::{Cholesky, DMatrix, DVector, Dyn, SymmetricEigen};

/// Rounds of the fit. Of digits the likelihood has settled after some ten.
const ROUNDS: usize = 25;

/// Every component's covariance is that of so many samples of the pooled one, too: of few samples alone it would be of a
/// few directions.
const POOLED_SAMPLES: f64 = 60.0;

/// The least variance in any direction, as a share of the mean variance of the data: values that never change (the corners
/// of pictures) have none.
const LEAST_VARIANCE: f64 = 1e-3;

/// Sweeps of the eigenvalue iteration, for each value. It takes about two.
const MOST_SWEEPS: usize = 60;

/// Fits `components` Gaussians to the samples `data` of `length` values with noise of the standard deviation `noise` by
/// expectation maximisation (Dempster, Laird & Rubin 1977), whose means begin at evenly spaced ones. The noise is taken into account, not
/// drawn, and is not part of what is given. None where there are fewer samples than two a component, or they do not vary
/// or are not finite.
pub(crate) fn fit_mixture(
    data: &[f32],
    length: usize,
    noise: f32,
    components: usize,
) -> Option<GaussianMixture> {
    let count = data.len() / length;
    if count < 2 * components || data.iter().any(|value| !value.is_finite()) {
        return None;
    }
    // A column a sample.
    let data = DMatrix::from_iterator(length, count, data.iter().map(|&value| f64::from(value)));
    let mean = data.column_mean();
    let mut centred = data.clone();
    for mut column in centred.column_iter_mut() {
        column -= &mean;
    }
    let pooled = &centred * centred.transpose() / count as f64;
    let variance = pooled.trace() / length as f64;
    // What rounding leaves of samples that are all alike.
    if variance <= 1e-12 * data.norm_squared() / data.len() as f64 {
        return None;
    }
    let added = f64::from(noise).powi(2).max(LEAST_VARIANCE * variance);
    let ridge = DMatrix::identity(length, length) * added;

    let mut means: Vec<DVector<f64>> = (0..components)
        .map(|k| data.column(k * count / components).into_owned())
        .collect();
    let mut weights = vec![1.0 / components as f64; components];
    // Components begin alike, narrower than the data.
    let mut spreads = vec![pooled * 0.3; components];
    for _ in 0..ROUNDS {
        let shares = responsibilities(&data, &weights, &means, &spreads, &ridge)?;
        let counts: Vec<f64> = shares.column_iter().map(|column| column.sum()).collect();
        let mut scatters = Vec::with_capacity(components);
        for (k, of_component) in counts.iter().enumerate() {
            let share = shares.column(k);
            // A component that no sample is of stays where it is.
            if *of_component > 1e-6 {
                means[k] = &data * share / *of_component;
            }
            let mut weighed = data.clone();
            for (mut column, share) in weighed.column_iter_mut().zip(share.iter()) {
                column -= &means[k];
                column *= share.sqrt();
            }
            scatters.push(&weighed * weighed.transpose());
        }
        let within = scatters.iter().sum::<DMatrix<f64>>() / count as f64;
        for (k, scatter) in scatters.into_iter().enumerate() {
            spreads[k] = (scatter + &within * POOLED_SAMPLES) / (counts[k] + POOLED_SAMPLES);
            weights[k] = counts[k].max(1e-6) / count as f64;
        }
    }

    let rank = MixtureSize { components, length }.rank();
    // What was added beyond the noise, and never nothing, so that what is stored has a variance of its own.
    let least = (added - f64::from(noise).powi(2)).max(1e-6 * variance);
    let found: Option<Vec<MixtureComponent>> = weights
        .into_iter()
        .zip(means)
        .zip(spreads)
        .map(|((weight, mean), spread)| component(weight, mean, spread, rank, least))
        .collect();
    GaussianMixture::new(length, &found?)
}

/// How likely each sample is of each component: (sample, component).
fn responsibilities(
    data: &DMatrix<f64>,
    weights: &[f64],
    means: &[DVector<f64>],
    spreads: &[DMatrix<f64>],
    ridge: &DMatrix<f64>,
) -> Option<DMatrix<f64>> {
    let mut logs = DMatrix::zeros(data.ncols(), weights.len());
    for (k, mut column) in logs.column_iter_mut().enumerate() {
        let factor: Cholesky<f64, Dyn> = Cholesky::new(&spreads[k] + ridge)?;
        let log_root: f64 = factor.l_dirty().diagonal().iter().map(|v| v.ln()).sum();
        let mut white = data.clone();
        for mut sample in white.column_iter_mut() {
            sample -= &means[k];
        }
        factor.l_dirty().solve_lower_triangular_mut(&mut white);
        for (log, sample) in column.iter_mut().zip(white.column_iter()) {
            *log = weights[k].ln() - log_root - 0.5 * sample.norm_squared();
        }
    }
    for mut row in logs.row_iter_mut() {
        let highest = row.max();
        row.apply(|log| *log = (*log - highest).exp());
        let total = row.sum();
        row /= total;
    }
    Some(logs)
}

/// The component with the covariance `spread`, of which all but the `rank` widest directions become one variance.
fn component(
    weight: f64,
    mean: DVector<f64>,
    spread: DMatrix<f64>,
    rank: usize,
    least: f64,
) -> Option<MixtureComponent> {
    let length = mean.len();
    let found = SymmetricEigen::try_new(spread, f64::EPSILON, MOST_SWEEPS * length)?;
    let mut order: Vec<usize> = (0..length).collect();
    order.sort_by(|&a, &b| found.eigenvalues[b].total_cmp(&found.eigenvalues[a]));
    let (wide, narrow) = order.split_at(rank.min(length));
    let others: f64 = narrow.iter().map(|&j| found.eigenvalues[j]).sum();
    let residual = (others / narrow.len().max(1) as f64).max(least);
    let directions = wide.iter().map(|&j| {
        let more = (found.eigenvalues[j] - residual).max(0.0);
        let direction = found.eigenvectors.column(j);
        (more, direction.iter().copied().collect())
    });
    Some(MixtureComponent {
        weight,
        residual,
        directions: directions.collect(),
        mean: mean.iter().copied().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Philox, Stream};

    /// Half of the samples around (2, 0, …) with a standard deviation of 0.5 along the diagonal of the first two values,
    /// half around the opposite with 0.2 everywhere; 0.1 in all other directions of the first.
    fn samples(count: usize) -> Vec<f32> {
        let mut random = Philox::new(7, Stream::Langevin, 0);
        let mut normal = || random.normal();
        (0..count)
            .flat_map(|index| {
                let (along, [a, b, c]) = (0.5 * normal(), [normal(), normal(), normal()]);
                let root = 0.5f32.sqrt();
                match index % 2 {
                    0 => [
                        2.0 + root * along + 0.1 * a,
                        root * along + 0.1 * b,
                        0.1 * c,
                    ],
                    _ => [-2.0 + 0.2 * a, 0.2 * b, 0.2 * c],
                }
            })
            .collect()
    }

    #[test]
    fn a_fit_finds_what_the_data_were_drawn_from() {
        let mixture = fit_mixture(&samples(20_000), 3, 0.0, 2).expect("varies");
        let words = mixture.parts().0;
        let of = |k: usize| &words[k * words.len() / 2..(k + 1) * words.len() / 2];
        let (wide, round) = match of(0)[7] > 0.0 {
            true => (of(0), of(1)),
            false => (of(1), of(0)),
        };
        // Cumulative and log weight, residual, four extras, three means. 10,000 samples know a variance to some 1.4 %.
        assert!((wide[1].exp() - 0.5).abs() < 0.02, "{wide:?}");
        for (value, wanted) in [
            (wide[7], 2.0),
            (wide[8], 0.0),
            (round[7], -2.0),
            (round[9], 0.0),
        ] {
            assert!((value - wanted).abs() < 0.03, "{words:?}");
        }
        // 0.5² + 0.1² along, and 0.2² of the round one, but for the pooled samples: 60 of 10,060.
        let along = wide[2] + wide[3];
        assert!((along - 0.26).abs() < 0.012, "{along}");
        assert!((round[2] + round[3] - 0.04).abs() < 0.004, "{round:?}");
    }

    #[test]
    fn data_without_enough_samples_or_spread_have_no_fit() {
        assert!(fit_mixture(&samples(39), 3, 0.1, 20).is_none());
        assert!(fit_mixture(&samples(40), 3, 0.1, 20).is_some());
        assert!(fit_mixture(&[1.0; 300], 3, 0.1, 2).is_none());
        let mut broken = samples(40);
        broken[5] = f32::NAN;
        assert!(fit_mixture(&broken, 3, 0.1, 2).is_none());
    }

    #[test]
    fn what_never_changes_has_a_variance_all_the_same() {
        let mut data = samples(200);
        data.chunks_mut(3).for_each(|sample| sample[2] = 0.5);
        for noise in [0.0, 0.1] {
            assert!(fit_mixture(&data, 3, noise, 4).is_some(), "{noise}");
        }
    }
}

//! Whether chains have reached one common law: split R-hat, effective sample size and autocorrelation, in f64 on the host.
//!
//! Source: A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Bürkner, *Rank-normalization, folding, and localization:
//! an improved R̂ for assessing convergence of MCMC*, Bayesian Analysis 16 (2021). Draws are given chain by chain, all
//! chains equally long.

use crate::kernels::TRACE_VALUES;
use serde::{Deserialize, Serialize};

/// Draws that a half chain needs, so that it has a variance.
const FEWEST_DRAWS: usize = 2;

/// The rank-normalised split R-hat: the larger of that of the draws, which sees differences in location, and that of the
/// folded draws |x − median|, which sees differences in scale. 1 where all half chains agree; none where chains have
/// fewer than 4 draws or do not vary.
pub(crate) fn split_r_hat(chains: &[Vec<f64>]) -> Option<f64> {
    let halves = split(chains)?;
    let mut sorted: Vec<f64> = halves.concat();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = (sorted[(sorted.len() - 1) / 2] + sorted[middle]) / 2.0;
    let folded: Vec<Vec<f64>> = halves
        .iter()
        .map(|half| half.iter().map(|x| (x - median).abs()).collect())
        .collect();
    let bulk = r_hat(&rank_normalised(&halves))?;
    Some(r_hat(&rank_normalised(&folded)).map_or(bulk, |tail| bulk.max(tail)))
}

/// The effective sample size of the mean of the rank-normalised draws of all chains together, with the
/// autocorrelation cut off by Geyer's initial monotone sequence (Geyer 1992). None as for `split_r_hat`.
pub(crate) fn bulk_ess(chains: &[Vec<f64>]) -> Option<f64> {
    let normalised = rank_normalised(&split(chains)?);
    let (count, length) = (normalised.len() as f64, normalised[0].len());
    let draws = count * length as f64;
    let correlation = correlations(&normalised)?;
    // Sums of neighbouring pairs, which are positive and fall for a reversible chain.
    let mut sum = 0.0;
    let mut lowest = f64::INFINITY;
    for pair in correlation.chunks_exact(2) {
        let pair = pair[0] + pair[1];
        if pair <= 0.0 {
            break;
        }
        lowest = lowest.min(pair);
        sum += lowest;
    }
    // Draws that alternate can be worth more than independent ones; the cap is that of the paper.
    Some((draws / (2.0 * sum - 1.0).max(1.0 / draws.log10())).min(draws * draws.log10()))
}

/// The autocorrelation of the draws at `lag`, over all chains, about the mean of all draws; none where it is not
/// shorter than the chains or they do not vary.
pub(crate) fn autocorrelation(chains: &[Vec<f64>], lag: usize) -> Option<f64> {
    correlations(chains)?.get(lag).copied()
}

/// Both halves of every chain; without the middle draw where their number is odd.
fn split(chains: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let half = chains.first()?.len() / 2;
    let ends = |chain: &Vec<f64>| [chain[..half].to_vec(), chain[chain.len() - half..].to_vec()];
    (half >= FEWEST_DRAWS).then(|| chains.iter().flat_map(ends).collect())
}

/// Variance within and between chains: W, and the estimate of the variance of all draws.
fn variances(chains: &[Vec<f64>]) -> Option<(f64, f64)> {
    let length = chains.first()?.len() as f64;
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let within = mean(
        &chains
            .iter()
            .map(|chain| variance(chain))
            .collect::<Vec<_>>(),
    );
    let between = if chains.len() > 1 {
        variance(&means)
    } else {
        0.0
    };
    (within > 0.0).then_some((within, within * (length - 1.0) / length + between))
}

fn r_hat(chains: &[Vec<f64>]) -> Option<f64> {
    let (within, total) = variances(chains)?;
    Some((total / within).sqrt())
}

/// The autocorrelation at every lag from 0, with the variance of all draws in the denominator, so that chains that
/// disagree count as correlated (Vehtari et al. 2021, equation 10).
fn correlations(chains: &[Vec<f64>]) -> Option<Vec<f64>> {
    let (within, total) = variances(chains)?;
    let length = chains[0].len();
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let at = |lag: usize| {
        let covariances = chains.iter().zip(&means).map(|(chain, mean)| {
            let pairs = chain.iter().zip(&chain[lag..]);
            let sum: f64 = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum();
            sum / (length - 1) as f64
        });
        let covariance = covariances.sum::<f64>() / chains.len() as f64;
        1.0 - (within - covariance) / total
    };
    Some((0..length).map(at).collect())
}

/// The normal scores of the draws' ranks among all draws, ties sharing their mean rank (Blom 1958).
fn rank_normalised(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let length = chains[0].len();
    let draws = chains.concat();
    let mut order: Vec<usize> = (0..draws.len()).collect();
    order.sort_by(|&a, &b| draws[a].total_cmp(&draws[b]));
    let mut scores = vec![0.0; draws.len()];
    let mut first = 0;
    while first < order.len() {
        let same = |&&index: &&usize| draws[index] == draws[order[first]];
        let ties = order[first..].iter().take_while(same).count();
        // Ranks count from 1.
        let rank = first as f64 + (ties as f64 + 1.0) / 2.0;
        let score = normal_quantile((rank - 0.375) / (draws.len() as f64 + 0.25));
        for &index in &order[first..first + ties] {
            scores[index] = score;
        }
        first += ties;
    }
    scores.chunks(length).map(<[f64]>::to_vec).collect()
}

/// Φ⁻¹, to a relative error of 1.2e-9 (P. J. Acklam's rational approximation, 2003).
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 5] = [
        7.784695709041462e-3,
        3.224671290700398e-1,
        2.445134137142996,
        3.754408661907416,
        1.0,
    ];
    let polynomial = |c: &[f64], x: f64| c.iter().fold(0.0, |sum, c| sum * x + c);
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    if p < 0.02425 {
        let q = (-2.0 * p.ln()).sqrt();
        return polynomial(&C, q) / polynomial(&D, q);
    }
    let q = p - 0.5;
    q * polynomial(&A, q * q) / polynomial(&B, q * q)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    squares / (values.len() as f64 - 1.0)
}

/// What the chains say of one quantity. A figure is absent where chains do not vary or are shorter than 4 records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mixing {
    /// See `split_r_hat`.
    pub r_hat: Option<f64>,
    /// See `bulk_ess`; as many as all records of all chains where they are independent.
    pub ess: Option<f64>,
    /// Between neighbouring records; see `autocorrelation`.
    pub autocorrelation: Option<f64>,
}

impl Mixing {
    fn of(chains: &[Vec<f64>]) -> Self {
        Mixing {
            r_hat: split_r_hat(chains),
            ess: bulk_ess(chains),
            autocorrelation: autocorrelation(chains, 1),
        }
    }
}

/// One line of `diagnostics.jsonl`: the chains of one pass, from the records along it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// The optimiser step that the pass belongs to.
    pub step: u64,
    /// Steps of the chains in it.
    pub steps: usize,
    /// Chains looked at.
    pub chains: usize,
    /// Records of each of them.
    pub records: usize,
    /// Chains left out because they ran away to values that are not finite.
    pub lost: usize,
    /// Mean Metropolis acceptance; 1 for kinds without a test.
    pub acceptance: f32,
    pub step_size: f32,
    /// Mean squared distance between the ends of the pass, for each coordinate.
    pub moved: f64,
    pub energy: Mixing,
    /// Of the states, on three random directions.
    pub projections: [Mixing; 3],
}

impl Diagnostics {
    /// From a pass of `steps` steps and its trace of `records` records, (record, chain, value) as [`trace_chains`](crate::kernels::trace_chains)
    /// writes them.
    pub(crate) fn from_trace(
        step: u64,
        steps: usize,
        trace: &[f32],
        records: usize,
        acceptance: f32,
        step_size: f32,
    ) -> Self {
        let chains = trace.len() / (records * TRACE_VALUES).max(1);
        let value = |chain: usize, record: usize, value: usize| {
            f64::from(trace[(record * chains + chain) * TRACE_VALUES + value])
        };
        let is_whole = |&chain: &usize| {
            let mut values = (0..records * TRACE_VALUES)
                .map(|i| value(chain, i / TRACE_VALUES, i % TRACE_VALUES));
            values.all(f64::is_finite)
        };
        let whole: Vec<usize> = (0..chains).filter(is_whole).collect();
        let series = |place: usize| -> Vec<Vec<f64>> {
            let of = |&chain: &usize| {
                (0..records)
                    .map(|record| value(chain, record, place))
                    .collect()
            };
            whole.iter().map(of).collect()
        };
        let moved: f64 = whole
            .iter()
            .map(|&chain| value(chain, records - 1, TRACE_VALUES - 1))
            .sum();
        Diagnostics {
            step,
            steps,
            chains: whole.len(),
            records,
            lost: chains - whole.len(),
            acceptance,
            step_size,
            moved: moved / whole.len().max(1) as f64,
            energy: Mixing::of(&series(0)),
            projections: [1, 2, 3].map(|place| Mixing::of(&series(place))),
        }
    }

    /// The largest R-hat and what of; none where the chains did not move.
    pub fn worst(&self) -> Option<(&'static str, f64)> {
        let projections = self.projections.iter().map(|p| ("a projection", p.r_hat));
        std::iter::once(("the energy", self.energy.r_hat))
            .chain(projections)
            .map(|(what, r_hat)| r_hat.map(|r_hat| (what, r_hat)))
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Philox, Stream};

    /// Stationary AR(1) chains x′ = ρx + √(1 − ρ²) ξ.
    fn chains(rho: f64, count: usize, length: usize) -> Vec<Vec<f64>> {
        let chain = |tag| {
            let mut normal = Philox::new(5, Stream::Data, tag);
            let mut x = f64::from(normal.normal());
            let step = |_| {
                let now = x;
                x = rho * x + (1.0 - rho * rho).sqrt() * f64::from(normal.normal());
                now
            };
            (0..length).map(step).collect()
        };
        (0..count as u32).map(chain).collect()
    }

    #[test]
    fn quantiles_are_those_of_the_normal_law() {
        // Tables: Φ(1.959963985) = 0.975, Φ(−3.090232306) = 0.001.
        for (p, z) in [
            (0.975, 1.959963985),
            (0.001, -3.090232306),
            (0.5, 0.0),
            (0.3, -0.524400513),
        ] {
            assert!((normal_quantile(p) - z).abs() < 2e-8, "{p}");
        }
    }

    #[test]
    fn ranks_are_shared_by_ties() {
        let scores = rank_normalised(&[vec![2.0, 1.0], vec![1.0, 5.0]]);
        let want = [3.0, 1.5, 1.5, 4.0].map(|rank: f64| normal_quantile((rank - 0.375) / 4.25));
        assert_eq!(scores.concat(), want);
    }

    /// The effective size of the mean is n (1 − ρ) / (1 + ρ), and the autocorrelation at lag t is ρᵗ.
    #[test]
    fn autoregressive_chains_have_the_size_and_correlation_of_theory() {
        let (count, length) = (8, 4000);
        for rho in [0.0f64, 0.5, 0.9, -0.3] {
            let chains = chains(rho, count, length);
            let theory = (count * length) as f64 * (1.0 - rho) / (1.0 + rho);
            let ess = bulk_ess(&chains).unwrap();
            // The estimate of the autocorrelation time over T effective draws errs by some √(10/T) of itself.
            assert!(
                (ess / theory - 1.0).abs() < 0.15,
                "ρ = {rho}: {ess}, theory {theory}"
            );
            for lag in 1..4 {
                let got = autocorrelation(&chains, lag).unwrap();
                // Bartlett's standard error is below 1/√n · √((1 + ρ²)/(1 − ρ²)).
                let error =
                    ((1.0 + rho * rho) / (1.0 - rho * rho) / (count * length) as f64).sqrt();
                assert!(
                    (got - rho.powi(lag as i32)).abs() < 5.0 * error + 1e-3,
                    "ρ = {rho}, lag {lag}"
                );
            }
            assert!(split_r_hat(&chains).unwrap() < 1.01);
        }
    }

    #[test]
    fn chains_apart_in_place_or_in_scale_or_drifting_are_seen() {
        let alike = chains(0.0, 4, 500);
        assert!(split_r_hat(&alike).unwrap() < 1.01);
        let change = |change: &dyn Fn(usize, usize, f64) -> f64| -> Vec<Vec<f64>> {
            let chain = |(c, chain): (usize, &Vec<f64>)| {
                chain
                    .iter()
                    .enumerate()
                    .map(|(t, x)| change(c, t, *x))
                    .collect()
            };
            alike.iter().enumerate().map(chain).collect()
        };
        let shifted = change(&|c, _, x| x + 3.0 * (c == 0) as u8 as f64);
        let scaled = change(&|c, _, x| x * (1.0 + 4.0 * (c == 0) as u8 as f64));
        let drifting = change(&|_, t, x| x + t as f64 / 100.0);
        for (what, chains) in [
            ("shifted", shifted),
            ("scaled", scaled),
            ("drifting", drifting),
        ] {
            let r_hat = split_r_hat(&chains).unwrap();
            assert!(r_hat > 1.1, "{what}: {r_hat}");
        }
    }

    /// Half chains at a and b, all spread alike: (W (n − 1)/n + B/n) / W by hand on four draws.
    #[test]
    fn r_hat_is_its_formula() {
        let chains = [vec![0.0, 1.0, 0.0, 1.0], vec![2.0, 3.0, 2.0, 3.0]];
        // Within ½ · … = 1/3; means ½ and 5/2 have variance 2; 1/3 · 3/4 + 2 = 2.25.
        assert!((r_hat(&chains).unwrap() - 6.75f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_told_is_absent() {
        assert_eq!(split_r_hat(&[vec![1.0, 2.0, 3.0]]), None);
        assert_eq!(split_r_hat(&[]), None);
        let still = vec![vec![1.0; 10], vec![2.0; 10]];
        assert_eq!((split_r_hat(&still), bulk_ess(&still)), (None, None));
        assert_eq!(autocorrelation(&chains(0.0, 2, 5), 5), None);
    }

    #[test]
    fn a_trace_is_read_chain_by_chain_and_lost_chains_are_left_out() {
        let (records, count) = (6, 3);
        let mut trace = vec![0.0; records * count * TRACE_VALUES];
        for record in 0..records {
            for chain in 0..count {
                for place in 0..TRACE_VALUES {
                    trace[(record * count + chain) * TRACE_VALUES + place] =
                        ((record * 7 + chain * 3 + place * 5) % 11) as f32;
                }
            }
        }
        let series = |place: usize| -> Vec<Vec<f64>> {
            let value =
                |chain: usize, record: usize| ((record * 7 + chain * 3 + place * 5) % 11) as f64;
            [0, 2]
                .map(|chain| (0..records).map(|record| value(chain, record)).collect())
                .to_vec()
        };
        trace[(count + 1) * TRACE_VALUES] = f32::NAN;
        let row = Diagnostics::from_trace(9, 40, &trace, records, 0.5, 0.1);
        assert_eq!((row.chains, row.lost, row.records), (2, 1, 6));
        assert_eq!(row.energy.r_hat, split_r_hat(&series(0)));
        assert_eq!(row.projections[2].ess, bulk_ess(&series(3)));
        assert_eq!(row.moved, (series(4)[0][5] + series(4)[1][5]) / 2.0);
        let largest = [0, 1, 2, 3]
            .map(|place| split_r_hat(&series(place)).unwrap())
            .into_iter()
            .fold(0.0, f64::max);
        assert_eq!(row.worst().unwrap().1, largest);
    }
}

//! Split R-hat, effective sample size and autocorrelation, in f64 on the host.
//!
//! Source: A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Bürkner, *Rank-normalization, folding, and localization:
//! an improved R̂ for assessing convergence of MCMC*, Bayesian Analysis 16 (2021). Draws are given chain by chain, all
//! chains equally long.

/// Draws that a half chain needs, so that it has a variance.
const FEWEST_DRAWS: usize = 2;
/// And so that there is a pair of lags to end the sum of its autocorrelation at.
const FEWEST_DRAWS_OF_ESS: usize = 5;

/// The rank-normalised split R-hat: the larger of that of the draws, which sees differences in location, and that of the
/// folded draws |x − median|, which sees differences in scale. 1 where all half chains agree; none where chains have
/// fewer than 4 draws, or where no half chain has two draws that differ.
pub(super) fn split_r_hat(chains: &[Vec<f64>]) -> Option<f64> {
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

/// The effective sample size of the mean of the rank-normalised draws of all chains together. None where chains have fewer
/// than 10 draws, whose autocorrelation cannot be summed, or as for `split_r_hat`.
pub(super) fn bulk_ess(chains: &[Vec<f64>]) -> Option<f64> {
    let halves = split(chains).filter(|halves| halves[0].len() >= FEWEST_DRAWS_OF_ESS)?;
    let normalised = rank_normalised(&halves);
    let (length, (within, total)) = (normalised[0].len(), variances(&normalised)?);
    let draws = (normalised.len() * length) as f64;
    let correlation = |lag: usize| match lag {
        0 => 1.0,
        _ => 1.0 - (within - mean_products(&normalised, lag) / length as f64) / total,
    };
    // Draws that alternate can be worth more than independent ones, but no more than that.
    let time = autocorrelation_time(correlation, length).max(1.0 / draws.log10());
    Some(draws / time)
}

/// How many draws are worth an independent one, by the autocorrelation at the lags of chains of `length` draws: 1 + 2 Σ ρ,
/// cut off by Geyer's initial monotone sequence (Geyer 1992).
fn autocorrelation_time(correlation: impl Fn(usize) -> f64, length: usize) -> f64 {
    let even = |pair: usize| correlation(2 * pair);
    let pair = |pair: usize| even(pair) + correlation(2 * pair + 1);
    // The covariance at the longest lag would be of a single product.
    let last = (length - 3) / 2;
    // Sums of neighbouring pairs are positive and fall for a reversible chain.
    let (mut sum, mut lowest, mut ended) = (0.0, f64::INFINITY, 0);
    while ended < last && pair(ended) > 0.0 {
        lowest = pair(ended).min(lowest);
        sum += lowest;
        ended += 1;
    }
    // Of the pair where the sum ends, the even lag is not yet noise alone.
    let end = match pair(ended) >= 0.0 {
        true => even(ended),
        false => even(ended).max(0.0),
    };
    2.0 * sum + end - 1.0
}

/// The autocorrelation of the draws at `lag`, over all chains, with the variance of all draws in the denominator, so that
/// chains that disagree count as correlated (Vehtari et al. 2021, equation 10); none where `lag` is not shorter than the
/// chains or they do not vary.
pub(super) fn autocorrelation(chains: &[Vec<f64>], lag: usize) -> Option<f64> {
    let (within, total) = variances(chains)?;
    let length = chains[0].len();
    let covariance = || mean_products(chains, lag) / (length - 1) as f64;
    (lag < length).then(|| 1.0 - (within - covariance()) / total)
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

/// Products of draws `lag` apart about the mean of their chain, summed over the chain, in the mean of all chains.
fn mean_products(chains: &[Vec<f64>], lag: usize) -> f64 {
    let of = |chain: &Vec<f64>| -> f64 {
        let mean = mean(chain);
        let pairs = chain.iter().zip(&chain[lag..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    chains.iter().map(of).sum::<f64>() / chains.len() as f64
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

/// Exactly the value where all are the same, so that rounding is no variance.
fn mean(values: &[f64]) -> f64 {
    let Some(first) = values.first() else {
        return f64::NAN;
    };
    first + values.iter().map(|x| x - first).sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    squares / (values.len() as f64 - 1.0)
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

    /// The draws of benches/mixing_figures.py, bit by bit.
    fn made(
        number: u64,
        (chains, length): (usize, usize),
        [rho, shift, grid]: [f64; 3],
    ) -> Vec<Vec<f64>> {
        let mut state = number;
        let mut noise = || {
            let mut uniform = || {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                (state >> 33) as f64 / f64::from(1u32 << 31)
            };
            (0..4).fold(-2.0, |sum, _| sum + uniform())
        };
        let mut chain = |chain: usize| {
            let mut x = noise();
            let mut step = || {
                let value = x + shift * chain as f64;
                x = rho * x + noise();
                match grid > 0.0 {
                    true => (value / grid).floor(),
                    false => value,
                }
            };
            (0..length).map(|_| step()).collect()
        };
        (0..chains).map(&mut chain).collect()
    }

    /// By ArviZ 0.23.4 (`rhat(method="rank")`, `ess(method="bulk")`), printed by benches/mixing_figures.py.
    #[test]
    fn figures_agree_with_arviz() {
        type Case = (usize, usize, f64, f64, f64, f64, f64);
        const NAN: f64 = f64::NAN;
        #[rustfmt::skip]
        const CASES: &[Case] = &[
            (4, 4, 0.0, 0.0, 0.0, 1.07700582, 19.2659197),
            (4, 9, 0.5, 0.0, 0.0, 1.24255666, 48.1647993),
            (128, 10, 0.9, 0.0, 0.0, 1.79680997, 412.686615),
            (128, 10, 0.8, 0.02, 0.0, 2.00847593, 391.684798),
            (128, 10, 0.0, 0.0, 0.0, 0.997841789, 1842.57729),
            (2, 11, -0.5, 0.0, 0.0, 0.945717316, 26.0205999),
            (1, 200, 0.9, 0.0, 0.0, NAN, 16.4305762),
            (8, 32, 0.99, 0.0, 0.0, 2.28053644, 13.1538984),
            (128, 32, 0.7, 0.0, 0.5, 1.16884962, 640.13023),
            (16, 33, -0.9, 0.0, 0.0, 1.12417596, 1387.14622),
            (3, 57, 0.3, 0.5, 0.25, 1.3442519, 8.36436629),
            (4, 200, 0.95, 0.1, 0.0, 1.1474482, 21.8946937),
            (4, 200, 0.0, 0.0, 1.0, 0.999856182, 781.345588),
        ];
        for (number, &(chains, length, rho, shift, grid, r_hat, ess)) in (0..).zip(CASES) {
            let case = (chains, length, rho, shift, grid);
            let draws = made(number, (chains, length), [rho, shift, grid]);
            let close = |got: f64, want: f64| (got / want - 1.0).abs() < 1e-6;
            // Of a single chain ArviZ gives no R-hat.
            let got = split_r_hat(&draws).expect("they vary");
            assert!(r_hat.is_nan() || close(got, r_hat), "{case:?}: R-hat {got}");
            // Of halves of four draws it gives n log₁₀ n, whatever they are.
            let got = bulk_ess(&draws);
            assert_eq!(got.is_some(), length >= 10, "{case:?}");
            assert!(got.is_none_or(|got| close(got, ess)), "{case:?}: {got:?}");
        }
    }
}

//! Bennett's acceptance ratio between samples of neighbouring laws, summed over all of them.

use super::estimates::{Estimate, logistic, mean, variance};

/// What a chain saw at one law: ln of its weight, to within a constant, under the law before and under the law after, at
/// each of its records.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) before: Vec<f64>,
    pub(super) after: Vec<f64>,
}

/// A pass of chains along all laws: (law, chain).
pub(super) type Pass = Vec<Vec<Seen>>;

/// ln Z of the last law over Z of the first, from passes of independent chains together: Bennett's acceptance ratio (Bennett
/// 1976; Shirts & Chodera 2008) for each pair of neighbours, of the records at either. `support` is the least overlap.
///
/// The error is taken over chains, by the jackknife of the whole sum within each pass (Efron & Stein 1981), a bridge without
/// a chain by one step of Newton's method from the bridge with it. So it has in it all correlation between the records of a
/// chain, at a law and along the laws. The degrees of freedom are those of one pass, which is the fewest that there may be.
///
/// What chains lag behind the laws is not in it: passes from both ends lag in opposite directions, and where that shows they are
/// refused. With half their difference in the error as well, intervals of 95 % held in 98 % (docs/evaluation.md).
pub(super) fn telescope(passes: &[&Pass]) -> Estimate {
    let laws = passes.first().map_or(0, |pass| pass.len());
    let mut without: Vec<Vec<f64>> = passes
        .iter()
        .map(|pass| vec![0.0; pass.first().map_or(0, Vec::len)])
        .collect();
    let (mut value, mut overlap) = (0.0, 1.0_f64);
    for law in 1..laws {
        let mut chains = Vec::new();
        for pass in passes {
            for (lower, upper) in pass[law - 1].iter().zip(&pass[law]) {
                chains.push((&lower.after[..], &upper.before[..]));
            }
        }
        let bridge = Bridge { chains };
        let root = bridge.root();
        value += root;
        overlap = overlap.min(bridge.overlap(root));
        let mut shifts = bridge.shifts(root).into_iter();
        for total in without.iter_mut().flatten() {
            *total += shifts.next().unwrap_or(0.0);
        }
    }
    // Each shift is by one chain of all passes, and each pass has a spread of its own.
    let all: f64 = without.iter().map(|shifts| shifts.len() as f64).sum();
    let spread = |shifts: &Vec<f64>| {
        let count = shifts.len() as f64;
        count * variance(shifts) * ((all - 1.0) / all).powi(2)
    };
    let sum: f64 = without.iter().map(spread).sum();
    let fewest = without.iter().map(Vec::len).min().unwrap_or(0);
    let freedom = fewest as f64 - 1.0;
    Estimate::new(value, sum.sqrt(), overlap, freedom)
}

/// Two neighbouring laws.
struct Bridge<'a> {
    /// Of each chain ln w to the upper law at its records of the lower one, and ln w to the lower law at those of the upper.
    chains: Vec<(&'a [f64], &'a [f64])>,
}

impl Bridge<'_> {
    /// Of a chain Σ σ(w − r) there less Σ σ(w + r) back, and what it falls by for each r. As many records there as back, so
    /// that Bennett's M is 0.
    fn excess((there, back): &(&[f64], &[f64]), r: f64) -> (f64, f64) {
        let there = there.iter().map(|w| (logistic(w - r), 1.0));
        let back = back.iter().map(|w| (logistic(w + r), -1.0));
        there
            .chain(back)
            .fold((0.0, 0.0), |(sum, slope), (p, sign)| {
                (sum + sign * p, slope + p * (1.0 - p))
            })
    }

    fn sums(&self, r: f64) -> (f64, f64) {
        let chains = self.chains.iter().map(|chain| Self::excess(chain, r));
        chains.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// The r at which the excess, which falls in r, is 0.
    fn root(&self) -> f64 {
        let all = || {
            let each = self.chains.iter();
            each.flat_map(|(there, back)| there.iter().copied().chain(back.iter().map(|w| -w)))
        };
        // Below all works it is positive, and above all of them negative.
        let mut low = all().fold(f64::INFINITY, f64::min) - 40.0;
        let mut high = all().fold(f64::NEG_INFINITY, f64::max) + 40.0;
        let mut r = 0.5 * (low + high);
        for _ in 0..200 {
            let (excess, slope) = self.sums(r);
            match excess > 0.0 {
                true => low = r,
                false => high = r,
            }
            let newton = r + excess / slope;
            // Newton's step where it stays between the bounds, else their middle.
            let next = match newton > low && newton < high {
                true => newton,
                false => 0.5 * (low + high),
            };
            if (next - r).abs() <= 1e-12 * (1.0 + r.abs()) {
                return next;
            }
            r = next;
        }
        r
    }

    /// What the root moves by without each of the chains.
    fn shifts(&self, root: f64) -> Vec<f64> {
        let each: Vec<(f64, f64)> = self.chains.iter().map(|c| Self::excess(c, root)).collect();
        let all: f64 = each.iter().map(|(_, slope)| slope).sum();
        let without = |(excess, slope): &(f64, f64)| -excess / (all - slope).max(f64::MIN_POSITIVE);
        each.iter().map(without).collect()
    }

    /// What both laws have in common, ∫ 2pq/(p + q), from 0 to 1 for the same law.
    fn overlap(&self, root: f64) -> f64 {
        let there = self.chains.iter().flat_map(|(there, _)| there.iter());
        let shares: Vec<f64> = there.map(|w| logistic(w - root)).collect();
        2.0 * mean(&shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Philox, Stream};

    /// A bridge between two normal laws of works: N(r − s²/2, s²) there and N(−r − s²/2, s²) back (Crooks 2000), of chains
    /// whose records repeat themselves `times` times.
    fn pass(r: f64, s: f64, chains: usize, times: usize, seed: u64) -> Pass {
        let mut random = Philox::new(seed, Stream::Sampling, 1);
        let mut draws = |r: f64| -> Vec<f64> {
            let draws = (0..4).flat_map(|_| {
                let draw = r - s * s / 2.0 + s * f64::from(random.normal());
                vec![draw; times]
            });
            draws.collect()
        };
        let mut low = Vec::new();
        let mut high = Vec::new();
        for _ in 0..chains {
            low.push(Seen {
                before: Vec::new(),
                after: draws(r),
            });
            high.push(Seen {
                before: draws(-r),
                after: Vec::new(),
            });
        }
        vec![low, high]
    }

    #[test]
    fn equal_works_give_the_difference_itself() {
        let pass = pass(2.5, 0.0, 8, 1, 1);
        let found = telescope(&[&pass, &pass]);
        // The root is looked for until it moves by less than 1e-12 of 1 + r.
        assert!((found.value - 2.5).abs() < 1e-11, "{found:?}");
        assert!(found.standard_error < 1e-12, "{found:?}");
        assert!((found.support - 1.0).abs() < 1e-12, "{found:?}");
    }

    /// That records repeat themselves changes neither the value nor the error, which knows that chains are what is
    /// independent.
    #[test]
    fn repeated_records_say_nothing_new() {
        let once = telescope(&[&pass(1.0, 1.0, 16, 1, 3)]);
        let often = telescope(&[&pass(1.0, 1.0, 16, 50, 3)]);
        assert!((once.value - often.value).abs() < 1e-9);
        assert!((once.standard_error - often.standard_error).abs() < 1e-9);
    }

    /// Of 400 intervals of 95 %, fewer than 365 or more than 393 hold the truth once in a thousand (binomial).
    #[test]
    fn intervals_cover_works_whose_law_is_known() {
        for s in [0.7, 1.5] {
            let holds = |seed| {
                let (up, down) = (
                    pass(-1.0, s, 16, 3, seed),
                    pass(-1.0, s, 16, 3, seed + 1000),
                );
                let [low, high] = telescope(&[&up, &down]).interval();
                (low..=high).contains(&-1.0)
            };
            let hits = (0..400).filter(|seed| holds(*seed)).count();
            assert!((365..=393).contains(&hits), "{hits} at {s}");
        }
    }
}

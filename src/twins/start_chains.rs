//! Twin of `start_chains.wgsl`: where fresh chains start.

use super::philox_normal::normal;
use crate::random::{Philox, Stream, uniform01};

/// The distribution of every value of a fresh chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChainStart {
    /// Normal with this mean and standard deviation.
    Gaussian { mean: f64, std: f64 },
    /// Uniform on (low, high).
    Uniform { low: f64, high: f64 },
}

impl ChainStart {
    /// The logarithm of the density of a chain at `x`, but for what all `x` that are possible have in common.
    pub fn log_density(self, x: &[f64]) -> f64 {
        let value = |&x: &f64| match self {
            ChainStart::Gaussian { mean, std } => -0.5 * ((x - mean) / std).powi(2),
            ChainStart::Uniform { low, high } if x < low || x > high => f64::NEG_INFINITY,
            ChainStart::Uniform { .. } => 0.0,
        };
        x.iter().map(value).sum()
    }
}

/// Fills `x`: value i takes the random number of element `first_element + i` in (`seed`, `stream`, `step`).
///
/// Four neighbouring elements share the four words of one Philox block.
pub fn start_chains(
    start: ChainStart,
    stream: Stream,
    seed: u64,
    step: u32,
    first_element: u32,
    x: &mut [f64],
) {
    for (element, x) in (first_element..).zip(x) {
        *x = match start {
            ChainStart::Gaussian { mean, std } => mean + std * normal(seed, stream, step, element),
            ChainStart::Uniform { low, high } => {
                let word = Philox::words(seed, stream, step, element / 4)[(element % 4) as usize];
                low + (high - low) * f64::from(uniform01(word))
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_have_the_moments_of_their_distribution() {
        let (count, mean, std) = (20_000, 0.5, 2.0);
        let half_width = std * 3f64.sqrt();
        let uniform = ChainStart::Uniform {
            low: mean - half_width,
            high: mean + half_width,
        };
        for start in [ChainStart::Gaussian { mean, std }, uniform] {
            let mut x = vec![f64::NAN; count];
            start_chains(start, Stream::ChainStart, 3, 1, 0, &mut x);
            let n = count as f64;
            let average = x.iter().sum::<f64>() / n;
            // Five standard errors; a normal's variance has the larger one, √(2/n).
            assert!((average - mean).abs() < 5.0 * std / n.sqrt(), "{start:?}");
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            let bound = 5.0 * std * std * (2.0 / n).sqrt();
            assert!((variance - std * std).abs() < bound, "{start:?}");
        }
    }

    #[test]
    fn a_set_may_be_drawn_in_parts() {
        let start = ChainStart::Uniform {
            low: -1.0,
            high: 1.0,
        };
        let draw = |first, count| {
            let mut x = vec![f64::NAN; count];
            start_chains(start, Stream::SamplingStart, 3, 1, first, &mut x);
            x
        };
        assert_eq!(draw(3, 11), [draw(3, 5), draw(8, 6)].concat());
    }
}

//! Twin of the shader's standard normals: Philox words through the Box–Muller transform.

use crate::random::{Philox, Stream, box_muller, uniform01};

/// The standard normal number of `element` in (`seed`, `stream`, `step`).
///
/// Four neighbouring elements share one Philox block: the words of block `element / 4` make two
/// Box–Muller pairs, and the element takes the one at its place, `element % 4`.
pub fn normal(seed: u64, stream: Stream, step: u32, element: u32) -> f64 {
    let [u0, u1, u2, u3] =
        Philox::words(seed, stream, step, element / 4).map(|word| f64::from(uniform01(word)));
    let pair = if element % 4 < 2 {
        box_muller(u0, u1)
    } else {
        box_muller(u2, u3)
    };
    pair[(element % 2) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_of_words_makes_four_normals_in_order() {
        let (seed, step, block) = (0x1234_5678_9abc_def0, 7, 3);
        let words = Philox::words(seed, Stream::Langevin, step, block);
        let [u0, u1, u2, u3] = words.map(|word| f64::from(uniform01(word)));
        let [n0, n1] = box_muller(u0, u1);
        let [n2, n3] = box_muller(u2, u3);
        let drawn: Vec<f64> = (12..16)
            .map(|e| normal(seed, Stream::Langevin, step, e))
            .collect();
        assert_eq!(drawn, [n0, n1, n2, n3]);
    }

    /// Five standard errors each: of the k-th power's mean, √(E z²ᵏ − (E zᵏ)²) / √n.
    #[test]
    fn moments_are_those_of_a_standard_normal() {
        let n = 40_000u32;
        let z: Vec<f64> = (0..n)
            .map(|e| normal(11, Stream::ChainStart, 2, e))
            .collect();
        for (power, moment, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
        {
            let mean = z.iter().map(|z| z.powi(power)).sum::<f64>() / f64::from(n);
            let bound = 5.0 * (variance / f64::from(n)).sqrt();
            assert!((mean - moment).abs() < bound, "mean of z^{power}: {mean}");
        }
        // Neither values nor squares of the elements of one block may be correlated.
        for distance in 1..4 {
            let pairs = z.len() - distance;
            let mean = |f: fn(f64) -> f64| {
                let products = z.iter().zip(&z[distance..]).map(|(a, b)| f(*a) * f(*b));
                products.sum::<f64>() / pairs as f64
            };
            let bound = 5.0 / (pairs as f64).sqrt();
            assert!(mean(|z| z).abs() < bound, "values at distance {distance}");
            // A centred square has variance 2, so a product of two has standard deviation 2.
            assert!(
                mean(|z| z * z - 1.0).abs() < 2.0 * bound,
                "squares at distance {distance}"
            );
        }
    }

    #[test]
    fn seeds_streams_and_steps_give_other_numbers() {
        let reference = normal(1, Stream::Langevin, 5, 9);
        assert_ne!(reference, normal(2, Stream::Langevin, 5, 9));
        assert_ne!(reference, normal(1 | 1 << 32, Stream::Langevin, 5, 9));
        assert_ne!(reference, normal(1, Stream::DataNoise, 5, 9));
        assert_ne!(reference, normal(1, Stream::Langevin, 6, 9));
    }
}

//! Twin of `samplers/trace.wgsl`: one record of every chain.

use super::check_len;
use crate::random::{Stream, box_muller, philox4x32_10, uniform01};

/// Of every chain its energy, three projections on directions from N(0, 1/length), and the mean squared distance from `before`.
pub fn trace(
    seed: u64,
    stream: Stream,
    length: usize,
    x: &[f64],
    before: &[f64],
    energies: &[f64],
) -> Vec<[f64; 5]> {
    check_len("before", before, x.len());
    check_len("energies", energies, x.len() / length);
    let key = [seed as u32, (seed >> 32) as u32];
    let weight = |element: usize, direction: usize| {
        let words = philox4x32_10([element as u32, 3, 0, stream as u32], key);
        let [a, b, c, d] = words.map(|word| f64::from(uniform01(word)));
        [box_muller(a, b), box_muller(c, d)].concat()[direction]
    };
    x.chunks(length)
        .zip(before.chunks(length))
        .zip(energies)
        .map(|((x, before), &energy)| {
            let projection = |direction| {
                let terms = x.iter().enumerate().map(|(e, x)| weight(e, direction) * x);
                terms.sum::<f64>() / (length as f64).sqrt()
            };
            let moved = x
                .iter()
                .zip(before)
                .map(|(x, b)| (x - b).powi(2))
                .sum::<f64>();
            [
                energy,
                projection(0),
                projection(1),
                projection(2),
                moved / length as f64,
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_linear_in_the_state_but_for_the_distance() {
        let record = |scale: f64| -> [f64; 5] {
            let x: Vec<f64> = (0..9).map(|i| scale * (i as f64 - 3.0)).collect();
            trace(3, Stream::Langevin, 9, &x, &[0.0; 9], &[7.0])[0]
        };
        let (once, twice) = (record(1.0), record(2.0));
        assert_eq!((once[0], twice[0]), (7.0, 7.0));
        for p in 1..4 {
            assert!(once[p] != 0.0 && (twice[p] - 2.0 * once[p]).abs() < 1e-12);
        }
        // 9 + 4 + 1 + 0 + 1 + 4 + 9 + 16 + 25 over 9.
        assert!((once[4] - 69.0 / 9.0).abs() < 1e-12);
        assert!(once[1] != once[2] && once[2] != once[3]);
    }
}

//! Twin of `samplers/trace.wgsl`: one record of every chain.

use super::check_len;
use crate::random::{Stream, philox4x32_10};

/// Of every chain its energy, three projections on ±1/√length, and the mean squared distance from `before`.
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
    let sign = |element: usize, direction: usize| {
        let word = philox4x32_10([element as u32, 3, 0, stream as u32], key)[0];
        1.0 - 2.0 * f64::from((word >> direction) & 1)
    };
    x.chunks(length)
        .zip(before.chunks(length))
        .zip(energies)
        .map(|((x, before), &energy)| {
            let projection = |direction| {
                let terms = x.iter().enumerate().map(|(e, x)| sign(e, direction) * x);
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
    fn a_projection_of_a_unit_vector_is_a_sign_over_the_root() {
        let mut x = vec![0.0; 9];
        x[4] = 2.0;
        let [record] = trace(3, Stream::Langevin, 9, &x, &[0.0; 9], &[7.0])[..] else {
            panic!("one chain");
        };
        assert_eq!(record[0], 7.0);
        assert!(
            record[1..4]
                .iter()
                .all(|p| (p.abs() - 2.0 / 3.0).abs() < 1e-15)
        );
        assert!((record[4] - 4.0 / 9.0).abs() < 1e-15);
    }
}

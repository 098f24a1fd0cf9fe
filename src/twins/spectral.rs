//! Twins of `spectral_columns.wgsl`, `spectral_sigma.wgsl`, `spectral_weights.wgsl` (together [`spectral_weights`]),
//! `spectral_rows.wgsl`, `spectral_gradient.wgsl` (with it [`spectral_gradient`]) and `spectral_turn.wgsl`.

use super::check_len;

/// σ = |Wᵀu| / |u|, and the singular vectors u / |u| and Wᵀu / |Wᵀu| that belong to it.
struct Estimate {
    sigma: f64,
    left: Vec<f64>,
    right: Vec<f64>,
}

fn estimate(weight: &[f64], u: &[f64]) -> Estimate {
    let columns = weight.len() / u.len();
    check_len("weight", weight, u.len() * columns);
    let products: Vec<f64> = (0..columns)
        .map(|j| {
            u.iter()
                .enumerate()
                .map(|(i, u)| u * weight[i * columns + j])
                .sum()
        })
        .collect();
    let (right, left) = (unit(&products), unit(u));
    let sigma = right.iter().zip(&products).map(|(v, t)| v * t).sum::<f64>()
        / left.iter().zip(u).map(|(l, u)| l * u).sum::<f64>();
    Estimate { sigma, left, right }
}

fn unit(vector: &[f64]) -> Vec<f64> {
    let norm = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    vector.iter().map(|value| value / norm).collect()
}

/// W/σ of a weight W with as many rows as `u` has values, none of them zero throughout.
pub fn spectral_weights(weight: &[f64], u: &[f64]) -> Vec<f64> {
    let Estimate { sigma, .. } = estimate(weight, u);
    weight.iter().map(|value| value / sigma).collect()
}

/// The gradient in W from `gradient`, that in W/σ, with u held.
pub fn spectral_gradient(weight: &[f64], u: &[f64], gradient: &[f64]) -> Vec<f64> {
    check_len("gradient", gradient, weight.len());
    let Estimate { sigma, left, right } = estimate(weight, u);
    let along: f64 = gradient
        .iter()
        .zip(weight)
        .map(|(g, w)| g * w / sigma)
        .sum();
    let slope = |i: usize| left[i / right.len()] * right[i % right.len()];
    let values = gradient.iter().enumerate();
    values
        .map(|(i, g)| (g - along * slope(i)) / sigma)
        .collect()
}

/// WWᵀu / |WWᵀu|.
pub fn spectral_turn(weight: &[f64], u: &[f64]) -> Vec<f64> {
    let Estimate { right, .. } = estimate(weight, u);
    let row = |row: &[f64]| row.iter().zip(&right).map(|(w, v)| w * v).sum();
    unit(&weight.chunks(right.len()).map(row).collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, central_differences, dot, random};

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let (weight, u, g) = (random(12, 1), random(3, 2), random(12, 3));
        let numeric = central_differences(&weight, |w| dot(&spectral_weights(w, &u), &g));
        assert_close(&spectral_gradient(&weight, &u, &g), &numeric, 1e-7);
    }

    /// W = 3 a bᵀ + 1 c dᵀ with orthonormal a, c and b, d has the singular values 3 and 1.
    #[test]
    fn the_power_method_finds_the_largest_singular_value() {
        let (a, c) = ([0.6, 0.8], [-0.8, 0.6]);
        let (b, d) = (
            [1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0],
            [2.0 / 3.0, 1.0 / 3.0, -2.0 / 3.0],
        );
        let weight: Vec<f64> = (0..6)
            .map(|i| 3.0 * a[i / 3] * b[i % 3] + c[i / 3] * d[i % 3])
            .collect();
        let mut u = vec![1.0, 0.3];
        // The share of the second vector falls by (1/3)² each time.
        for _ in 0..20 {
            u = spectral_turn(&weight, &u);
        }
        assert_close(&u, &a, 1e-12);
        let normalised = spectral_weights(&weight, &u);
        assert_close(
            &normalised,
            &weight.iter().map(|w| w / 3.0).collect::<Vec<_>>(),
            1e-12,
        );
    }
}

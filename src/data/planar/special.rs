//! Logarithms of the convolutions that the densities are made of, exact far into the tails, where the values
//! themselves underflow.

use std::f64::consts::{PI, SQRT_2, TAU};

/// From here on the asymptotic series of [`scaled_erfc`] has converged to rounding within its terms.
const ERFC_SERIES_FROM: f64 = 12.0;
/// The same of [`log_scaled_bessel`].
const BESSEL_SERIES_FROM: f64 = 25.0;

/// ln of the normal density of variance `std`² at `distance` from its mean.
pub(super) fn log_normal(distance: f64, std: f64) -> f64 {
    -0.5 * (distance / std).powi(2) - (std * TAU.sqrt()).ln()
}

/// ln of the density, `distance` from its centre, of a uniform number on an interval of `width` plus a normal one of
/// variance `std`²: [Φ((d + w/2)/σ) − Φ((d − w/2)/σ)] / w. For a width of 0, the normal density.
pub(super) fn log_smoothed_box(distance: f64, width: f64, std: f64) -> f64 {
    if width == 0.0 {
        return log_normal(distance, std);
    }
    // Φ(b) − Φ(a) = ½ erfc(a/√2) − ½ erfc(b/√2), on the side where both are small.
    let distance = distance.abs();
    let near = (distance - 0.5 * width) / (std * SQRT_2);
    let far = (distance + 0.5 * width) / (std * SQRT_2);
    if near <= 0.0 {
        return ((libm::erfc(near) - libm::erfc(far)) / (2.0 * width)).ln();
    }
    let rest = (near * near - far * far).exp() * scaled_erfc(far);
    ((scaled_erfc(near) - rest) / (2.0 * width)).ln() - near * near
}

/// exp(x²)·erfc(x) for x ≥ 0.
fn scaled_erfc(x: f64) -> f64 {
    if x < ERFC_SERIES_FROM {
        return (x * x).exp() * libm::erfc(x);
    }
    // 1/(x√π)·Σ (−1)^k (2k − 1)!!/(2x²)^k (NIST DLMF 7.12.1).
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..10 {
        term *= -f64::from(2 * k - 1) / (2.0 * x * x);
        sum += term;
    }
    sum / (x * PI.sqrt())
}

/// ln(exp(−z)·I₀(z)) of the modified Bessel function, for z ≥ 0.
pub(super) fn log_scaled_bessel(z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    if z < BESSEL_SERIES_FROM {
        // Σ (z²/4)^k / k!² (NIST DLMF 10.25.2), all of whose terms are positive.
        let mut k = 1.0;
        while term > 1e-17 * sum {
            term *= (0.5 * z / k).powi(2);
            sum += term;
            k += 1.0;
        }
        return sum.ln() - z;
    }
    // 1/√(2πz)·Σ ((2k − 1)!!)² / (k! (8z)^k) (NIST DLMF 10.40.1).
    for k in 1..16 {
        term *= f64::from((2 * k - 1) * (2 * k - 1)) / (f64::from(k) * 8.0 * z);
        sum += term;
    }
    sum.ln() - 0.5 * (TAU * z).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// exp(x²)·erfc(x) is (2/√π)·∫ exp(−t² − 2xt) over t > 0 (NIST DLMF 7.7.1); with t = exp(v) the trapezoidal rule
    /// converges to rounding.
    #[test]
    fn scaled_erfc_is_its_integral() {
        for x in [0.0, 0.5, 5.0, 11.9, 12.1, 40.0] {
            let h = 0.02;
            let sum: f64 = (-2500..300)
                .map(|i| (h * f64::from(i)).exp())
                .map(|t| t * (-t * t - 2.0 * x * t).exp())
                .sum();
            let wanted = 2.0 / PI.sqrt() * sum * h;
            let found = scaled_erfc(x);
            assert!(
                (found / wanted - 1.0).abs() < 1e-12,
                "{x}: {found} {wanted}"
            );
        }
    }

    /// Series and asymptotics meet where one takes over from the other; each errs by rounding there.
    #[test]
    fn both_sides_of_a_switch_agree() {
        let continued = |f: fn(f64) -> f64, at: f64| {
            // Four points before the switch, extrapolated by a cubic over a step of 1e-3.
            let h = 1e-3;
            let v = |k: f64| f(at - k * h);
            4.0 * v(1.0) - 6.0 * v(2.0) + 4.0 * v(3.0) - v(4.0)
        };
        for (f, at) in [
            (scaled_erfc as fn(f64) -> f64, ERFC_SERIES_FROM),
            (log_scaled_bessel, BESSEL_SERIES_FROM),
        ] {
            let (before, after) = (continued(f, at), f(at));
            assert!((before / after - 1.0).abs() < 1e-12, "{before} {after}");
        }
    }

    /// The mean over an angle of exp(z·(cos t − 1)) is exp(−z)·I₀(z); the midpoint rule has converged to rounding.
    #[test]
    fn bessel_function_is_its_integral() {
        for z in [0.0, 0.3, 7.0, 24.9, 25.1, 400.0, 1500.0] {
            let nodes = 2000;
            let sum: f64 = (0..nodes)
                .map(|i| (z * ((TAU * (f64::from(i) + 0.5) / f64::from(nodes)).cos() - 1.0)).exp())
                .sum();
            let wanted = (sum / f64::from(nodes)).ln();
            let found = log_scaled_bessel(z);
            assert!((found - wanted).abs() < 1e-12, "{z}: {found} {wanted}");
        }
    }

    /// A box of width w is the mean of normal densities over it, near and far.
    #[test]
    fn smoothed_box_is_its_integral() {
        for (distance, width, std) in [
            (0.0, 0.2, 0.1),
            (0.15, 0.2, 0.1),
            (-3.0, 0.2, 0.1),
            (20.0, 2.0, 0.3),
            (1.0, 2.0, 0.01),
        ] {
            let nodes = 200_000;
            let logs: Vec<f64> = (0..nodes)
                .map(|i| width * ((f64::from(i) + 0.5) / f64::from(nodes) - 0.5))
                .map(|offset| log_normal(distance - offset, std))
                .collect();
            let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
            let wanted = most + (sum / f64::from(nodes)).ln();
            let found = log_smoothed_box(distance, width, std);
            // The midpoint rule's own error: h²/24·(relative second derivative, at most (D/σ²)²).
            let steep = (distance.abs() + width) / (std * std) * width / f64::from(nodes);
            assert!(
                (found - wanted).abs() < 1e-9 + steep * steep,
                "{found} {wanted}"
            );
        }
    }
}

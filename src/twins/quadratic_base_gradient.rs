//! Twin of `quadratic_base_gradient.wgsl`: the base's share of the energy gradient.

use super::check_len;
use super::energy_head::QuadraticBase;

/// Adds the base's gradient, (x − mean) / std², to `gradient`, value by value.
pub fn quadratic_base_gradient(base: QuadraticBase, x: &[f64], gradient: &mut [f64]) {
    check_len("gradient", gradient, x.len());
    for (gradient, x) in gradient.iter_mut().zip(x) {
        *gradient += (x - base.mean) / base.std.powi(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::energy_head;
    use crate::twins::testing::{assert_close, central_differences, random};

    #[test]
    fn the_base_gradient_is_added_and_agrees_with_finite_differences() {
        let base = QuadraticBase {
            mean: 0.3,
            std: 0.7,
        };
        let x = random(5, 1);
        let numeric = central_differences(&x, |x| energy_head(1, 0, &[], Some(base), 5, x)[0]);
        let mut gradient = vec![10.0; 5];
        quadratic_base_gradient(base, &x, &mut gradient);
        let added: Vec<f64> = gradient.iter().map(|g| g - 10.0).collect();
        assert_close(&added, &numeric, 1e-8);
    }
}

//! Twin of `gradient_norm.wgsl`: the global norm of the gradient.

/// √Σ gradient².
pub fn gradient_norm(gradient: &[f64]) -> f64 {
    gradient.iter().map(|g| g * g).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_triangle() {
        assert_eq!(gradient_norm(&[3.0, 0.0, -4.0]), 5.0);
        assert_eq!(gradient_norm(&[]), 0.0);
    }
}

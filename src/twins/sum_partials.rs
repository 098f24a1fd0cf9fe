//! Twin of `sum_partials.wgsl`: the sum of the parts of a gradient.

use super::check_len;

/// Σₖ `partials`\[k · `length` + i\] over the `parts` parts, for every i below `length`.
pub fn sum_partials(parts: usize, length: usize, partials: &[f64]) -> Vec<f64> {
    check_len("partials", partials, parts * length);
    (0..length)
        .map(|i| (0..parts).map(|part| partials[part * length + i]).sum())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_summed_place_by_place() {
        assert_eq!(
            sum_partials(3, 2, &[1.0, 2.0, 10.0, 20.0, 100.0, 200.0]),
            [111.0, 222.0]
        );
    }
}

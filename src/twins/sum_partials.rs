//! Twin of `sum_partials.wgsl`: the sum of the parts of a gradient.

use super::check_len;

/// Σₖ `partials`\[k · `length` + i\] over the `parts` parts, for every i below `length`, on top of `before` if there is
/// something to add it to.
pub fn sum_partials(
    parts: usize,
    length: usize,
    before: Option<&[f64]>,
    partials: &[f64],
) -> Vec<f64> {
    check_len("partials", partials, parts * length);
    if let Some(before) = before {
        check_len("before", before, length);
    }
    (0..length)
        .map(|i| {
            let sum: f64 = (0..parts).map(|part| partials[part * length + i]).sum();
            before.map_or(0.0, |before| before[i]) + sum
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_summed_place_by_place() {
        assert_eq!(
            sum_partials(3, 2, None, &[1.0, 2.0, 10.0, 20.0, 100.0, 200.0]),
            [111.0, 222.0]
        );
        assert_eq!(
            sum_partials(1, 2, Some(&[5.0, 6.0]), &[1.0, 2.0]),
            [6.0, 8.0]
        );
    }
}

//! Twin of `bench/multiply_add.wgsl`.

/// For each of `invocations`, four sums over `accumulators` values that start at (0, ¼, ½, ¾) + i mod 64 + k and are
/// updated `updates` times by a ← a · `factor` + `term`.
pub fn multiply_add(
    invocations: usize,
    accumulators: usize,
    updates: usize,
    factor: f64,
    term: f64,
) -> Vec<f64> {
    let updated = |start: f64| (0..updates).fold(start, |a, _| a * factor + term);
    (0..invocations)
        .flat_map(|i| [0.0, 0.25, 0.5, 0.75].map(|part| part + (i % 64) as f64))
        .map(|start| (0..accumulators).map(|k| updated(start + k as f64)).sum())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_differ_by_place_and_every_update_counts() {
        // Three updates of a ← a/2 + 1 leave a/8 + 1.75, of the values 0 and 1, and of 0.75 + 63 and one more.
        let sums = multiply_add(65, 2, 3, 0.5, 1.0);
        assert_eq!(sums[0], 1.0 / 8.0 + 3.5);
        assert_eq!(sums[4 * 63 + 3], (63.75 + 64.75) / 8.0 + 3.5);
        assert_eq!(sums[4 * 64..], sums[..4]);
    }
}

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

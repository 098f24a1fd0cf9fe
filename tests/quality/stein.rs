//! The kernel Stein discrepancy against models whose energy gradient is known.

use crate::normal;
use afterimage::low_level::quality::{Points, median_distance, stein_discrepancy};

/// Of a standard normal model: the gradient of |x|²/2 is x.
fn p_value(points: &Points, seed: u64) -> f64 {
    stein_discrepancy(points, points, 1.5, 99, seed)
        .expect("is computed")
        .p_value
}

/// Of 100 sets of the model's own samples the p-value is at most 0.1 as often as it should: within the 99.9 % bounds of a
/// binomial of mean 10, from 2 to 21. Of shifted sets it is always.
#[test]
fn its_p_value_has_its_level_and_its_power() {
    let rejected = |shift: f64| {
        let rejects = |seed: &u32| p_value(&normal(40, 2, shift, 300 + seed), 1) <= 0.1;
        (0..100).filter(rejects).count()
    };
    let of_its_own = rejected(0.0);
    assert!((2..=21).contains(&of_its_own), "{of_its_own}");
    let of_shifted = rejected(1.0);
    assert!(of_shifted >= 98, "{of_shifted}");
}

#[test]
fn it_is_near_zero_for_the_models_own_samples_and_grows_with_a_shift() {
    let of = |shift| {
        let points = normal(300, 3, shift, 9);
        let length = median_distance(&points).expect("differ");
        stein_discrepancy(&points, &points, length, 99, 1).expect("is computed")
    };
    let own = of(0.0);
    assert!(own.squared.abs() < 4.0 * own.standard_error, "{own:?}");
    let [near, far] = [of(0.5), of(1.0)];
    assert!(
        near.squared > own.squared + 3.0 * near.standard_error,
        "{near:?}"
    );
    assert!(far.squared > 2.0 * near.squared, "{far:?}");
}

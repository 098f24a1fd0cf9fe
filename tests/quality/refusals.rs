//! What makes no sense is refused, with what is wrong.

use crate::normal;
use afterimage::low_level::quality::{
    LogisticRegression, Points, QualityError, auroc, binomial_interval, directions,
    frechet_distance, kernel_distance, measure, median_distance, nearest, permutation_test, prdc,
    sliced_wasserstein, stein_discrepancy, two_sample,
};

fn empty() -> Points {
    Points::new(Vec::new(), 2).expect("is empty")
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(found: Result<T, QualityError>, words: &str) {
    let message = found.expect_err("is refused").to_string();
    assert!(message.contains(words), "{message}");
}

#[test]
fn points_that_are_not_finite_or_not_whole() {
    for value in [f64::NAN, f64::INFINITY] {
        let found = Points::new(vec![0.0, 1.0, 2.0, value], 2);
        assert_eq!(found, Err(QualityError::NotFinite { point: 1, value: 1 }));
    }
    assert_refused(Points::of_samples(&[f32::NAN], 1), "not finite");
    assert_refused(Points::new(vec![0.0; 3], 2), "not whole points");
    assert_refused(Points::new(vec![0.0; 3], 0), "not whole points");
    assert_refused(directions(3, 0, 1), "not whole points");
}

#[test]
fn points_of_other_dimensions() {
    let (two, three) = (normal(50, 2, 0.0, 1), normal(50, 3, 0.0, 1));
    let words = "cannot be compared";
    assert_refused(frechet_distance(&two, &three), words);
    assert_refused(kernel_distance(&two, &three), words);
    assert_refused(prdc(&two, &three, 3), words);
    assert_refused(sliced_wasserstein(&two, &two, &three), words);
    assert_refused(sliced_wasserstein(&two, &three, &two), words);
    assert_refused(nearest(&two, &three), words);
    assert_refused(permutation_test(&two, &three, None, 9, 1), words);
    assert_refused(two_sample(&two, &three), words);
    assert_refused(stein_discrepancy(&two, &three, 1.0, 9, 1), words);
    assert_refused(measure(&two, &three, 1), words);
    assert_refused(LogisticRegression::fit(&two, &three), words);
}

#[test]
fn too_few_points() {
    let (one, some) = (normal(1, 2, 0.0, 1), normal(50, 2, 0.0, 2));
    let words = "it takes at least";
    assert_refused(frechet_distance(&one, &some), words);
    assert_refused(kernel_distance(&some, &one), words);
    assert_refused(prdc(&normal(3, 2, 0.0, 3), &some, 3), words);
    assert_refused(prdc(&some, &some, 0), "neighbours is 0");
    assert_refused(sliced_wasserstein(&empty(), &some, &some), words);
    assert_refused(sliced_wasserstein(&some, &some, &empty()), words);
    assert_refused(nearest(&some, &empty()), words);
    assert_refused(permutation_test(&one, &some, None, 9, 1), words);
    assert_refused(
        permutation_test(&some, &some, None, 0, 1),
        "permutations is 0",
    );
    assert_refused(two_sample(&one, &some), words);
    assert_refused(stein_discrepancy(&one, &one, 1.0, 9, 1), words);
    assert_refused(
        stein_discrepancy(&some, &normal(40, 2, 0.0, 1), 1.0, 9, 1),
        words,
    );
    assert_refused(
        stein_discrepancy(&some, &some, 1.0, 0, 1),
        "bootstraps is 0",
    );
    assert_refused(LogisticRegression::fit(&empty(), &some), words);
    // 39 data give no two sets of 20.
    assert_refused(measure(&normal(39, 2, 0.0, 1), &some, 1), words);
    assert_refused(measure(&some, &normal(19, 2, 0.0, 1), 1), words);
    assert!(measure(&normal(40, 2, 0.0, 1), &normal(20, 2, 0.0, 2), 1).is_ok());
    assert_refused(binomial_interval(0, 0), words);
    assert_refused(binomial_interval(3, 2), words);
}

#[test]
fn energies_that_are_not_one_of_each_point_or_not_finite() {
    let some = normal(50, 2, 0.0, 2);
    let with = |energies: &[f64]| {
        let energies = Some([&[0.0; 50], energies]);
        permutation_test(&some, &some, energies, 9, 1)
    };
    assert!(with(&[1.0; 50]).is_ok());
    assert_refused(with(&[1.0]), "give one of each");
    let mut energies = [1.0; 50];
    energies[1] = f64::INFINITY;
    assert_refused(
        with(&energies),
        "number 1 of the energies of the right set is not finite",
    );
}

#[test]
fn points_without_a_scale() {
    let equal = Points::new(vec![1.0; 60], 2).expect("are finite");
    assert_refused(permutation_test(&equal, &equal, None, 9, 1), "no scale");
    assert_refused(median_distance(&equal), "no scale");
    let many = Points::new(vec![1.0; 80], 2).expect("are finite");
    assert_refused(measure(&many, &normal(20, 2, 0.0, 2), 1), "no scale");
    for length in [0.0, f64::NAN, f64::INFINITY] {
        assert_refused(stein_discrepancy(&equal, &equal, length, 9, 1), "no scale");
    }
    let huge = Points::new((0..20).map(|i| f64::from(i) * 1e200).collect(), 2).expect("are finite");
    assert_refused(frechet_distance(&huge, &huge), "1e150");
}

#[test]
fn an_auroc_of_one_class() {
    assert_refused(auroc(&[], &[1.0]), "none inside");
    assert_refused(auroc(&[1.0], &[]), "none outside");
    assert_refused(auroc(&[1.0], &[0.0, f64::NAN]), "number 1");
}

//! Against SciPy, scikit-learn and PyTorch, whose figures reference.py wrote down. Both sides are in f64, and sums of at most
//! 1e5 terms of the order of 1 differ by their order of summation only: 1e-11.

use crate::{assert_near, by_formula};
use afterimage::low_level::quality::{
    Classifier, LogisticRegression, Points, auroc, binomial_interval, directions, frechet_distance,
    kernel_distance, nearest, permutation_test, prdc, sliced_wasserstein, stein_discrepancy,
};
use serde_json::Value;

const ROUNDING: f64 = 1e-11;

fn reference() -> Value {
    serde_json::from_str(include_str!("reference.json")).expect("is JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("is a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("is a list")
        .iter()
        .map(number)
        .collect()
}

/// The two sets that most figures are of.
fn sets() -> (Points, Points) {
    (by_formula(60, 5, 1, 0.0), by_formula(48, 5, 2, 0.25))
}

#[test]
fn the_frechet_distance_is_scipys() {
    let (x, y) = sets();
    let found = frechet_distance(&x, &y).expect("is computed");
    assert_near(
        "of 5 dimensions",
        found,
        number(&reference()["frechet"]),
        ROUNDING,
    );
    // 12 and 15 points of 20 dimensions: both covariances lack full rank, and of each value that should be 0 SciPy's general
    // root keeps up to √1e-16.
    let (few, wide) = (by_formula(12, 20, 3, 0.0), by_formula(15, 20, 4, 0.0));
    let found = frechet_distance(&few, &wide).expect("is computed");
    assert_near(
        "of low rank",
        found,
        number(&reference()["frechet_few"]),
        1e-6,
    );
}

#[test]
fn the_kernel_distance_is_that_of_scikit_learns_kernel() {
    let (x, y) = sets();
    let found = kernel_distance(&x, &y).expect("is computed");
    assert_near(
        "kernel distance",
        found,
        number(&reference()["kernel_distance"]),
        ROUNDING,
    );
    let test = permutation_test(&x, &y, None, 99, 1).expect("is computed");
    let wanted = number(&reference()["gaussian_mmd"]);
    assert_near("Gaussian kernel", test.discrepancy, wanted, ROUNDING);
}

#[test]
fn precision_recall_density_and_coverage_are_those_of_scikit_learns_neighbours() {
    let (x, y) = sets();
    for neighbours in [3, 5] {
        let found = prdc(&x, &y, neighbours).expect("is computed");
        let wanted = &reference()[format!("prdc_{neighbours}")];
        for (what, found) in [
            ("precision", found.precision),
            ("recall", found.recall),
            ("density", found.density),
            ("coverage", found.coverage),
        ] {
            assert_near(what, found, number(&wanted[what]), ROUNDING);
        }
    }
}

#[test]
fn the_sliced_distance_is_that_of_scipys_assignments() {
    let (x, y) = sets();
    let lines = vec![0.8, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.8, 0.6];
    let lines = Points::new(lines, 5).expect("two lines");
    let found = sliced_wasserstein(&x, &y, &lines).expect("is computed");
    assert_near(
        "sliced distance",
        found,
        number(&reference()["sliced"]),
        ROUNDING,
    );
}

#[test]
fn logistic_regression_has_scikit_learns_weights() {
    let (x, y) = sets();
    let model = LogisticRegression::fit(&x, &y).expect("fits");
    let wanted = numbers(&reference()["logistic"]);
    // Theirs stops at a gradient of 1e-12, but by steps that no longer change a loss of about 60: √(60 · 1e-16).
    for (found, wanted) in model.weights.iter().chain([&model.intercept]).zip(&wanted) {
        assert_near("weight", *found, *wanted, 1e-6);
    }
    assert_eq!(model.weights.len() + 1, wanted.len());
}

#[test]
fn the_auroc_with_ties_is_scikit_learns() {
    let inside: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 11)).collect();
    let outside: Vec<f64> = (0..40).map(|i| f64::from(i * 5 % 13 + 2)).collect();
    let found = auroc(&inside, &outside).expect("is computed");
    assert_near(
        "AUROC",
        found.value,
        number(&reference()["auroc"]),
        ROUNDING,
    );
}

#[test]
fn binomial_intervals_are_scipys() {
    for (right, count) in [(17, 40), (0, 40)] {
        let found = binomial_interval(right, count).expect("is computed");
        let wanted = numbers(&reference()[format!("binomial_{right}_of_{count}")]);
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_near("bound", *found, *wanted, 1e-9);
        }
    }
    assert_eq!(binomial_interval(40, 40).expect("is computed")[1], 1.0);
}

#[test]
fn nearest_neighbours_are_scikit_learns() {
    let (x, y) = sets();
    let found = nearest(&y, &x).expect("is computed");
    let reference = reference();
    let distances = numbers(&reference["nearest"]);
    let indices = numbers(&reference["nearest_index"]);
    assert_eq!(found.len(), distances.len());
    for (found, (distance, index)) in found.iter().zip(distances.iter().zip(&indices)) {
        assert_near("distance", found.distance, *distance, ROUNDING);
        assert_eq!(found.index as f64, *index);
    }
}

#[test]
fn the_stein_discrepancy_is_that_of_pytorchs_derivatives() {
    let x = by_formula(60, 5, 1, 0.0);
    let y = by_formula(48, 5, 2, 0.25);
    let some = |points: &Points, count: usize| {
        let values = points.iter().take(count).flatten().copied();
        Points::new(values.collect(), 5).expect("are finite")
    };
    // The score there is −y, so the gradient is y.
    let found = stein_discrepancy(&some(&x, 20), &some(&y, 20), 1.3, 1, 0).expect("is computed");
    assert_near(
        "squared discrepancy",
        found.squared,
        number(&reference()["stein"]),
        ROUNDING,
    );
}

#[test]
fn the_classifiers_are_pytorchs() {
    let classifiers = [
        ("digits_classifier", Classifier::digits(), 64),
        ("mnist_classifier", Classifier::mnist(), 784),
    ];
    for (name, classifier, dimensions) in classifiers {
        let classifier = classifier.expect("is embedded");
        let x = by_formula(5, dimensions, 9, 0.0);
        let features = classifier.features(&x).expect("are computed");
        let some = features.iter().flat_map(|point| point.iter().step_by(9));
        let scores = classifier.scores(&x).expect("are computed");
        let wanted = &reference()[name];
        for (found, wanted) in [
            (some.copied().collect::<Vec<_>>(), &wanted["features"]),
            (
                scores.iter().flatten().copied().collect(),
                &wanted["scores"],
            ),
        ] {
            let wanted = numbers(wanted);
            assert_eq!(found.len(), wanted.len(), "{name}");
            for (found, wanted) in found.iter().zip(&wanted) {
                assert_near(name, *found, *wanted, ROUNDING);
            }
        }
    }
}

#[test]
fn directions_have_length_1_and_depend_on_the_seed_only() {
    let lines = directions(50, 7, 3).expect("are drawn");
    for line in lines.iter() {
        let squared: f64 = line.iter().map(|value| value * value).sum();
        assert_near("squared length", squared, 1.0, 1e-14);
    }
    assert_eq!(directions(50, 7, 3).expect("are drawn"), lines);
    assert_ne!(directions(50, 7, 4).expect("are drawn"), lines);
}

//! Distances of samples from data: at their floors, and away from them.

use crate::{assert_near, normal};
use afterimage::low_level::quality::{
    DistanceFigures, Measured, Points, directions, frechet_distance, measure, nearest,
    nearest_figures, sliced_wasserstein,
};

const DIMENSIONS: usize = 4;

/// A figure and what it is.
type Named = (&'static str, Measured);
/// How to take a figure from all of them.
type Of = fn(&DistanceFigures) -> Measured;

/// Figures whose value grows with the distance, and those whose value shrinks.
fn figures(samples: &Points) -> ([Named; 3], [Named; 4]) {
    let data = normal(800, DIMENSIONS, 0.0, 1);
    let found = measure(&data, samples, 5).expect("is measured");
    assert_eq!((found.compared, found.data), (400, 800));
    (
        [
            ("Fréchet", found.frechet_distance),
            ("kernel", found.kernel_distance),
            ("sliced", found.sliced_wasserstein),
        ],
        [
            ("precision", found.precision),
            ("recall", found.recall),
            ("density", found.density),
            ("coverage", found.coverage),
        ],
    )
}

/// By how many standard errors of the difference a figure lies above its floor.
fn errors_above(figure: &Measured) -> f64 {
    let error = figure.standard_error.hypot(figure.floor_standard_error);
    (figure.value - figure.floor) / error
}

#[test]
fn equal_distributions_are_at_their_floors_and_shifted_ones_away_from_them() {
    let (grow, shrink) = figures(&normal(500, DIMENSIONS, 0.0, 2));
    for (what, figure) in grow.into_iter().chain(shrink) {
        let away = errors_above(&figure);
        // Of seven figures none is expected beyond 4 standard errors.
        assert!(away.abs() < 4.0, "{what}: {away} errors, {figure:?}");
    }
    let (grow, _) = figures(&normal(500, DIMENSIONS, 1.0, 2));
    for (what, figure) in grow {
        let away = errors_above(&figure);
        assert!(away > 5.0, "{what} is blind to a shift: {away}, {figure:?}");
    }
    let (_, shrink) = figures(&normal(500, DIMENSIONS, 4.0, 2));
    for (what, figure) in shrink {
        let away = errors_above(&figure);
        // Recall stays high: one sample far from the others has a neighbourhood that reaches over all data, for which the
        // makers of density and coverage reproach it.
        let enough = if what == "recall" { 0.0 } else { -5.0 };
        assert!(
            away < enough,
            "{what} is blind to a shift: {away}, {figure:?}"
        );
    }
}

/// Precision falls where samples are bad, and recall where they lack variety.
#[test]
fn collapsed_samples_keep_precision_and_lose_recall() {
    let centre = normal(500, DIMENSIONS, 0.0, 3);
    let shrunk = centre.iter().flatten().map(|value| 0.1 * value).collect();
    let shrunk = Points::new(shrunk, DIMENSIONS).expect("are finite");
    let (_, [(_, precision), (_, recall), _, (_, coverage)]) = figures(&shrunk);
    assert!(precision.value > 0.99, "{precision:?}");
    assert!(recall.value < 0.2, "{recall:?}");
    assert!(coverage.value < 0.2, "{coverage:?}");
}

#[test]
fn normal_distributions_have_their_distance() {
    // Means 3 apart and equal covariances: 9. Twice the deviation in d dimensions: d (2 − 1)².
    let (left, right) = (normal(20_000, 2, 0.0, 4), normal(20_000, 2, 3.0, 5));
    // The standard error of a squared distance of 3 between means of 20,000: 2 · 3 · √(2/20,000) = 0.06.
    let found = frechet_distance(&left, &right).expect("is computed");
    assert_near("shifted", found, 9.0, 0.3);
    let doubled = right
        .iter()
        .map(|point| [2.0 * (point[0] - 3.0), 2.0 * point[1]]);
    let doubled = Points::new(doubled.flatten().collect(), 2).expect("are finite");
    let found = frechet_distance(&left, &doubled).expect("is computed");
    // 2 (σ̂ − σ̂′) with errors of σ/√(2n): 2 · √(1 + 4)/200 in each of two dimensions: 0.03.
    assert_near("doubled", found, 2.0, 0.15);
    // Along a line at the angle φ the shift is 3 cos φ, squared 4.5 in the mean; of 256 lines within
    // 5 · 9 · √(1/8)/16 = 1.
    let lines = directions(256, 2, 1).expect("are drawn");
    let found = sliced_wasserstein(&left, &right, &lines).expect("is computed");
    assert_near("sliced", found * found, 4.5, 1.0);
}

/// Over many draws of the sets, the standard error must be what figures really spread by.
#[test]
fn standard_errors_are_what_figures_spread_by() {
    const DRAWS: u32 = 60;
    let draws: Vec<_> = (0..DRAWS)
        .map(|draw| {
            let data = normal(120, 2, 0.0, 100 + 2 * draw);
            let samples = normal(60, 2, 0.7, 101 + 2 * draw);
            measure(&data, &samples, 1).expect("is measured")
        })
        .collect();
    let of: [(&str, Of); 5] = [
        ("Fréchet", |found| found.frechet_distance),
        ("kernel", |found| found.kernel_distance),
        ("sliced", |found| found.sliced_wasserstein),
        ("precision", |found| found.precision),
        ("coverage", |found| found.coverage),
    ];
    for (what, of) in of {
        let count = f64::from(DRAWS);
        let mean = draws.iter().map(|found| of(found).value).sum::<f64>() / count;
        let squares = draws.iter().map(|found| (of(found).value - mean).powi(2));
        let spread = (squares.sum::<f64>() / (count - 1.0)).sqrt();
        let squares = draws.iter().map(|found| of(found).standard_error.powi(2));
        let stated = (squares.sum::<f64>() / count).sqrt();
        // A deviation from 60 draws is known within 1/√118 = 9 %, of which this allows three.
        let ratio = stated / spread;
        assert!(
            (0.73..1.27).contains(&ratio),
            "{what}: states {stated}, spreads by {spread}"
        );
    }
}

#[test]
fn a_repetition_gives_the_same_bits() {
    let (data, samples) = (normal(100, 3, 0.0, 1), normal(70, 3, 0.2, 2));
    let of = |seed| measure(&data, &samples, seed).expect("is measured");
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}

#[test]
fn copies_of_training_data_are_seen() {
    let (training, held_out) = (normal(300, 3, 0.0, 1), normal(200, 3, 0.0, 2));
    let fresh = normal(200, 3, 0.0, 3);
    let of = |samples: &Points| {
        let found = nearest(samples, &training).expect("are found");
        nearest_figures(&found, &training, &held_out).expect("is computed")
    };
    let found = of(&fresh);
    let error = found.copying.standard_error.expect("has one");
    assert!((found.copying.value - 0.5).abs() < 4.0 * error, "{found:?}");
    let copies = training
        .iter()
        .take(200)
        .flatten()
        .map(|value| value + 1e-3);
    let copies = Points::new(copies.collect(), 3).expect("are finite");
    let found = of(&copies);
    assert!(found.copying.value > 0.99, "{found:?}");
    assert!(found.median < 0.01 && found.floor > 0.1, "{found:?}");
}

//! The embedded classifier of digits.

use crate::assert_near;
use afterimage::config;
use afterimage::data::{self, Scaling};
use afterimage::low_level::quality::{Classifier, FeatureName, Features, Points, measure};
use afterimage::shape::Shape;

fn digits(low: f32, high: f32) -> (Vec<f32>, Scaling) {
    let mut options = config::load("digits-langevin", &[])
        .expect("is a preset")
        .data
        .options();
    (options.low, options.high) = (low, high);
    let data = data::open(&options, 0).expect("are embedded").whole();
    (data.first(usize::MAX), data.scaling())
}

/// The digit that is drawn in each of the pictures.
fn labels() -> Vec<usize> {
    use std::io::Read;
    let packed = include_bytes!("../../assets/digits/digits.csv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .expect("is text");
    let label = |line: &str| line.rsplit(',').next()?.trim().parse().ok();
    text.lines().filter_map(label).collect()
}

/// 352 of the 359 that it has not learned from, as assets/classifiers/digits.py printed.
#[test]
fn it_recognises_the_digits_it_was_not_shown() {
    let (values, _) = digits(-1.0, 1.0);
    let pictures = Points::of_samples(&values, 64).expect("are finite");
    let scores = Classifier::digits()
        .expect("is embedded")
        .scores(&pictures)
        .expect("are computed");
    let labels = labels();
    assert_eq!(labels.len(), 1797);
    let left_out = scores
        .iter()
        .zip(&labels)
        .enumerate()
        .filter(|(index, _)| index % 5 == 4);
    let right = left_out
        .filter(|(_, (scores, label))| (0..10).all(|class| scores[class] <= scores[**label]));
    assert_eq!(right.count(), 352);
}

/// Features depend on the digits, not on the range that a run maps them to.
#[test]
fn it_sees_digits_in_its_own_scale() {
    let of = |low, high| {
        let (values, scaling) = digits(low, high);
        let features = Features::of("digits", Shape::new(1, 8, 8), scaling).expect("is embedded");
        assert_eq!(features.name(), FeatureName::DigitsClassifier);
        features.points(&values[..20 * 64]).expect("are computed")
    };
    let (usual, other) = (of(-1.0, 1.0), of(0.0, 1.0));
    for (a, b) in usual.iter().flatten().zip(other.iter().flatten()) {
        assert_near("feature", *b, *a, 1e-9);
    }
}

#[test]
fn other_data_are_compared_by_their_values() {
    let (values, scaling) = digits(-1.0, 1.0);
    for (source, shape) in [
        ("npy", Shape::new(1, 8, 8)),
        ("digits", Shape::new(1, 4, 16)),
    ] {
        let features = Features::of(source, shape, scaling).expect("is nothing to load");
        assert_eq!(features.name(), FeatureName::Pixels);
        let points = features.points(&values[..64]).expect("are finite");
        assert_eq!(points.dimensions(), 64);
        assert_eq!(features.classes(&values[..64]), Ok(None));
    }
}

#[test]
fn pictures_of_the_shape_of_mnists_are_compared_by_its_classifier() {
    let scaling = Scaling::between([0.0, 255.0], [-1.0, 1.0]);
    let features = Features::of("idx", Shape::new(1, 28, 28), scaling).expect("is embedded");
    assert_eq!(features.name(), FeatureName::MnistClassifier);
    // A vertical line is a one.
    let pixel = |place: usize| {
        let is_ink = (13..15).contains(&(place % 28)) && (5..23).contains(&(place / 28));
        if is_ink { 1.0 } else { -1.0 }
    };
    let line: Vec<f32> = (0..784).map(pixel).collect();
    let classes = features
        .classes(&line)
        .expect("are computed")
        .expect("has classes");
    assert_eq!(classes, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
}

/// In its features, noise and blanks are far from digits, and classes are counted.
#[test]
fn noise_is_far_from_digits() {
    let (values, scaling) = digits(-1.0, 1.0);
    let features = Features::of("digits", Shape::new(1, 8, 8), scaling).expect("is embedded");
    let data = features.points(&values).expect("are finite");
    let noise = crate::normal(300, 64, 0.0, 1);
    let noisy: Vec<f32> = values
        .iter()
        .zip(noise.iter().flatten())
        .map(|(v, n)| v + 0.3 * *n as f32)
        .collect();
    let noisy = features.points(&noisy).expect("are finite");
    let found = measure(&data, &noisy, 1).expect("is measured");
    assert_eq!(found.dimensions, 64);
    let frechet = found.frechet_distance;
    assert!(
        frechet.value > frechet.floor + 2.0 * frechet.standard_error,
        "{frechet:?}"
    );
    assert!(
        found.two_sample.samples.interval[0] > 0.5,
        "{:?}",
        found.two_sample
    );
    let floor = found.two_sample.floor.interval;
    assert!(floor[0] < 0.5 && floor[1] > 0.5, "{floor:?}");
    let classes = features
        .classes(&values)
        .expect("are computed")
        .expect("has classes");
    assert_eq!(classes.iter().sum::<usize>(), 1797);
    assert!(
        classes.iter().all(|count| (160..200).contains(count)),
        "{classes:?}"
    );
}

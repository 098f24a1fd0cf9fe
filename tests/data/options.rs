//! Sources, paths, ranges, and how values are scaled to them.

use crate::files::{all, error, folder, load, npy, options};
use afterimage::config::Word;
use afterimage::data::{DataError, DataOptions, Scaling, Source, open};

#[test]
fn unknown_sources_are_answered_with_the_nearest() {
    for (name, expected) in [
        ("digit", "digits"),
        ("8gausians", "8gaussians"),
        ("Rings", "rings"),
        ("cifar", "cifar10"),
        ("fashion-mnist", "idx"),
        ("", "idx"),
    ] {
        match error(load(name, "")) {
            DataError::UnknownSource { nearest, .. } => assert_eq!(nearest, expected),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn paths_are_demanded_and_refused_by_source() {
    for source in Source::names() {
        if ["idx", "cifar10", "images", "npy", "csv"].contains(&source) {
            assert!(matches!(
                error(load(source, "")),
                DataError::MissingPath { .. }
            ));
            let nowhere = tempfile::tempdir().unwrap().path().join("missing");
            assert!(matches!(
                error(load(source, nowhere)),
                DataError::NotFound { .. }
            ));
        } else {
            assert_eq!(load(source, "").unwrap().name(), source);
            assert!(matches!(
                error(load(source, "x")),
                DataError::UnexpectedPath { .. }
            ));
        }
    }
}

#[test]
fn the_range_must_be_finite_and_increasing() {
    for (low, high) in [
        (1.0, 1.0),
        (1.0, -1.0),
        (f32::NAN, 1.0),
        (0.0, f32::INFINITY),
    ] {
        let options = DataOptions {
            low,
            high,
            ..options("digits", "")
        };
        assert!(matches!(
            error(open(&options, 1)),
            DataError::InvalidRange { .. }
        ));
    }
}

#[test]
fn a_generated_set_of_absurd_size_is_refused() {
    let options = DataOptions {
        limit: usize::MAX,
        ..options("moons", "")
    };
    assert!(matches!(
        error(open(&options, 1)),
        DataError::LimitTooLarge { .. }
    ));
}

#[test]
fn files_and_folders_are_told_apart() {
    let folder = folder(&[("a.txt", b"text")]);
    assert!(matches!(
        error(load("npy", folder.path())),
        DataError::WrongKind { .. }
    ));
    assert!(matches!(
        error(load("images", folder.path().join("a.txt"))),
        DataError::WrongKind { .. }
    ));
    for source in ["idx", "cifar10"] {
        assert!(matches!(
            error(load(source, folder.path())),
            DataError::NothingInFolder { .. }
        ));
    }
    assert!(matches!(
        error(load("images", folder.path())),
        DataError::NoPictures { .. }
    ));
}

#[test]
fn bytes_are_mapped_to_the_asked_range() {
    let bytes = npy(&[1, 3], [0u8, 51, 255]);
    let folder = folder(&[("a.npy", &bytes)]);
    let options = DataOptions {
        low: -1.0,
        high: 1.0,
        ..options("npy", folder.path().join("a.npy"))
    };
    let dataset = open(&options, 1).unwrap();
    let values = all(&dataset);
    assert_eq!(values, [-1.0, -0.6, 1.0]);
    let scaling = dataset.scaling();
    for (raw, value) in [0.0f32, 51.0, 255.0].into_iter().zip(values) {
        assert!((scaling.model_value(raw) - value).abs() < 1e-6);
        assert!((scaling.brightness(value) - raw / 255.0).abs() < 1e-6);
    }
}

#[test]
fn brightness_is_clamped_and_never_nan() {
    let scaling = Scaling::between([0.0, 16.0], [-1.0, 1.0]);
    assert_eq!(scaling.brightness(-7.0), 0.0);
    assert_eq!(scaling.brightness(7.0), 1.0);
    assert_eq!(scaling.brightness(0.0), 0.5);
    assert_eq!(scaling.brightness(f32::NAN), 0.0);
    // A set whose values are all equal, and one whose range exceeds an f32.
    assert_eq!(Scaling::unscaled(3.0, 3.0).brightness(3.0), 0.0);
    assert_eq!(Scaling::unscaled(f32::MIN, f32::MAX).brightness(0.0), 0.5);
}

#[test]
fn scaling_survives_json() {
    let scaling = Scaling::between([0.0, 255.0], [-0.3, 0.7]);
    let text = serde_json::to_string(&scaling).unwrap();
    assert_eq!(serde_json::from_str::<Scaling>(&text).unwrap(), scaling);
}

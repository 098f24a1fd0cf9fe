//! The embedded digits, and real files where there are any.

use crate::files::{all, load, options};
use afterimage::data::{DataOptions, open};
use afterimage::shape::Shape;
use std::path::Path;

#[test]
fn the_digits_are_those_of_the_file() {
    let options = DataOptions {
        low: 0.0,
        high: 16.0,
        ..options("digits", "")
    };
    let dataset = open(&options, 1).unwrap();
    assert_eq!(dataset.shape(), Shape::new(1, 8, 8));
    assert_eq!(dataset.len(), Some(1797));
    let values = all(&dataset);
    assert_eq!(
        values[..16],
        [
            0., 0., 5., 13., 9., 1., 0., 0., 0., 0., 13., 15., 10., 15., 5., 0.
        ]
    );
    assert!(
        values
            .iter()
            .all(|v| (0.0..=16.0).contains(v) && v.fract() == 0.0)
    );
    assert_eq!(values.iter().sum::<f32>(), 561_718.0);
}

#[test]
fn real_mnist_and_cifar10_load_where_present() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    for (source, folder, shape) in [
        ("idx", "mnist", Shape::new(1, 28, 28)),
        ("cifar10", "cifar10", Shape::new(3, 32, 32)),
    ] {
        let path = shared.join(folder);
        if !path.is_dir() {
            println!("skipped: {} is not there", path.display());
            continue;
        }
        let dataset = load(source, path).unwrap();
        assert_eq!(dataset.shape(), shape);
        assert_eq!(dataset.len(), Some(10_000));
        let values = dataset.first(1000);
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        // The means over the whole sets are 33 (MNIST) and 121 (CIFAR-10).
        let expected = if source == "idx" { 33.0 } else { 121.0 };
        assert!((mean - expected).abs() < 5.0, "{source}: {mean}");
    }
}

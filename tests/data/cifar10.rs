//! CIFAR-10.

use crate::files::{all, cifar, error, folder, load, load_bytes};
use afterimage::data::DataError;
use afterimage::shape::Shape;

#[test]
fn cifar10_round_trips_and_joins_batches() {
    let bytes = cifar();
    let dataset = load_bytes("cifar10", &bytes).unwrap();
    assert_eq!(dataset.shape(), Shape::new(3, 32, 32));
    let image = |record: usize| {
        let start = record * 3073 + 1;
        bytes[start..start + 3072].iter().map(|&p| f32::from(p))
    };
    assert_eq!(
        all(&dataset),
        image(0).chain(image(1)).collect::<Vec<f32>>()
    );
    let folder = folder(&[
        ("data_batch_2.bin", &bytes[3073..]),
        ("data_batch_1.bin", &bytes[..3073]),
        ("test_batch.bin", &bytes),
    ]);
    assert_eq!(all(&load("cifar10", folder.path()).unwrap()), all(&dataset));
}

#[test]
fn malformed_cifar10_is_refused() {
    let good = cifar();
    assert!(matches!(
        error(load_bytes("cifar10", &good[..good.len() - 1])),
        DataError::Truncated {
            expected: 6146,
            found: 6145,
            ..
        }
    ));
    assert!(matches!(
        error(load_bytes("cifar10", b"")),
        DataError::Empty { .. }
    ));
    let mut bad_label = good;
    bad_label[3073] = 10;
    assert!(matches!(
        error(load_bytes("cifar10", &bad_label)),
        DataError::Malformed { .. }
    ));
}

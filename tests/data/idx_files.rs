//! IDX.

use crate::files::{all, error, folder, gzip, idx, load, load_bytes};
use afterimage::data::DataError;
use afterimage::shape::Shape;

#[test]
fn idx_round_trips_plain_and_gzipped() {
    let pixels: Vec<u8> = (0..2 * 3 * 5).map(|i| i * 8).collect();
    let plain = idx([2, 3, 5], &pixels);
    // Two gzip members in a row are one valid gzip file.
    let two_members = [gzip(&plain[..20]), gzip(&plain[20..])].concat();
    for bytes in [plain.clone(), gzip(&plain), two_members] {
        let dataset = load_bytes("idx", &bytes).unwrap();
        assert_eq!(dataset.shape(), Shape::new(1, 3, 5));
        assert_eq!(dataset.len(), Some(2));
        let expected: Vec<f32> = pixels.iter().map(|&p| f32::from(p)).collect();
        assert_eq!(all(&dataset), expected);
    }
}

#[test]
fn idx_folders_prefer_the_training_part() {
    let (train, test) = (idx([1, 1, 1], &[1]), idx([1, 1, 1], &[2]));
    let labels: &[u8] = b"labels";
    let both = folder(&[
        ("t10k-images-idx3-ubyte", &test),
        ("train-images.idx3-ubyte.gz", &gzip(&train)),
        ("train-labels-idx1-ubyte", labels),
    ]);
    assert_eq!(all(&load("idx", both.path()).unwrap()), [1.0]);
    let only_test = folder(&[("t10k-images-idx3-ubyte", &test)]);
    assert_eq!(all(&load("idx", only_test.path()).unwrap()), [2.0]);
    let ambiguous = folder(&[("a-idx3-ubyte", &train), ("b-idx3-ubyte", &test)]);
    let error = error(load("idx", ambiguous.path()));
    assert!(matches!(&error, DataError::Ambiguous { names, .. } if names.len() == 2));
}

#[test]
fn malformed_idx_is_refused() {
    let good = idx([2, 2, 2], &[7; 8]);
    let mut labels = good.clone();
    labels[3] = 1;
    assert!(matches!(
        error(load_bytes("idx", &labels)),
        DataError::WrongMagic { .. }
    ));
    assert!(matches!(
        error(load_bytes("idx", b"")),
        DataError::WrongMagic { .. }
    ));
    for bytes in [good[..23].to_vec(), gzip(&good[..23])] {
        assert!(matches!(
            error(load_bytes("idx", &bytes)),
            DataError::Truncated {
                expected: 8,
                found: 7,
                ..
            }
        ));
    }
    assert!(matches!(
        error(load_bytes("idx", &good[..9])),
        DataError::Truncated { .. }
    ));
    assert!(matches!(
        error(load_bytes("idx", &idx([2, 2, 2], &[7; 9]))),
        DataError::TrailingBytes { expected: 8, .. }
    ));
    for sizes in [[0, 2, 2], [2, 0, 2], [2, 2, 0]] {
        assert!(matches!(
            error(load_bytes("idx", &idx(sizes, &[]))),
            DataError::Empty { .. }
        ));
    }
    let packed = gzip(&good);
    assert!(matches!(
        error(load_bytes("idx", &packed[..packed.len() - 9])),
        DataError::Gzip { .. }
    ));
    let mut damaged = packed;
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    assert!(matches!(
        error(load_bytes("idx", &damaged)),
        DataError::Gzip { .. }
    ));
}

#[test]
fn idx_headers_of_absurd_size_cost_nothing() {
    for bytes in [
        idx([u32::MAX; 3], &[0; 8]),
        idx([u32::MAX, 1 << 15, 1 << 15], &[0; 8]),
        idx([1 << 31, 1 << 16, 1 << 16], &[0; 8]),
    ] {
        for bytes in [gzip(&bytes), bytes] {
            assert!(matches!(
                error(load_bytes("idx", &bytes)),
                DataError::Malformed { .. } | DataError::Truncated { found: 8, .. }
            ));
        }
    }
}

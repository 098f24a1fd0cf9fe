//! Any bytes at all.

use crate::files::{all, cifar, error, gzip, idx, load_bytes, npy, npy_raw};
use proptest::prelude::*;

/// A valid small file of each format.
fn valid_files() -> [(&'static str, Vec<u8>); 4] {
    let plain = idx([3, 2, 2], &[9; 12]);
    [
        ("idx", gzip(&plain)),
        ("idx", plain),
        ("cifar10", cifar()),
        ("npy", npy(&[3, 2, 2], [0.5f32; 12])),
    ]
}

proptest! {
    #[test]
    fn every_truncation_is_an_error(share in 0.0..1.0f64) {
        for (source, bytes) in valid_files() {
            let mut len = (bytes.len() as f64 * share) as usize;
            if source == "cifar10" && len == 3073 {
                len -= 1; // one whole record would be a valid file
            }
            error(load_bytes(source, &bytes[..len]));
        }
    }

    #[test]
    fn random_bytes_never_panic(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        small in proptest::collection::vec(0u8..3, 0..200),
    ) {
        for start in [&b""[..], b"\0\0\x08\x03", b"\x1f\x8b\x08", b"\x93NUMPY\x01\0\x40\0", b"\x93NUMPY"] {
            for body in [&body, &small] {
                let bytes = [start, body].concat();
                for source in ["idx", "cifar10", "npy"] {
                    if let Ok(dataset) = load_bytes(source, &bytes) {
                        prop_assert!(dataset.len() > Some(0));
                        prop_assert!(all(&dataset).iter().all(|v| v.is_finite()));
                    }
                }
            }
        }
    }

    #[test]
    fn damaged_files_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for (source, mut bytes) in valid_files() {
            let at = at.index(bytes.len().min(160));
            bytes[at] = byte;
            if let Ok(dataset) = load_bytes(source, &bytes) {
                prop_assert!(dataset.len() > Some(0));
                prop_assert!(all(&dataset).iter().all(|v| v.is_finite()));
            }
        }
    }

    #[test]
    fn random_npy_headers_never_panic(
        tokens in proptest::collection::vec(
            prop::sample::select(vec![
                "{", "}", "(", ")", ",", ":", "'", "\"", "'descr'", "'shape'", "'fortran_order'",
                "'<f4'", "'|u1'", "True", "False", "1", "2", "18446744073709551615", " ", "é",
            ]),
            0..24,
        )
    ) {
        if let Ok(dataset) = load_bytes("npy", &npy_raw(&tokens.concat(), &[0; 4])) {
            prop_assert!(dataset.len() > Some(0));
        }
    }
}

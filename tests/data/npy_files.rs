//! NPY.

use crate::files::{all, error, folder, load_bytes, npy, npy_header, npy_raw, options};
use afterimage::data::{DataError, DataOptions, RawRange, Scaling, open};
use afterimage::shape::Shape;

#[test]
fn npy_shapes_become_sample_shapes() {
    for (sizes, shape) in [
        (&[12u64, 2][..], Shape::new(2, 1, 1)),
        (&[4, 6], Shape::new(6, 1, 1)),
        (&[4, 2, 3], Shape::new(1, 2, 3)),
        (&[2, 2, 3, 2], Shape::new(2, 3, 2)),
    ] {
        let dataset = load_bytes("npy", &npy(sizes, (0..24u8).map(f32::from))).unwrap();
        assert_eq!(dataset.shape(), shape);
        assert_eq!(dataset.is_planar(), sizes == [12, 2]);
        assert_eq!(dataset.len(), Some(sizes[0] as usize));
    }
}

#[test]
fn npy_values_are_taken_as_they_are() {
    let values = [0.1f32, -3.5, 1e-30, f32::MAX, f32::MIN, 0.0];
    let bytes = npy(&[3, 2], values);
    let folder = folder(&[("a.npy", &bytes)]);
    let options = DataOptions {
        low: -1.0,
        high: 1.0,
        range: RawRange::Auto,
        ..options("npy", folder.path().join("a.npy"))
    };
    let dataset = open(&options, 1).unwrap();
    assert_eq!(all(&dataset), values);
    assert_eq!(
        dataset.scaling(),
        Scaling::unscaled(f32::MIN, f32::MAX),
        "drawn from its least to its greatest value"
    );

    let doubles = npy(&[2, 2], [0.1f64, -2.0, 1e300_f64.recip(), 4.0]);
    let dataset = load_bytes("npy", &doubles).unwrap();
    assert_eq!(all(&dataset), [0.1, -2.0, 0.0, 4.0]);

    for (descr, data) in [
        (">f4", 1.5f32.to_be_bytes().to_vec()),
        (">f8", 1.5f64.to_be_bytes().to_vec()),
    ] {
        let bytes = npy_raw(&npy_header(descr, "(1, 1)"), &data);
        assert_eq!(all(&load_bytes("npy", &bytes).unwrap()), [1.5]);
    }
}

#[test]
fn npy_headers_are_read_in_every_version_and_spelling() {
    let text = "{\"shape\":(1,2),'fortran_order':False , 'descr' : '|u1'}";
    for (version, length) in [
        (1u8, (text.len() as u16).to_le_bytes().to_vec()),
        (2, (text.len() as u32).to_le_bytes().to_vec()),
        (3, (text.len() as u32).to_le_bytes().to_vec()),
    ] {
        let bytes = [
            b"\x93NUMPY",
            &[version, 0][..],
            &length,
            text.as_bytes(),
            &[3, 4],
        ]
        .concat();
        assert_eq!(all(&load_bytes("npy", &bytes).unwrap()), [3.0, 4.0]);
    }
}

#[test]
fn malformed_npy_is_refused() {
    let good = npy(&[2, 2], [1.0f32; 4]);
    assert!(matches!(
        error(load_bytes("npy", b"PK\x03\x04 an .npz file")),
        DataError::WrongMagic { .. }
    ));
    assert!(matches!(
        error(load_bytes("npy", &good[..good.len() - 1])),
        DataError::Truncated {
            expected: 16,
            found: 15,
            ..
        }
    ));
    assert!(matches!(
        error(load_bytes("npy", &[&good[..], &[0]].concat())),
        DataError::TrailingBytes { expected: 16, .. }
    ));
    assert!(matches!(
        error(load_bytes("npy", &npy::<f32>(&[0, 2], []))),
        DataError::Empty { .. }
    ));
    let fortran = npy_header("<f4", "(2, 2)").replace("False", "True");
    let deep = "[".repeat(60_000);
    for header in [
        npy_header("<i3", "(2, 1)"),
        npy_header("<c8", "(2, 1)"),
        npy_header("<f4", "()"),
        npy_header("<f4", "(4,)"),
        npy_header("<f4", "(1, 1, 1, 1, 4)"),
        npy_header("<f4", "(-2, -2)"),
        npy_header("<f4", "(2, 2, , )"),
        npy_header("<f4", "(18446744073709551616, 1)"),
        npy_header("<f4", "(1099511627776, 1099511627776)"),
        npy_header("<f4", "(2, 2)").replace("'shape'", "'size'"),
        npy_header("<f4", "(2, 2)").replace("'fortran_order': False, ", ""),
        npy_header("<f4", "(2, 2)").replace(", 'shape'", " 'shape'"),
        npy_header("<f4", "(2, 2)").replace('}', "} + 1"),
        "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (4, 1), }".into(),
        "{'descr': '<f4".into(),
        "é".into(),
        fortran,
        deep,
    ] {
        let error = error(load_bytes("npy", &npy_raw(&header, &[0; 16])));
        assert!(
            matches!(error, DataError::Malformed { .. }),
            "{header}: {error}"
        );
    }
    for bytes in [
        &b"\x93NUMPY\x09\x00\x10\x00"[..],
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        b"\x93NUMPY\x01",
    ] {
        assert!(matches!(
            error(load_bytes("npy", bytes)),
            DataError::Malformed { .. }
        ));
    }
    assert!(matches!(
        error(load_bytes(
            "npy",
            &npy_raw(&npy_header("<f4", "(1000000000000, 784)"), &[0; 16])
        )),
        DataError::Truncated { found: 16, .. }
    ));
}

#[test]
fn npy_values_must_be_finite_as_f32() {
    let nan = npy(&[3, 2], [0.0, 1.0, 2.0, 3.0, f32::NAN, 5.0]);
    let too_large = npy(&[3, 2], [0.0, 1.0, 2.0, 3.0, 1e39f64, 5.0]);
    for bytes in [nan, too_large] {
        let error = error(load_bytes("npy", &bytes));
        assert!(matches!(error, DataError::NonFinite { sample: 2, .. }));
    }
}

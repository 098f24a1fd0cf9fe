//! Every loader on well-formed and malformed input, and the order in which samples are visited.

use std::f32::consts::{PI, TAU};
use std::fs;
use std::io::Write;
use std::path::Path;

use afterimage::data::{DataError, DataOptions, Dataset, SOURCES, Scaling, open};
use afterimage::shape::Shape;
use proptest::prelude::*;
use tempfile::TempDir;

fn options(source: &str, path: impl AsRef<Path>) -> DataOptions {
    DataOptions {
        source: source.into(),
        path: path.as_ref().to_str().unwrap().into(),
        low: 0.0,
        high: 255.0,
        limit: 0,
    }
}

/// Opens `path` with bytes mapped to themselves.
fn load(source: &str, path: impl AsRef<Path>) -> Result<Dataset, DataError> {
    open(&options(source, path), 1)
}

/// Opens a file that holds `bytes`.
fn load_bytes(source: &str, bytes: &[u8]) -> Result<Dataset, DataError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    load(source, file.path())
}

/// The error of a load that must fail. Its message must be one line that also says what to do.
fn error(result: Result<Dataset, DataError>) -> DataError {
    let Err(error) = result else {
        panic!("malformed input was accepted")
    };
    let message = error.to_string();
    assert!(
        !message.contains('\n') && message.contains([':', ';']),
        "{message}"
    );
    error
}

fn all(dataset: &Dataset) -> Vec<f32> {
    dataset.first(usize::MAX)
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(sizes: [u32; 3], pixels: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(pixels);
    bytes
}

/// Two records with labels 9 and 0 and pixels that differ by record, plane and place.
fn cifar() -> Vec<u8> {
    let record = |label: u8, shift: usize| {
        let pixels = (0..3072).map(move |i| ((i * 7 + shift) % 256) as u8);
        std::iter::once(label).chain(pixels)
    };
    record(9, 0).chain(record(0, 100)).collect()
}

/// A `.npy` file with `header` written as it is.
fn npy_raw(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn npy_header(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")
}

/// A `.npy` file as the independent `npyz` writes it.
fn npy<T: npyz::AutoSerialize>(shape: &[u64], values: impl IntoIterator<Item = T>) -> Vec<u8> {
    use npyz::WriterBuilder;
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(&mut bytes)
        .begin_nd()
        .unwrap();
    writer.extend(values).unwrap();
    writer.finish().unwrap();
    bytes
}

fn encode(picture: impl Into<image::DynamicImage>, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn grey_png(width: u32, height: u32, pixels: Vec<u8>) -> Vec<u8> {
    let picture = image::GrayImage::from_raw(width, height, pixels).unwrap();
    encode(picture, image::ImageFormat::Png)
}

fn colour_png(width: u32, height: u32, pixels: Vec<u8>) -> Vec<u8> {
    let picture = image::RgbImage::from_raw(width, height, pixels).unwrap();
    encode(picture, image::ImageFormat::Png)
}

// Options

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
    for &source in SOURCES {
        if ["idx", "cifar10", "images", "npy"].contains(&source) {
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
    for source in ["idx", "cifar10", "images"] {
        assert!(matches!(
            error(load(source, folder.path())),
            DataError::NothingInFolder { .. }
        ));
    }
}

// Scaling

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
    let scaling = Scaling::from_raw_max(16.0, -1.0, 1.0);
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
    let scaling = Scaling::from_raw_max(255.0, -0.3, 0.7);
    let text = serde_json::to_string(&scaling).unwrap();
    assert_eq!(serde_json::from_str::<Scaling>(&text).unwrap(), scaling);
}

// The embedded digits

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

// IDX

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
    let ambiguous = folder(&[
        ("train-images-idx3-ubyte", &train),
        ("train-images-idx3-ubyte.gz", &gzip(&train)),
    ]);
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

// CIFAR-10

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

// Pictures

#[test]
fn grey_pictures_give_one_channel_in_order_of_name() {
    let folder = folder(&[
        ("b.png", &grey_png(3, 2, vec![6, 7, 8, 9, 10, 11])),
        ("a.PNG", &grey_png(3, 2, vec![0, 1, 2, 3, 4, 5])),
        ("notes.txt", b"ignored"),
    ]);
    let dataset = load("images", folder.path()).unwrap();
    assert_eq!(dataset.shape(), Shape::new(1, 2, 3));
    let expected: Vec<f32> = (0..12u8).map(f32::from).collect();
    assert_eq!(all(&dataset), expected);
}

#[test]
fn one_colour_picture_makes_all_of_them_rgb_planes() {
    let folder = folder(&[
        ("a.png", &grey_png(2, 1, vec![1, 2])),
        ("b.png", &colour_png(2, 1, vec![10, 20, 30, 11, 21, 31])),
        ("c.png", &grey_png(2, 1, vec![3, 4])),
    ]);
    let dataset = load("images", folder.path()).unwrap();
    assert_eq!(dataset.shape(), Shape::new(3, 1, 2));
    assert_eq!(
        all(&dataset),
        [
            1., 2., 1., 2., 1., 2., 10., 11., 20., 21., 30., 31., 3., 4., 3., 4., 3., 4.
        ]
    );
}

#[test]
fn jpeg_is_read_to_within_its_loss() {
    let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 100, 50]));
    let bytes = encode(picture, image::ImageFormat::Jpeg);
    let folder = folder(&[("a.jpeg", &bytes)]);
    let dataset = load("images", folder.path()).unwrap();
    assert_eq!(dataset.shape(), Shape::new(3, 8, 8));
    for (plane, expected) in all(&dataset).chunks(64).zip([200.0, 100.0, 50.0]) {
        assert!(
            plane.iter().all(|v| f32::abs(v - expected) < 8.0),
            "{plane:?}"
        );
    }
}

#[test]
fn pictures_of_another_size_are_named() {
    let folder = folder(&[
        ("a.png", &grey_png(2, 2, vec![0; 4])),
        ("odd.png", &grey_png(3, 2, vec![0; 6])),
    ]);
    let error = error(load("images", folder.path()));
    assert!(matches!(
        error,
        DataError::WrongSize {
            size: (3, 2),
            first_size: (2, 2),
            ..
        }
    ));
    let message = error.to_string();
    assert!(
        message.contains("odd.png") && message.contains("3×2") && message.contains("2×2"),
        "{message}"
    );
    // A limit stops before the odd one.
    let options = DataOptions {
        limit: 1,
        ..options("images", folder.path())
    };
    assert_eq!(open(&options, 1).unwrap().len(), Some(1));
}

#[test]
fn broken_pictures_are_refused() {
    let good = grey_png(40, 40, (0..1600).map(|i| (i * 31 % 256) as u8).collect());
    let mut absurd = good.clone();
    // The IHDR chunk: width and height at 16..24, its checksum over 12..29 at 29..33.
    absurd[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let mut checksum = flate2::Crc::new();
    checksum.update(&absurd[12..29]);
    absurd[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    for bytes in [&good[..good.len() / 2], b"not a picture", b"", &absurd] {
        let folder = folder(&[("a.png", bytes)]);
        let error = error(load("images", folder.path()));
        assert!(matches!(error, DataError::Picture { .. }), "{error}");
    }
}

// NPY

#[test]
fn npy_shapes_become_sample_shapes() {
    for (sizes, shape) in [
        (&[12u64, 2][..], Shape::new(2, 1, 1)),
        (&[4, 6], Shape::new(6, 1, 1)),
        (&[4, 2, 3], Shape::new(1, 2, 3)),
        (&[2, 2, 2, 3], Shape::new(2, 2, 3)),
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
        npy_header("<i8", "(2, 1)"),
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

// Any bytes at all

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

// The order of samples

/// Ten samples of one value each, 0 to 9.
fn ten(limit: usize, seed: u64) -> Dataset {
    let bytes = npy(&[10, 1], (0..10u8).map(f32::from));
    let folder = folder(&[("ten.npy", &bytes)]);
    let options = DataOptions {
        limit,
        ..options("npy", folder.path().join("ten.npy"))
    };
    open(&options, seed).unwrap()
}

fn batch(dataset: &mut Dataset, step: u64, count: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; 3]; // must be replaced
    dataset.batch(step, count, &mut out);
    out
}

fn sorted(mut values: Vec<f32>) -> Vec<f32> {
    values.sort_by(f32::total_cmp);
    values
}

#[test]
fn every_epoch_visits_every_sample_once_in_a_new_order() {
    let mut dataset = ten(0, 1);
    let everything = all(&dataset);
    // Batches of 4 of 10 samples: 15 of them are 6 epochs, and every other one spans two.
    let visited: Vec<f32> = (0..15).flat_map(|s| batch(&mut dataset, s, 4)).collect();
    let epochs: Vec<&[f32]> = visited.chunks(10).collect();
    for (i, epoch) in epochs.iter().enumerate() {
        assert_eq!(sorted(epoch.to_vec()), everything);
        assert_ne!(*epoch, everything, "not in file order");
        assert!(
            !epochs[..i].contains(epoch),
            "two epochs have the same order"
        );
    }
    // A batch may be larger than the set.
    assert_eq!(batch(&mut dataset, 0, 60), visited);
}

#[test]
fn a_batch_depends_on_seed_step_and_count_alone() {
    for source in ["digits", "moons"] {
        let open = |seed| open(&options(source, ""), seed).unwrap();
        let steps = [0, 1, 2, 40, 3, 0, u64::MAX];
        let mut dataset = open(5);
        let forwards = steps.map(|step| batch(&mut dataset, step, 100));
        for (step, expected) in steps.into_iter().zip(&forwards).rev() {
            let values = batch(&mut dataset, step, 100);
            assert_eq!(values.len(), 100 * dataset.shape().len());
            assert_eq!(&values, expected);
            assert_eq!(&batch(&mut open(5), step, 100), expected);
            assert_ne!(&batch(&mut open(6), step, 100), expected);
        }
        assert_ne!(forwards[0], forwards[1]);
    }
}

#[test]
fn a_limit_keeps_the_first_samples() {
    let mut dataset = ten(3, 1);
    assert_eq!(dataset.len(), Some(3));
    assert_eq!(all(&dataset), [0.0, 1.0, 2.0]);
    assert_eq!(sorted(batch(&mut dataset, 0, 3)), [0.0, 1.0, 2.0]);
    assert_eq!(ten(11, 1).len(), Some(10));
}

#[test]
fn a_limit_makes_a_finite_set_of_a_generated_one() {
    let endless = open(&options("rings", ""), 1).unwrap();
    assert_eq!(endless.len(), None);
    let limited = DataOptions {
        limit: 50,
        ..options("rings", "")
    };
    let mut finite = open(&limited, 1).unwrap();
    assert_eq!(finite.len(), Some(50));
    assert_eq!(all(&finite), endless.first(50));
    assert_eq!(sorted(batch(&mut finite, 1, 50)), sorted(endless.first(50)));
}

#[test]
fn ranges_of_samples_are_parts_of_the_first_ones() {
    let dataset = ten(0, 1);
    assert_eq!(dataset.first(2), [0.0, 1.0]);
    assert_eq!(dataset.samples(8..20), [8.0, 9.0]);
    assert!(dataset.samples(20..30).is_empty());
    let endless = open(&options("rings", ""), 1).unwrap();
    assert_eq!(endless.samples(7..9), endless.first(9)[14..]);
}

// Planar sets

const POINTS: usize = 40_000;

fn points(source: &str) -> Vec<[f32; 2]> {
    let mut dataset = open(&options(source, ""), 3).unwrap();
    assert_eq!(dataset.shape(), Shape::new(2, 1, 1));
    assert!(dataset.is_planar());
    let values = batch(&mut dataset, 0, POINTS);
    assert_eq!(values.len(), 2 * POINTS);
    values.as_chunks().0.to_vec()
}

/// The mean over `points` of `value`.
fn mean(points: &[[f32; 2]], value: impl Fn([f32; 2]) -> f32) -> f32 {
    let sum: f64 = points.iter().map(|&point| f64::from(value(point))).sum();
    (sum / points.len() as f64) as f32
}

#[test]
fn planar_sets_stay_in_bounds_and_fill_them() {
    // A normal number from 32-bit words is below 5.9 in size, which bounds all but the pinwheel.
    for (source, bound) in [
        ("8gaussians", 2.0 + 0.2 * 5.9),
        ("2spirals", PI + 0.5 / 3.0 + 0.1 * 5.9),
        ("checkerboard", 4.0),
        ("rings", 3.0 + 0.08 * 5.9),
        ("moons", 3.0 + 0.2 * 5.9),
        ("pinwheel", 6.0),
    ] {
        let points = points(source);
        let largest = points
            .as_flattened()
            .iter()
            .fold(0.0, |m, v| v.abs().max(m));
        assert!(largest <= bound, "{source}: {largest}");
        assert!(largest > 0.65 * bound, "{source}: {largest}");
        let outside = mean(&points, |p| {
            f32::from(u8::from(p.iter().any(|v| v.abs() > 4.0)))
        });
        assert!(outside < 1e-3, "{source}: {outside}");
    }
}

#[test]
fn eight_gaussians_have_their_means_spread_and_weights() {
    let mut modes = vec![Vec::new(); 8];
    for [x, y] in points("8gaussians") {
        let turn = y.atan2(x) / TAU * 8.0;
        modes[turn.round().rem_euclid(8.0) as usize].push([x, y]);
    }
    for (k, mode) in modes.iter().enumerate() {
        // Five standard errors each: of a binomial count, of a mean and of a variance.
        let expected = POINTS as f32 / 8.0;
        let n = mode.len() as f32;
        assert!((n - expected).abs() < 5.0 * (expected * 7.0 / 8.0).sqrt());
        let (sin, cos) = (k as f32 * TAU / 8.0).sin_cos();
        for (axis, centre) in [2.0 * cos, 2.0 * sin].into_iter().enumerate() {
            let found = mean(mode, |p| p[axis]);
            assert!((found - centre).abs() < 5.0 * 0.2 / n.sqrt());
            let variance = mean(mode, |p| (p[axis] - centre).powi(2));
            assert!((variance / 0.04 - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        }
    }
}

#[test]
fn checkerboard_fills_the_squares_of_one_colour_evenly() {
    let mut squares = std::collections::BTreeMap::new();
    for point in points("checkerboard") {
        let square = point.map(|v| (v / 2.0).floor() as i32);
        *squares.entry(square).or_insert(0) += 1;
    }
    assert_eq!(squares.len(), 8);
    for ([column, row], count) in squares {
        assert_eq!((column + row).rem_euclid(2), 0);
        assert!((count - POINTS as i32 / 8).abs() < 5 * 67);
    }
}

#[test]
fn rings_lie_at_four_radii() {
    let mut counts = [0; 4];
    for [x, y] in points("rings") {
        let radius = x.hypot(y);
        let ring = (radius / 0.75).round().clamp(1.0, 4.0);
        assert!((radius - 0.75 * ring).abs() < 0.08 * 5.9 * 1.5);
        counts[ring as usize - 1] += 1;
    }
    for count in counts {
        assert!((count - POINTS as i32 / 4).abs() < 5 * 87, "{counts:?}");
    }
}

#[test]
fn spirals_follow_their_curve() {
    // The curve of one arm moved by the mean of its uniform jitter, and its mirror image.
    let curve: Vec<[f32; 2]> = (0..=300)
        .map(|i| i as f32 / 300.0 * 3.0 * PI)
        .map(|t| [(0.25 - t * t.cos()) / 3.0, (0.25 + t * t.sin()) / 3.0])
        .collect();
    let points = points("2spirals");
    let nearest = |[x, y]: [f32; 2]| {
        curve
            .iter()
            .flat_map(|&[a, b]| [(x - a).hypot(y - b), (x + a).hypot(y + b)])
            .fold(f32::INFINITY, f32::min)
    };
    // Points spread evenly over the disc would lie 0.26 away: half of half the distance of the arms.
    assert!(mean(&points[..4000], nearest) < 0.13);
    assert!(mean(&points, |p| p[0]).abs() < 0.05, "both arms");
}

#[test]
fn moons_follow_their_half_circles() {
    let points = points("moons");
    // Undo the final scaling, then measure the distance from the nearer half circle.
    let unit = |[x, y]: [f32; 2]| [(x + 1.0) / 2.0, (y + 0.2) / 2.0];
    let off = |point| {
        let [x, y] = unit(point);
        let (upper, lower) = (x.hypot(y), (x - 1.0).hypot(y - 0.5));
        (upper - 1.0).abs().min((lower - 1.0).abs())
    };
    assert!(mean(&points, off) < 0.09, "{}", mean(&points, off));
    assert!((mean(&points, |p| unit(p)[0]) - 0.5).abs() < 0.03);
    assert!((mean(&points, |p| unit(p)[1]) - 0.25).abs() < 0.03);
}

#[test]
fn pinwheel_has_five_twisted_blades() {
    // Twisting the blades back leaves angles that are multiples of a fifth turn.
    let off = |[x, y]: [f32; 2]| {
        let radius = x.hypot(y) / 2.0;
        let blade = (y.atan2(x) + 0.25 * radius.exp()) / (TAU / 5.0);
        (blade - blade.round()).abs() * TAU / 5.0
    };
    // Angles spread evenly would be π/10 = 0.31 off.
    assert!(mean(&points("pinwheel"), off) < 0.15);
}

// Real files

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

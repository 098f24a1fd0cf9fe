//! Folders of pictures.

mod channels;
mod damage;
mod folders;
mod made;
mod seen;

use crate::files::{all, colour_png, encode, error, folder, grey_png, load, options};
use afterimage::data::{DataError, DataOptions, open};
use afterimage::shape::Shape;

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

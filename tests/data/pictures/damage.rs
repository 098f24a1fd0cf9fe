//! Damaged pictures are refused, whole ones are not.

use super::made::{Kind, Png};
use crate::files::{all, encode, error, folder, grey_png, load};
use image::ImageFormat;
use image::codecs::jpeg::JpegEncoder;

/// Grey, 8×8 pixels of value 20 + 25 x + 5 y.
const PROGRESSIVE: &[u8] = include_bytes!("progressive.jpg");
/// 8×8 pixels of the inks 10, 60, 200 and 40.
const CMYK: &[u8] = include_bytes!("cmyk.jpg");

fn ramp() -> Vec<u8> {
    let value = |at: u8| 20 + 25 * (at % 8) + 5 * (at / 8);
    (0..64).map(value).collect()
}

/// The message for a folder that holds `bytes` as `a` with an ending.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = folder(&[(name, bytes)]);
    let message = error(load("images", folder.path())).to_string();
    assert!(message.contains(name), "{message}");
    message
}

#[test]
fn every_jpeg_cut_short_is_refused_by_name() {
    let colours = image::RgbImage::from_fn(19, 17, |x, y| {
        image::Rgb([(13 * x) as u8, (15 * y) as u8, (7 * (x + y)) as u8])
    });
    let colours = encode(colours, ImageFormat::Jpeg);
    let grey = image::GrayImage::from_raw(8, 8, ramp()).unwrap();
    let grey = encode(grey, ImageFormat::Jpeg);
    for whole in [&colours[..], &grey, PROGRESSIVE, CMYK] {
        for len in 0..whole.len() {
            refusal("cut.jpg", &whole[..len]);
        }
        // What follows the end is nobody's.
        for after in [&b""[..], b"\0", b"more\xff\xd8\xff"] {
            let folder = folder(&[("whole.jpg", &[whole, after].concat())]);
            load("images", folder.path()).unwrap();
        }
    }
}

#[test]
fn a_jpeg_with_a_damaged_scan_is_refused() {
    let mut damaged = PROGRESSIVE.to_vec();
    // Bits that stand for no code of a table: all ones, stuffed.
    let scan = damaged
        .windows(2)
        .rposition(|two| two == b"\xff\xda")
        .unwrap()
        + 10;
    let end = damaged.len() - 2;
    for pair in damaged[scan..end].chunks_exact_mut(2) {
        pair.copy_from_slice(b"\xff\0");
    }
    refusal("scan.jpg", &damaged);
}

#[test]
fn a_jpeg_with_damaged_tables_or_bytes_between_its_segments_is_refused() {
    let table = PROGRESSIVE
        .windows(2)
        .position(|two| two == b"\xff\xc4")
        .unwrap();
    // The segment's marker, length and destination, then how many codes have one bit: two would leave no code free.
    let mut overlapping = PROGRESSIVE.to_vec();
    overlapping[table + 5] = 2;
    refusal("overlap.jpg", &overlapping);
    let mut between = PROGRESSIVE.to_vec();
    between.insert(table, 0);
    refusal("between.jpg", &between);
}

#[test]
fn a_jpeg_that_claims_an_absurd_size_is_refused() {
    let mut absurd = PROGRESSIVE.to_vec();
    let frame = absurd
        .windows(2)
        .position(|two| two == b"\xff\xc2")
        .unwrap();
    // Behind marker, length and precision: height and width.
    absurd[frame + 5..frame + 9].fill(0xff);
    let message = refusal("absurd.jpg", &absurd);
    assert!(message.contains("65535×65535"), "{message}");
    // What memory would do for, but the file holds too little of.
    absurd[frame + 5..frame + 9].copy_from_slice(&[0x20, 0, 0x20, 0]);
    let message = refusal("absurd.jpg", &absurd);
    assert!(message.contains("claims 8192×8192 pixels"), "{message}");
}

#[test]
fn whole_jpegs_have_their_values() {
    let mut best = Vec::new();
    JpegEncoder::new_with_quality(&mut best, 100)
        .encode(&ramp(), 8, 8, image::ExtendedColorType::L8)
        .unwrap();
    for (bytes, loss) in [(&best[..], 1.0), (PROGRESSIVE, 2.0)] {
        let folder = folder(&[("a.jpg", bytes)]);
        for (value, expected) in all(&load("images", folder.path()).unwrap())
            .iter()
            .zip(ramp())
        {
            assert!(
                (value - f32::from(expected)).abs() <= loss,
                "{value} {expected}"
            );
        }
    }
    let folder = folder(&[("a.jpg", CMYK)]);
    let values = all(&load("images", folder.path()).unwrap());
    // (255 − ink)(255 − black) / 255
    for (plane, expected) in values.chunks(64).zip([207.0, 164.0, 46.0]) {
        assert!(plane.iter().all(|&value| value == expected), "{plane:?}");
    }
}

#[test]
fn every_png_cut_short_is_refused_by_name() {
    let whole = grey_png(8, 8, ramp());
    for len in 0..whole.len() {
        refusal("cut.png", &whole[..len]);
    }
    let folder = folder(&[("whole.png", &[&whole[..], b"more"].concat())]);
    assert_eq!(all(&load("images", folder.path()).unwrap()).len(), 64);
}

#[test]
fn a_png_with_any_byte_changed_is_refused() {
    let whole = Png::row(2, 8, Kind::Palette, &[0, 1])
        .with(b"PLTE", &[10, 20, 30, 40, 50, 60])
        .with(b"tRNS", &[255, 0])
        .bytes();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        refusal("damaged.png", &damaged);
    }
}

#[test]
fn a_png_that_claims_more_pixels_than_it_can_hold_is_refused() {
    // 100,000 × 1,000 grey pixels in no more packed bytes than one row takes.
    let mut row = Png::row(100_000, 8, Kind::Grey, &[0; 100_000]).bytes();
    // Behind signature, length, name and width.
    row[20..24].copy_from_slice(&1000_u32.to_be_bytes());
    let sum = crc32fast::hash(&row[12..29]).to_be_bytes();
    row[29..33].copy_from_slice(&sum);
    let message = refusal("claims.png", &row);
    assert!(
        message.contains("claims 100000000 bytes of pixels"),
        "{message}"
    );
}

//! Pictures as they are seen: transparency, orientation, depth, formats.

use super::made::{Kind, Png, exif, with_exif, words};
use crate::files::{all, encode, error, folder, grey_png, load, options};
use afterimage::data::{Colour, DataOptions, Dataset, open};
use afterimage::shape::Shape;
use image::ImageFormat;

fn alone(bytes: &[u8]) -> Dataset {
    let folder = folder(&[("a.png", bytes)]);
    load("images", folder.path()).unwrap()
}

fn over(background: [u8; 3], files: &[(&str, &[u8])]) -> Dataset {
    let folder = folder(files);
    let options = DataOptions {
        background: Colour(background),
        ..options("images", folder.path())
    };
    open(&options, 1).unwrap()
}

#[test]
fn transparent_pictures_are_seen_over_the_background() {
    // Three that look alike over black, with other colours behind the transparency.
    let rgba =
        |hidden: u8| Png::row(2, 8, Kind::Rgba, &[200, 100, 50, 128, hidden, 7, hidden, 0]).bytes();
    let files = [rgba(0), rgba(99), rgba(255)];
    let names = ["a.png", "b.png", "c.png"];
    let files: Vec<(&str, &[u8])> = names
        .into_iter()
        .zip(files.iter().map(Vec::as_slice))
        .collect();
    let dataset = over([0, 0, 0], &files);
    // 200 · 128 / 255 = 100.39 and so on
    let alike = [100.0, 0.0, 50.0, 0.0, 25.0, 0.0];
    assert_eq!(all(&dataset), [alike, alike, alike].concat());
    assert_eq!(
        dataset.notes(),
        ["3 of 3 pictures are transparent: seen over #000000 (data.background)"]
    );
    // 100.39 + 255 · 127 / 255 = 227.39; 50.2 + 64 · 127 / 255 = 82.07; 25.1 + 0.5 = 25.6
    let over_colour = [227.0, 255.0, 82.0, 64.0, 26.0, 1.0];
    assert_eq!(all(&over([255, 64, 1], &files))[..6], over_colour);
}

#[test]
fn every_way_to_store_transparency_is_known() {
    let palette = Png::row(3, 8, Kind::Palette, &[0, 1, 2])
        .with(b"PLTE", &[10, 20, 30, 40, 50, 60, 70, 80, 90])
        .with(b"tRNS", &[255, 0]);
    let coloured = [10.0, 9.0, 70.0, 20.0, 8.0, 80.0, 30.0, 7.0, 90.0];
    assert_eq!(
        all(&over([9, 8, 7], &[("a.png", &palette.bytes())])),
        coloured
    );
    // Grey over grey stays grey, and over a colour it does not.
    let grey_alpha = Png::row(2, 8, Kind::GreyAlpha, &[200, 51, 30, 255]).bytes();
    assert_eq!(
        all(&over([100; 3], &[("a.png", &grey_alpha)])),
        [120.0, 30.0]
    );
    let red = over([255, 0, 0], &[("a.png", &grey_alpha)]);
    assert_eq!(all(&red), [244.0, 30.0, 40.0, 30.0, 40.0, 30.0]);
    let keyed = Png::row(2, 8, Kind::Grey, &[5, 30])
        .with(b"tRNS", &[0, 5])
        .bytes();
    assert_eq!(all(&over([100; 3], &[("a.png", &keyed)])), [100.0, 30.0]);
    let keyed = Png::row(2, 16, Kind::Grey, &words(&[257, 514])).with(b"tRNS", &words(&[257]));
    assert_eq!(
        all(&over([100; 3], &[("a.png", &keyed.bytes())])),
        [100.0, 2.0]
    );
    // 16 bits are mixed in 16 bits: 32768 · 1 / 65535 = 0.50001 steps, rounded to 1.
    let deep = Png::row(1, 16, Kind::GreyAlpha, &words(&[32768, 1])).bytes();
    assert_eq!(all(&over([0; 3], &[("a.png", &deep)])), [1.0 / 257.0]);
    // Alpha that hides nothing is not worth a word.
    let opaque = Png::row(1, 8, Kind::GreyAlpha, &[3, 255]).bytes();
    assert_eq!(over([9; 3], &[("a.png", &opaque)]).notes(), [""; 0]);
}

#[test]
fn pictures_are_turned_as_exif_says() {
    let plain = Png {
        height: 2,
        rows: vec![vec![1, 2, 3], vec![4, 5, 6]],
        ..Png::row(3, 8, Kind::Grey, &[])
    };
    // Orientations as TIFF 6.0 lists them: the stored first row is the displayed top, top, bottom, bottom, left, right, right,
    // left.
    let displayed = [
        (1, Shape::new(1, 2, 3), [1, 2, 3, 4, 5, 6]),
        (2, Shape::new(1, 2, 3), [3, 2, 1, 6, 5, 4]),
        (3, Shape::new(1, 2, 3), [6, 5, 4, 3, 2, 1]),
        (4, Shape::new(1, 2, 3), [4, 5, 6, 1, 2, 3]),
        (5, Shape::new(1, 3, 2), [1, 4, 2, 5, 3, 6]),
        (6, Shape::new(1, 3, 2), [4, 1, 5, 2, 6, 3]),
        (7, Shape::new(1, 3, 2), [6, 3, 5, 2, 4, 1]),
        (8, Shape::new(1, 3, 2), [3, 6, 2, 5, 1, 4]),
    ];
    for (orientation, shape, values) in displayed {
        let chunks = vec![(b"eXIf", exif(orientation))];
        let dataset = alone(
            &Png {
                chunks,
                rows: plain.rows.clone(),
                ..plain
            }
            .bytes(),
        );
        assert_eq!(dataset.shape(), shape, "{orientation}");
        assert_eq!(
            all(&dataset),
            values.map(|value| value as f32),
            "{orientation}"
        );
        let turned = ["the picture is turned as EXIF says".to_string()];
        assert_eq!(dataset.notes(), &turned[..usize::from(orientation > 1)]);
    }
}

#[test]
fn sizes_are_those_of_displayed_pictures() {
    let upright = encode(image::GrayImage::new(16, 8), ImageFormat::Jpeg);
    let lying = with_exif(&upright, 6);
    let lies = folder(&[("b.jpg", &lying)]);
    assert_eq!(
        load("images", lies.path()).unwrap().shape(),
        Shape::new(1, 16, 8)
    );
    let both = folder(&[("a.jpg", &upright), ("b.jpg", &lying)]);
    let message = error(load("images", both.path())).to_string();
    assert!(message.contains("b.jpg` is 8×16 pixels"), "{message}");
    assert!(message.contains("a.jpg` is 16×8"), "{message}");
}

#[test]
fn sixteen_bits_are_kept() {
    let levels: Vec<u16> = (0..64).map(|level| 30_000 + level).collect();
    let dataset = alone(&Png::row(64, 16, Kind::Grey, &words(&levels)).bytes());
    let expected: Vec<f32> = levels
        .iter()
        .map(|&v| (f64::from(v) / 257.0) as f32)
        .collect();
    assert_eq!(all(&dataset), expected);
    let rgb = alone(&Png::row(1, 16, Kind::Rgb, &words(&[257, 258, 65535])).bytes());
    assert_eq!(all(&rgb), [1.0, (258.0f64 / 257.0) as f32, 255.0]);
}

#[test]
fn eight_bits_and_sixteen_give_the_same_values() {
    let bytes: Vec<u8> = (0..=255).collect();
    let deep: Vec<u16> = bytes.iter().map(|&byte| u16::from(byte) * 257).collect();
    let eight = grey_png(256, 1, bytes);
    let sixteen = Png::row(256, 16, Kind::Grey, &words(&deep)).bytes();
    // Each alone, and one with the other, whichever comes first.
    for files in [
        vec![("a.png", &eight)],
        vec![("a.png", &sixteen)],
        vec![("a.png", &eight), ("b.png", &sixteen)],
        vec![("a.png", &sixteen), ("b.png", &eight)],
    ] {
        let files: Vec<(&str, &[u8])> = files.into_iter().map(|(n, b)| (n, &b[..])).collect();
        let folder = folder(&files);
        let options = DataOptions {
            low: -1.0,
            high: 1.0,
            ..options("images", folder.path())
        };
        let dataset = open(&options, 1).unwrap();
        for values in all(&dataset).chunks(256) {
            assert_eq!((values[0], values[255]), (-1.0, 1.0));
            let expected = (0..256).map(|raw| (2.0 / 255.0 * f64::from(raw) - 1.0) as f32);
            assert!(values.iter().copied().eq(expected), "{values:?}");
        }
    }
}

#[test]
fn few_bits_palettes_gamma_and_interlace_are_read_as_stored() {
    for (bits, row, expected) in [
        (1, vec![0b0100_0000], [0.0, 255.0]),
        (2, vec![0b0110_0000], [85.0, 170.0]),
        (4, vec![0x1f], [17.0, 255.0]),
    ] {
        assert_eq!(
            all(&alone(&Png::row(2, bits, Kind::Grey, &row).bytes())),
            expected
        );
    }
    let few =
        Png::row(3, 2, Kind::Palette, &[0b1000_0100]).with(b"PLTE", &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(
        all(&alone(&few.bytes())),
        [7.0, 1.0, 4.0, 8.0, 2.0, 5.0, 9.0, 3.0, 6.0]
    );
    // A gamma of 1 would brighten 50 to 123.
    let gamma = Png::row(1, 8, Kind::Grey, &[50]).with(b"gAMA", &100_000u32.to_be_bytes());
    assert_eq!(all(&alone(&gamma.bytes())), [50.0]);
    let interlaced = Png {
        height: 2,
        interlaced: true,
        // Passes 1, 6 and 7; the others are empty in 2×2 pixels.
        rows: vec![vec![1], vec![2], vec![3, 4]],
        ..Png::row(2, 8, Kind::Grey, &[])
    };
    assert_eq!(all(&alone(&interlaced.bytes())), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn other_formats_are_refused_by_name() {
    let good = grey_png(1, 1, vec![0]);
    for (name, bytes, format) in [
        ("x.tif", &b"II*\0\x08\0\0\0"[..], "TIFF"),
        ("x.png", b"MM\0*\0\0\0\x08", "TIFF"),
        ("X.TIFF", b"", "TIFF"),
        ("x.hdr", b"#?RADIANCE\n", "Radiance HDR"),
        ("x.exr", b"\x76\x2f\x31\x01\x02\0\0\0", "OpenEXR"),
        ("x", b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
        ("x.txt", b"GIF89a\x01\0\x01\0", "GIF"),
        ("x.bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0", "BMP"),
        ("x.Heic", b"\0\0\0\x18ftypheic", "HEIC"),
        ("x.tga", b"\0\0\x02", "TGA"),
    ] {
        let folder = folder(&[("good.png", &good), (name, bytes)]);
        let message = error(load("images", folder.path())).to_string();
        assert!(
            message.contains(&format!("{name}` is a {format} picture"))
                && message.contains("save it as PNG, which keeps up to 16 bits"),
            "{message}"
        );
    }
    for (name, bytes) in [("x.PNG", &b"P,Q\n1,2\n"[..]), ("x.jpeg", b"")] {
        let folder = folder(&[("good.png", &good), (name, bytes)]);
        let message = error(load("images", folder.path())).to_string();
        assert!(message.contains("neither a PNG nor a JPEG"), "{message}");
    }
}

//! Pictures: exact pixels where they are defined, and no panic on awkward input.

use std::io::Cursor;

use afterimage::low_level::report::{
    GrowthPanel, Panel, Series, curves, gif, growth_curves, landscape, png_bytes, sample_grid,
};
use afterimage::shape::Shape;
use afterimage::train::ReportError;
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, Rgb, RgbImage};

const MAGENTA: Rgb<u8> = Rgb([255, 0, 255]);
const WHITE: Rgb<u8> = Rgb([255; 3]);

fn grey(level: u8) -> Rgb<u8> {
    Rgb([level; 3])
}

fn count(image: &RgbImage, colour: Rgb<u8>) -> usize {
    image.pixels().filter(|pixel| **pixel == colour).count()
}

fn panel(points: &[(f64, f64)], log_scale: bool) -> Panel {
    Panel {
        title: "loss".into(),
        series: vec![Series {
            label: "live".into(),
            points: points.to_vec(),
        }],
        log_scale,
    }
}

fn is_blue(pixel: &Rgb<u8>) -> bool {
    *pixel == Rgb([0x00, 0x72, 0xb2])
}

#[test]
fn grid_places_and_enlarges_every_pixel() {
    // Three 1×2×2 samples in two columns, each pixel 24 × 24.
    let samples = [
        -1.0, 1.0, 0.0, 0.5, // clamped below, white, and two greys
        2.0, -3.0, 1.0, 1.0, // clamped above and below
        1.0, 1.0, 1.0, 1.0,
    ];
    let brightness = |value: f32| (value + 1.0) / 2.0;
    let image = sample_grid(&samples, Shape::new(1, 2, 2), brightness, 2).unwrap();
    assert_eq!(image.dimensions(), (2 + 2 * 50, 2 + 2 * 50));

    let background = grey(40);
    let cell = |index: usize, x: u32, y: u32| -> Rgb<u8> {
        let pixel = (y / 24 * 2 + x / 24) as usize;
        let value = brightness(samples[index * 4 + pixel]).clamp(0.0, 1.0);
        grey((value * 255.0).round() as u8)
    };
    for (x, y, pixel) in image.enumerate_pixels() {
        let within = |v: u32| v.checked_sub(2).map(|v| (v / 50, v % 50));
        let expected = match (within(x), within(y)) {
            (Some((col, dx @ 0..48)), Some((row, dy @ 0..48))) if row * 2 + col < 3 => {
                cell((row * 2 + col) as usize, dx, dy)
            }
            _ => background,
        };
        assert_eq!(*pixel, expected, "at ({x}, {y})");
    }
}

#[test]
fn grid_reads_colour_channel_by_channel() {
    // 3×1×2: red plane, green plane, blue plane.
    let samples = [1.0, 0.0, 0.0, 0.2, 0.4, 1.0];
    let image = sample_grid(&samples, Shape::new(3, 1, 2), |v| v, 8).unwrap();
    assert_eq!(image.dimensions(), (2 + 48 + 2, 2 + 24 + 2));
    assert_eq!(*image.get_pixel(2, 2), Rgb([255, 0, 102]));
    assert_eq!(*image.get_pixel(49, 25), Rgb([0, 51, 255]));
}

#[test]
fn grid_keeps_large_images_as_they_are() {
    let image = sample_grid(&[0.0; 64 * 64], Shape::new(1, 64, 64), |v| v, 1).unwrap();
    assert_eq!(image.dimensions(), (68, 68));
}

#[test]
fn grid_shows_what_is_not_finite() {
    let samples = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.5];
    let image = sample_grid(&samples, Shape::new(1, 2, 2), |v| v, 1).unwrap();
    assert_eq!(count(&image, MAGENTA), 3 * 24 * 24);

    // One bad channel is enough, and so is a brightness that is not finite.
    let image = sample_grid(&[0.5, f32::NAN, 0.5], Shape::new(3, 1, 1), |v| v, 1).unwrap();
    assert_eq!(count(&image, MAGENTA), 48 * 48);
    let image = sample_grid(&[0.5], Shape::new(1, 1, 1), |v| v / 0.0, 1).unwrap();
    assert_eq!(count(&image, MAGENTA), 48 * 48);
}

#[test]
fn grid_refuses_what_is_not_images() {
    let grid = |values: usize, shape, columns| {
        sample_grid(&vec![0.0; values], shape, |v| v, columns).unwrap_err()
    };
    let square = Shape::new(1, 2, 2);
    assert!(matches!(
        grid(2, Shape::new(2, 1, 1), 1),
        ReportError::UnsupportedChannels { .. }
    ));
    assert!(matches!(
        grid(5, square, 1),
        ReportError::PartialSample { values: 5, .. }
    ));
    assert!(matches!(
        grid(5, Shape::new(3, usize::MAX, 2), 1),
        ReportError::PartialSample { .. }
    ));
    assert!(matches!(
        grid(4, Shape::new(1, 0, 2), 1),
        ReportError::EmptyShape { .. }
    ));
    assert!(matches!(grid(4, square, 0), ReportError::NoColumns));
    assert!(matches!(grid(0, square, 1), ReportError::Nothing { .. }));
    assert!(matches!(
        grid(100_000, Shape::new(1, 1, 1), 1_000_000),
        ReportError::TooLarge { .. }
    ));
}

#[test]
fn landscape_puts_the_first_row_at_the_top_and_low_energy_in_yellow() {
    // Lowest energy in the top right cell, not finite in the bottom left one.
    let energies = [50.0, -3.0, f32::NAN, 50.0];
    let image = landscape(&energies, 2, 4.0, &[], &[], "samples").unwrap();
    assert_eq!(image.height(), 464);
    let yellow = Rgb([0xfd, 0xe7, 0x25]);
    let violet = Rgb([0x44, 0x01, 0x54]);
    let panel = |x: u32, y: u32| *image.get_pixel(56 + x, 44 + y);
    assert_eq!(panel(90, 90), violet);
    assert_eq!(panel(270, 90), yellow);
    assert_eq!(panel(90, 270), MAGENTA);
    assert_eq!(panel(270, 270), violet);
}

#[test]
fn landscape_draws_each_point_where_it_lies() {
    let picture = |data: &[[f32; 2]], samples: &[[f32; 2]]| {
        landscape(&[0.0; 16], 4, 2.0, data, samples, "samples").unwrap()
    };
    let image = picture(&[[1.0, 1.0]], &[[-1.0, -1.0]]);
    let panel_pixel = |panel: u32, x: u32, y: u32| {
        let blue_over_red = |p: &Rgb<u8>| i32::from(p[2]) - i32::from(p[0]);
        blue_over_red(image.get_pixel(panel * 430 + 56 + x, 44 + y))
    };
    assert!(panel_pixel(1, 270, 90) > 50, "data is blue, upper right");
    assert!(
        panel_pixel(2, 90, 270) < -50,
        "samples are orange, lower left"
    );
    assert_eq!(panel_pixel(1, 100, 280), 0);
    assert_eq!(panel_pixel(2, 280, 100), 0);

    // A point that cannot be drawn is told in a note instead of being dropped in silence.
    let inside = picture(&[[1.0, 1.0]], &[[0.0, 0.0]]);
    for lost in [[5.0, 0.0], [f32::NAN, 0.0], [0.0, f32::NEG_INFINITY]] {
        assert_ne!(picture(&[[1.0, 1.0], lost], &[[0.0, 0.0]]), inside);
    }
}

#[test]
fn landscape_names_its_samples() {
    let picture = |title: &str| landscape(&[0.0; 16], 4, 2.0, &[], &[], title).unwrap();
    let (noise, model) = (picture("noise samples"), picture("model samples"));
    // Above the last of three panels, and nowhere else.
    let differs = |(x, y, pixel): (u32, u32, &Rgb<u8>)| {
        (pixel != model.get_pixel(x, y)).then_some((x >= 860, y < 44))
    };
    let places: Vec<(bool, bool)> = noise.enumerate_pixels().filter_map(differs).collect();
    assert!(!places.is_empty() && places.iter().all(|place| *place == (true, true)));
}

#[test]
fn landscape_survives_awkward_energies() {
    let inside = 359 * 359;
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let image = landscape(&[bad; 9], 3, 1.0, &[], &[], "samples").unwrap();
        assert_eq!(count(&image, MAGENTA), inside);
    }
    for flat in [0.0, f32::MAX, f32::MIN] {
        let image = landscape(&[flat], 1, 1.0, &[], &[], "samples").unwrap();
        assert_eq!(count(&image, Rgb([0xfd, 0xe7, 0x25])), inside);
    }
    let image = landscape(
        &[f32::MIN, f32::MAX, 0.0, 1.0],
        2,
        1e-6,
        &[],
        &[],
        "samples",
    )
    .unwrap();
    assert_eq!(count(&image, MAGENTA), 0);
}

#[test]
fn landscape_refuses_what_is_not_a_square() {
    let draw = |energies: usize, side, extent| {
        landscape(&vec![0.0; energies], side, extent, &[], &[], "samples").unwrap_err()
    };
    assert!(matches!(draw(0, 0, 1.0), ReportError::Nothing { .. }));
    assert!(matches!(draw(5, 2, 1.0), ReportError::LandscapeSize { .. }));
    assert!(matches!(
        draw(0, usize::MAX, 1.0),
        ReportError::LandscapeSize { .. }
    ));
    for extent in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(draw(4, 2, extent), ReportError::Extent { .. }));
    }
}

#[test]
fn curves_come_in_two_columns() {
    let line = panel(&[(0.0, 1.0), (10.0, 3.0)], false);
    for (panels, height) in [(1, 320), (2, 320), (3, 640), (4, 640)] {
        let image = curves(&vec![line.clone(); panels]).unwrap();
        assert_eq!(image.dimensions(), (1200, height));
    }
    assert!(matches!(curves(&[]), Err(ReportError::Nothing { .. })));
}

#[test]
fn curves_rise_from_lower_left_to_upper_right() {
    let image = curves(&[panel(&[(0.0, 1.0), (10.0, 3.0)], false)]).unwrap();
    let blue = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
        x.flat_map(|x| y.clone().map(move |y| (x, y)))
            .any(|(x, y)| is_blue(image.get_pixel(x, y)))
    };
    assert!(blue(80..200, 200..262));
    assert!(blue(1050..1170, 42..110));
    assert!(!blue(80..200, 42..110));
    assert!(!blue(1050..1170, 200..262));
}

#[test]
fn curves_survive_awkward_points() {
    let (nan, infinite) = (f64::NAN, f64::INFINITY);
    let drawn: &[&[(f64, f64)]] = &[
        &[(5.0, 2.0)],
        &[(0.0, 0.0), (1.0, 0.0), (2.0, 7.0)],
        &[(0.0, 3.0), (1.0, 3.0)],
        &[(4.0, 1.0), (4.0, 2.0)],
        &[
            (0.0, nan),
            (1.0, 1.0),
            (2.0, infinite),
            (3.0, 2.0),
            (nan, 1.0),
        ],
        &[(0.0, -infinite), (1.0, 5.0), (2.0, 1e-250)],
        &[(0.0, 1e250), (1e250, 1.0)],
        &[(0.0, 1.0), (1.0, 1.0 + 1e-15)],
        &[(1e15, 1e-12), (1e15 + 1.0, 2e-12)],
        &[(3.0, 1.0), (1.0, 2.0), (2.0, 3.0)],
    ];
    for points in drawn {
        for log_scale in [false, true] {
            let image = curves(&[panel(points, log_scale)]).unwrap();
            assert!(image.pixels().any(is_blue), "{points:?} log {log_scale}");
        }
    }
    let empty: &[&[(f64, f64)]] = &[&[], &[(0.0, nan)], &[(infinite, 0.0)], &[(0.0, f64::MAX)]];
    for points in empty {
        for log_scale in [false, true] {
            let image = curves(&[panel(points, log_scale)]).unwrap();
            assert!(!image.pixels().any(is_blue), "{points:?} log {log_scale}");
        }
    }
    let below_zero = [(0.0, -1.0), (1.0, 0.0)];
    assert!(
        !curves(&[panel(&below_zero, true)])
            .unwrap()
            .pixels()
            .any(is_blue)
    );
    curves(&[Panel::default()]).unwrap();
}

#[test]
fn curves_show_every_spike_of_a_long_series() {
    let mut points: Vec<_> = (0..200_000).map(|step| (f64::from(step), 0.0)).collect();
    points[100_003].1 = 1.0;
    let image = curves(&[panel(&points, false)]).unwrap();
    let upper_half = (42..150).flat_map(|y| (80..1170).map(move |x| (x, y)));
    let spike: Vec<_> = upper_half
        .filter(|&(x, y)| is_blue(image.get_pixel(x, y)))
        .collect();
    assert!(spike.len() > 90);
    assert!(spike.iter().all(|&(x, _)| x.abs_diff(626) < 3));
}

#[test]
fn curves_name_series_only_if_there_are_several() {
    let one = panel(&[(0.0, 1.0), (1.0, 2.0)], false);
    let mut renamed = one.clone();
    renamed.series[0].label = "another name".into();
    let draw = |panel: &Panel| curves(std::slice::from_ref(panel)).unwrap();
    assert_eq!(draw(&one), draw(&renamed));

    let mut two = one;
    two.series.push(Series::default());
    let mut renamed = two.clone();
    renamed.series[0].label = "another name".into();
    assert_ne!(draw(&two), draw(&renamed));

    two.title = "a title that never ends ".repeat(50);
    two.series = vec![two.series[0].clone(); 200];
    two.series[0].label = "a name that never ends ".repeat(50);
    curves(&[two]).unwrap();
}

#[test]
fn gif_plays_every_frame_for_ever() {
    let colours = [grey(0), grey(128), Rgb([200, 30, 60])];
    let frames = colours.map(|colour| RgbImage::from_pixel(7, 5, colour));
    let bytes = gif(&frames, 120).unwrap();

    let decoder = GifDecoder::new(Cursor::new(&bytes)).unwrap();
    let decoded = decoder.into_frames().collect_frames().unwrap();
    assert_eq!(decoded.len(), 3);
    for (frame, colour) in decoded.iter().zip(colours) {
        assert_eq!(frame.delay().numer_denom_ms(), (120, 1));
        assert_eq!(frame.buffer().dimensions(), (7, 5));
        let shown = frame.buffer().get_pixel(3, 2);
        for channel in 0..3 {
            assert!(shown[channel].abs_diff(colour[channel]) <= 8, "{shown:?}");
        }
    }
    // The loop extension with a count of 0, which means for ever.
    let endless = b"NETSCAPE2.0\x03\x01\x00\x00\x00";
    assert!(bytes.windows(endless.len()).any(|part| part == endless));
}

#[test]
fn gif_refuses_frames_that_do_not_fit() {
    assert!(matches!(gif(&[], 50), Err(ReportError::Nothing { .. })));
    let frames = [RgbImage::new(4, 4), RgbImage::new(4, 5)];
    assert!(matches!(
        gif(&frames, 50),
        Err(ReportError::FrameSize { index: 1, .. })
    ));
    for (width, height) in [(0, 4), (70_000, 1)] {
        let frame = RgbImage::new(width, height);
        assert!(matches!(
            gif(&[frame], 50),
            Err(ReportError::GifSize { .. })
        ));
    }
}

#[test]
fn png_keeps_every_pixel() {
    let mut image = RgbImage::from_pixel(3, 2, WHITE);
    image.put_pixel(2, 1, Rgb([1, 2, 3]));
    let bytes = png_bytes(&image).unwrap();
    assert_eq!(image::load_from_memory(&bytes).unwrap().into_rgb8(), image);
}

#[test]
fn png_of_no_pixels_is_an_error() {
    assert!(matches!(
        png_bytes(&RgbImage::new(0, 0)),
        Err(ReportError::Encoding(_))
    ));
}

#[test]
fn growth_is_drawn_from_zero_at_its_sizes() {
    let panel = |points: &[(f64, f64)]| GrowthPanel {
        title: "nanoseconds per sample".into(),
        size: "samples in a batch".into(),
        points: points.to_vec(),
    };
    let flat = panel(&[(16.0, 5.0), (32.0, 5.0), (64.0, 5.0)]);
    let image = growth_curves(&[flat.clone(), flat]).unwrap();
    assert_eq!(image.dimensions(), (1200, 320));
    // A flat cost is a level line near the top, not one in the middle of a magnified axis.
    let rows: Vec<u32> = image
        .enumerate_pixels()
        .filter(|(x, _, pixel)| *x < 600 && is_blue(pixel))
        .map(|(_, y, _)| y)
        .collect();
    let (top, bottom) = (rows.iter().min().unwrap(), rows.iter().max().unwrap());
    assert!(
        bottom - top <= 8 && (50..100).contains(top),
        "{top}..{bottom}"
    );

    for awkward in [
        &[][..],
        &[(16.0, 5.0)],
        &[
            (0.0, 5.0),
            (16.0, f64::NAN),
            (32.0, 0.0),
            (f64::INFINITY, 1.0),
        ],
    ] {
        growth_curves(&[panel(awkward)]).unwrap();
    }
    assert!(matches!(
        growth_curves(&[]),
        Err(ReportError::Nothing { .. })
    ));
}

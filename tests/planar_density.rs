//! The exact densities of the planar sets: normalised, of the right moments, and those of the points generated.

use afterimage::config;
use afterimage::data::{self, DataError, PlanarDensity};
use afterimage::low_level::random::{Philox, Stream};
use std::f64::consts::PI;
use std::ops::Range;

const SETS: [&str; 6] = [
    "8gaussians",
    "2spirals",
    "checkerboard",
    "rings",
    "moons",
    "pinwheel",
];
/// Cells of the quadrature on a unit of length: a normal density of standard deviation 0.08, as across the rings, is
/// then integrated with an error of 2·exp(−2π²·(16·0.08)²) = 2e-14. The pinwheel's blades get thinner outwards,
/// unless noise widens them.
fn fineness(source: &str, noise: f64) -> usize {
    if source == "pinwheel" && noise < 0.05 {
        32
    } else {
        16
    }
}

fn density(source: &str, noise: f64) -> PlanarDensity {
    PlanarDensity::new(source, noise).expect("a planar set")
}

/// Cell centres from −`reach` to `reach`, `fineness` of them on a unit; edges of cells lie on whole numbers.
fn places(reach: usize, fineness: usize) -> Vec<f64> {
    (0..2 * reach * fineness)
        .map(|i| (i as f64 + 0.5) / fineness as f64 - reach as f64)
        .collect()
}

/// A density on a grid that holds all of it: the grid, its values, and the area of a cell.
fn grid(density: &PlanarDensity, fineness: usize) -> (Vec<f64>, Vec<f64>, f64) {
    let places = places(density.reach().ceil() as usize, fineness);
    let values = density.log_density_on_grid(&places);
    let values = values.into_iter().map(f64::exp).collect();
    (places, values, (fineness as f64).powi(-2))
}

/// ∫ p(x)·`value`(x) by the midpoint rule, which converges exponentially for smooth densities that vanish at the borders
/// (L. Trefethen, J. Weideman, SIAM Review 56, 2014), and is exact for a constant on whole cells.
fn expectation(
    (places, values, area): &(Vec<f64>, Vec<f64>, f64),
    value: impl Fn(f64, f64) -> f64,
) -> f64 {
    let side = places.len();
    let term = |(i, p): (usize, &f64)| p * value(places[i % side], places[i / side]);
    values.iter().enumerate().map(term).sum::<f64>() * area
}

#[test]
fn every_density_is_normalised() {
    for source in SETS {
        for noise in [0.0, 0.05, 0.3] {
            let mass = expectation(
                &grid(&density(source, noise), fineness(source, noise)),
                |_, _| 1.0,
            );
            // Beyond reach() lies less than 1e-8; quadratures inside err by less than 1e-9.
            assert!((mass - 1.0).abs() < 1e-8, "{source} {noise}: {mass:.12}");
        }
    }
}

/// E x, E y and E |x|² of the definitions, by hand.
fn moments(source: &str) -> [f64; 3] {
    match source {
        "8gaussians" => [0.0, 0.0, 4.0 + 2.0 * 0.04],
        "2spirals" => {
            // ∫ t² sin t = 9π² − 4 and ∫ t² cos t = −6π over (0, 3π), times the density's 2/(9π²).
            let scale = 2.0 / (9.0 * PI * PI);
            let (sine, cosine) = (scale * (9.0 * PI * PI - 4.0), -scale * 6.0 * PI);
            let centre = (4.5 * PI * PI + 0.5 * (sine - cosine) + 0.125) / 9.0;
            [0.0, 0.0, centre + 2.0 * (1.0 / 36.0 / 12.0 + 0.01)]
        }
        "checkerboard" => [0.0, 0.0, 32.0 / 3.0],
        "rings" => [0.0, 0.0, 30.0 * 0.5625 / 4.0 + 2.0 * 0.0064],
        "moons" => [0.0, 0.3, 3.0 + 0.5 * (4.68 - 8.0 / PI) + 2.0 * 0.04],
        _ => [0.0, 0.0, 4.0 * (1.0 + 0.09 + 0.01)],
    }
}

#[test]
fn moments_are_those_of_the_definitions() {
    for source in SETS {
        let [x, y, squares] = moments(source);
        for noise in [0.0, 0.2] {
            let grid = grid(&density(source, noise), fineness(source, noise));
            // The squares of a checkerboard end where the midpoint rule errs by h²/12 in E x² of each coordinate.
            let edges = if source == "checkerboard" && noise == 0.0 {
                (fineness(source, noise) as f64).powi(-2) / 6.0
            } else {
                0.0
            };
            for (what, found, wanted) in [
                ("E x", expectation(&grid, |x, _| x), x),
                ("E y", expectation(&grid, |_, y| y), y),
                (
                    "E |x|²",
                    expectation(&grid, |x, y| x * x + y * y) + edges,
                    squares + 2.0 * noise * noise,
                ),
            ] {
                // The mass beyond reach() is less than 1e-8, and |x|² there not much above 100.
                let error = (found - wanted).abs();
                assert!(error < 1e-6, "{source} {noise} {what}: {found} {wanted}");
            }
        }
    }
}

/// `count` points of the generator, with noise, as training would see them.
fn points(source: &str, noise: f32, count: usize) -> Vec<[f64; 2]> {
    let config = config::load(source, &[]).expect("a preset a set");
    let values = data::open(&config.data.options(), 11).unwrap().first(count);
    let mut random = Philox::new(11, Stream::DataNoise, 0);
    let noisy = |value: &f32| f64::from(value + noise * random.normal());
    let values: Vec<f64> = values.iter().map(noisy).collect();
    values.as_chunks().0.to_vec()
}

#[test]
fn generated_points_follow_the_density() {
    const COUNT: usize = 200_000;
    const CELLS: usize = 4; // on a unit of length
    for source in SETS {
        for noise in [0.0, 0.1_f32] {
            let density = density(source, f64::from(noise));
            // Cells of the quadrature are an eighth of those of the histogram.
            let (places, values, area) = grid(&density, 8 * CELLS);
            let reach = density.reach().ceil();
            let side = 2 * reach as usize * CELLS;
            let mut expected = vec![0.0; side * side];
            for (index, value) in values.iter().enumerate() {
                let (x, y) = (index % places.len(), index / places.len());
                expected[y / 8 * side + x / 8] += value * area * COUNT as f64;
            }
            let mut found = vec![0.0; side * side];
            for [x, y] in points(source, noise, COUNT) {
                let cell = |v: f64| ((v + reach) * CELLS as f64) as usize;
                found[cell(y) * side + cell(x)] += 1.0;
            }
            // Cells with few points count as one, so that counts are nearly normal.
            let (mut statistic, mut cells) = (0.0, 0);
            let (mut few_expected, mut few_found) = (0.0, 0.0);
            for (expected, found) in expected.iter().zip(&found) {
                if *expected < 25.0 {
                    few_expected += expected;
                    few_found += found;
                } else {
                    statistic += (found - expected).powi(2) / expected;
                    cells += 1;
                }
            }
            if few_expected > 1.0 {
                statistic += f64::powi(few_found - few_expected, 2) / few_expected;
                cells += 1;
            }
            // E. Wilson, M. Hilferty, PNAS 17, 1931: the cube root of χ²/k is nearly normal.
            let spread = 2.0 / (9.0 * f64::from(cells - 1));
            let ratio = statistic / f64::from(cells - 1);
            let deviations = (ratio.cbrt() - 1.0 + spread) / spread.sqrt();
            // Of twelve tests, one raises a false alarm with a probability of 4e-5, for other seeds than this one.
            assert!(
                deviations < 4.5,
                "{source} {noise}: {deviations} of {cells} cells"
            );
            assert!(cells > 60, "{source}: the test has no power");
        }
    }
}

#[test]
fn noise_is_a_convolution() {
    let noise = 0.1;
    for source in SETS {
        let (places, values, area) = grid(&density(source, 0.0), 32);
        let smoothed = density(source, noise);
        for at in [
            [0.3, 0.2],
            [2.1, -0.1],
            [-0.9, 1.7],
            [1.0, 2.05],
            [0.0, 0.0],
        ] {
            let mut sum = 0.0;
            for (index, value) in values.iter().enumerate() {
                let x = at[0] - places[index % places.len()];
                let y = at[1] - places[index / places.len()];
                sum += value * (-(x * x + y * y) / (2.0 * noise * noise)).exp();
            }
            let wanted = sum * area / (2.0 * PI * noise * noise);
            let found = smoothed.log_density(at).exp();
            // At the edges of a square the midpoint rule errs by h²/24·|gradient| along them, 4e-3 of the density.
            let tolerance = if source == "checkerboard" { 4e-3 } else { 1e-9 };
            let error = (found - wanted).abs();
            assert!(
                error < tolerance * (wanted + 1e-3),
                "{source} {at:?}: {found} {wanted}"
            );
        }
    }
}

#[test]
fn a_grid_holds_the_densities_of_its_points() {
    let places = places(7, 2);
    for source in SETS {
        for noise in [0.0, 0.1] {
            let density = density(source, noise);
            let grid = density.log_density_on_grid(&places);
            for (index, log) in grid.into_iter().enumerate() {
                let at = [places[index % places.len()], places[index / places.len()]];
                let single = density.log_density(at);
                let close = log == single || (log - single).abs() < 1e-9 * single.abs();
                assert!(close, "{source} {noise} {at:?}: {log} {single}");
            }
        }
    }
    assert!(density("rings", 0.0).log_density_on_grid(&[]).is_empty());
}

#[test]
fn tails_are_finite_and_fall() {
    for source in SETS {
        for noise in [0.0, 0.1] {
            if (source, noise) == ("checkerboard", 0.0) {
                continue;
            }
            let density = density(source, noise);
            let logs: Vec<f64> = [6.0, 9.0, 14.0, 20.0, 60.0, 170.0]
                .iter()
                .map(|d| density.log_density([*d, 0.3 * d]))
                .collect();
            assert!(logs.iter().all(|log| log.is_finite()), "{source}: {logs:?}");
            assert!(logs.is_sorted_by(|a, b| a > b), "{source}: {logs:?}");
        }
    }
}

/// ln of the pinwheel's density with noise as its definition has it, a double integral over r and s, by trapezoidal rules
/// with these numbers of nodes on a unit of each.
fn defined_pinwheel([x, y]: [f64; 2], noise: f64, r: Range<f64>, fineness: [f64; 2]) -> f64 {
    let normal = |z: f64, std: f64| -0.5 * (z / std).powi(2) - (std * (2.0 * PI).sqrt()).ln();
    let nodes = |range: Range<f64>, fineness: f64| {
        let count = ((range.end - range.start) * fineness) as usize;
        (0..=count).map(move |i| range.start + i as f64 / fineness)
    };
    let mut logs = Vec::new();
    for r in nodes(r, fineness[0]) {
        for blade in 0..5 {
            let (sin, cos) = (2.0 * PI / 5.0 * f64::from(blade) + 0.25 * r.exp()).sin_cos();
            // No s matters that is far from where the blade is nearest to the point and from the blade's middle.
            let nearest = 0.5 * (x * sin + y * cos);
            let far = 10.0 * noise;
            let s = (nearest.min(0.0) - far).max(-2.5)..(nearest.max(0.0) + far).min(2.5);
            for s in nodes(s, fineness[1]) {
                let (dx, dy) = (x - 2.0 * (r * cos + s * sin), y - 2.0 * (s * cos - r * sin));
                let noise = normal(dx, noise) + normal(dy, noise);
                logs.push(normal(r - 1.0, 0.3) + normal(s, 0.1) + noise);
            }
        }
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    most + sum.ln() - (5.0 * fineness[0] * fineness[1]).ln()
}

#[test]
fn the_noisy_pinwheel_is_its_definition_far_out() {
    // The last distances are those beyond which the blades are averaged, where they are worth less than a millionth.
    for (noise, distances, averaged) in [
        (0.02, &[0.4, 3.0, 5.9, 6.5, 7.5][..], None),
        (0.1, &[0.4, 3.0, 5.9, 6.5, 8.0, 9.5], Some(10.0)),
        (0.3, &[0.4, 3.0, 5.9, 6.5, 8.0], Some(10.0)),
        (1.0, &[0.4, 3.0, 6.5, 8.0, 12.0], None),
    ] {
        let density = density("pinwheel", noise);
        for (distance, tolerance) in distances
            .iter()
            .map(|&distance| (distance, 1e-9))
            .chain(averaged.map(|distance| (distance, 1e-6)))
        {
            // Given the point and its blade's direction, r is normal with this mean and this standard deviation.
            let variance = 0.36 + noise * noise;
            let mean = (noise * noise + 0.18 * distance) / variance;
            let std = 0.3 * noise / variance.sqrt();
            let r = match distance < 4.0 {
                true => -1.2..4.0,
                false => mean - 9.0 * std - 0.5..mean + 9.0 * std,
            };
            // Points move by that much with r, and by 2 with s.
            let speed = 2.0 + 2.0 * 0.25 * r.end.exp() * (r.end + 0.5);
            let fineness = [speed / noise, f64::max(3.0 / noise, 20.0)];
            for angle in [0.3f64, 4.1] {
                let at = [distance * angle.cos(), distance * angle.sin()];
                let wanted = defined_pinwheel(at, noise, r.clone(), fineness);
                let error = (density.log_density(at) - wanted).abs();
                assert!(error < tolerance, "{noise} {distance} {angle}: {error}");
            }
        }
    }
}

#[test]
fn a_checkerboard_without_noise_has_an_edge() {
    let density = density("checkerboard", 0.0);
    assert_eq!(density.log_density([-3.0, 1.0]), -32.0_f64.ln());
    assert_eq!(density.log_density([-3.0, -1.0]), f64::NEG_INFINITY);
}

#[test]
fn every_mode_gets_its_share_of_the_points() {
    const COUNT: usize = 40_000;
    for (source, modes) in SETS.iter().zip([8, 2, 8, 4, 2, 5]) {
        let density = density(source, 0.0);
        let mut weights = vec![0.0; modes];
        assert_eq!(density.mode_names().len(), modes, "{source}");
        for point in points(source, 0.0, COUNT) {
            density.assign(point, 1.0 / COUNT as f64, &mut weights);
        }
        let due = 1.0 / modes as f64;
        // Five standard errors of a share, and 2e-3 for points that lie nearer to another mode: the overlap of moons,
        // of spirals at the origin, of a ring's own inside.
        let allowed = 5.0 * (due * (1.0 - due) / COUNT as f64).sqrt() + 2e-3;
        for weight in &weights {
            assert!((weight - due).abs() < allowed, "{source}: {weights:?}");
        }
    }
}

#[test]
fn a_point_between_modes_belongs_to_both() {
    let mut weights = [0.0; 8];
    density("checkerboard", 0.0).assign([-1.0, -1.0], 1.0, &mut weights);
    // On the upper right corner of nothing: the centre of the square (−1, −1), which is black.
    assert_eq!(weights.iter().filter(|w| **w == 1.0).count(), 1);
    let mut weights = [0.0; 8];
    density("checkerboard", 0.0).assign([1.0, -1.0], 1.0, &mut weights);
    // The centre of a white square, with a black one on each side.
    assert_eq!(weights.iter().filter(|w| **w == 0.25).count(), 4);
}

#[test]
fn what_has_no_density_is_refused() {
    let message = |source: &str, noise: f64| {
        let error = PlanarDensity::new(source, noise).err().expect("refused");
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        (error, text)
    };
    let (error, text) = message("digits", 0.0);
    assert!(matches!(error, DataError::NoDensity { .. }) && text.contains("images"));
    assert!(matches!(
        message("ring", 0.0).0,
        DataError::UnknownSource { .. }
    ));
    for noise in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(message("rings", noise).1.contains("data.noise"));
    }
    assert!(message("pinwheel", 1e-4).1.contains("0.002"));
}

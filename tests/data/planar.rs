//! Planar sets.

use crate::files::options;
use crate::order::batch;
use afterimage::data::open;
use afterimage::shape::Shape;
use std::f32::consts::{PI, TAU};

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

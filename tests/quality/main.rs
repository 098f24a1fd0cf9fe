//! Figures of sample quality: each against a library's, at its floor for equal distributions, away from it for others, and
//! refused where it makes no sense.

#[path = "../common/command.rs"]
mod command;

mod buffer;
mod classifier;
mod command_line;
mod densities;
mod distances;
mod held_out;
mod named_data;
mod of_models;
mod onnx_files;
mod reference;
mod refusals;
mod stein;
mod tests_of_hypotheses;

use afterimage::low_level::quality::Points;
use afterimage::low_level::random::{Philox, Stream};

/// Points by the integer formula of reference.py.
fn by_formula(count: u64, dimensions: u64, seed: u64, shift: f64) -> Points {
    let value = |i: u64, j: u64| {
        let residue = (37 * i * i + 911 * j + 53 * i * j * j + 997 * seed) % 10007;
        residue as f64 / 5003.5 - 1.0 + shift
    };
    let values = (1..=count).flat_map(|i| (1..=dimensions).map(move |j| value(i, j)));
    Points::new(values.collect(), dimensions as usize).expect("are finite")
}

/// Independent normal points of standard deviation 1 with the mean `shift` in their first dimension.
fn normal(count: usize, dimensions: usize, shift: f64, seed: u32) -> Points {
    let mut random = Philox::new(11, Stream::Data, seed);
    let values = (0..count * dimensions).map(|place| {
        let shift = if place % dimensions == 0 { shift } else { 0.0 };
        f64::from(random.normal()) + shift
    });
    Points::new(values.collect(), dimensions).expect("are finite")
}

#[track_caller]
fn assert_near(what: &str, found: f64, wanted: f64, tolerance: f64) {
    let error = (found - wanted).abs();
    assert!(
        error <= tolerance,
        "{what}: {found}, not {wanted}: off by {error:e}"
    );
}

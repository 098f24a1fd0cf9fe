//! The kernels that measure the machine against their twins, and the clocks. No test here judges a time.

mod common;

use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::kernels::bench::{MultiplyAdd, copy, multiply_add};
use afterimage::low_level::twins;
use common::{ROUNDING, assert_within, executor, filled, normals, poisoned};
use std::time::Duration;

#[test]
fn every_multiply_add_is_made() {
    let workgroups = 3;
    for runtime_checks in [false, true] {
        let mut executor = executor(runtime_checks);
        for (accumulators, rounds, updates) in [(1, 1, 1), (2, 3, 4), (16, 2, 4)] {
            let settings = MultiplyAdd {
                accumulators,
                rounds,
                updates,
                // A fixed point is far off: leaving out an update shows.
                factor: 0.875,
                term: 0.5,
            };
            let mut r = Recording::new();
            let sums = poisoned(&mut r, "sums", workgroups * 64 * 4);
            multiply_add(&mut r, &settings, workgroups, sums);
            executor.run(&r).expect("runs");
            let got = executor.read(sums).expect("reads");
            let want =
                twins::multiply_add(workgroups * 64, accumulators, rounds * updates, 0.875, 0.5);
            // An update rounds once or twice and damps earlier errors by the factor, so that an accumulator is off by
            // less than 2 / (1 − 0.875) roundings; adding them up makes one more each. None exceeds 80.
            let largest = 80.0 * accumulators as f64;
            let allowed = (16.0 + accumulators as f64) * ROUNDING * largest;
            assert_within("sums", &got, &want, |_| allowed);
        }
    }
}

#[test]
fn a_copy_is_the_whole_of_it_and_no_more() {
    let mut executor = executor(true);
    for count in [1, 63, 64, 257, 1000] {
        for vectors in [1, 4] {
            let values = normals(3, 4 * count);
            let mut r = Recording::new();
            let from = filled(&mut r, "from", &values);
            let to = poisoned(&mut r, "to", 4 * count + 4);
            copy(&mut r, count, vectors, from, to);
            executor.run(&r).expect("runs");
            let got = executor.read(to).expect("reads");
            assert_eq!(got[..4 * count], values, "{count} by {vectors}");
            assert!(got[4 * count..].iter().all(|value| value.is_nan()));
            assert_eq!(r.bytes(), 32 * count as u64);
        }
    }
}

#[test]
fn a_timed_recording_does_what_an_untimed_one_does() {
    let mut executor = executor(false);
    let values = normals(4, 1000);
    let mut r = Recording::new();
    let kept = filled(&mut r, "kept", &values);
    r.fetch(kept, 0, 2, 7);
    executor.run(&r).expect("runs");

    let mut r = Recording::new();
    let to = Buffer::new("to", 1000);
    copy(&mut r, 250, 1, kept, to);
    r.fetch(to, 4, 3, 8);
    let timing = executor.timed(&r).expect("runs");
    assert_eq!(timing.gpu.is_some(), executor.has_timestamps());
    assert!(timing.wall > Duration::ZERO);
    // The GPU works between the host's two looks at its clock.
    assert!(timing.gpu.is_none_or(|gpu| gpu <= timing.wall));
    assert_eq!(executor.read(to).expect("reads"), values);

    let mut fetched = executor.arrived().expect("arrives");
    fetched.sort_by_key(|(ticket, _)| *ticket);
    let bits = |range: std::ops::Range<usize>| -> Vec<u32> {
        values[range].iter().map(|value| value.to_bits()).collect()
    };
    assert_eq!(fetched, [(7, bits(0..2)), (8, bits(4..7))]);
}

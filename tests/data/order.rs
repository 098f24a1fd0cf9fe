//! The order of samples.

use crate::files::{all, folder, npy, options};
use afterimage::data::{DataOptions, Dataset, open};

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

pub fn batch(dataset: &mut Dataset, step: u64, count: usize) -> Vec<f32> {
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

//! The samples that training never sees.

use crate::files::{all, folder, npy, options};
use crate::order::batch;
use afterimage::data::{DataOptions, Dataset, RawRange, open};
use std::collections::BTreeSet;

fn opened(options: DataOptions, share: f32, seed: u64) -> Dataset {
    let options = DataOptions {
        held_out: share,
        ..options
    };
    open(&options, seed).expect("can be opened")
}

/// So many samples of one value each, 0, 1, ….
fn counting(count: u32, share: f32, limit: usize) -> Dataset {
    let bytes = npy(&[u64::from(count), 1], (0..count).map(|value| value as f32));
    let folder = folder(&[("a.npy", &bytes)]);
    let read = DataOptions {
        limit,
        range: RawRange::Given([0.0, 1000.0]),
        high: 1000.0,
        ..options("npy", folder.path().join("a.npy"))
    };
    opened(read, share, 1)
}

fn set(values: Vec<f32>) -> BTreeSet<i64> {
    values.iter().map(|value| *value as i64).collect()
}

#[test]
fn batches_and_first_samples_hold_none_of_them() {
    let mut training = counting(100, 0.1, 0);
    let kept = set(all(&training.held_out().expect("some are kept")));
    assert_eq!((training.len(), kept.len()), (Some(90), 10));
    let first = set(training.first(usize::MAX));
    assert!(first.is_disjoint(&kept) && first.len() == 90);
    let seen: BTreeSet<i64> = (0..30)
        .flat_map(|step| set(batch(&mut training, step, 45)))
        .collect();
    assert_eq!(seen, first);
    let everything: Vec<f32> = (0..100u8).map(f32::from).collect();
    assert_eq!(all(&training.whole()), everything);
    // Nothing of it knows of the others.
    let mut held_out = training.held_out().expect("some are kept");
    assert_eq!(set(batch(&mut held_out, 3, 20)), kept);
}

#[test]
fn runs_of_other_seeds_share_them_and_a_limit_comes_before() {
    let kept = |seed| all(&opened(options("digits", ""), 0.1, seed).held_out().unwrap());
    assert_eq!(kept(1), kept(2));
    assert_eq!(kept(1).len(), 180 * 64);
    let limited = counting(100, 0.1, 50);
    assert_eq!(limited.len(), Some(45));
    assert_eq!(limited.whole().len(), Some(50));
    assert!(
        all(&limited.held_out().unwrap())
            .iter()
            .all(|value| *value < 50.0)
    );
}

#[test]
fn a_range_is_told_by_all_data() {
    // Any of these may be the only one above 1; some of them are held out.
    for brightest in 0..20 {
        let values = (0..80).map(|place| {
            if place / 4 == brightest {
                200.0
            } else {
                0.5_f32
            }
        });
        let folder = folder(&[("a.npy", &npy(&[20, 2, 2], values))]);
        let read = DataOptions {
            range: RawRange::Auto,
            low: -1.0,
            high: 1.0,
            ..options("npy", folder.path().join("a.npy"))
        };
        assert_eq!(opened(read, 0.2, 1).scaling().raw, Some([0.0, 255.0]));
    }
}

#[test]
fn a_record_knows_the_same_data_again() {
    let record = |data: &Dataset| data.record().expect("a finite set has one").clone();
    let found = record(&counting(100, 0.1, 0));
    assert_eq!((found.training.count, found.held_out.count), (90, 10));
    assert_eq!(record(&counting(100, 0.1, 0)), found);
    for other in [
        counting(99, 0.1, 0),
        counting(100, 0.2, 0),
        counting(100, 0.1, 99),
    ] {
        assert_ne!(record(&other), found);
    }
    // A changed value is in one of the parts; another range changes no raw value.
    let with = |changed: usize, high: f32| {
        let values = (0..100).map(|place| if place == changed { 3.5 } else { place as f32 });
        let folder = folder(&[("a.npy", &npy(&[100, 1], values))]);
        let read = DataOptions {
            range: RawRange::Given([0.0, high]),
            ..options("npy", folder.path().join("a.npy"))
        };
        record(&opened(read, 0.1, 1))
    };
    assert_eq!(with(1000, 1000.0), found);
    assert_eq!(with(1000, 500.0), found);
    for changed in 0..100 {
        let other = with(changed, 1000.0);
        let differ = [
            other.training != found.training,
            other.held_out != found.held_out,
        ];
        assert_eq!(
            differ.iter().filter(|differs| **differs).count(),
            1,
            "{changed}"
        );
    }
    let endless = open(&options("rings", ""), 1).expect("is generated");
    assert!(endless.record().is_none() && endless.held_out().is_none());
}

#[test]
fn few_samples_keep_nothing_and_no_part_is_empty() {
    let few = counting(9, 0.5, 0);
    assert_eq!((few.len(), few.held_out().is_none()), (Some(9), true));
    let said = few.notes().join("\n");
    assert!(
        said.contains("nothing is held out of so few samples (9)"),
        "{said}"
    );
    assert!(counting(9, 0.0, 0).notes().is_empty());
    for share in [0.01, 0.99] {
        let read = DataOptions {
            limit: 20,
            held_out: share,
            ..options("digits", "")
        };
        let refused = open(&read, 1).err().expect("is refused").to_string();
        assert!(
            refused.contains("data.held_out") && refused.contains("of 20 samples"),
            "{refused}"
        );
    }
    for share in [-0.1, 1.0, f32::NAN] {
        let read = DataOptions {
            held_out: share,
            ..options("digits", "")
        };
        let refused = open(&read, 1).err().expect("is refused").to_string();
        assert!(refused.contains("is no share"), "{refused}");
    }
}

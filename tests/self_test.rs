//! The check that a driver can be trusted with a variant of the kernels, and which family of them it runs.

mod common;

use afterimage::config::{KernelFamily, Precision, Word};
use afterimage::gpu::{AdapterChoice, AdapterKind, Executor, ExecutorOptions};
use afterimage::low_level::kernels::Variant;
use afterimage::low_level::kernels::texel::Texel;
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::network::{
    Trial, TrialOutcome, computes_right, decide, foreseen_kernels, keep_trials, kept_trials,
    known_driver, measure_families, require_family, trusted_variant, trusted_variant_in,
    try_families,
};
use afterimage::model::{ChosenBy, chosen_kernels};
use common::{executor, mixed_variants, variants};
use std::fs;
use std::path::Path;

#[test]
fn every_variant_can_be_trusted_here() {
    let mut executor = executor(false);
    for (name, variant) in [variants(&executor), mixed_variants(&executor)].concat() {
        assert!(
            computes_right(&mut executor, variant).expect("runs"),
            "{name}"
        );
    }
    let trusted = trusted_variant(&mut executor).expect("runs");
    let chosen = chosen_kernels(&executor).expect("is chosen");
    assert_eq!(
        trusted,
        Variant::of_family(&executor.profile(), chosen.family),
        "not the best one of {chosen}"
    );
}

#[test]
fn a_driver_that_is_known_is_not_measured() {
    let mut executor = executor(false);
    let adapter = executor.adapter().clone();
    let foreseen = foreseen_kernels(&adapter, None);
    trusted_variant(&mut executor).expect("runs");
    let chosen = chosen_kernels(&executor).expect("is chosen");
    let by = match (adapter.kind, known_driver(&adapter)) {
        (AdapterKind::Gpu, known) => {
            assert_eq!(known, None);
            ChosenBy::Adapter
        }
        (AdapterKind::Cpu, Some((family, _))) => {
            assert_eq!(chosen.family, family);
            ChosenBy::Table
        }
        (AdapterKind::Cpu, None) => {
            assert_eq!(foreseen, None);
            ChosenBy::Measurement
        }
    };
    assert_eq!(chosen.by, by, "{chosen}");
    assert!(foreseen.is_none_or(|foreseen| foreseen == chosen));
}

#[test]
fn mixed_precision_runs_where_it_can_and_is_refused_elsewhere() {
    let mut executor = executor(false);
    let preferred = Variant::for_profile(&executor.profile());
    let outcome = trusted_variant_in(&mut executor, Precision::Mixed);
    match preferred.in_precision(Precision::Mixed) {
        Some(mixed) => assert_eq!(outcome.expect("runs"), mixed),
        None => {
            let text = outcome.expect_err("has no f16").to_string();
            assert!(text.contains("run.precision = \"full\""), "{text}");
        }
    }
    assert_eq!(Variant::Tiled(Tiled).in_precision(Precision::Mixed), None);
    let full = trusted_variant_in(&mut executor, Precision::Full).expect("runs");
    assert_eq!(full, preferred, "the one does not change the other");
}

#[test]
fn a_family_that_is_asked_for_is_the_one_that_runs() {
    let mut executor = executor(false);
    for &family in KernelFamily::all() {
        let variant = require_family(&mut executor, family).expect("computes right here");
        assert!(variant.name().starts_with(family.name()), "{variant:?}");
        let chosen = chosen_kernels(&executor).expect("is asked for");
        assert_eq!((chosen.family, chosen.by), (family, ChosenBy::Asked));
        assert_eq!(trusted_variant(&mut executor).expect("known"), variant);
        // Nothing takes the place of what was asked for.
        match (
            trusted_variant_in(&mut executor, Precision::Mixed),
            variant.in_precision(Precision::Mixed),
        ) {
            (Ok(got), Some(mixed)) => assert_eq!(got, mixed),
            (Err(refusal), None) => {
                let text = refusal.to_string();
                for part in [family.name(), "run.kernels", "run.precision"] {
                    assert!(text.contains(part), "no {part} in {text}");
                }
            }
            other => panic!("{variant:?}: {other:?}"),
        }
        assert_eq!(trusted_variant(&mut executor).expect("known"), variant);
    }
}

/// An executor on the adapter that the program would choose, which keeps what it finds out in `folder`.
fn keeping(folder: &Path) -> Executor {
    let options = ExecutorOptions {
        cache: Some(folder.into()),
        ..Default::default()
    };
    Executor::open(&AdapterChoice::Best, options).expect("opened before")
}

/// Trials of the usual family and `lanes`, which take so many milliseconds.
fn trials(usual: f64, lanes: f64) -> [Trial; 2] {
    let families = [
        (KernelFamily::usual(true), usual),
        (KernelFamily::Lanes, lanes),
    ];
    families.map(|(family, milliseconds)| Trial {
        family,
        outcome: TrialOutcome::Ran { milliseconds },
    })
}

/// Whether there is nothing to choose on the adapter of `executor`.
fn has_one_family(executor: &Executor) -> bool {
    let is_gpu = executor.adapter().kind == AdapterKind::Gpu;
    if is_gpu {
        println!("skipped: families are measured on software adapters only");
    }
    is_gpu
}

#[test]
fn what_was_measured_before_decides_whatever_is_known_of_the_driver() {
    let folder = tempfile::tempdir().unwrap();
    let executor = executor(false);
    if has_one_family(&executor) {
        return;
    }
    let adapter = executor.adapter();
    for (lanes, family) in [(0.1, KernelFamily::Lanes), (10.0, KernelFamily::Texel)] {
        assert!(keep_trials(folder.path(), adapter, &trials(1.0, lanes)));
        let mut later = keeping(folder.path());
        let variant = trusted_variant(&mut later).expect("runs");
        let chosen = chosen_kernels(&later).expect("is chosen");
        assert_eq!((variant.family(), chosen.family), (family, family));
        assert_eq!(chosen.by, ChosenBy::Measurement);
        let foreseen = foreseen_kernels(adapter, Some(folder.path()));
        assert_eq!(foreseen, Some(chosen));
    }
    // Of another driver, and damaged: as if there were none.
    let mut other = adapter.clone();
    other.driver.push_str(" of tomorrow");
    assert_eq!(kept_trials(folder.path(), &other), None);
    let file = fs::read_dir(folder.path()).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension()
            .is_some_and(|ending| ending == "json")
            .then_some(path)
    });
    let file = file.expect("was kept");
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(kept_trials(folder.path(), adapter), None, "cut at {length}");
    }
    fs::write(&file, whole).unwrap();
    assert!(kept_trials(folder.path(), adapter).is_some());
}

#[test]
fn where_the_fastest_family_stores_no_f16_the_usual_one_runs_everything() {
    let folder = tempfile::tempdir().unwrap();
    let executor = executor(false);
    if has_one_family(&executor) {
        return;
    }
    assert!(keep_trials(
        folder.path(),
        executor.adapter(),
        &trials(1.0, 0.1)
    ));
    let mut later = keeping(folder.path());
    let lanes = trusted_variant(&mut later).expect("runs");
    assert_eq!(lanes.family(), KernelFamily::Lanes);
    let mixed = trusted_variant_in(&mut later, Precision::Mixed).expect("has f16");
    assert_eq!(mixed.family(), KernelFamily::Texel);
    // So that a run computes all of it by the family that it writes down.
    let full = trusted_variant(&mut later).expect("runs");
    assert_eq!(mixed.in_precision(Precision::Full), Some(full));
    let chosen = chosen_kernels(&later).expect("is chosen");
    assert_eq!(
        (chosen.family, chosen.by),
        (full.family(), ChosenBy::Precision)
    );
}

#[test]
fn a_measurement_is_kept_and_leaves_no_memory_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut executor = keeping(folder.path());
    if has_one_family(&executor) {
        return;
    }
    let before = executor.allocated_bytes();
    let variant = measure_families(&mut executor).expect("runs");
    assert_eq!(executor.allocated_bytes(), before);
    let kept = kept_trials(folder.path(), executor.adapter()).expect("is kept");
    let families: Vec<KernelFamily> = kept.iter().map(|trial| trial.family).collect();
    assert_eq!(families, [KernelFamily::Texel, KernelFamily::Lanes]);
    let chosen = decide(&kept).expect("decides");
    assert_eq!(chosen.family, variant.family());
    assert_eq!(Some(chosen), chosen_kernels(&executor));
    let mut later = keeping(folder.path());
    assert_eq!(trusted_variant(&mut later).expect("runs"), variant);
    println!("{kept:?}");
}

/// What a driver does that reports another subgroup size than it runs.
#[test]
fn a_wrong_subgroup_size_is_noticed() {
    let mut executor = executor(false);
    let texel = Texel::best(&executor.profile());
    if texel.lanes == 1 {
        println!("skipped: this adapter has no subgroups of one size");
        return;
    }
    let wrong = Variant::Texel(Texel {
        lanes: texel.lanes * 2,
        ..texel
    });
    assert!(!computes_right(&mut executor, wrong).expect("runs"));
    // Nor does it win, however fast it is.
    let right = Variant::Texel(Texel { lanes: 1, ..texel });
    let trials = try_families(&mut executor, &[right, wrong]).expect("runs");
    assert_eq!(trials[1].outcome, TrialOutcome::Wrong);
    assert!(
        matches!(trials[0].outcome, TrialOutcome::Ran { milliseconds } if milliseconds > 0.0),
        "{trials:?}"
    );
}

#[test]
fn the_self_test_leaves_no_memory_behind() {
    let mut executor = executor(false);
    let before = executor.allocated_bytes();
    trusted_variant(&mut executor).expect("runs");
    assert_eq!(executor.allocated_bytes(), before);
}

#[test]
fn the_self_test_runs_once_for_each_executor() {
    let mut executor = executor(false);
    let variant = trusted_variant(&mut executor).expect("runs");
    let launches = executor.statistics().launches;
    assert!(launches > 0);
    assert_eq!(trusted_variant(&mut executor).expect("known"), variant);
    assert_eq!(executor.statistics().launches, launches);
}

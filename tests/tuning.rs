//! The measured choice of kernels: kept, used again, and without influence on results.

mod common;

use afterimage::config::LayerSpec;
use afterimage::gpu::{Executor, Recording};
use afterimage::low_level::kernels::Activation;
use afterimage::low_level::network::{
    Initialisation, Kernels, Network, initial_parameters, trusted_variant, tuned_kernels,
};
use afterimage::model::{Architecture, TuningOptions, VariantError, allow_tuning, tuning_report};
use afterimage::shape::Shape;
use common::{executor, filled, normals, poisoned};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SAMPLES: usize = 3;
/// Passes of the network below.
const PASSES: usize = 4;

fn tuned(executor: &mut Executor) -> Result<Kernels, VariantError> {
    let variant = trusted_variant(executor)?;
    Ok(tuned_kernels(executor, &architecture(), SAMPLES, variant)?)
}

fn architecture() -> Architecture {
    let conv = LayerSpec::Conv {
        channels: 5,
        kernel: 3,
        stride: 1,
        padding: 1,
    };
    let layers = [conv, LayerSpec::Dense { features: 1 }];
    Architecture::new(Shape::new(2, 5, 4), &layers, Activation::SILU, None).expect("fits")
}

/// Enough for every pass, on any machine.
fn patient(folder: Option<&Path>) -> TuningOptions {
    TuningOptions {
        folder: folder.map(Path::to_owned),
        again: false,
        limit: Duration::from_secs(10_000),
    }
}

/// How many passes an executor measures that is allowed to.
fn measured(options: TuningOptions) -> usize {
    let mut executor = executor(false);
    allow_tuning(&mut executor, options);
    tuned(&mut executor).expect("runs");
    tuning_report(&executor).expect("allowed").measured
}

/// The one file in `folder`.
fn table(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).expect("was made");
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.pop().unwrap()
}

#[test]
fn what_was_measured_is_used_again_by_later_executors() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("made/if/missing");
    assert_eq!(measured(patient(Some(&cache))), PASSES);
    let first = fs::read(table(&cache)).unwrap();
    assert_eq!(measured(patient(Some(&cache))), 0);
    assert_eq!(fs::read(table(&cache)).unwrap(), first);
    let again = TuningOptions {
        again: true,
        ..patient(Some(&cache))
    };
    assert_eq!(measured(again), PASSES);
}

#[test]
fn tables_that_cannot_be_used_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    measured(patient(Some(folder.path())));
    let file = table(folder.path());
    let good = fs::read_to_string(&file).unwrap();
    let foreign = good.replace("\"format\": 4", "\"format\": 3");
    assert_ne!(good, foreign);
    for bad in [&foreign, &good[..good.len() / 2], "not a table", ""] {
        fs::write(&file, bad).unwrap();
        assert_eq!(measured(patient(Some(folder.path()))), PASSES, "{bad}");
        assert_eq!(measured(patient(Some(folder.path()))), 0);
    }
}

#[test]
fn where_nothing_can_be_kept_the_search_is_for_this_executor_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    for options in [patient(None), patient(Some(&file.join("cache")))] {
        let mut executor = executor(false);
        allow_tuning(&mut executor, options);
        let kernels = tuned(&mut executor).expect("runs");
        assert_eq!(kernels.tuning.len(), PASSES);
        tuned(&mut executor).expect("runs");
        let report = tuning_report(&executor).expect("allowed");
        assert_eq!((report.measured, report.left), (PASSES, 0));
    }
    assert_eq!(fs::read(&file).unwrap(), b"in the way");
}

/// Software drivers compute it in one launch, without its layers' forward passes and input gradients.
#[test]
fn layers_that_nobody_runs_are_not_measured() {
    let dense = |features| LayerSpec::Dense { features };
    let chain = [dense(6), dense(1)];
    let shape = Shape::new(2, 1, 1);
    let architecture = Architecture::new(shape, &chain, Activation::SILU, None).expect("fits");
    let mut executor = executor(false);
    allow_tuning(&mut executor, patient(None));
    for (name, variant) in common::variants(&executor) {
        let before = tuning_report(&executor).expect("allowed").measured;
        tuned_kernels(&mut executor, &architecture, SAMPLES, variant).expect("runs");
        let measured = tuning_report(&executor).expect("allowed").measured - before;
        let stacks = name.starts_with("texel-") && name != "texel-1";
        assert_eq!(measured == 0, stacks, "{name}: {measured}");
    }
}

#[test]
fn nothing_is_measured_without_leave_or_time() {
    let mut executor = executor(false);
    let variant = trusted_variant(&mut executor).expect("runs");
    let launches = executor.statistics().launches;
    let kernels = tuned(&mut executor).expect("known");
    assert_eq!(kernels.variant, variant);
    assert!(kernels.tuning.is_empty() && tuning_report(&executor).is_none());
    let hasty = TuningOptions {
        limit: Duration::ZERO,
        ..patient(None)
    };
    allow_tuning(&mut executor, hasty);
    let kernels = tuned(&mut executor).expect("known");
    assert!(kernels.tuning.is_empty());
    let report = tuning_report(&executor).expect("allowed");
    assert_eq!((report.measured, report.left), (0, PASSES));
    assert_eq!(executor.statistics().launches, launches);
}

#[test]
fn a_search_leaves_no_memory_behind() {
    let mut executor = executor(false);
    trusted_variant(&mut executor).expect("runs");
    let before = executor.allocated_bytes();
    allow_tuning(&mut executor, patient(None));
    tuned(&mut executor).expect("runs");
    assert_eq!(executor.allocated_bytes(), before);
}

/// Energies, their gradients in the samples and in the parameters.
fn results(executor: &mut Executor, kernels: Kernels) -> Vec<Vec<u32>> {
    let architecture = architecture();
    let plain = Initialisation {
        weights: Default::default(),
        zero_head: false,
        first_weight_scale: 1.0,
        first_bias_scale: 1.0,
    };
    let parameters = initial_parameters(&architecture, &plain, 5);
    let network = Network::new(&architecture, SAMPLES, kernels).expect("fits");
    let mut r = Recording::new();
    network.setup(&mut r);
    let p = filled(&mut r, "parameters", &parameters);
    let x = filled(
        &mut r,
        "x",
        &normals(1, SAMPLES * architecture.input().len()),
    );
    let factor = filled(&mut r, "factor", &normals(2, SAMPLES));
    let energies = poisoned(&mut r, "energies", SAMPLES);
    let x_gradient = poisoned(&mut r, "x gradient", x.words());
    let gradient = poisoned(&mut r, "gradient", parameters.len());
    let prepared = network.prepare(&mut r, p);
    prepared.energy_gradient(&mut r, x, Some(energies), x_gradient);
    prepared.energies(&mut r, x, energies, true);
    prepared.weight_gradient(&mut r, x, factor, gradient, false);
    executor.run(&r).expect("runs");
    [energies, x_gradient, gradient]
        .map(|buffer| {
            executor
                .read_words(buffer, 0, buffer.words())
                .expect("reads")
        })
        .into()
}

/// Also with a table in which every choice is the worst, and one in which none exists.
#[test]
fn a_network_computes_the_same_bits_by_any_table() {
    let folder = tempfile::tempdir().unwrap();
    measured(patient(Some(folder.path())));
    let mut executor = executor(false);
    let variant = trusted_variant(&mut executor).expect("runs");
    let want = results(&mut executor, variant.into());
    let file = table(folder.path());
    let good: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let tile = serde_json::json!({
        "row_threads": 1, "column_threads": 64, "row_quads": 1, "column_quads": 1, "depth": 8
    });
    for choice in [
        None,
        Some(serde_json::json!({"texel": {"pixels": 1, "block": 1}})),
        Some(serde_json::json!({"tiled": tile})),
        Some(serde_json::json!({"texel": {"pixels": 0, "block": 77}})),
    ] {
        let mut changed = good.clone();
        for value in changed["choices"].as_object_mut().unwrap().values_mut() {
            *value = choice.clone().unwrap_or(value.take());
        }
        fs::write(&file, serde_json::to_vec(&changed).unwrap()).unwrap();
        allow_tuning(&mut executor, patient(Some(folder.path())));
        let kernels = tuned(&mut executor).expect("runs");
        assert_eq!(tuning_report(&executor).expect("allowed").measured, 0);
        assert_eq!(kernels.tuning.len(), PASSES);
        assert_eq!(results(&mut executor, kernels), want, "{choice:?}");
    }
}

//! What training holds on the device, and what slices change.

use crate::common::{
    ROUNDING, assert_close, best_variants, executor, extended, mixed_variants, normals, one_of,
    variants, widen,
};
use crate::examples::{DIGITS, PLAIN, digits};
use afterimage::config::Config;
use afterimage::low_level::kernels::Variant;
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::network::initial_parameters;
use afterimage::low_level::train::{self, TrainingPlan};

#[test]
fn the_device_holds_what_was_predicted() {
    let all = executor(false);
    let runs = [best_variants(&all), mixed_variants(&all)[..1].to_vec()].concat();
    for (index, (name, variant)) in runs.into_iter().enumerate() {
        // One whole and one in slices; tests/memory.rs has all of them with other blocks.
        if index > 1 && !extended() {
            continue;
        }
        // What is counted is the same code for all of them.
        for slice in one_of(vec![None, Some(5)], index) {
            let mut config = digits(&["network.zero_head=false"]);
            config.run.slice = slice;
            config.network.spectral_norm = slice.is_some();
            let mut executor = executor(false);
            let plan = TrainingPlan::new(&config, DIGITS, variant).expect("fits");
            let how = train::initialisation(&config);
            let initial = initial_parameters(plan.architecture(), &how, 1);
            executor.run(&plan.setup(&initial)).expect("runs");
            let data = vec![0.1; 8 * DIGITS.len()];
            // A step with a refresh and one without: between them they use everything.
            for step in 0..2 {
                executor.run(&plan.step(step, &data)).expect("runs");
            }
            executor.finish().expect("finishes");
            let memory = plan.memory();
            assert_eq!(
                executor.allocated_bytes(),
                memory.training(),
                "{name}, {slice:?}"
            );
            if variant == Variant::Tiled(Tiled) {
                let network = plan.architecture();
                let values = (0..network.blocks().len()).map(|index| network.block_map_len(index));
                let values: usize = values.sum();
                assert_eq!(memory.maps, (4 * memory.slice * values) as u64, "{slice:?}");
            }
        }
    }
}

/// The gradient of one step, whose noise was drawn by a few Langevin steps.
fn first_gradient(config: &Config, variant: Variant) -> (Vec<u32>, Vec<f32>) {
    let mut executor = executor(false);
    let plan = TrainingPlan::new(config, DIGITS, variant).expect("fits");
    let initial = initial_parameters(plan.architecture(), &PLAIN, 1);
    executor.run(&plan.setup(&initial)).expect("runs");
    let data = normals(3, 8 * DIGITS.len());
    executor.run(&plan.step(0, &data)).expect("runs");
    executor.finish().expect("finishes");
    let (noise, start, words) = plan.noise_samples();
    let noise = executor.read_words(noise, start, words).expect("reads");
    (
        noise,
        executor.read(plan.optimiser().gradient()).expect("reads"),
    )
}

#[test]
fn slices_change_no_chain_and_the_gradient_by_rounding_only() {
    // The chain rule of spectral normalisation is for all slices together.
    let pairs = variants(&executor(false))
        .into_iter()
        .zip([false, true, false]);
    let dense = "network.layers=[{dense=9}, {dense=7}, {dense=1}]";
    for (turn, ((name, variant), spectral_norm)) in pairs.enumerate() {
        // Software drivers compute the second in one launch: it is that of the third variant.
        for layers in one_of(vec![None, Some(dense)], turn.saturating_sub(1)) {
            let settings: Vec<&str> = layers
                .into_iter()
                .chain(["network.zero_head=false"])
                .collect();
            let mut config = digits(&settings);
            config.network.spectral_norm = spectral_norm;
            let whole = first_gradient(&config, variant);
            config.run.slice = Some(5);
            let sliced = first_gradient(&config, variant);
            assert!(whole.0 == sliced.0, "{name}: the noise");
            // Sums over at most 24 samples of 64 pixels, in another order.
            assert_close(name, &sliced.1, &widen(&whole.1), 24.0 * 64.0 * ROUNDING);
        }
    }
}

//! Each kind of step against its f64 twin.

use crate::common::{
    assert_close, best_variants, executor, filled, normals, one_of, variants, widen,
};
use crate::target::{SEED, STREAM, Target, control, dynamics, field, pass};
use afterimage::gpu::Recording;
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{self, ChainBatch, INTEGRATORS, TRACE_VALUES, Variant};
use afterimage::low_level::method::ChainPass;
use afterimage::low_level::twins::{self, HmcState};

/// Short chains, each summed by one invocation, and long ones, by a workgroup; tempered, in the middle of a larger set.
#[test]
fn a_step_with_a_metropolis_test_is_its_twin() {
    let mut executor = executor(true);
    let sets = [(5, 67, 0), (5, 7, 3), (130, 9, 2)];
    for (turn, (length, count, first_chain)) in sets.into_iter().enumerate() {
        let target = Target::random(length);
        let model = target.twin();
        let jitter = f64::from(kernels::HMC_JITTER);
        let [leapfrog, two_stage, three_stage] = INTEGRATORS;
        for (index, (name, how)) in [
            ("mala", (leapfrog, 1, 0.0)),
            ("hmc", (leapfrog, 4, jitter)),
            ("hmc", (two_stage, 4, jitter)),
            ("hmc", (three_stage, 6, jitter)),
        ]
        .into_iter()
        .enumerate()
        {
            for (variant_name, variant) in one_of(variants(&executor), turn + index) {
                // Long trajectories on many values: some proposals are rejected. More stages reject fewer.
                let step_size = match (length > 100, how.0.stages()) {
                    (true, 1) => 0.15,
                    (true, _) => 0.3,
                    (false, _) => 0.4,
                };
                let mut dynamics = dynamics(name, step_size);
                (dynamics.integrator, dynamics.leapfrog) = (how.0, how.1);
                dynamics.temperature = 0.7;
                dynamics.target_acceptance = Some(0.6);
                let start = normals(7, count * length);
                let (chains, preparation) =
                    target.chains(&mut executor, variant, count, dynamics, Some(&start));
                let x = widen(&start);
                let (energies, gradient) = field(&model, &x, count);
                let mut state = HmcState {
                    x,
                    energies,
                    gradient,
                };
                let (mut accepted, mut step_size) = (0, f64::from(dynamics.langevin.step_size));
                let (steps, first_step) = (4, u32::MAX - 1);
                let pass = pass(first_step, steps, first_chain);
                let mut counted = Vec::new();
                for step in 0..steps {
                    let mut r = Recording::new();
                    chains
                        .resume(preparation)
                        .run(&mut r, &pass, step..step + 1);
                    executor.run(&r).expect("runs");
                    let random = (SEED, STREAM, first_step.wrapping_add(step as u32));
                    let outcome = twins::hmc_step(
                        &mut state,
                        step_size,
                        how,
                        0.7,
                        random,
                        first_chain,
                        &|x| field(&model, x, count),
                    );
                    let what = |part| {
                        format!(
                            "{name}, {how:?}, {variant_name}, {length} values, step {step}: {part}"
                        )
                    };
                    // A rounding of one step of at most six leaps; a test that went the other way would be off by 0.1.
                    assert_close(
                        &what("states"),
                        &executor.read(chains.states()).expect("reads"),
                        &state.x,
                        2e-5,
                    );
                    assert_close(
                        &what("energies"),
                        &executor.read(chains.energies()).expect("reads"),
                        &state.energies,
                        2e-5,
                    );
                    accepted += outcome.iter().filter(|(_, accepted)| *accepted).count();
                    let probabilities = outcome
                        .iter()
                        .map(|(change, _)| (-change / 0.7).exp().min(1.0));
                    let mean = probabilities.sum::<f64>() / count as f64;
                    // The first half adapts, the second half is counted.
                    if step < steps / 2 {
                        let gains = [
                            kernels::ADAPTATION_GAIN,
                            kernels::ADAPTATION_HALF,
                            kernels::ADAPTATION_LEAST,
                        ];
                        step_size =
                            twins::adapted(step_size, mean, 0.6, step, gains.map(f64::from));
                    } else {
                        counted.push(mean);
                    }
                    let control = control(&mut executor, &chains);
                    assert!(
                        (f64::from(control.step_size) / step_size - 1.0).abs() < 1e-4,
                        "{}",
                        what("step size")
                    );
                }
                let acceptance = control(&mut executor, &chains)
                    .acceptance
                    .expect("was counted");
                let mean = counted.iter().sum::<f64>() / counted.len() as f64;
                assert!(
                    (f64::from(acceptance) - mean).abs() < 1e-4,
                    "{acceptance}, {mean}"
                );
                assert!(
                    0 < accepted && accepted < steps * count,
                    "both outcomes are tried: {accepted}"
                );
            }
        }
    }
}

#[test]
fn an_underdamped_step_is_its_twin() {
    let mut executor = executor(true);
    for (turn, (length, count, first_chain)) in [(5, 67, 0), (5, 7, 3)].into_iter().enumerate() {
        let target = Target::random(length);
        let model = target.twin();
        for (variant_name, variant) in one_of(best_variants(&executor), turn) {
            let mut dynamics = dynamics("underdamped", 0.05);
            dynamics.temperature = 0.7;
            dynamics.friction = 2.0;
            let start = normals(7, count * length);
            let (chains, preparation) =
                target.chains(&mut executor, variant, count, dynamics, Some(&start));
            let (first_step, steps) = (40, 5);
            let mut r = Recording::new();
            chains
                .resume(preparation)
                .run(&mut r, &pass(first_step, steps, first_chain), 0..steps);
            executor.run(&r).expect("runs");

            let settings = twins::Underdamped {
                step_size: f64::from(0.05f32),
                friction: 2.0,
                temperature: f64::from(0.7f32),
            };
            let mut x = widen(&start);
            let first_element = first_chain * length;
            let mut velocity = twins::underdamped_begin(
                &settings,
                (SEED, STREAM, first_step),
                first_element,
                x.len(),
            );
            let mut gradient = model.energy_gradient(&x, count);
            for step in first_step..first_step + steps as u32 {
                let xi: Vec<f64> = (first_element..first_element + x.len())
                    .map(|e| twins::normal(SEED, STREAM, step, e as u32))
                    .collect();
                twins::underdamped_step(
                    &settings,
                    &mut x,
                    &mut velocity,
                    &mut gradient,
                    &xi,
                    &|x| model.energy_gradient(x, count),
                );
            }
            // A few roundings in each of five steps.
            assert_close(
                variant_name,
                &executor.read(chains.states()).expect("reads"),
                &x,
                2e-5,
            );
            let energies = executor.read(chains.energies()).expect("reads");
            assert_close(
                "energies of where they are",
                &energies,
                &model.energies(&x, count),
                2e-5,
            );
        }
    }
}

#[test]
fn an_annealed_pass_is_its_twin_at_falling_temperatures() {
    let mut executor = executor(false);
    let (count, length, steps) = (9, 5, 4);
    let target = Target::random(length);
    let model = target.twin();
    let start = normals(7, count * length);
    // Geometric from 4 to 0.5 in four steps.
    let temperatures = [4.0, 2.0, 1.0, 0.5];
    for name in ["langevin", "mala"] {
        let mut dynamics = dynamics(name, 0.1);
        dynamics.temperature = 0.5;
        let (chains, preparation) = target.chains(
            &mut executor,
            Variant::Tiled(Tiled),
            count,
            dynamics,
            Some(&start),
        );
        let pass = ChainPass {
            anneal: Some(4.0),
            ..pass(8, steps, 0)
        };
        let mut r = Recording::new();
        chains.resume(preparation).run(&mut r, &pass, 0..1);
        chains.resume(preparation).run(&mut r, &pass, 1..steps);
        executor.run(&r).expect("runs");

        let x = widen(&start);
        let (energies, gradient) = field(&model, &x, count);
        let mut state = HmcState {
            x,
            energies,
            gradient,
        };
        let step_size = f64::from(0.1f32);
        for (step, temperature) in (8..).zip(temperatures) {
            if name == "mala" {
                let random = (SEED, STREAM, step);
                twins::hmc_step(
                    &mut state,
                    step_size,
                    (INTEGRATORS[0], 1, 0.0),
                    temperature,
                    random,
                    0,
                    &|x| field(&model, x, count),
                );
                continue;
            }
            let settings = twins::LangevinSettings {
                step_size,
                noise: (2.0 * step_size * temperature).sqrt(),
                clip: 0.0,
                bounds: twins::Bounds::None,
            };
            let gradient = model.energy_gradient(&state.x, count);
            twins::langevin(&settings, SEED, step, 0, &mut state.x, &gradient);
        }
        assert_close(
            name,
            &executor.read(chains.states()).expect("reads"),
            &state.x,
            2e-5,
        );
    }
}

#[test]
fn a_trace_is_its_twin() {
    let mut executor = executor(true);
    for (chains, length) in [(67, 5), (9, 130)] {
        let mut r = Recording::new();
        let values = [1, 2, 3].map(|tag| normals(tag, chains * if tag == 3 { 1 } else { length }));
        let [x, before, energies] = [0, 1, 2].map(|i| filled(&mut r, "values", &values[i]));
        let trace = filled(&mut r, "trace", &vec![f32::NAN; 2 * chains * TRACE_VALUES]);
        let batch = ChainBatch {
            chains,
            length,
            stream: STREAM,
            seed: SEED,
            x,
            energies,
            gradient: x,
        };
        kernels::trace_chains(&mut r, &batch, 1, before, trace);
        executor.run(&r).expect("runs");
        let got = executor.read(trace).expect("reads");
        let [x, before, energies] = values.map(|values| widen(&values));
        let want = twins::trace(SEED, STREAM, length, &x, &before, &energies).concat();
        assert!(
            got[..want.len()].iter().all(|value| value.is_nan()),
            "the record before"
        );
        // Sums of 130 numbers of about one in f32.
        assert_close("record", &got[want.len()..], &want, 1e-5);
    }
}

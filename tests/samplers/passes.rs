//! Passes of chains: batches, acceptance, adaptation, what is rejected and what is counted.

use crate::common::{executor, normals, one_of, variants};
use crate::moments::adapted;
use crate::target::{Target, control, dynamics, kind, pass};
use afterimage::gpu::Recording;
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{Dynamics, SAMPLERS, Variant};

#[test]
fn chains_do_not_depend_on_the_batches_they_run_in() {
    let mut executor = executor(false);
    let target = Target::random(5);
    let start = normals(4, 64 * 5);
    for (turn, kind) in SAMPLERS.into_iter().enumerate() {
        for (variant_name, variant) in one_of(variants(&executor), turn) {
            let mut ends = |count: usize| -> Vec<u32> {
                let mut states = Vec::new();
                for first_chain in (0..64).step_by(count) {
                    let part = &start[first_chain * 5..(first_chain + count) * 5];
                    let dynamics = dynamics(kind.name, 0.3);
                    let (chains, preparation) =
                        target.chains(&mut executor, variant, count, dynamics, Some(part));
                    let mut r = Recording::new();
                    chains
                        .resume(preparation)
                        .run(&mut r, &pass(3, 6, first_chain), 0..6);
                    executor.run(&r).expect("runs");
                    states.extend(executor.read(chains.states()).expect("reads"));
                }
                states.into_iter().map(f32::to_bits).collect()
            };
            assert!(ends(64) == ends(16), "{}, {variant_name}", kind.name);
        }
    }
}

#[test]
fn a_tiny_step_is_accepted_and_a_huge_one_rejected() {
    let mut executor = executor(false);
    let target = Target::random(5);
    let start = normals(4, 64 * 5);
    for name in ["mala", "hmc"] {
        for (step_size, low, high) in [(1e-6, 0.999, 1.0), (1e4, 0.0, 1e-6)] {
            let (chains, preparation) = target.chains(
                &mut executor,
                Variant::Tiled(Tiled),
                64,
                dynamics(name, step_size),
                Some(&start),
            );
            let mut r = Recording::new();
            chains.resume(preparation).run(&mut r, &pass(0, 4, 0), 0..4);
            executor.run(&r).expect("runs");
            let acceptance = control(&mut executor, &chains)
                .acceptance
                .expect("was counted");
            assert!(
                (low..=high).contains(&acceptance),
                "{name}, {step_size}: {acceptance}"
            );
            let stayed = executor.read(chains.states()).expect("reads") == start;
            assert_eq!(stayed, high < 0.5, "{name}, {step_size}");
        }
    }
}

/// Chains that are lost stay where they are, visibly, and spoil neither the others nor the step size.
#[test]
fn what_is_not_finite_is_rejected() {
    let mut executor = executor(false);
    let target = Target::random(5);
    let mut start = normals(4, 16 * 5);
    start[7] = f32::NAN;
    for name in ["mala", "hmc"] {
        let (chains, preparation) = target.chains(
            &mut executor,
            Variant::Tiled(Tiled),
            16,
            adapted(name),
            Some(&start),
        );
        let mut r = Recording::new();
        chains
            .resume(preparation)
            .run(&mut r, &pass(0, 10, 0), 0..10);
        executor.run(&r).expect("runs");
        let x = executor.read(chains.states()).expect("reads");
        assert!(x[7].is_nan() && x[5] == start[5]);
        let whole = x[..5].iter().chain(&x[10..]);
        assert!(whole.clone().all(|x| x.is_finite()));
        assert!(
            whole
                .zip(start[..5].iter().chain(&start[10..]))
                .any(|(x, start)| x != start)
        );
        let control = control(&mut executor, &chains);
        assert!(
            control.step_size.is_finite() && control.step_size > 0.0,
            "{control:?}"
        );
    }
}

/// From a step size hundreds of times too small or too large. The acceptance of one step is right to 0.02 over 512
/// chains, and to σ = 0.15 with the varying time step of HMC, whose acceptance answers ln h by about −0.2: after 200 adapting
/// steps, at a gain of 0.1, σ √(0.1 / (2 · 0.2)) = 0.075 is left in ln h, 0.015 in the acceptance. The bound is three
/// times that.
#[test]
fn adaptation_reaches_its_target() {
    let mut executor = executor(false);
    let target = Target::gaussian(16, 0.0, 1.0);
    for (name, goal) in [
        ("mala", None),
        ("hmc", None),
        ("mala", Some(0.8)),
        ("hmc", Some(0.65)),
    ] {
        for start in [1e-3, 300.0] {
            let mut dynamics = adapted(name);
            dynamics.target_acceptance = goal.or(dynamics.target_acceptance);
            dynamics.langevin.step_size = start;
            let (chains, preparation) =
                target.chains(&mut executor, Variant::Tiled(Tiled), 512, dynamics, None);
            let mut r = Recording::new();
            chains
                .resume(preparation)
                .run(&mut r, &pass(0, 400, 0), 0..400);
            executor.run(&r).expect("runs");
            let control = control(&mut executor, &chains);
            let (got, want) = (
                control.acceptance.expect("was counted"),
                dynamics.target_acceptance.expect("adapts"),
            );
            assert!(
                (got - want).abs() < 0.05,
                "{name} from {start}: {got} of {want}, {control:?}"
            );
        }
    }
}

/// Every evaluation of a network with a Gaussian base launches the base's gradient once.
#[test]
fn evaluations_are_counted_as_they_are_recorded() {
    let mut executor = executor(false);
    let target = Target::random(5);
    for (name, steps, want) in [
        ("langevin", 6, 6),
        ("mala", 6, 7),
        ("hmc", 6, 25),
        ("underdamped", 6, 7),
    ] {
        let (chains, preparation) = target.chains(
            &mut executor,
            Variant::Tiled(Tiled),
            4,
            adapted_or_not(name),
            None,
        );
        for ends in [&[6][..], &[1, 4, 6]] {
            let mut r = Recording::new();
            let mut done = 0;
            for &end in ends {
                chains
                    .resume(preparation)
                    .run(&mut r, &pass(0, steps, 0), done..end);
                done = end;
            }
            assert_eq!(r.launches()["quadratic_base_gradient"], want, "{name}");
        }
        assert_eq!(chains.dynamics().evaluations(steps), want, "{name}");
    }
}

fn adapted_or_not(name: &str) -> Dynamics {
    Dynamics {
        target_acceptance: kind(name).target_acceptance,
        ..dynamics(name, 0.1)
    }
}

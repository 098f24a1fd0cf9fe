//! Whole chains in one launch against their f64 twin, and against the same chains run layer by layer.

mod common;

use afterimage::config::{InitialWeights, LayerSpec};
use afterimage::gpu::{Buffer, Executor, Recording};
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{
    ACTIVATIONS, Activation, Bounds, ChainStart, LangevinSettings, QuadraticBase, Variant,
    WalkArguments, WalkPlan, pack_walk_weights, walk_chains,
};
use afterimage::low_level::method::{Chains, Strategy};
use afterimage::low_level::network::{Initialisation, initial_parameters, walk_plan, walks_right};
use afterimage::low_level::random::Stream;
use afterimage::low_level::twins;
use afterimage::model::Architecture;
use afterimage::shape::Shape;
use common::programs::{check_dispatch, check_spirv, launches};
use common::{activations, assert_close, executor, filled, normals, one_of, poisoned, twin, widen};

const PLAIN: Initialisation = Initialisation {
    weights: InitialWeights::Default,
    zero_head: false,
    first_weight_scale: 1.0,
    first_bias_scale: 1.0,
};
/// What every adapter has (WebGPU's default limit).
const LEAST_BYTES: usize = 16_384;

fn conv(channels: usize, kernel: usize, stride: usize, padding: usize) -> LayerSpec {
    LayerSpec::Conv {
        channels,
        kernel,
        stride,
        padding,
    }
}

fn dense(features: usize) -> LayerSpec {
    LayerSpec::Dense { features }
}

fn build(
    [channels, height, width]: [usize; 3],
    layers: &[LayerSpec],
    activation: Activation,
    base: Option<QuadraticBase>,
) -> Architecture {
    let shape = Shape::new(channels, height, width);
    Architecture::new(shape, layers, activation, base).expect("fits")
}

/// Network D of docs/kernels.md.
fn digits() -> Architecture {
    let layers = [
        conv(32, 3, 1, 1),
        conv(64, 3, 2, 1),
        conv(64, 3, 2, 1),
        dense(1),
    ];
    build([1, 8, 8], &layers, Activation::SILU, None)
}

/// The layers of network M, over a quarter of its pixels and with half its channels.
fn small_m() -> Architecture {
    let layers = [
        conv(8, 5, 2, 4),
        conv(16, 3, 2, 1),
        conv(32, 3, 2, 1),
        conv(32, 3, 2, 1),
        dense(32),
        dense(1),
    ];
    build([1, 14, 14], &layers, Activation::SILU, None)
}

#[derive(Clone, Copy)]
struct Chain {
    samples: usize,
    per_group: usize,
    first_element: u32,
    first_step: u32,
    steps: usize,
    settings: LangevinSettings,
}

const CHAIN: Chain = Chain {
    samples: 3,
    per_group: 1,
    first_element: 0,
    first_step: 7,
    steps: 4,
    settings: LangevinSettings {
        step_size: 0.05,
        noise: 0.1,
        clip: 0.0,
        bounds: Bounds::None,
    },
};
const SEED: u64 = 0x1234_5678_9abc;
/// Every step adds a twentieth of the gradient's error, which is 2e-5 of its scale as in the networks' own tests, and
/// little of that grows: the energies are flat on the scale of 20. The noise adds a tenth of its error of about 1e-6.
const TOLERANCE: f64 = 2e-5;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The start, and where walking in `stretches` of so many steps ends: states and energies.
fn walked(
    executor: &mut Executor,
    architecture: &Architecture,
    plan: &WalkPlan,
    stretches: &[usize],
    chain: &Chain,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let start = normals(1, chain.samples * architecture.input().len());
    let (states, energies) = walked_from(executor, architecture, plan, stretches, chain, &start);
    (start, states, energies)
}

fn walked_from(
    executor: &mut Executor,
    architecture: &Architecture,
    plan: &WalkPlan,
    stretches: &[usize],
    chain: &Chain,
    start: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let mut r = Recording::new();
    let values = initial_parameters(architecture, &PLAIN, 5);
    let parameters = filled(&mut r, "parameters", &values);
    let packed = poisoned(&mut r, "packed", plan.packed_words());
    let x = filled(&mut r, "x", start);
    let energies = poisoned(&mut r, "energies", chain.samples);
    pack_walk_weights(&mut r, plan, parameters, packed);
    let arguments = WalkArguments {
        settings: &chain.settings,
        stream: Stream::Langevin,
        seed: SEED,
        first_element: chain.first_element,
        samples: chain.samples,
        packed,
        x,
        energies,
    };
    let mut step = chain.first_step;
    for &steps in stretches {
        walk_chains(&mut r, plan, &arguments, step, steps);
        step = step.wrapping_add(steps as u32);
    }
    executor.run(&r).expect("runs");
    let states = executor.read(x).expect("reads");
    (states, executor.read(energies).expect("reads"))
}

fn check(executor: &mut Executor, architecture: &Architecture, chain: &Chain) {
    let limit = executor.profile().workgroup_bytes;
    let plan = walk_plan(architecture, chain.per_group, limit).expect("fits");
    let (start, states, energies) = walked(executor, architecture, &plan, &[chain.steps], chain);
    let parameters = widen(&initial_parameters(architecture, &PLAIN, 5));
    let settings = twins::LangevinSettings {
        step_size: chain.settings.step_size.into(),
        noise: chain.settings.noise.into(),
        clip: chain.settings.clip.into(),
        bounds: match chain.settings.bounds {
            Bounds::None => twins::Bounds::None,
            Bounds::Clamp { low, high } => twins::Bounds::Clamp {
                low: low.into(),
                high: high.into(),
            },
            Bounds::Reflect { low, high } => twins::Bounds::Reflect {
                low: low.into(),
                high: high.into(),
            },
        },
    };
    let mut want = widen(&start);
    let want_energies = twins::langevin_chain(
        &twin(architecture, &parameters),
        &settings,
        SEED,
        chain.first_step,
        chain.steps as u32,
        chain.first_element,
        chain.samples,
        &mut want,
    );
    let what = |part: &str| {
        format!(
            "{part}, {} of {}, {} a group, {:?}",
            architecture.layers().len(),
            architecture.input(),
            chain.per_group,
            architecture.activation_after(0)
        )
    };
    assert_close(&what("states"), &states, &want, TOLERANCE);
    assert_close(&what("energies"), &energies, &want_energies, TOLERANCE);
}

#[test]
fn the_reference_networks_agree_with_their_twins() {
    let mut executor = executor(true);
    check(&mut executor, &digits(), &CHAIN);
    // Two workgroups, one of them with an absent sample.
    let pairs = Chain {
        per_group: 2,
        ..CHAIN
    };
    check(&mut executor, &small_m(), &pairs);
}

/// Odd sizes, strides that leave rows unread, kernels as large as their input and larger, dense layers over one value,
/// over samples and over maps, a head with several outputs and pixels, one hidden layer, more than one round of tasks.
fn odd_networks(activation: Activation) -> Vec<Architecture> {
    let base = Some(QuadraticBase {
        mean: 0.3,
        std: 1.5,
    });
    let build = |shape, layers: &[LayerSpec], base| build(shape, layers, activation, base);
    vec![
        build([3, 7, 5], &[conv(5, 3, 2, 1), conv(2, 2, 1, 1)], base),
        build(
            [2, 9, 6],
            &[conv(6, 2, 3, 0), conv(9, 3, 1, 2), conv(3, 3, 2, 1)],
            None,
        ),
        build([1, 3, 2], &[conv(3, 5, 1, 2), conv(1, 2, 1, 0)], base),
        build([6, 9, 9], &[conv(4, 3, 4, 0), dense(7), dense(3)], None),
        build([2, 6, 5], &[conv(6, 3, 1, 1), dense(10), dense(1)], base),
        build([3, 2, 2], &[dense(9), dense(7), dense(1)], base),
        build([5, 1, 1], &[dense(17), dense(9), dense(2)], None),
        build([2, 1, 1], &[dense(1200), dense(8), dense(1)], None),
        build([1, 50, 50], &[conv(4, 3, 3, 0), dense(1)], base),
    ]
}

#[test]
fn odd_networks_agree_with_their_twins() {
    let mut executor = executor(true);
    let (low, high) = (-0.8, 1.1);
    let all_bounds = [
        Bounds::None,
        Bounds::Clamp { low, high },
        Bounds::Reflect { low, high },
    ];
    let networks = odd_networks(Activation::SILU).len();
    // Either case of a network in turn.
    let cases = (0..networks).flat_map(|n| one_of(vec![2 * n, 2 * n + 1], n));
    for case in cases {
        // Odd against even and threefold: every kind meets several of the others.
        let architecture = &odd_networks(activations()[case % ACTIVATIONS.len()])[case / 2];
        let per_group = [1, [2, 4][case / 4 % 2]][case % 2];
        let chain = Chain {
            samples: 5,
            per_group: match walk_plan(architecture, per_group, executor.profile().workgroup_bytes)
            {
                Some(_) => per_group,
                None => 1,
            },
            first_element: [0, 7, 1001][case % 3],
            first_step: [0, u32::MAX - 1][(case / 4 + case / 8) % 2],
            steps: 3,
            settings: LangevinSettings {
                clip: [0.0, 0.4][case / 8 % 2],
                bounds: all_bounds[case % 3],
                ..CHAIN.settings
            },
        };
        check(&mut executor, architecture, &chain);
    }
}

#[test]
fn a_chain_does_not_depend_on_how_it_is_cut_into_launches() {
    let mut executor = executor(false);
    let architecture = small_m();
    let plan = walk_plan(&architecture, 1, 32_768).expect("fits");
    let (_, whole, energies) = walked(&mut executor, &architecture, &plan, &[4], &CHAIN);
    let (_, parts, last) = walked(&mut executor, &architecture, &plan, &[1, 2, 1], &CHAIN);
    assert_eq!(bits(&whole), bits(&parts));
    assert_eq!(bits(&energies), bits(&last));
}

#[test]
fn a_lost_chain_takes_no_other_with_it() {
    let mut executor = executor(false);
    let architecture = small_m();
    let length = architecture.input().len();
    let plan = walk_plan(&architecture, 2, 32_768).expect("fits");
    let chain = Chain {
        samples: 2,
        ..CHAIN
    };
    let (mut start, whole, energies) = walked(&mut executor, &architecture, &plan, &[4], &chain);
    start[5] = f32::NAN;
    let (states, lost) = walked_from(&mut executor, &architecture, &plan, &[4], &chain, &start);
    assert!(!states[5].is_finite() && !lost[0].is_finite());
    assert_eq!(bits(&states[length..]), bits(&whole[length..]));
    assert_eq!(lost[1].to_bits(), energies[1].to_bits());
}

/// The same random numbers, the same rule: walking is another order of the same sums.
#[test]
fn walking_and_running_layer_by_layer_draw_the_same_chains() {
    let mut executor = executor(false);
    let architecture = build(
        [1, 9, 8],
        &[conv(12, 3, 2, 1), conv(20, 3, 2, 1), dense(1)],
        Activation::SILU,
        Some(QuadraticBase {
            mean: 0.1,
            std: 1.2,
        }),
    );
    let parameters = initial_parameters(&architecture, &PLAIN, 3);
    let count = 5;
    let native = Variant::for_profile(&executor.profile());
    let mut draw = |variant, strategy| {
        let chains = Chains::new(
            &architecture,
            count,
            variant,
            CHAIN.settings,
            ChainStart::Uniform {
                low: -1.0,
                high: 1.0,
            },
            (SEED, Stream::Sampling),
        )
        .expect("fits")
        .with_strategy(strategy);
        let mut r = Recording::new();
        let parameters = filled(&mut r, "parameters", &parameters);
        chains.setup(&mut r);
        let prepared = chains.prepare(&mut r, parameters);
        chains.restart(&mut r, 0, 3, count);
        prepared.advance(&mut r, 2, 6, 3);
        executor.run(&r).expect("runs");
        let energies = executor.read(chains.energies()).expect("reads");
        let mut r = Recording::new();
        prepared.denoise(&mut r, 0.2);
        executor.run(&r).expect("runs");
        let states = executor.read(chains.states()).expect("reads");
        (widen(&energies), states)
    };
    let plan = walk_plan(&architecture, 2, LEAST_BYTES).expect("fits");
    let (energies, states) = draw(Variant::Tiled(Tiled), Strategy::Walk(plan));
    for variant in [Variant::Tiled(Tiled), native] {
        let (want_energies, want) = draw(variant, Strategy::Layers);
        let energies: Vec<f32> = energies.iter().map(|&energy| energy as f32).collect();
        // Both are within the tolerance of their twin.
        assert_close("energies", &energies, &want_energies, 2.0 * TOLERANCE);
        assert_close("states", &states, &widen(&want), 2.0 * TOLERANCE);
    }
}

/// Network M of docs/kernels.md, which does not fit the workgroup memory of every software driver.
fn network_m() -> Architecture {
    let layers = [
        conv(16, 5, 2, 4),
        conv(32, 3, 2, 1),
        conv(64, 3, 2, 1),
        conv(64, 3, 2, 1),
        dense(64),
        dense(1),
    ];
    build([1, 28, 28], &layers, Activation::SILU, None)
}

fn planar() -> Architecture {
    let layers = [dense(128), dense(128), dense(128), dense(1)];
    build([2, 1, 1], &layers, Activation::SILU, None)
}

/// The launches of a chain of `steps`, without a device.
fn recorded(plan: &WalkPlan, samples: usize, steps: usize) -> Recording {
    let mut r = Recording::new();
    let parameters = Buffer::new("parameters", 1 << 20);
    let packed = Buffer::new("packed", plan.packed_words());
    pack_walk_weights(&mut r, plan, parameters, packed);
    let arguments = WalkArguments {
        settings: &CHAIN.settings,
        stream: Stream::Langevin,
        seed: SEED,
        first_element: 0,
        samples,
        packed,
        x: Buffer::new("x", samples * 784),
        energies: Buffer::new("energies", samples),
    };
    walk_chains(&mut r, plan, &arguments, 0, steps);
    r
}

#[test]
fn programs_for_gpus_with_more_workgroup_memory_compile_and_use_what_their_plan_says() {
    for (architecture, per_group, limit) in [
        (digits(), 1, LEAST_BYTES),
        (digits(), 2, 49_152),
        (network_m(), 1, 49_152),
        (network_m(), 2, 98_304),
        (planar(), 16, 49_152),
    ] {
        let plan = walk_plan(&architecture, per_group, limit).expect("fits");
        let recording = recorded(&plan, 5, 2);
        for dispatch in launches(&recording) {
            check_dispatch(dispatch);
            let bytes = check_spirv(dispatch);
            if dispatch.program.kernel.name == "walk/langevin_chain" {
                assert_eq!(bytes, plan.workgroup_bytes());
                assert!(bytes <= limit, "{bytes} of {limit}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_not_planned() {
    let bytes = |architecture: &Architecture, limit| {
        walk_plan(architecture, 1, limit).map(|plan| plan.workgroup_bytes())
    };
    // 512 + 256 + 64 quads of maps and one of zeros, 64 values and a zero, their noise, 256 shares.
    assert_eq!(
        bytes(&digits(), LEAST_BYTES),
        Some(13_328 + 272 + 256 + 1024)
    );
    // Beside these, 8 KiB for shared sums.
    assert_eq!(bytes(&digits(), 32_768), Some(14_880 + 8192));
    assert_eq!(bytes(&network_m(), 49_152), Some(45_472));
    assert_eq!(bytes(&network_m(), 32_768), None);
    assert_eq!(bytes(&digits(), 14_879), None);

    let limit = 1 << 20;
    let layers = [conv(4, 5, 5, 0), dense(1)];
    let wide = build([1, 20, 20], &layers, Activation::TANH, None);
    assert!(
        walk_plan(&wide, 1, limit).is_none(),
        "25 sums are too many for registers"
    );
    let affine = build([1, 4, 4], &[dense(1)], Activation::TANH, None);
    assert!(walk_plan(&affine, 1, limit).is_none(), "no hidden layer");
    for per_group in [0, 3, 512] {
        assert!(walk_plan(&digits(), per_group, limit).is_none());
    }
    // Far beyond what could be addressed.
    let layers = [dense(1 << 28), dense(1)];
    let huge = build([1, 1, 1], &layers, Activation::TANH, None);
    assert!(walk_plan(&huge, 256, usize::MAX).is_none());
}

#[test]
fn long_chains_are_cut_into_launches_that_no_driver_kills() {
    let plan = walk_plan(&digits(), 1, 49_152).expect("fits");
    for (samples, steps) in [(128, 60), (128, 1000), (4096, 500), (1 << 20, 3), (1, 2000)] {
        let recording = recorded(&plan, samples, steps);
        let walks: Vec<_> = launches(&recording)
            .into_iter()
            .filter(|dispatch| dispatch.program.kernel.name == "walk/langevin_chain")
            .collect();
        let step = samples as u64 * digits().flops_per_gradient();
        // Words 2 and 10 of the immediates are the first step and the number of steps.
        let mut next = 0;
        for walk in &walks {
            assert_eq!(walk.immediates[2], next);
            next += walk.immediates[10];
            assert_eq!(walk.flops, u64::from(walk.immediates[10]) * step);
            assert!(walk.flops <= 20_000_000_000.max(step));
        }
        assert_eq!(next, steps as u32);
        // One workgroup takes as long as sixteen beside each other.
        let counted = steps as u64 * step * (16 / samples.min(16)) as u64;
        assert_eq!(walks.len() == 1, counted <= 20_000_000_000);
    }
}

#[test]
fn walked_chains_hold_what_they_account_for() {
    let mut executor = executor(false);
    let architecture = small_m();
    let before = executor.allocated_bytes();
    let plan = walk_plan(&architecture, 1, 32_768).expect("fits");
    let packed_words = plan.packed_words();
    let chains = Chains::new(
        &architecture,
        4,
        Variant::Tiled(Tiled),
        CHAIN.settings,
        ChainStart::Gaussian {
            mean: 0.0,
            std: 1.0,
        },
        (1, Stream::Langevin),
    )
    .expect("fits")
    .with_strategy(Strategy::Walk(plan));
    let mut r = Recording::new();
    let parameters = Buffer::new("parameters", architecture.parameter_count());
    chains.setup(&mut r);
    let prepared = chains.prepare(&mut r, parameters);
    chains.restart(&mut r, 0, 0, 4);
    prepared.advance(&mut r, 0, 2, 0);
    executor.run(&r).expect("runs");
    let held = executor.allocated_bytes() - before - parameters.bytes();
    // States, energies and the weights in their own order, but no maps and no gradients.
    let values = 4 * architecture.input().len();
    assert_eq!(held, 4 * (values + 4 + packed_words) as u64);
}

#[test]
fn the_self_test_of_walking_passes_here_and_leaves_no_memory_behind() {
    let mut executor = executor(false);
    let before = executor.allocated_bytes();
    assert!(walks_right(&mut executor).expect("runs"));
    assert_eq!(executor.allocated_bytes(), before);
}

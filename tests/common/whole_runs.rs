//! The programs of whole runs, collected without a device.

use super::{extended, programs::launches};
use afterimage::config::{
    self, BaseKind, BoundsKind, ChainKind, Config, Criterion, Interval, JumpKind, LayerSpec,
    NormaliserKind, Precision, SnapshotKind, StartKind, Word,
};
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::gpu::{Constant, Dispatch, ONLY_IF, Profile, Program};
use afterimage::low_level::kernels::{self, Variant};
use afterimage::low_level::method::{Chains, Strategy};
use afterimage::low_level::model;
use afterimage::low_level::network::walk_plan;
use afterimage::low_level::random::Stream;
use afterimage::low_level::train::TrainingPlan;
use afterimage::shape::Shape;
use std::collections::{HashMap, HashSet};

const LONGEST_SIDE: u32 = 16_384;
/// What most GPUs have of workgroup memory.
const WORKGROUP_BYTES: usize = 49_152;

/// All variants for an adapter with subgroups of 8 as lavapipe's, and where they have it with maps of f16; and those for
/// an adapter with wide subgroups.
pub fn variants() -> Vec<Variant> {
    let on = |subgroup_size| {
        let profile = Profile {
            is_cpu: true,
            workgroup_bytes: WORKGROUP_BYTES,
            longest_image_side: LONGEST_SIDE,
            subgroup_size: Some(subgroup_size),
        };
        let families = Variant::of_each_family(&profile).into_iter();
        families.flat_map(|(best, plain)| std::iter::once(best).chain(plain))
    };
    let mixed = on(8).filter_map(|variant| variant.in_precision(Precision::Mixed));
    let mut variants: Vec<Variant> = on(8).chain(mixed).collect();
    let wide: Vec<Variant> = on(32)
        .filter(|variant| !variants.contains(variant))
        .collect();
    variants.extend(wide);
    variants
}

/// The shape of a preset's data. Presets whose samples come from an IDX file are for MNIST.
pub fn shape_of(config: &Config) -> Shape {
    let source = config.data.source;
    match source.name == "idx" {
        true => Shape::new(1, 28, 28),
        false => source.shape.expect("a source whose shape is known"),
    }
}

/// Every preset with the shape of its data, and the digits with every setting that picks another program.
fn runs() -> Vec<(Config, Shape)> {
    let digits = Shape::new(1, 8, 8);
    let mut runs: Vec<(Config, Shape)> = config::presets()
        .iter()
        .map(|preset| {
            let config = config::load(preset.name, &[]).expect("presets are valid");
            let shape = shape_of(&config);
            (config, shape)
        })
        .collect();
    let base = config::load("digits-langevin", &[]).expect("is valid");
    let mut other = |change: &dyn Fn(&mut Config)| {
        let mut config = base.clone();
        change(&mut config);
        runs.push((config, digits));
    };
    for activation in kernels::ACTIVATIONS {
        for &bounds in BoundsKind::all() {
            other(&|config| {
                config.network.activation = activation;
                config.sampler.bounds = bounds;
                config.sampler.clip = 0.03;
            });
        }
    }
    for &generator in Criterion::all() {
        for &normaliser in NormaliserKind::all() {
            other(&|config| {
                config.objective.generator = generator;
                config.objective.normaliser = normaliser;
                config.objective.noise_ratio = 2;
            });
        }
    }
    for &chains in ChainKind::all() {
        for &start in StartKind::all() {
            other(&|config| {
                config.sampler.chains = chains;
                config.sampler.start = start;
                config.objective.noise_ratio = 3;
            });
        }
    }
    for &kind in SnapshotKind::all() {
        other(&|config| {
            config.snapshot.kind = kind;
            config.objective.normaliser = NormaliserKind::Learned;
        });
    }
    other(&|config| config.snapshot.interval = Interval::Adaptive);
    other(&|config| {
        config.snapshot.interval = Interval::Adaptive;
        config.sampler.reuse = Interval::Adaptive;
        config.sampler.pool = 2;
    });
    for start in [StartKind::Gaussian, StartKind::Uniform] {
        other(&|config| {
            config.sampler.start = start;
            config.sampler.jumps = 1;
        });
    }
    other(&|config| {
        config.sampler.jumps = 1;
        config.sampler.jump_to = JumpKind::Gaussians;
    });
    for kind in kernels::SAMPLERS {
        other(&|config| {
            config.sampler.kind = kind;
            // The first step leaves a trace.
            config.sampler.diagnose = 1;
        });
    }
    other(&|config| {
        config.run.batch = 5;
        config.network.base = BaseKind::None;
        config.network.layers = vec![
            LayerSpec::Conv {
                channels: 5,
                kernel: 4,
                stride: 3,
                padding: 2,
            },
            LayerSpec::Dense { features: 7 },
            LayerSpec::Dense { features: 3 },
        ];
    });
    other(&|config| {
        config.run.batch = 5;
        config.network.zero_head = false;
        let residual = |channels, pool| LayerSpec::Residual {
            channels,
            kernel: 3,
            pool,
        };
        // A block at each end, without and with a change of channels.
        config.network.layers = vec![
            residual(1, 1),
            residual(5, 2),
            LayerSpec::Pool { size: 2 },
            residual(6, 1),
        ];
    });
    runs
}

/// One launch of every distinct program of a training run (a refresh and a step between refreshes) and of sampling.
fn collect(programs: &mut HashMap<Program, Dispatch>, recording: &Recording) {
    for dispatch in launches(recording) {
        programs
            .entry((*dispatch.program).clone())
            .or_insert_with(|| dispatch.clone());
    }
}

/// Of [`programs`] those that differ in more than numbers, of which there are some hundreds; in the extended tests all, some thousands.
pub fn kinds(programs: &HashMap<Program, Dispatch>) -> Vec<&Dispatch> {
    let is_number = |value: &Constant| matches!(value, Constant::U32(_) | Constant::F32(_));
    let mut dispatches: Vec<&Dispatch> = programs.values().collect();
    // So that the same of a kind are taken every time.
    dispatches.sort_by_cached_key(|dispatch| format!("{:?}", dispatch.program.constants));
    let mut seen = HashSet::new();
    dispatches.retain(|dispatch| {
        let constants = dispatch.program.constants.iter();
        let switches = constants.filter(|(_, value)| !is_number(value)).cloned();
        let kind = (dispatch.program.kernel.name, switches.collect::<Vec<_>>());
        seen.insert(kind) || extended()
    });
    dispatches
}

/// Every program of [`runs`] and of sampling from their models, in all variants, and those that only tests and benchmarks launch;
/// each with a launch.
pub fn programs() -> HashMap<Program, Dispatch> {
    let mut programs = HashMap::new();
    for (config, shape) in runs() {
        for variant in variants() {
            let mut config = config.clone();
            if config.snapshot.interval != Interval::Adaptive {
                config.snapshot.interval = Interval::Every(2);
            }
            let plan = TrainingPlan::new(&config, shape, variant).expect("fits");
            let parameters = vec![0.0; plan.architecture().parameter_count()];
            collect(&mut programs, &plan.setup(&parameters));
            let data = vec![0.0; config.run.batch * shape.len()];
            for step in 0..2 {
                collect(&mut programs, &plan.step(step, &data));
            }

            let chains = Chains::new(
                plan.architecture(),
                config.run.samples,
                variant,
                config.dynamics().langevin,
                model::chain_start(&config),
                (1, Stream::Sampling),
            )
            .expect("fits");
            let parameters = Buffer::new("parameters", plan.architecture().parameter_count());
            let mut collect_chains = |chains: &Chains| {
                let mut r = Recording::new();
                chains.setup(&mut r);
                let prepared = chains.prepare(&mut r, parameters);
                chains.restart(&mut r, 0, 0, config.run.samples);
                prepared.advance(&mut r, 0, 1, 0);
                prepared.denoise(&mut r, 0.1);
                collect(&mut programs, &r);
            };
            collect_chains(&chains);
            if let Some(walk) = walk_plan(plan.architecture(), 1, WORKGROUP_BYTES) {
                collect_chains(&chains.with_strategy(Strategy::Walk(walk)));
            }
        }
    }
    // Only the tests of the random numbers launch this one.
    let mut r = Recording::new();
    let buffer = |words| Buffer::new("words", words);
    kernels::philox_words(&mut r, 3, buffer(12), buffer(6), buffer(12));
    // An executor launches this one beside what depends on a condition.
    r.dispatch(Dispatch {
        program: Program::new(&ONLY_IF).into(),
        resources: [buffer(1), buffer(6), buffer(6)].map(Into::into).into(),
        immediates: vec![2],
        step_word: None,
        workgroups: [1, 1, 1],
        flops: 0,
        bytes: 0,
    });
    // And only `afterimage bench` these.
    kernels::bench::copy(&mut r, 1, 4, buffer(4), buffer(4));
    let loops = kernels::bench::MultiplyAdd {
        accumulators: 3,
        rounds: 2,
        updates: 2,
        factor: 0.5,
        term: 1.0,
    };
    kernels::bench::multiply_add(&mut r, &loops, 1, buffer(256));
    collect(&mut programs, &r);
    programs
}

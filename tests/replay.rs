//! Frozen recordings: replaying gives the bits of recording afresh, and costs no look-ups.

mod common;

use afterimage::config::LayerSpec;
use afterimage::gpu::{AdapterChoice, Buffer, Executor, ExecutorOptions, GpuError, Recording};
use afterimage::low_level::gpu::{Command, Dispatch};
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{
    Activation, Bounds, ChainBatch, ChainStart, LangevinSettings, QuadraticBase, Variant, langevin,
};
use afterimage::low_level::method::Chains;
use afterimage::low_level::network::{
    Initialisation, Network, initial_parameters, trusted_variant,
};
use afterimage::low_level::random::Stream;
use afterimage::model::Architecture;
use afterimage::shape::Shape;
use common::{executor, normals, variants};
use std::collections::HashSet;
use std::time::Duration;

const CHAINS: usize = 5;
const SEED: u64 = 0x1234_5678_9abc;
const SETTINGS: LangevinSettings = LangevinSettings {
    step_size: 0.02,
    noise: 0.2,
    clip: 0.5,
    bounds: Bounds::Reflect {
        low: -2.0,
        high: 2.0,
    },
};

fn architecture() -> Architecture {
    let conv = LayerSpec::Conv {
        channels: 6,
        kernel: 3,
        stride: 2,
        padding: 1,
    };
    let base = Some(QuadraticBase {
        mean: 0.1,
        std: 1.2,
    });
    let specs = [conv, LayerSpec::Dense { features: 1 }];
    Architecture::new(Shape::new(1, 6, 5), &specs, Activation::SILU, base).expect("fits")
}

fn chains(variant: Variant) -> Chains {
    let start = ChainStart::Gaussian {
        mean: 0.0,
        std: 1.0,
    };
    let random = (SEED, Stream::Langevin);
    Chains::new(&architecture(), CHAINS, variant, SETTINGS, start, random).expect("fits")
}

fn parameters(recording: &mut Recording) -> Buffer {
    let how = Initialisation {
        weights: Default::default(),
        zero_head: false,
        first_weight_scale: 1.0,
        first_bias_scale: 1.0,
    };
    common::filled(
        recording,
        "parameters",
        &initial_parameters(&architecture(), &how, 3),
    )
}

fn batch([chains, length]: [usize; 2], x: Buffer, gradient: Buffer) -> ChainBatch {
    ChainBatch {
        chains,
        length,
        stream: Stream::Langevin,
        seed: SEED,
        x,
        energies: Buffer::new("energies", chains),
        gradient,
    }
}

fn bits(executor: &mut Executor, buffer: Buffer) -> Vec<u32> {
    let words = executor.read_words(buffer, 0, buffer.words());
    words.expect("reads")
}

#[test]
fn a_replayed_chain_has_the_bits_of_one_recorded_afresh() {
    let start = normals(1, CHAINS * architecture().input().len());
    for submission in [1, 1000] {
        let options = ExecutorOptions {
            submission: Duration::from_millis(submission),
            ..Default::default()
        };
        let mut executor = Executor::open(&AdapterChoice::Best, options).expect("opens");
        for (name, variant) in variants(&executor) {
            let mut r = Recording::new();
            let parameters = parameters(&mut r);
            let chains = chains(variant);
            chains.setup(&mut r);
            let prepared = chains.prepare(&mut r, parameters);
            let network = Network::new(&architecture(), CHAINS, variant).expect("fits");
            network.setup(&mut r);
            let on_layers = network.prepare(&mut r, parameters);
            let x = Buffer::new("x", start.len());
            let energies = Buffer::new("energies", CHAINS);
            let gradient = Buffer::new("gradient", start.len());
            executor.run(&r).expect("runs");

            let mut ends = HashSet::new();
            // Step numbers wrap; a batch of a larger set starts at a later chain.
            for (first_step, first_chain) in [(0, 0), (40, 0), (u32::MAX - 1, 0), (40, 7)] {
                let mut r = Recording::new();
                r.upload_f32(chains.states(), 0, &start);
                prepared.advance(&mut r, first_step, 3, first_chain);
                prepared.advance(&mut r, first_step.wrapping_add(3), 2, first_chain);
                executor.run(&r).expect("runs");
                let replayed = bits(&mut executor, chains.states());
                let what = format!("{name}, step {first_step}, chain {first_chain}");
                assert!(ends.insert(replayed.clone()), "{what}: numbers of its own");
                executor.run(&r.expanded()).expect("runs");
                assert_eq!(replayed, bits(&mut executor, chains.states()), "{what}");

                let mut r = Recording::new();
                r.upload_f32(x, 0, &start);
                for step in 0..5u32 {
                    on_layers.energy_gradient(&mut r, x, Some(energies), gradient);
                    let step = first_step.wrapping_add(step);
                    let batch = batch([CHAINS, architecture().input().len()], x, gradient);
                    langevin(&mut r, &SETTINGS, &batch, step, first_chain);
                }
                executor.run(&r).expect("runs");
                assert_eq!(replayed, bits(&mut executor, x), "{what}");
            }
        }
    }
}

#[test]
fn replays_look_nothing_up_and_make_nothing() {
    let mut executor = executor(false);
    let variant = trusted_variant(&mut executor).expect("runs");
    let chains = chains(variant);
    let mut r = Recording::new();
    let parameters = parameters(&mut r);
    chains.setup(&mut r);
    let prepared = chains.prepare(&mut r, parameters);
    // One step without energies and one with them, which are two recordings.
    prepared.advance(&mut r, 0, 2, 0);
    executor.run(&r).expect("runs");
    let first = executor.statistics();
    let bytes = executor.allocated_bytes();

    let mut replays = 0;
    for turn in 0..20 {
        let mut r = Recording::new();
        prepared.advance(&mut r, 10 * turn, 10, 0);
        assert_eq!(r.commands().len(), 2);
        replays += r.launches().values().sum::<usize>() as u64;
        executor.run(&r).expect("runs");
    }
    let last = executor.statistics();
    assert!(replays > 400 && last.launches == first.launches + replays);
    assert!(last.encoding > first.encoding);
    assert_eq!(
        (last.pipelines, last.bind_groups, last.lookups),
        (first.pipelines, first.bind_groups, first.lookups)
    );
    assert_eq!(executor.allocated_bytes(), bytes);
}

#[test]
fn what_was_released_is_refused_and_the_rest_goes_on() {
    let mut executor = executor(false);
    let old = chains(Variant::Tiled(Tiled));
    let mut r = Recording::new();
    let parameters = parameters(&mut r);
    old.setup(&mut r);
    let prepared = old.prepare(&mut r, parameters);
    let mut replay_old = Recording::new();
    prepared.advance(&mut replay_old, 0, 2, 0);
    executor.run(&r).expect("runs");
    executor.run(&replay_old).expect("runs");
    let lookups = executor.statistics().lookups;

    let mark = executor.mark();
    let young = chains(Variant::Tiled(Tiled));
    let never_run = chains(Variant::Tiled(Tiled));
    let [replay_young, replay_never_run] = [&young, &never_run].map(|chains| {
        let mut r = Recording::new();
        let prepared = chains.prepare(&mut r, parameters);
        prepared.advance(&mut r, 0, 2, 0);
        r
    });
    let mut setup = Recording::new();
    young.setup(&mut setup);
    executor.run(&setup).expect("runs");
    executor.run(&replay_young).expect("runs");
    executor.release_since(mark);

    for recording in [&replay_young, &replay_never_run, &setup] {
        let outcome = executor.run(recording);
        assert!(
            matches!(outcome, Err(GpuError::Released { .. })),
            "{outcome:?}"
        );
    }
    let middle = executor.statistics().lookups;
    executor.run(&replay_old).expect("runs");
    assert!(middle > lookups);
    assert_eq!(executor.statistics().lookups, middle, "kept");
    // A second release keeps in mind what the first one freed.
    let mark = executor.mark();
    executor.release_since(mark);
    assert!(executor.run(&setup).is_err());
    executor.read(old.states()).expect("reads");
}

#[test]
fn only_launches_can_be_replayed() {
    let mut executor = executor(false);
    let x = Buffer::new("x", 4);
    let mut inner = Recording::new();
    inner.upload(x, 0, vec![1]);
    let mut r = Recording::new();
    r.replay(&inner.freeze(), 0, 3);
    let error = executor.run(&r).expect_err("an upload");
    assert!(matches!(error, GpuError::NotReplayable { .. }));
    assert!(error.to_string().contains("upload 1 words to x"), "{error}");

    let mut once = Recording::new();
    let batch = batch([4, 1], x, Buffer::new("gradient", 4));
    langevin(&mut once, &SETTINGS, &batch, 0, 0);
    let Some(Command::Dispatch(dispatch)) = once.commands().first() else {
        panic!("a launch");
    };
    let mut r = Recording::new();
    r.dispatch(Dispatch {
        step_word: Some(10),
        ..dispatch.clone()
    });
    assert!(matches!(
        executor.run(&r),
        Err(GpuError::StepWord {
            words: 10,
            step_word: 10,
            ..
        })
    ));
    executor.run(&once).expect("still runs");
    executor.read(x).expect("reads");
}

/// Adds `settings.step_size`-long steps to `x` in a launch of its own and in a replay.
fn moved(x: Buffer) -> Recording {
    let batch = batch([4, 1], x, Buffer::new("gradient", 4));
    let mut body = Recording::new();
    langevin(&mut body, &SETTINGS, &batch, 7, 0);
    let mut once = Recording::new();
    langevin(&mut once, &SETTINGS, &batch, 0, 0);
    body.replay(&once.freeze(), 3, 2);
    body
}

#[test]
fn launches_take_place_only_if_their_condition_holds_then() {
    let mut executor = executor(false);
    let (condition, flags) = (Buffer::new("condition", 1), Buffer::new("flags", 1));
    let x = Buffer::new("x", 4);
    let run = |executor: &mut Executor, recording: &Recording| {
        executor.run(recording).expect("runs");
        executor.read(x).expect("reads")
    };
    let begin = || {
        let mut r = Recording::new();
        r.upload_f32(x, 0, &[0.1, 0.2, 0.3, 0.4]);
        r
    };
    let mut always = begin();
    always.append(moved(x));
    let (still, moved_on) = (run(&mut executor, &begin()), run(&mut executor, &always));
    assert_ne!(still, moved_on);
    for (value, want) in [(0, &still), (1, &moved_on), (0, &still), (7, &moved_on)] {
        let mut r = begin();
        r.upload(condition, 0, vec![value]);
        r.only_if(condition, moved(x));
        // What comes after changes nothing any more.
        r.upload(condition, 0, vec![1 - value.min(1)]);
        assert_eq!(run(&mut executor, &r), *want, "{value}");
        assert_eq!(
            run(&mut executor, &r.expanded()),
            *want,
            "{value}, expanded"
        );
    }

    let mut body = Recording::new();
    body.upload(flags, 0, vec![1]);
    let mut r = Recording::new();
    r.only_if(condition, body);
    let error = executor.run(&r).expect_err("an upload");
    assert!(matches!(error, GpuError::NotConditional { .. }));
    assert!(
        error.to_string().contains("upload 1 words to flags"),
        "{error}"
    );
    assert_eq!(r.to_string(), "1 commands only if condition says so\n");
    assert!(r.resources().contains(&condition.into()));
}

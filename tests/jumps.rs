//! Independence proposals between the steps of a sampler: against their twin, on a known law, and in a run.

mod common;

use afterimage::config::{self, LayerSpec, SamplerKind, Word};
use afterimage::data;
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{
    self, Activation, Bounds, ChainBatch, ChainStart, Dynamics, GaussianMixture, JumpLaw, Jumps,
    LangevinSettings, MixtureComponent, MixtureJumps, MixtureSize, Moment, QuadraticBase, Variant,
};
use afterimage::low_level::method::{ChainPass, Chains};
use afterimage::low_level::random::{Stream, philox4x32_10, uniform01};
use afterimage::low_level::twins::{self, JumpState};
use afterimage::model::{Architecture, Model, SampleOptions};
use afterimage::shape::Shape;
use afterimage::train::{Arrival, Trainer};
use common::{assert_close, executor, filled, normals, widen};
use std::sync::Arc;

const SEED: u64 = 0x0123_4567_89ab;

const MOMENT: Moment = Moment {
    step: 5,
    first_chain: 8,
    temperature: 0.7,
    annealed: false,
    adapt: false,
    energies: true,
};

/// Chains at `x` with these energies, and room for their proposals and the energies of these.
fn batch(r: &mut Recording, x: &[f32], energies: &[f32]) -> (ChainBatch, (Buffer, Buffer)) {
    let chains = energies.len();
    let batch = ChainBatch {
        chains,
        length: x.len() / chains,
        stream: Stream::Langevin,
        seed: SEED,
        x: filled(r, "x", x),
        energies: filled(r, "energies", energies),
        gradient: Buffer::new("unused", 1),
    };
    let proposals = Buffer::new("proposals", x.len());
    (batch, (proposals, Buffer::new("proposal energies", chains)))
}

/// The numbers that decide in [`MOMENT`] whether chains jump.
fn uniform(chains: usize) -> Vec<f64> {
    let of = |chain: usize| {
        let Moment {
            first_chain, step, ..
        } = MOMENT;
        let counter = [(first_chain + chain) as u32, 1, step, Stream::Jump as u32];
        let key = [SEED as u32, (SEED >> 32) as u32];
        f64::from(uniform01(philox4x32_10(counter, key)[0]))
    };
    (0..chains).map(of).collect()
}

#[test]
fn a_jump_is_its_twin() {
    let mut executor = executor(true);
    let laws = [
        (
            ChainStart::Gaussian {
                mean: 0.3,
                std: 1.4,
            },
            twins::ChainStart::Gaussian {
                mean: f64::from(0.3f32),
                std: f64::from(1.4f32),
            },
        ),
        (
            // Some of the states lie outside.
            ChainStart::Uniform {
                low: -1.0,
                high: 1.5,
            },
            twins::ChainStart::Uniform {
                low: -1.0,
                high: 1.5,
            },
        ),
    ];
    // One invocation a chain, and one workgroup.
    for (chains, length) in [(70, 3), (9, 200)] {
        for (start, twin_start) in laws {
            // States as likely as proposals under the law of the proposals, so that some jump; of the box, some outside.
            let (mean, scale) = match start {
                ChainStart::Gaussian { mean, std } => (mean, std),
                ChainStart::Uniform { .. } if length > 100 => (0.0, 0.3),
                ChainStart::Uniform { .. } => (0.0, 1.2),
            };
            let x = normals(1, chains * length);
            let x: Vec<f32> = x.iter().map(|v| mean + scale * v).collect();
            let (energies, proposed) = (normals(2, chains), normals(3, chains));
            let mut r = Recording::new();
            let known = filled(&mut r, "known", &proposed);
            let (batch, proposals) = batch(&mut r, &x, &energies);
            let energies_at = |r: &mut Recording, _, to| r.copy(known, to);
            let stream = Stream::Jump;
            kernels::jump_chains(
                &mut r,
                &batch,
                start,
                stream,
                &MOMENT,
                proposals,
                &energies_at,
            );
            executor.run(&r).expect("runs");

            let proposal = widen(&executor.read(proposals.0).expect("reads"));
            let mut want = vec![f64::NAN; chains * length];
            twins::start_chains(twin_start, stream, SEED, 5, (8 * length) as u32, &mut want);
            let got: Vec<f32> = proposal.iter().map(|&v| v as f32).collect();
            // The accuracy of the GPU's normals: tests/kernels/.
            assert_close("proposals", &got, &want, 1e-4);

            let uniform = uniform(chains);
            let mut state = JumpState {
                x: widen(&x),
                energies: widen(&energies),
            };
            let temperature = f64::from(MOMENT.temperature);
            let proposed = widen(&proposed);
            twins::jump(
                &mut state,
                &proposal,
                &proposed,
                &|x: &[f64]| twin_start.log_density(x),
                temperature,
                &uniform,
            );
            // Copies, so equal to the bit, unless a test is a tie to f32's last digits, which none is here.
            let got = widen(&executor.read(batch.x).expect("reads"));
            assert_eq!(got, state.x, "{chains} × {length}, {start:?}");
            let got = widen(&executor.read(batch.energies).expect("reads"));
            assert_eq!(got, state.energies);
            let before = widen(&energies);
            let jumped = got.iter().zip(&before).filter(|(a, b)| a != b).count();
            assert!(0 < jumped && jumped < chains, "{jumped} of {chains} jumped");
        }
    }
}

const MIXTURE: JumpLaw = JumpLaw::Mixture { components: 2 };

const START: ChainStart = ChainStart::Gaussian {
    mean: 0.0,
    std: 1.5,
};

/// Two components over `length` values, the second of them round.
fn components(length: usize) -> Vec<MixtureComponent> {
    let rank = MixtureSize {
        components: 2,
        length,
    };
    let rank = rank.rank().min(length);
    // Of the Householder reflection that turns (1, 1, …) around.
    let direction = |j: usize| -> Vec<f64> {
        let value = |i: usize| f64::from(u8::from(i == j)) - 2.0 / length as f64;
        (0..length).map(value).collect()
    };
    let directions = (0..rank).map(|j| (0.8 / (1.0 + j as f64), direction(j)));
    vec![
        MixtureComponent {
            weight: 0.3,
            mean: (0..length).map(|i| 0.2 * (i % 5) as f64 - 0.4).collect(),
            residual: 0.25,
            directions: directions.collect(),
        },
        MixtureComponent {
            weight: 0.7,
            mean: vec![0.5; length],
            residual: 0.5,
            directions: Vec::new(),
        },
    ]
}

#[test]
fn a_jump_to_a_mixture_is_its_twin() {
    let mut executor = executor(true);
    let (noise, stream, temperature) = (0.3f32, Stream::Jump, MOMENT.temperature);
    // Fewer values than directions, as many as of digits, and a number that is no multiple of four.
    for (chains, length) in [(70, 3), (65, 64), (9, 127)] {
        let components = components(length);
        let mixture = GaussianMixture::new(length, &components).expect("is one");
        let twin = twins::Mixture {
            components,
            noise: f64::from(noise),
        };
        let size = mixture.size();
        // States and energies such that some jump: of the mixture, and of its own energy but for a little.
        let drawn = |step: u32| -> Vec<Vec<f64>> {
            let draw = |chain: u32| twin.draw(size.rank(), 8 + chain, (SEED, stream, step));
            (0..chains as u32).map(draw).collect()
        };
        let energies_of = |states: &[Vec<f64>], noise: Vec<f32>| -> Vec<f32> {
            let of =
                |(x, noise): (&Vec<f64>, f32)| noise - temperature * twin.log_density(x) as f32;
            states.iter().zip(noise).map(of).collect()
        };
        let (before, proposal) = (drawn(4), drawn(5));
        let x: Vec<f32> = before.concat().iter().map(|&v| v as f32).collect();
        let energies = energies_of(&before, normals(2, chains));
        let proposed = energies_of(&proposal, normals(3, chains));

        let mut r = Recording::new();
        let known = filled(&mut r, "known", &proposed);
        let (batch, proposals) = batch(&mut r, &x, &energies);
        let jumps = MixtureJumps::new(size, chains, proposals);
        jumps.law.upload(&mut r, Some(&mixture), noise);
        let densities = Buffer::new("densities", size.components * chains);
        jumps.law.densities(&mut r, &batch, batch.x, densities);
        jumps.begin(&mut r, &batch);
        let energies_at = |r: &mut Recording, _, to| r.copy(known, to);
        jumps.offer(&mut r, &batch, stream, &MOMENT, &energies_at);
        executor.run(&r).expect("runs");

        let got = executor.read(proposals.0).expect("reads");
        // The accuracy of the GPU's normals (tests/kernels/), of which a value sums some 24.
        assert_close("proposals", &got, &proposal.concat(), 1e-3);
        // A density of 127 values is a sum of some 3,000 products: 3,000 · 2⁻²⁴ of what it is made of, at most.
        let got = widen(&executor.read(densities).expect("reads"));
        for (chain, x) in x.chunks(length).enumerate() {
            let terms = [got[chain], got[chains + chain]];
            let sum = terms[0].max(terms[1]) + (-(terms[0] - terms[1]).abs()).exp().ln_1p();
            let want = twin.log_density(&widen(x));
            let error = (sum - want).abs();
            assert!(
                error < 2e-4 * (1.0 + want.abs() + length as f64),
                "{sum} and {want}"
            );
        }

        let uniform = uniform(chains);
        let mut state = JumpState {
            x: widen(&x),
            energies: widen(&energies),
        };
        let proposal = widen(&executor.read(proposals.0).expect("reads"));
        twins::jump(
            &mut state,
            &proposal,
            &widen(&proposed),
            &|x: &[f64]| twin.log_density(x),
            f64::from(temperature),
            &uniform,
        );
        // Copies, so equal to the bit, unless a test is a tie to some 1e-3, which none is here.
        assert_eq!(widen(&executor.read(batch.x).expect("reads")), state.x);
        let got = widen(&executor.read(batch.energies).expect("reads"));
        assert_eq!(got, state.energies);
        let jumped = got
            .iter()
            .zip(&energies)
            .filter(|(a, b)| **a != f64::from(**b))
            .count();
        assert!(0 < jumped && jumped < chains, "{jumped} of {chains} jumped");
    }
}

/// Chains on a Gaussian energy of mean 0.7 and standard deviation 0.6 in two values, after 60 steps of `kind`, which jump to
/// where they start or to a mixture.
fn states(kind: &str, law: JumpLaw, count: usize, first_chain: usize, batch: usize) -> Vec<f32> {
    let specs = [LayerSpec::Dense { features: 1 }];
    let base = QuadraticBase {
        mean: 0.7,
        std: 0.6,
    };
    let shape = Shape::new(2, 1, 1);
    let architecture =
        Architecture::new(shape, &specs, Activation::IDENTITY, Some(base)).expect("fits");
    let dynamics = Dynamics {
        kind: <&SamplerKind>::named(kind).expect("is in the table"),
        jumps: Jumps {
            count: 2,
            every: 3,
            law,
        },
        // Steps that move nothing, so that whatever the chains reach they have jumped to.
        ..LangevinSettings {
            step_size: 1e-12,
            noise: 1e-6,
            clip: 0.0,
            bounds: Bounds::None,
        }
        .into()
    };
    let mut executor = executor(false);
    let mut states = Vec::new();
    for first in (first_chain..first_chain + count).step_by(batch) {
        let random = (SEED, Stream::Langevin);
        let chains = Chains::new(
            &architecture,
            batch,
            Variant::Tiled(Tiled),
            dynamics,
            START,
            random,
        );
        let mixture = GaussianMixture::new(2, &components(2)).expect("is one");
        let chains = chains
            .expect("fits")
            .with_mixture(Some(Arc::new(mixture)), 0.4);
        let mut r = Recording::new();
        let parameters = filled(&mut r, "parameters", &[0.0; 3]);
        chains.setup(&mut r);
        let prepared = chains.prepare(&mut r, parameters);
        chains.restart(&mut r, 0, first, batch);
        let pass = ChainPass {
            first_step: 0,
            steps: 60,
            adapting: 0,
            first_chain: first,
            anneal: None,
        };
        // In parts, which must not change where the jumps are.
        for part in [0..7, 7..8, 8..60] {
            prepared.run(&mut r, &pass, part);
        }
        executor.run(&r).expect("runs");
        states.extend(executor.read(chains.states()).expect("reads"));
    }
    states
}

#[test]
fn jumps_alone_reach_the_law_of_the_energy() {
    let kinds = ["langevin", "mala", "underdamped"].map(|kind| (kind, JumpLaw::Start));
    for (kind, law) in kinds.into_iter().chain([("mala", MIXTURE)]) {
        let values = widen(&states(kind, law, 4096, 0, 4096));
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        // Five standard errors of 8192 independent values. By simulation 22 % of the offers of starts are taken, and one chain in
        // 20,000 is still where it began after 40 of them, which moves the moments by less; of the mixture's 51 % are,
        // and none is.
        assert!(
            (mean - 0.7).abs() < 5.0 * 0.6 / count.sqrt(),
            "{kind}: {mean}"
        );
        let error = 5.0 * 0.36 * (2.0 / count).sqrt();
        assert!((variance - 0.36).abs() < error, "{kind}: {variance}");
    }
}

#[test]
fn jumps_do_not_depend_on_the_batches_they_run_in() {
    for law in [JumpLaw::Start, MIXTURE] {
        let whole = states("mala", law, 64, 32, 64);
        assert_eq!(whole, states("mala", law, 64, 32, 16), "{law:?}");
    }
}

#[test]
fn a_run_counts_its_jumps_and_holds_what_was_predicted() {
    for (kind, law) in [
        ("langevin", "start"),
        ("hmc", "start"),
        ("hmc", "gaussians"),
    ] {
        let sets = [
            "network.layers=[{dense=8},{dense=1}]",
            "run.batch=8",
            "sampler.buffer=16",
            "objective.noise_ratio=1",
            "sampler.clip=0",
            "sampler.steps=4",
            "sampler.jumps=3",
            "sampler.reuse=1",
            &format!("sampler.kind={kind}"),
            &format!("sampler.jump_to={law}"),
        ];
        let config = config::load("8gaussians", &sets.map(str::to_owned)).expect("is valid");
        let data = data::open(&config.data.options(), 1).expect("opens");
        let mut trainer = Trainer::new(executor(false), &config, data).expect("starts");
        for _ in 0..6 {
            trainer.step().expect("steps");
        }
        let arrived = trainer.arrived(true).expect("arrives");
        let last = arrived.iter().rev().find_map(|arrival| match arrival {
            Arrival::Metrics { row, .. } => Some(*row),
            _ => None,
        });
        // Six passes of eight chains: the energy there, three offers, and the steps, of which those of HMC carry on from a
        // gradient and have five each.
        let pass = if kind == "hmc" { 4 + 1 + 4 * 5 } else { 4 + 4 };
        assert_eq!(last.expect("a row").gradient_evaluations, 6 * 8 * pass);
        let predicted = trainer.plan().memory().training();
        assert_eq!(trainer.executor().allocated_bytes(), predicted, "{kind}");
    }
}

#[test]
fn a_checkpoint_holds_what_its_chains_jump_to() {
    let sets = [
        "network.layers=[{dense=8},{dense=1}]",
        "run.batch=8",
        "sampler.buffer=16",
        "objective.noise_ratio=1",
        "sampler.steps=4",
        "sampler.jumps=3",
        "sampler.jump_to=gaussians",
        "sampler.gaussians=8",
        "sampler.reuse=1",
        "data.noise=0.1",
        "data.noise_start=0.4",
        "run.steps=6",
    ];
    let config = config::load("8gaussians", &sets.map(str::to_owned)).expect("is valid");
    let data = data::open(&config.data.options(), 1).expect("opens");
    let mut trainer = Trainer::new(executor(false), &config, data).expect("starts");
    for _ in 0..6 {
        trainer.step().expect("steps");
    }
    let model = trainer.model().expect("reads");
    let folder = tempfile::tempdir().expect("creates");
    let path = folder.path().join("model.safetensors");
    model.save(&path).expect("writes");
    let loaded = Model::load(&path).expect("loads");
    assert!(model.mixture().is_some());
    assert_eq!(loaded.mixture(), model.mixture());
    assert_eq!(loaded.notes(), [""; 0]);
    let options = SampleOptions {
        count: 16,
        steps: 20,
        seed: 3,
        frames: 0,
    };
    let mut sampled = |model: &Model| {
        let samples = model.sample(trainer.executor(), &options, &mut |_, _| true);
        samples.expect("samples").values
    };
    let whole = sampled(&loaded);
    assert_eq!(whole, sampled(&model));
    // Chains that have nowhere to jump to go other ways, and a file without it says so.
    let without = model.with_mixture(None);
    assert_ne!(whole, sampled(&without));
    without.save(&path).expect("writes");
    let notes = Model::load(&path).expect("loads").notes().join("\n");
    assert!(notes.contains("what its chains jump to"), "{notes}");
}

#[test]
fn samples_too_large_or_too_few_for_a_mixture_are_refused() {
    let folder = tempfile::tempdir().expect("creates");
    let path = folder.path().join("table.csv");
    for (columns, rows, wanted) in [
        (129, 50, "at most 128 values, and the data's have 129"),
        (5, 30, "no mixture of 20 Gaussians"),
    ] {
        let row = |row: usize| -> String {
            let values = (0..columns).map(|column| ((7 * row + 3 * column) % 11).to_string());
            values.collect::<Vec<_>>().join(",") + "\n"
        };
        std::fs::write(&path, (0..rows).map(row).collect::<String>()).expect("writes");
        let sets = [
            "data.source=csv",
            &format!("data.path={:?}", path.display().to_string()),
            "network.layers=[{dense=8},{dense=1}]",
            "run.batch=8",
            "sampler.buffer=32",
            "sampler.jumps=1",
            "sampler.jump_to=gaussians",
        ];
        let config = config::load("8gaussians", &sets.map(str::to_owned)).expect("is valid");
        let data = data::open(&config.data.options(), 1).expect("opens");
        let error = Trainer::new(executor(false), &config, data).err();
        let message = error.expect("is refused").to_string();
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn jumps_to_an_unknown_density_are_refused() {
    let sets = ["sampler.jumps=1", "sampler.start=data"].map(str::to_owned);
    let message = config::load("8gaussians", &sets).expect_err("is refused");
    let message = message.to_string();
    assert!(
        message.contains("the density of jumps must be known"),
        "{message}"
    );
}

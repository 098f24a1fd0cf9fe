//! Independence proposals between the steps of a sampler: against their twin, on a known law, and in a run.

mod common;

use afterimage::config::{self, LayerSpec, SamplerKind, Word};
use afterimage::data;
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{
    self, Activation, Bounds, ChainBatch, ChainStart, Dynamics, Jumps, LangevinSettings, Moment,
    QuadraticBase, Variant,
};
use afterimage::low_level::method::{ChainPass, Chains};
use afterimage::low_level::random::{Stream, uniform01};
use afterimage::low_level::twins::{self, JumpState};
use afterimage::model::Architecture;
use afterimage::shape::Shape;
use afterimage::train::{Arrival, Trainer};
use common::{assert_close, executor, filled, normals, widen};

const SEED: u64 = 0x0123_4567_89ab;

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
            let batch = ChainBatch {
                chains,
                length,
                stream: Stream::Langevin,
                seed: SEED,
                x: filled(&mut r, "x", &x),
                energies: filled(&mut r, "energies", &energies),
                gradient: Buffer::new("unused", 1),
            };
            let proposals = (
                Buffer::new("proposals", chains * length),
                Buffer::new("proposal energies", chains),
            );
            let moment = Moment {
                step: 5,
                first_chain: 8,
                temperature: 0.7,
                annealed: false,
                adapt: false,
                energies: true,
            };
            let energies_at = |r: &mut Recording, _, to| r.copy(known, to);
            let stream = Stream::Jump;
            kernels::jump_chains(
                &mut r,
                &batch,
                start,
                stream,
                &moment,
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

            let uniform = |chain: usize| {
                let counter = [8 + chain as u32, 1, 5, stream as u32];
                let key = [SEED as u32, (SEED >> 32) as u32];
                f64::from(uniform01(
                    afterimage::low_level::random::philox4x32_10(counter, key)[0],
                ))
            };
            let uniform: Vec<f64> = (0..chains).map(uniform).collect();
            let mut state = JumpState {
                x: widen(&x),
                energies: widen(&energies),
            };
            let temperature = f64::from(0.7f32);
            let proposed = widen(&proposed);
            twins::jump(
                &mut state,
                &proposal,
                &proposed,
                twin_start,
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

const START: ChainStart = ChainStart::Gaussian {
    mean: 0.0,
    std: 1.5,
};

/// Chains on a Gaussian energy of mean 0.7 and standard deviation 0.6 in two values, after 60 steps of `kind`.
fn states(kind: &str, count: usize, first_chain: usize, batch: usize) -> Vec<f32> {
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
        jumps: Jumps { count: 2, every: 3 },
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
        let chains = chains.expect("fits");
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
    for kind in ["langevin", "mala", "underdamped"] {
        let values = widen(&states(kind, 4096, 0, 4096));
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        // Five standard errors of 8192 independent values. By simulation 22 % of the offers are taken, and one chain in
        // 20,000 is still where it began after 40 of them, which moves the moments by less.
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
    assert_eq!(states("mala", 64, 32, 64), states("mala", 64, 32, 16));
}

#[test]
fn a_run_counts_its_jumps_and_holds_what_was_predicted() {
    for kind in ["langevin", "hmc"] {
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
fn jumps_to_an_unknown_density_are_refused() {
    let sets = ["sampler.jumps=1", "sampler.start=data"].map(str::to_owned);
    let message = config::load("8gaussians", &sets).expect_err("is refused");
    let message = message.to_string();
    assert!(
        message.contains("the density of jumps must be known"),
        "{message}"
    );
}

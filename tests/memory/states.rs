//! A training state is all that later steps depend on: whoever has it goes on to the bit.

use crate::common::{executor, extended};
use afterimage::config::{self, Config};
use afterimage::data;
use afterimage::train::{Arrival, TrainError, Trainer, TrainingState};

/// Steps before the state and after it, such that there are a refresh, an epoch of the replay buffer and a diagnosis in either.
const BEFORE: u64 = 5;
const AFTER: u64 = 6;

/// Small and quick to compile, with a group of chains that is not full.
pub const POINTS: &[&str] = &[
    "8gaussians",
    "network.layers=[{dense=8},{dense=1}]",
    "network.zero_head=false",
    "objective.normaliser=learned",
    "snapshot.interval=3",
    "sampler.kind=langevin",
    "sampler.jumps=0",
    "sampler.reuse=1",
];
const PICTURES: &[&str] = &[
    "digits-langevin",
    "network.layers=[{conv=4,kernel=3},{dense=1}]",
    "network.zero_head=false",
    "snapshot.interval=2",
];
const BOTH: &[&str] = &[
    "run.batch=6",
    "run.steps=20",
    "objective.noise_ratio=2",
    "sampler.buffer=36",
    "sampler.steps=4",
    "sampler.diagnose=2",
];

/// What has, by its name, state of its own on the device; and what computes in another way.
pub const OF_POINTS: &[&str] = &[
    "",
    "run.slice=5",
    "sampler.kind=hmc sampler.jumps=1 run.slice=5",
    "sampler.kind=hmc sampler.jumps=2 sampler.jump_to=gaussians sampler.gaussians=3 data.noise=0.1 data.noise_start=0.5",
    "snapshot.interval=adaptive snapshot.ess_threshold=0.999 sampler.reuse=adaptive sampler.pool=2 sampler.diagnose=0",
    "snapshot.kind=mixture snapshot.components=2 objective.normaliser=profiled sampler.reuse=3",
    "snapshot.kind=ema objective.normaliser=importance",
    "snapshot.kind=gaussian",
    "objective.generator=ranking objective.normaliser=zero sampler.chains=data",
];
const OF_PICTURES: &[&str] =
    &["network.spectral_norm=true network.base=none sampler.reuse=2 sampler.traces=true"];
/// What else there is.
const EXTENDED: &[&str] = &[
    "snapshot.kind=uniform",
    "snapshot.kind=mixture snapshot.components=3 run.slice=5",
    "snapshot.interval=adaptive snapshot.max_interval=2",
    "sampler.kind=mala",
    "sampler.kind=mala sampler.adapt=false sampler.jumps=2",
    "sampler.kind=underdamped",
    "sampler.anneal=4.0",
    "sampler.chains=short_run sampler.start=data",
    "sampler.start=mixture",
    "sampler.pool=3 sampler.reuse=3 sampler.diagnose=0",
    "objective.normaliser=zero",
    "objective.normaliser=profiled",
    "objective.generator=kl objective.normaliser=importance",
    "objective.generator=contrastive-divergence objective.normaliser=zero snapshot.interval=1",
    "objective.normalise_gradient=true objective.energy_l2=0.1",
    "optimiser.schedule=exponential optimiser.warmup=7",
];
const MORE_PICTURES: &[&str] = &[
    "run.precision=mixed",
    "network.layers=[{residual=3,pool=2},{dense=1}] network.base=none",
    "network.layers=[{conv=64,kernel=3,padding=1},{conv=128,kernel=4,stride=2,padding=1},{dense=1}]",
];

/// Whether noise is of no snapshot, which leaves no chains to judge.
fn is_fixed(own: &str) -> bool {
    own.contains("snapshot.kind=gaussian") || own.contains("snapshot.kind=uniform")
}

pub fn settings(base: &[&str], own: &str) -> Config {
    let judged: &[&str] = if is_fixed(own) {
        &[]
    } else {
        &["run.figure_every=2"]
    };
    let sets = base[1..].iter().chain(BOTH).chain(judged).copied();
    let sets: Vec<String> = sets
        .chain(own.split_whitespace())
        .map(str::to_owned)
        .collect();
    config::load(base[0], &sets).unwrap_or_else(|error| panic!("{own}: {error}"))
}

fn trainer(config: &Config) -> Trainer {
    let data = data::open(&config.data.options(), config.run.seed).expect("opens");
    Trainer::new(executor(false), config, data).expect("starts")
}

/// Does `steps` steps. Gives what the trainer has to say of them, to the bit, and its state then.
fn steps(trainer: &mut Trainer, steps: u64) -> (Vec<String>, TrainingState) {
    for _ in 0..steps {
        trainer.step().expect("steps");
    }
    trainer.request_state().expect("is asked for");
    let (mut said, mut state) = (Vec::new(), None);
    for arrival in trainer.arrived(true).expect("arrives") {
        match arrival {
            Arrival::Metrics { mut row, lost } => {
                // The speed is that of the machine.
                row.samples_per_second = 0.0;
                assert_eq!(row.not_finite(lost), None, "{row:?}");
                said.push(format!("{row:?}"));
            }
            Arrival::Diagnostics(row) => said.push(format!("{row:?}")),
            Arrival::Judged {
                step,
                average,
                live,
            } => said.push(format!("{step}: {average:?} {live:?}")),
            Arrival::State(found) => state = Some(found),
            Arrival::States { .. } | Arrival::Energies { .. } | Arrival::Snapshot { .. } => {
                panic!("nobody asked for them")
            }
        }
    }
    (said, state.expect("arrives"))
}

fn goes_on(config: &Config, what: &str) {
    let judged = |said: &[String]| {
        said.iter()
            .filter(|row| row.contains("data_distance: Some"))
            .count()
    };
    let mut trainer_of_all = trainer(config);
    let (_, start) = steps(&mut trainer_of_all, 0);
    let (first, state) = steps(&mut trainer_of_all, BEFORE);
    assert_eq!(state.step(), BEFORE);
    let rest = steps(&mut trainer_of_all, AFTER);
    assert_ne!(rest.1, state, "{what}");
    // Of steps 1 and 3, and 5, 7 and 9, where there are chains.
    let wanted = if is_fixed(what) { [0, 0] } else { [2, 3] };
    assert_eq!([judged(&first), judged(&rest.0)], wanted, "{what}");

    // Where everything else is as it began, ...
    let mut other = trainer(config);
    other.restore(&state).expect("fits");
    assert!(steps(&mut other, AFTER) == rest, "{what}: on a new device");
    // ... where it is of other steps, ...
    trainer_of_all.restore(&state).expect("fits");
    assert!(
        steps(&mut trainer_of_all, AFTER) == rest,
        "{what}: after later steps"
    );
    // ... and where no state was taken on the way.
    other.restore(&start).expect("fits");
    let whole = steps(&mut other, BEFORE + AFTER);
    assert!(
        whole == ([first, rest.0].concat(), rest.1),
        "{what}: at a stretch"
    );
}

#[test]
fn a_run_goes_on_from_its_state_to_the_bit() {
    let more = if extended() { EXTENDED } else { &[] };
    for own in OF_POINTS.iter().chain(more) {
        goes_on(&settings(POINTS, own), own);
    }
    let more = if extended() { MORE_PICTURES } else { &[] };
    for own in OF_PICTURES.iter().chain(more) {
        goes_on(&settings(PICTURES, own), own);
    }
}

#[test]
fn no_bit_depends_on_whether_chains_are_judged() {
    let of = |own: &str| steps(&mut trainer(&settings(POINTS, own)), BEFORE + AFTER);
    let (judged, not) = (of("run.figure_every=1"), of("run.figure_every=0"));
    assert!(judged.1 == not.1);
    assert!(judged.0.len() > not.0.len());
}

#[test]
fn a_state_of_another_plan_is_refused() {
    let trainer_of = |own| trainer(&settings(POINTS, own));
    let (_, state) = steps(&mut trainer_of(""), 0);
    for (own, says) in [
        (
            "sampler.buffer=48",
            "72 words of 'replay buffer', and 96 are needed",
        ),
        ("snapshot.kind=gaussian", "nothing needs its"),
        ("sampler.kind=mala", "0 words of 'sampler control'"),
    ] {
        let error = trainer_of(own).restore(&state).expect_err(own);
        assert!(matches!(error, TrainError::State(_)), "{own}: {error}");
        assert!(error.to_string().contains(says), "{own}: {error}");
    }
}

//! What settings are refused together and why, and that everything else loads.

use afterimage::config::{
    ActivationKind, BaseKind, BoundsKind, ChainKind, Config, ConfigError, Criterion,
    InitialWeights, NormaliserKind, Precision, SamplerKind, Schedule, SnapshotKind, StartKind,
    Word, load, preset, presets,
};
use afterimage::low_level::kernels::SAMPLERS;

/// `preset` with the assignments of `sets`, which spaces part.
fn with(preset: &str, sets: &str) -> Result<Config, ConfigError> {
    let sets: Vec<String> = sets.split_whitespace().map(str::to_owned).collect();
    load(preset, &sets)
}

fn refusal(preset: &str, sets: &str) -> String {
    let error = with(preset, sets).expect_err(&format!("{preset} {sets}: should be refused"));
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

fn allowed(preset: &str, sets: &str) {
    if let Err(error) = with(preset, sets) {
        panic!("{preset} {sets}: {error}");
    }
}

/// A key that only some values of another key read, set to what is not its default.
struct Conditional {
    set: &'static str,
    /// Assignments under which it is read, and what such a run needs besides.
    read: &'static [&'static str],
    /// And under which it is not, each with the words of the reason.
    unread: &'static [(&'static str, &'static str)],
}

const CONDITIONAL: &[Conditional] = &[
    Conditional {
        set: "network.base_mean=0.5",
        read: &["network.base=gaussian"],
        unread: &[(
            "network.base=none",
            "network.base_mean = 0.5 is not allowed: it must be left out with network.base = none: there is no base",
        )],
    },
    Conditional {
        set: "objective.power=0.7",
        read: &["objective.generator=power"],
        unread: &[
            (
                "objective.generator=logistic",
                "with objective.generator = logistic: only `power` has an exponent",
            ),
            ("objective.generator=kl", "only `power`"),
            ("objective.generator=least-squares", "only `power`"),
            ("objective.generator=exponential", "only `power`"),
            ("objective.generator=itakura-saito", "only `power`"),
            ("objective.generator=ranking", "only `power`"),
            ("objective.generator=contrastive-divergence", "only `power`"),
        ],
    },
    Conditional {
        set: "objective.clamp=9",
        read: &[
            "objective.generator=kl",
            "objective.generator=least-squares",
            "objective.generator=power",
            "objective.generator=exponential",
            "objective.generator=itakura-saito",
        ],
        unread: &[
            (
                "objective.generator=logistic",
                "objective.clamp = 9.0 is not allowed: it must be left out with objective.generator = logistic: its \
                 weights are bounded",
            ),
            ("objective.generator=ranking", "weights are bounded"),
            (
                "objective.generator=contrastive-divergence",
                "weights are bounded",
            ),
        ],
    },
    Conditional {
        set: "objective.normaliser_rate=0.1",
        read: &["objective.normaliser=learned"],
        unread: &[
            ("objective.normaliser=zero", "only `learned` has a rate"),
            ("objective.normaliser=profiled", "only `learned`"),
            ("objective.normaliser=importance", "only `learned`"),
        ],
    },
    Conditional {
        set: "objective.normaliser_decay=0.9",
        read: &["objective.normaliser=importance"],
        unread: &[
            ("objective.normaliser=zero", "only `importance` averages"),
            ("objective.normaliser=learned", "only `importance`"),
            ("objective.normaliser=profiled", "only `importance`"),
        ],
    },
    Conditional {
        set: "snapshot.ess_threshold=0.3",
        read: &["snapshot.interval=adaptive"],
        unread: &[
            (
                "snapshot.interval=5",
                "with snapshot.interval = 5: only `adaptive` has a threshold",
            ),
            ("snapshot.kind=ema", "only `adaptive`"),
        ],
    },
    Conditional {
        set: "snapshot.max_interval=50",
        read: &["snapshot.interval=adaptive"],
        unread: &[("snapshot.interval=5", "only `adaptive` has a limit")],
    },
    Conditional {
        set: "snapshot.decay=0.9",
        read: &["snapshot.kind=ema"],
        unread: &[
            ("snapshot.kind=copy", "only `ema` averages"),
            ("snapshot.kind=mixture", "only `ema`"),
            ("snapshot.kind=gaussian", "only `ema`"),
            ("snapshot.kind=uniform", "only `ema`"),
        ],
    },
    Conditional {
        set: "snapshot.components=2",
        read: &["snapshot.kind=mixture objective.normaliser=profiled"],
        unread: &[
            ("snapshot.kind=copy", "only `mixture` has components"),
            ("snapshot.kind=ema", "only `mixture`"),
            ("snapshot.kind=gaussian", "only `mixture`"),
            ("snapshot.kind=uniform", "only `mixture`"),
        ],
    },
    Conditional {
        set: "sampler.noise=0.1",
        read: &["sampler.kind=langevin"],
        unread: &[
            ("sampler.kind=mala", "set sampler.temperature instead"),
            ("sampler.kind=hmc", "set sampler.temperature instead"),
            (
                "sampler.kind=underdamped",
                "set sampler.temperature instead",
            ),
        ],
    },
    Conditional {
        set: "sampler.clip=0.1",
        read: &["sampler.kind=langevin"],
        unread: &[
            ("sampler.kind=mala", "law of the energy"),
            ("sampler.kind=hmc", "law of the energy"),
            ("sampler.kind=underdamped", "law of the energy"),
        ],
    },
    Conditional {
        set: "sampler.bounds=reflect",
        read: &["sampler.kind=langevin"],
        unread: &[
            (
                "sampler.kind=mala",
                "sampler.bounds = \"reflect\" is not allowed: it must be left out with sampler.kind = mala: its steps \
                 would no longer follow the law of the energy",
            ),
            ("sampler.kind=hmc", "law of the energy"),
            ("sampler.kind=underdamped", "law of the energy"),
        ],
    },
    Conditional {
        set: "sampler.leapfrog=3",
        read: &["sampler.kind=hmc"],
        unread: &[
            ("sampler.kind=langevin", "no leaps"),
            ("sampler.kind=mala", "no leaps"),
            ("sampler.kind=underdamped", "no leaps"),
        ],
    },
    Conditional {
        set: "sampler.integrator=three_stage",
        read: &["sampler.kind=hmc"],
        unread: &[
            ("sampler.kind=langevin", "one gradient"),
            ("sampler.kind=mala", "one gradient"),
            ("sampler.kind=underdamped", "one gradient"),
        ],
    },
    Conditional {
        set: "sampler.friction=2",
        read: &["sampler.kind=underdamped"],
        unread: &[
            ("sampler.kind=langevin", "no velocity"),
            ("sampler.kind=mala", "no velocity"),
            ("sampler.kind=hmc", "no velocity"),
        ],
    },
    Conditional {
        set: "sampler.adapt=true",
        read: &["sampler.kind=mala", "sampler.kind=hmc"],
        unread: &[
            ("sampler.kind=langevin", "no acceptance"),
            ("sampler.kind=underdamped", "no acceptance"),
        ],
    },
    Conditional {
        set: "sampler.target_acceptance=0.7",
        read: &["sampler.kind=mala", "sampler.kind=hmc sampler.adapt=true"],
        unread: &[
            ("sampler.kind=langevin", "accepts every step"),
            ("sampler.kind=underdamped", "accepts every step"),
            (
                "sampler.kind=mala sampler.adapt=false",
                "with sampler.adapt = false: its step size stays",
            ),
        ],
    },
    Conditional {
        set: "sampler.jump_to=gaussians",
        read: &["sampler.jumps=2"],
        unread: &[("sampler.jumps=0", "no chain jumps")],
    },
    Conditional {
        set: "sampler.gaussians=5",
        read: &["sampler.jumps=2 sampler.jump_to=gaussians"],
        unread: &[("sampler.jumps=2 sampler.jump_to=start", "only `gaussians`")],
    },
    Conditional {
        set: "sampler.data_share=0.2",
        read: &["sampler.start=mixture"],
        unread: &[
            (
                "sampler.start=gaussian",
                "only `mixture` has a share from data",
            ),
            ("sampler.start=uniform", "only `mixture`"),
            ("sampler.start=data", "only `mixture`"),
        ],
    },
];

#[test]
fn a_key_that_nothing_reads_is_refused_and_where_it_is_read_it_is_not() {
    for Conditional { set, read, unread } in CONDITIONAL {
        let (key, _) = set.split_once('=').expect("assigns");
        for sets in *read {
            allowed("digits-langevin", &format!("{sets} {set}"));
        }
        for (sets, reason) in *unread {
            let text = refusal("digits-langevin", &format!("{sets} {set}"));
            assert!(text.starts_with(key) && text.contains(reason), "{text}");
            // The default may stand there, as it does in every configuration that was printed.
            assert!(
                !with("digits-langevin", &format!("{sets} {key}="))
                    .is_err_and(|error| error.to_string().starts_with(key)),
                "{sets} {key}"
            );
        }
    }
    for kind in SAMPLERS {
        allowed(
            "digits-langevin",
            &format!("sampler.kind={} sampler.adapt=false", kind.name),
        );
    }
}

#[test]
fn what_makes_no_sense_together_is_refused_with_a_reason() {
    let divergence = "objective.generator=contrastive-divergence";
    for (sets, reason) in [
        (
            "objective.generator=ranking objective.normaliser=learned",
            "difference cancels",
        ),
        (
            &format!("{divergence} objective.normaliser=profiled"),
            "does not occur",
        ),
        (
            &format!("{divergence} snapshot.interval=5"),
            "noise comes from the live model",
        ),
        (
            &format!("{divergence} snapshot.interval=adaptive"),
            "noise comes from the live model",
        ),
        (
            &format!("{divergence} snapshot.kind=ema"),
            "be copy with objective.generator",
        ),
        (
            &format!("{divergence} snapshot.kind=gaussian"),
            "be copy with objective.generator",
        ),
        (
            &format!("{divergence} sampler.reuse=2"),
            "a divisor of snapshot.interval",
        ),
        (
            "objective.generator=least-squares objective.clamp=31",
            "at most 30 with objective.generator = least-squares",
        ),
        ("objective.generator=kl objective.clamp=61", "at most 60"),
        (
            "objective.generator=itakura-saito objective.clamp=61",
            "at most 60",
        ),
        (
            "objective.generator=exponential objective.clamp=121",
            "at most 120",
        ),
        (
            "objective.generator=power objective.power=4 objective.clamp=13",
            "at most 12",
        ),
        (
            "snapshot.kind=mixture objective.normaliser=zero",
            "be `profiled` or another",
        ),
        (
            "snapshot.kind=mixture objective.generator=ranking",
            "which ranking has none of",
        ),
        (
            "snapshot.kind=mixture objective.normaliser=profiled snapshot.components=3",
            "evenly",
        ),
        (
            "snapshot.kind=mixture snapshot.interval=adaptive",
            "be a number with snapshot.kind",
        ),
        (
            "snapshot.kind=ema snapshot.interval=adaptive",
            "be a number with snapshot.kind",
        ),
        (
            "snapshot.kind=gaussian objective.normaliser=zero",
            "whose log Z is 0",
        ),
        (
            "snapshot.kind=uniform objective.normaliser=zero",
            "whose log Z is 0",
        ),
        (
            "snapshot.interval=5 sampler.reuse=2",
            "a divisor of snapshot.interval",
        ),
        (
            "snapshot.interval=adaptive snapshot.max_interval=9 sampler.reuse=2",
            "a multiple of sampler.reuse",
        ),
        (
            "sampler.reuse=adaptive snapshot.interval=1",
            "no noise outlives its snapshot",
        ),
        (
            "sampler.reuse=adaptive snapshot.interval=1 objective.generator=contrastive-divergence",
            "which weighs no sample",
        ),
        (
            "sampler.reuse=adaptive snapshot.kind=mixture objective.normaliser=profiled",
            "be a number with snapshot.kind",
        ),
        (
            "sampler.pool=3 snapshot.kind=ema",
            "which has changed since older passes",
        ),
        (
            "sampler.pool=3 snapshot.interval=5 sampler.chains=data",
            "data are another in every step",
        ),
        (
            "sampler.pool=3 snapshot.interval=5 sampler.start=data",
            "data are another in every step",
        ),
        (
            "sampler.reuse=adaptive snapshot.interval=adaptive sampler.diagnose=10",
            "only the GPU knows which steps have a pass",
        ),
        ("sampler.reuse=0", "1 or above"),
        ("sampler.pool=0", "lie between 1 and"),
        (
            "sampler.gaussians=65 sampler.jumps=1 sampler.jump_to=gaussians",
            "lie between 1 and 64",
        ),
        ("sampler.max_reuse=0 sampler.reuse=adaptive", "1 or above"),
        (
            "sampler.noise=0.1 sampler.temperature=0.5",
            "says how much there is",
        ),
        (
            "data.noise=0.2 data.noise_start=0.1",
            "be 0, or at least data.noise",
        ),
        (
            "data.noise=0 data.noise_start=0.1",
            "from which it is a factor away",
        ),
        (
            "data.noise=0.1 data.noise_start=0.2 snapshot.kind=uniform",
            "fitted to the data once",
        ),
        (
            "sampler.noise=0.1 sampler.anneal=2",
            "says how much there is",
        ),
        (
            "sampler.anneal=0.5",
            "be at least sampler.temperature = 1.0, so that chains cool",
        ),
        (
            "sampler.kind=mala sampler.adapt=true sampler.anneal=4",
            "chains that are still hot",
        ),
        (
            "sampler.kind=mala sampler.adapt=true sampler.steps=1",
            "first half of them",
        ),
        (
            "sampler.jumps=1 sampler.start=data",
            "density of jumps must be known",
        ),
        (
            "sampler.jumps=1 sampler.noise=0.1",
            "another law than the jumps",
        ),
        (
            "sampler.jumps=1 sampler.clip=0.1",
            "another law than the jumps",
        ),
        (
            "sampler.jumps=1 sampler.bounds=clamp",
            "another law than the jumps",
        ),
        (
            "sampler.chains=data sampler.start=data",
            "from data already",
        ),
        (
            "sampler.chains=data sampler.start=mixture",
            "from data already",
        ),
        (
            "sampler.buffer=100",
            "be at least run.batch × objective.noise_ratio = 128",
        ),
        (
            "network.spectral_norm=true network.zero_head=true",
            "cannot normalise a weight of zeros",
        ),
        (
            "network.spectral_norm=true network.zero_head=false network.first_weight_scale=2",
            "divides it out again",
        ),
        (
            "network.layers=[{residual=4}] network.zero_head=true",
            "skip is not zero",
        ),
        (
            "network.layers=[{residual=4},{dense=1}] network.first_weight_scale=2",
            "a residual block is the first layer with weights",
        ),
        (
            "network.layers=[{pool=2},{residual=4},{dense=1}] network.first_bias_scale=2",
            "put a conv before it",
        ),
        (
            "optimiser.schedule=exponential optimiser.final_rate=0",
            "never reaches 0",
        ),
    ] {
        let text = refusal("digits-langevin", sets);
        assert!(text.contains(reason), "{sets}: {text}");
    }
}

/// Not every one of these is wise, but each has a meaning: see the reasons.
#[test]
fn what_makes_sense_together_is_allowed() {
    for sets in [
        // The penalty holds the energies' free constant, whatever the loss.
        "objective.generator=ranking objective.energy_l2=0.1",
        "objective.generator=contrastive-divergence objective.energy_l2=0.1",
        "objective.generator=contrastive-divergence objective.noise_ratio=2 objective.normalise_gradient=true",
        "objective.generator=contrastive-divergence sampler.chains=data",
        // c cancels there, so that fixed noise and a moving average need none.
        "objective.generator=ranking snapshot.kind=gaussian",
        "objective.generator=ranking snapshot.kind=ema",
        "objective.generator=ranking snapshot.interval=adaptive",
        // The law of the chains, which the run says.
        "sampler.temperature=0.1",
        "sampler.anneal=4 sampler.jumps=2 snapshot.interval=10",
        "sampler.kind=mala sampler.adapt=false sampler.anneal=4",
        // Jumps from the law that short runs start from are a Metropolis test of these starts.
        "sampler.chains=short_run sampler.jumps=2",
        "sampler.chains=data sampler.jumps=2 sampler.start=uniform",
        // One pool of noise from the first of its steps' data.
        "sampler.chains=data sampler.reuse=2 snapshot.interval=2",
        "snapshot.kind=mixture objective.normaliser=importance sampler.reuse=2 snapshot.interval=4",
        // Whose diagnosis gives way.
        "sampler.reuse=adaptive snapshot.interval=20 sampler.diagnose=0",
        "sampler.pool=3 snapshot.interval=6 sampler.reuse=2 sampler.diagnose=0",
        "sampler.pool=3 snapshot.interval=5 sampler.chains=short_run sampler.diagnose=0",
        // The base is added to a network with bounded slopes.
        "network.spectral_norm=true network.zero_head=false network.base_mean=0.5",
        "network.spectral_norm=true network.zero_head=false network.first_bias_scale=2 network.initialisation=orthogonal",
        "run.precision=mixed network.layers=[{conv=4,kernel=3,padding=1},{residual=4,pool=2},{dense=1}]",
        "network.layers=[{residual=4},{dense=1}]",
        "network.layers=[{conv=4,kernel=3},{residual=4},{dense=1}] network.first_weight_scale=2",
        // The steepest weights that f32 has room for.
        "objective.generator=exponential objective.clamp=120",
        "objective.generator=kl objective.clamp=60",
        "objective.generator=least-squares objective.clamp=30",
        "objective.generator=power objective.power=5 objective.clamp=10",
    ] {
        allowed("digits-langevin", sets);
    }
}

/// Presets set these where they are read, and who tries another kind need not take them back.
#[test]
fn keys_that_presets_set_may_stay_where_nothing_reads_them() {
    for (key, presets_with, sets) in [
        ("slope", "cifar10", "network.activation=silu"),
        ("base_std", "8gaussians", "network.base=none"),
        ("interval", "8gaussians", "snapshot.kind=ema"),
        ("reuse", "8gaussians", "snapshot.kind=ema"),
        (
            "reuse",
            "8gaussians",
            "snapshot.kind=uniform objective.normaliser=learned",
        ),
        (
            "final_rate",
            "digits-langevin",
            "optimiser.schedule=constant",
        ),
        ("start_std", "8gaussians", "sampler.start=uniform"),
        ("buffer", "mnist", "sampler.chains=short_run"),
        ("restart", "mnist", "sampler.chains=short_run"),
        (
            "steps",
            "digits-langevin",
            "snapshot.kind=gaussian objective.normaliser=learned",
        ),
    ] {
        let text = preset(presets_with).expect("exists").toml;
        let is_set = text
            .lines()
            .any(|line| line.starts_with(&format!("{key} = ")));
        assert!(is_set, "{presets_with} does not set {key}");
        allowed(presets_with, sets);
    }
}

#[test]
fn every_preset_loads_with_every_kind_of_everything() {
    // Assignments with what else they need, if anything.
    let langevin = "sampler.kind=langevin sampler.jumps=0";
    let mut runs: Vec<String> = Vec::new();
    let mut every = |key: &str, values: &[&str], besides: &dyn Fn(&str) -> String| {
        for value in values {
            runs.push(format!("{key}={value} {}", besides(value)));
        }
    };
    let nothing = |_: &str| String::new();
    every("network.activation", &<&ActivationKind>::names(), &nothing);
    every("network.base", &BaseKind::names(), &nothing);
    every("network.initialisation", &InitialWeights::names(), &nothing);
    every("network.spectral_norm", &["true"], &|_| {
        "network.zero_head=false network.first_weight_scale=1".into()
    });
    every("objective.generator", &Criterion::names(), &|name| {
        let diverges = name == "contrastive-divergence";
        String::from(if diverges {
            "snapshot.interval=1 sampler.reuse=1"
        } else {
            ""
        })
    });
    every("objective.normaliser", &NormaliserKind::names(), &nothing);
    every("snapshot.kind", &SnapshotKind::names(), &|kind| {
        let needs_c = matches!(kind, "mixture" | "gaussian" | "uniform");
        let normaliser = if needs_c { "profiled" } else { "zero" };
        format!("objective.normaliser={normaliser}")
    });
    every("snapshot.interval", &["1", "100", "adaptive"], &|_| {
        "sampler.reuse=1".into()
    });
    every("sampler.kind", &<&SamplerKind>::names(), &|_| {
        "sampler.noise= sampler.clip= sampler.bounds=".into()
    });
    every("sampler.chains", &ChainKind::names(), &nothing);
    every("sampler.bounds", &BoundsKind::names(), &|_| langevin.into());
    every("sampler.start", &StartKind::names(), &|_| {
        "sampler.jumps=0".into()
    });
    every("optimiser.schedule", &Schedule::names(), &nothing);
    every("run.precision", &Precision::names(), &nothing);
    for preset in presets() {
        for sets in &runs {
            allowed(preset.name, sets);
        }
    }
}

/// Objective, normaliser, noise, sampler and chains in every combination, against the rules in a few lines.
#[test]
fn the_matrix_of_kinds_has_no_other_holes() {
    let noises = [
        "copy snapshot.interval=1",
        "copy snapshot.interval=5",
        "copy snapshot.interval=adaptive",
        "ema",
        "mixture",
        "gaussian",
        "uniform",
    ];
    for generator in Criterion::names() {
        for normaliser in NormaliserKind::names() {
            for noise in noises {
                let kind = noise.split(' ').next().expect("has a kind");
                let is_zero = normaliser == "zero";
                let makes_sense = match generator {
                    "contrastive-divergence" => is_zero && noise == noises[0],
                    "ranking" => is_zero && kind != "mixture",
                    _ => !is_zero || matches!(kind, "copy" | "ema"),
                };
                for sampler in SAMPLERS {
                    for chains in ChainKind::names() {
                        let sets = format!(
                            "objective.generator={generator} objective.normaliser={normaliser} snapshot.kind={noise} \
                             sampler.kind={} sampler.chains={chains}",
                            sampler.name
                        );
                        assert_eq!(
                            with("digits-langevin", &sets).is_ok(),
                            makes_sense,
                            "{sets}"
                        );
                    }
                }
            }
        }
    }
}

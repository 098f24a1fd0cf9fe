//! Trains every kind of run for a few steps, into a folder a run: `python3 benches/same_bits.py`, which hashes them.
//!
//! A change that should change no result is one after which that list is the same. Every preset that needs no file runs
//! as users run it; a small network on the digits with every setting that picks another way of computing, also where
//! the adapter would not choose it by itself.

use afterimage::config::{self, Config};
use afterimage::data;
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::low_level::kernels::Variant;
use afterimage::low_level::kernels::texel::Texel;
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::method::Strategy;
use afterimage::low_level::network::walk_plan;
use afterimage::low_level::train::TrainingPlan;
use afterimage::train::{self, Trainer};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// What a run is computed by.
#[derive(Clone, Copy, PartialEq)]
enum How {
    /// What the adapter gets by itself.
    Chosen,
    /// The layer kernels for GPUs.
    Tiled,
    /// Those for software drivers, with whole chains in one launch.
    Walked,
}

/// Short, so that hundreds of runs end soon; the first assignments of every run on the digits.
const SMALL: &[&str] = &[
    "run.steps=3",
    "run.batch=12",
    "run.samples=4",
    "run.sample_steps=4",
    "run.sample_every=2",
    "snapshot.interval=2",
    "sampler.buffer=48",
    "sampler.steps=4",
    "sampler.diagnose=1",
    "sampler.probe=8",
    "network.zero_head=false",
];
/// And those of presets.
const BRIEF: &[&str] = &["run.steps=20", "run.sample_steps=10", "sampler.probe=20"];

/// Every setting that picks another way of computing, by name.
fn settings() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut add = |text: String| all.push(text);
    for activation in ["silu", "leaky_relu", "softplus", "tanh", "identity"] {
        for bounds in ["none", "clamp", "reflect"] {
            add(format!(
                "network.activation={activation} sampler.bounds={bounds} sampler.clip=0.03"
            ));
        }
    }
    for generator in [
        "logistic",
        "kl",
        "least-squares",
        "power",
        "exponential",
        "itakura-saito",
    ] {
        for normaliser in ["zero", "learned", "profiled", "importance"] {
            add(format!(
                "objective.generator={generator} objective.normaliser={normaliser} objective.noise_ratio=2"
            ));
        }
    }
    add("objective.generator=ranking objective.noise_ratio=2".into());
    add(
        "objective.generator=contrastive-divergence snapshot.interval=1 objective.noise_ratio=2"
            .into(),
    );
    add("objective.normalise_gradient=true objective.energy_l2=0.1".into());
    for chains in ["persistent", "short_run", "data"] {
        for start in ["gaussian", "uniform", "data", "mixture"] {
            add(format!(
                "sampler.chains={chains} sampler.start={start} objective.noise_ratio=3"
            ));
        }
    }
    for kind in ["ema", "mixture", "gaussian", "uniform"] {
        add(format!("snapshot.kind={kind} objective.normaliser=learned"));
    }
    add("snapshot.kind=mixture snapshot.components=3 objective.normaliser=profiled".into());
    add(
        "snapshot.kind=mixture snapshot.components=2 sampler.reuse=2 objective.normaliser=profiled"
            .into(),
    );
    add("snapshot.interval=\"adaptive\"".into());
    add("snapshot.interval=\"adaptive\" snapshot.ess_threshold=1.0 snapshot.max_interval=2".into());
    add("sampler.reuse=2 objective.normaliser=profiled".into());
    for start in ["gaussian", "uniform"] {
        add(format!("sampler.start={start} sampler.jumps=1"));
    }
    for kind in ["langevin", "mala", "hmc", "underdamped"] {
        add(format!("sampler.kind={kind}"));
        add(format!("sampler.kind={kind} sampler.temperature=0.5"));
    }
    add("sampler.kind=mala sampler.jumps=2 sampler.adapt=false".into());
    add("sampler.anneal=4.0".into());
    for law in ["default", "he", "xavier", "orthogonal"] {
        add(format!("network.initialisation={law}"));
    }
    for schedule in ["constant", "cosine", "exponential"] {
        add(format!("optimiser.schedule={schedule} optimiser.warmup=1"));
    }
    add("network.spectral_norm=true".into());
    add("network.base=none network.first_weight_scale=2.0 network.first_bias_scale=3.0".into());
    let network = |layers: &str| format!("network.base=none run.batch=5 network.layers=[{layers}]");
    add(network(
        "{conv=5,kernel=4,stride=3,padding=2},{dense=7},{dense=3}",
    ));
    // A block at each end, without and with a change of channels.
    let blocks = "{residual=1},{residual=5,pool=2},{pool=2},{residual=6}";
    add(network(blocks));
    add(format!("{} network.spectral_norm=true", network(blocks)));
    add(network("{conv=4,kernel=3},{residual=4},{global_sum=true}"));
    // Winograd's method computes this one on software drivers.
    add(network(
        "{conv=64,kernel=3,padding=1},{conv=128,kernel=4,stride=2,padding=1},{dense=1}",
    ));
    all
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::args().nth(1).ok_or("name a folder")?);
    let only = std::env::args().nth(2).unwrap_or_default();
    let mut number = 0;
    let mut run = |preset: &str, small: &[&str], set: &str, how: How, what: &str| {
        let line = format!("{preset} {what} {set}");
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.contains(&only) {
            return;
        }
        let folder = root.join(format!("{number:04}"));
        number += 1;
        let sets: Vec<String> = small.iter().map(|&set| set.to_owned()).collect();
        let own = set.split_whitespace().map(str::to_owned);
        let sets: Vec<String> = sets.into_iter().chain(own).collect();
        let outcome = one(preset, &sets, how, &folder);
        let name = folder.file_name().unwrap_or_default().display();
        // What is refused or diverges is part of the list, too.
        match outcome {
            Ok(()) => println!("{name}\t{line}\t"),
            Err(error) => println!("{name}\t{line}\t{error}"),
        }
    };
    for preset in config::presets() {
        let source = config::load(preset.name, &[])?.data.source;
        if source.needs_path() {
            continue;
        }
        for seed in [1, 2] {
            let set = format!("run.seed={seed}");
            run(preset.name, BRIEF, &set, How::Chosen, "");
        }
    }
    for set in settings() {
        run("digits", SMALL, &set, How::Chosen, "");
        run("digits", SMALL, &set, How::Tiled, "tiled");
        run("digits", SMALL, &set, How::Walked, "walked");
        let (sliced, mixed) = (
            format!("{set} run.slice=5"),
            format!("{set} run.precision=mixed"),
        );
        run("digits", SMALL, &sliced, How::Chosen, "sliced");
        run("digits", SMALL, &mixed, How::Chosen, "mixed");
    }
    Ok(())
}

fn one(preset: &str, sets: &[String], how: How, folder: &Path) -> Result<(), Box<dyn Error>> {
    let config = config::load(preset, sets)?;
    let data = data::open(&config.data.options(), config.run.seed)?;
    let executor = Executor::open(&AdapterChoice::Best, ExecutorOptions::default())?;
    let mut trainer = match how {
        How::Chosen => Trainer::new(executor, &config, data)?,
        _ => {
            let plan = plan(&config, &data, &executor, how)?;
            Trainer::on_plan(executor, &config, data, plan)?
        }
    };
    let stop = AtomicBool::new(false);
    train::run(&mut trainer, &config, folder, false, &stop, &mut |_| ())?;
    Ok(())
}

fn plan(
    config: &Config,
    data: &data::Dataset,
    executor: &Executor,
    how: How,
) -> Result<TrainingPlan, Box<dyn Error>> {
    let profile = executor.profile();
    let variant = match how {
        How::Tiled => Variant::Tiled(Tiled),
        _ => Variant::Texel(Texel::best(&profile)),
    };
    let plan = TrainingPlan::new(config, data.shape(), variant)?;
    if how == How::Tiled {
        return Ok(plan);
    }
    let walk = walk_plan(plan.architecture(), 2, profile.workgroup_bytes)
        .ok_or("this network cannot be walked")?;
    Ok(plan.with_strategy(Strategy::Walk(walk)))
}

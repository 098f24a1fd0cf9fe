//! The page as the template has it.

use super::chart::Chart;
use super::commands::{Command, commands};
use super::curves;
use super::evaluation::{self, Part};
use super::folder::Folder;
use super::histogram::{Histograms, histograms};
use super::last_look::{self, LastLookTable};
use super::mixing::{self, MixingHistory};
use super::numbers::{number, whole};
use super::pictures::{Frames, Picture, noise_is, shows_landscapes};
use super::settings::{self, Setting};
use super::snapshot::{self, SnapshotHistory};
use crate::train;
use askama::Template;
use serde_json::Value;
use std::path::Path;

/// A picture with what is said of it.
pub(super) struct Shown {
    pub(super) title: String,
    pub(super) alt: String,
    pub(super) caption: String,
    pub(super) picture: Picture,
}

/// A figure at the head of the page.
struct Headline {
    what: String,
    value: String,
    beside: String,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    name: String,
    /// That the run diverged: when and how, and what to change.
    diverged: Option<(String, String)>,
    /// How it went on after it had diverged, each time.
    recoveries: Vec<String>,
    /// What stands before what it fits: a run that has not ended well fits nothing yet.
    fitting: &'static str,
    fits: String,
    model: String,
    /// What computed it.
    kernels: Option<String>,
    headlines: Vec<Headline>,
    stopped: Option<String>,
    problems: &'a [String],
    missing: String,
    curves: Vec<Chart>,
    other_curves: Vec<Chart>,
    snapshot: Option<SnapshotHistory>,
    energies: Option<Histograms>,
    /// Histograms of energies along training.
    energies_along: Option<Shown>,
    frames: Option<Frames>,
    animation: Option<Shown>,
    samples: Vec<Shown>,
    mixing: Option<MixingHistory>,
    last_look: Option<LastLookTable>,
    evaluated: Option<String>,
    parts: Vec<Part>,
    evaluation_pictures: Vec<Shown>,
    commands: Vec<Command>,
    /// Where the run's own data lie, if that is said from some folder.
    relative_data: Option<String>,
    nearest: Option<(&'static str, usize)>,
    settings: Option<Vec<Setting>>,
    toml: Option<String>,
}

/// The page of a run.
pub(super) fn page(folder: &mut Folder) -> String {
    // First, since reading pictures may find problems.
    let frames = Frames::read(folder);
    let animation = animation(folder);
    let energies_along = energies_along(folder);
    let samples = last_samples(folder);
    let evaluation_pictures = evaluation_pictures(folder);
    let nearest = folder.config.as_ref().and_then(settings::nearest);
    let (fitting, fits) = fits(folder);
    let page = Page {
        name: folder.name(),
        diverged: diverged(folder),
        recoveries: recoveries(folder),
        fitting,
        fits,
        model: model(folder),
        kernels: kernels(folder),
        headlines: headlines(folder),
        stopped: stopped(folder),
        problems: &folder.problems,
        missing: folder.missing.join(", "),
        curves: curves::main(&folder.metrics)
            .into_iter()
            .chain(curves::distance(folder))
            .collect(),
        other_curves: curves::others(&folder.metrics),
        snapshot: snapshot::history(folder),
        energies: histograms(folder),
        energies_along,
        frames,
        animation,
        samples,
        mixing: mixing::history(folder),
        last_look: last_look::table(folder),
        evaluated: evaluation::about(&folder.evaluation),
        parts: evaluation::parts(&folder.evaluation),
        evaluation_pictures,
        commands: commands(folder, nearest.as_ref()),
        relative_data: relative_data(folder),
        nearest: nearest.map(|nearest| (nearest.preset, nearest.chosen())),
        settings: folder.config.as_ref().map(settings::chosen),
        toml: folder.toml.clone(),
    };
    // It fails where a value cannot be written into a text, and all of these can.
    page.render().unwrap_or_else(|error| error.to_string())
}

/// What the model is fitted to, behind the words that say whether it is.
fn fits(folder: &Folder) -> (&'static str, String) {
    if let Some(told) = folder.summary.get("fits").and_then(Value::as_str) {
        return ("Fits", told.into());
    }
    let planned = folder.config.as_ref().map(train::target);
    ("Was to fit", planned.unwrap_or_default())
}

/// That the run diverged: when and how, and what to change.
fn diverged(folder: &Folder) -> Option<(String, String)> {
    let told = folder.summary.get("diverged")?;
    let text = |key: &str| told.get(key)?.as_str().map(str::to_owned);
    let step = told.get("step").and_then(Value::as_u64);
    let step = step.map_or(String::new(), |step| format!(" at step {}", whole(step)));
    let what = text("what").map_or(String::new(), |what| format!(": {what}"));
    Some((format!("{step}{what}."), text("advice").unwrap_or_default()))
}

/// How the run went on after it had diverged, each time.
fn recoveries(folder: &Folder) -> Vec<String> {
    let told = folder.summary.get("recoveries").and_then(Value::as_array);
    let sentence = |recovery: &Value| {
        let count = |key: &str| recovery.get(key)?.as_u64().map(whole);
        let share = recovery.get("rate_share")?.as_f64()?;
        Some(format!(
            "At step {} {}; it went on from its state after {} steps with {} of the learning rate.",
            count("step")?,
            recovery.get("what")?.as_str()?,
            count("back_to")?,
            number(share),
        ))
    };
    told.into_iter().flatten().filter_map(sentence).collect()
}

/// The path of the run's data where it is relative.
fn relative_data(folder: &Folder) -> Option<String> {
    let path = &folder.config.as_ref()?.data.path;
    let is_relative = !path.is_empty() && !path.starts_with('~') && Path::new(path).is_relative();
    is_relative.then(|| path.clone())
}

/// What the model is, in a line.
fn model(folder: &Folder) -> String {
    let Some(config) = &folder.config else {
        return String::new();
    };
    // A parameter has four bytes.
    let bytes = folder
        .summary
        .get("memory")
        .and_then(|memory| memory["parameters"].as_u64());
    let parameters = bytes.map_or(String::new(), |bytes| {
        format!(" with {} parameters", whole(bytes / 4))
    });
    let noise = match config.data.noise {
        0.0 => String::new(),
        noise => format!(" with Gaussian noise of {}", number(f64::from(noise))),
    };
    format!(
        "An energy-based model{parameters}, trained on {}{noise}.",
        config.data.source.name
    )
}

/// Which layer kernels computed it, and why they, in a sentence.
fn kernels(folder: &Folder) -> Option<String> {
    let told = folder.summary.get("kernels")?;
    let text = |key: &str| told.get(key)?.as_str();
    Some(format!(
        "Computed by the kernels {} ({}).",
        text("family")?,
        text("why")?
    ))
}

fn headlines(folder: &Folder) -> Vec<Headline> {
    let mut found = Vec::new();
    let mut add = |what: &str, value: String, beside: String| {
        found.push(Headline {
            what: what.into(),
            value,
            beside,
        });
    };
    let done = folder.steps_done();
    let asked = folder.config.as_ref().map(|config| config.run.steps);
    add(
        "optimiser steps",
        whole(done),
        asked.map_or(String::new(), |asked| format!("of {}", whole(asked))),
    );
    if let Some((gap, steps)) = energy_gap(folder) {
        add(
            "energy of noise − of data",
            number(gap),
            format!("nats, mean of the last {} steps", whole(steps)),
        );
    }
    let best = folder.summary.get("best");
    let float = |key: &str| best?.get(key)?.as_f64();
    if let (Some(least), Some(step)) = (float("data_distance"), float("step")) {
        add(
            "least distance of chains from data",
            number(least),
            format!("at step {}, kept as best.safetensors", whole(step as u64)),
        );
    }
    if let Some((r_hat, what)) = mixing::worst(folder) {
        add("R-hat of the chains", r_hat, what);
    }
    let others = evaluation::of_other_weights(&folder.evaluation, done);
    for (what, value, beside) in evaluation::headlines(&folder.evaluation) {
        let beside = match &others {
            Some(others) => format!("{beside} {others}"),
            None => beside,
        };
        add(what, value, beside);
    }
    found
}

/// How much higher the mean energy of the noise is in the last tenth of the steps, and how many these are.
fn energy_gap(folder: &Folder) -> Option<(f64, u64)> {
    let data = folder.metrics.column("energy_data")?;
    let noise = folder.metrics.column("energy_noise")?;
    let first = data.len() - data.len().div_ceil(10);
    let gaps = data[first..]
        .iter()
        .zip(&noise[first..])
        .map(|(data, noise)| noise - data);
    let count = (data.len() - first) as u64;
    let gap = gaps.sum::<f64>() / count as f64;
    gap.is_finite().then_some((gap, count))
}

/// Whether the run ended before it was to, in words.
fn stopped(folder: &Folder) -> Option<String> {
    if folder.is_stopped() {
        return Some("The run was stopped before its last step. The last samples are the noise samples of that step.".into());
    }
    let is_cut_short = folder.summary.get("cut_short") == Some(&Value::Bool(true));
    is_cut_short.then(|| {
        "The run was stopped after its last step, or something failed there: its last samples and its last look at the chains are of \
         fewer sampler steps than asked for, or files are missing."
            .into()
    })
}

pub(super) fn last_samples(folder: &mut Folder) -> Vec<Shown> {
    let stopped = folder.is_stopped();
    let steps = folder.config.as_ref().map(|config| config.run.sample_steps);
    let (drawn, how) = match stopped {
        true => (
            "the noise samples of the last step",
            noise_is(folder).to_owned(),
        ),
        false => (
            "samples drawn from fresh chains",
            steps.map_or(String::new(), |steps| {
                format!(", {} sampler steps each", whole(steps as u64))
            }),
        ),
    };
    // Of planar sets samples.png is the same picture.
    if let Some(picture) = written(folder, "landscape", "landscape.png") {
        return vec![Shown {
            title: "Landscape".into(),
            alt: format!(
                "Three squares: the unnormalised density exp(−E) under the averaged weights, the data, and {drawn}"
            ),
            caption: format!(
                "exp(−E) under the averaged weights, relative to its highest; the data; {drawn}{how}."
            ),
            picture,
        }];
    }
    let picture = written(folder, "samples", "samples.png");
    let shown = picture.map(|picture| Shown {
        title: "Last samples".into(),
        alt: format!("A grid of pictures: {drawn}"),
        caption: match stopped {
            // These have drawn none of them.
            true => format!("These are {drawn}{how}."),
            false => format!("Of the averaged weights: {drawn}{how}."),
        },
        picture,
    });
    shown.into_iter().collect()
}

/// The picture called `name`, if it is the one that the summary calls `key`.
fn written(folder: &mut Folder, key: &str, name: &str) -> Option<Picture> {
    match folder.wrote(key) {
        true => Picture::read(folder, name),
        false => None,
    }
}

/// How the samples, or the landscape, came about.
fn animation(folder: &mut Folder) -> Option<Shown> {
    let picture = written(folder, "animation", "training.gif")?;
    let (alt, caption) = match shows_landscapes(folder) {
        true => (
            "An animation: the unnormalised density exp(−E) along training, with data over it",
            "exp(−E) under the averaged weights, relative to its highest, along training, with data over it.",
        ),
        false => (
            "An animation: samples along training",
            "Always the same chains of the replay buffer, some of which start afresh on the way, or without a buffer the noise \
             samples of the steps, under the snapshot's weights.",
        ),
    };
    Some(Shown {
        title: "As an animation".into(),
        alt: alt.into(),
        caption: caption.into(),
        picture,
    })
}

/// Histograms of energies along training.
fn energies_along(folder: &mut Folder) -> Option<Shown> {
    let picture = written(folder, "energy_histograms", "energies.png")?;
    Some(Shown {
        title: "Along training".into(),
        alt: "Histograms of the energies of data and of noise at steps along training, the first step on top".into(),
        caption: "Data with the noise of training, and noise samples of the same step, under the live weights; each row around \
                  the mean energy of its own data, and on a scale of its own. energies.jsonl has the energies."
            .into(),
        picture,
    })
}

fn evaluation_pictures(folder: &mut Folder) -> Vec<Shown> {
    let mut shown = Vec::new();
    for (part, name, title, alt, caption) in [
        (
            "density",
            "evaluation.png",
            "Densities",
            "Four squares: the density of the data, the model's density, its energy, and its samples",
            "Data and model in one scale of colours; the energy up to 10 nats above its lowest.",
        ),
        (
            "samples",
            "neighbours.png",
            "Nearest training samples",
            "Rows of samples, each above the row of the training samples nearest to them",
            "The samples nearest to training samples, each row above that of its neighbours: equal rows are copies.",
        ),
        (
            "stability",
            "stability.png",
            "Chains from data",
            "Rows of pictures: data, and chains that began at them after 1, 10 and 100 passes",
            "Rows: data with the noise of training, and the same chains after 1, 10 and 100 passes.",
        ),
    ] {
        // A picture may be left of another evaluation.
        let recorded = folder.evaluation.get("pictures");
        if recorded.and_then(|pictures| pictures[part].as_str()) != Some(name) {
            continue;
        }
        shown.extend(Picture::read(folder, name).map(|picture| Shown {
            title: title.into(),
            alt: alt.into(),
            caption: caption.into(),
            picture,
        }));
    }
    shown
}

//! What a part of an evaluation was asked for, as arguments that ask for the same again from any folder.

use crate::cli::args::{EvaluateArgs, PartArg, WeightsArg};
use crate::data::Source;
use crate::words::Word;
use clap::ValueEnum;
use std::fs;

/// The arguments behind the model that make `part` as `arguments` did; paths are absolute.
pub(super) fn arguments_of(arguments: &EvaluateArgs, part: PartArg) -> Vec<String> {
    let mut words = vec!["--only".to_owned(), name_of(part)];
    let mut add = |flag: &str, value: Option<String>| match value {
        // What begins with a dash would be taken for a flag.
        Some(value) if value.starts_with('-') => words.push(format!("{flag}={value}")),
        Some(value) => words.extend([flag.to_owned(), value]),
        None => {}
    };
    let is = |parts: &[PartArg]| parts.contains(&part);
    let model = &arguments.model;
    let is_live = model.weights == WeightsArg::Live;
    add("--weights", is_live.then(|| "live".to_owned()));
    let config = model.config.as_ref().map(|path| path.display().to_string());
    add("--config", config.map(|path| whole(&path)));
    for set in &model.sets {
        add("--set", Some(with_whole_path(set)));
    }
    add("--data", arguments.data.as_deref().map(whole));
    if is(&[PartArg::Density]) {
        add("--tolerance", Some(arguments.tolerance.to_string()));
    }
    if is(&[PartArg::Density, PartArg::Samples]) {
        add("--samples", arguments.count.map(|count| count.to_string()));
    }
    if is(&[PartArg::Likelihood]) {
        let evaluations = arguments.evaluations.map(|most| most.to_string());
        add("--evaluations", evaluations);
        add("--chains", arguments.chains.map(|count| count.to_string()));
    }
    if is(&[PartArg::Samples, PartArg::Stability]) {
        let network = arguments.features.as_ref();
        let network = network.map(|path| whole(&path.display().to_string()));
        add("--features", network);
        let range = arguments.features_range;
        let range = range.map(|[low, high]| format!("{low},{high}"));
        add("--features-range", range);
    }
    if is(&[PartArg::Outside]) {
        add("--against", arguments.against.as_deref().map(whole));
    }
    add("--seed", arguments.seed.map(|seed| seed.to_string()));
    add("--adapter", arguments.adapter.adapter.clone());
    words
}

/// What `part` is called on the command line.
pub(super) fn name_of(part: PartArg) -> String {
    let value = part.to_possible_value();
    value.map_or(String::new(), |value| value.get_name().to_owned())
}

/// `name` as an absolute path where it looks like one and is there; else as it is, such as the name of a set.
fn whole(name: &str) -> String {
    let is_set = Source::named(name).is_some_and(|source| !source.needs_path());
    let found = fs::canonicalize(name).ok().filter(|_| !is_set);
    found.map_or_else(|| name.into(), |path| path.display().to_string())
}

/// An assignment, with an absolute path where it names the data's.
fn with_whole_path(set: &str) -> String {
    match set.split_once('=') {
        Some((key, path)) if key.trim() == "data.path" => format!("data.path={}", whole(path)),
        _ => set.into(),
    }
}

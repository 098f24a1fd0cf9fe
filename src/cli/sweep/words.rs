//! The commands that a sweep hands out, word by word.

use crate::cli::args::{AdapterArgs, SweepArgs};
use crate::cli::error::CliError;
use crate::cli::program;
use crate::sweep::Cell;
use crate::words::Word;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// What `afterimage evaluate` is asked for, behind the model.
pub(super) fn of_evaluation(arguments: &SweepArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |flag: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
    };
    let only = arguments.only.iter();
    let only: Vec<String> = only.map(name).collect();
    add("--only", (!only.is_empty()).then(|| only.join(",")));
    add("--samples", arguments.count.map(|count| count.to_string()));
    add(
        "--tolerance",
        arguments.tolerance.map(|nats| nats.to_string()),
    );
    add(
        "--evaluations",
        arguments.evaluations.map(|most| most.to_string()),
    );
    words
}

/// Which adapter computes, and how it is tuned.
pub(super) fn of_adapter(adapter: &AdapterArgs) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(name) = &adapter.adapter {
        words.push(format!("--adapter={name}"));
    }
    if let Some(family) = adapter.kernels {
        words.push(format!("--kernels={}", family.name()));
    }
    for (is_set, flag) in [
        (adapter.no_cache, "--no-cache"),
        (adapter.retune, "--retune"),
        (adapter.no_tune, "--no-tune"),
    ] {
        words.extend(is_set.then(|| flag.to_owned()));
    }
    words
}

/// The whole sweep as a command, as it would be typed.
pub(super) fn of_all(arguments: &SweepArgs) -> Result<String, CliError> {
    let mut words = vec!["afterimage".to_owned(), "sweep".to_owned()];
    words.extend(of_sweep(
        arguments,
        arguments.source.source.clone(),
        |set| set.to_owned(),
    ));
    if let Some(out) = &arguments.out {
        words.extend(["--out".to_owned(), out.display().to_string()]);
    }
    quoted(&words)
}

/// The command that does one cell, from any folder: with this program, and with whole paths.
pub(super) fn of_cell(
    arguments: &SweepArgs,
    folder: &Path,
    cell: &str,
) -> Result<String, CliError> {
    let program = program::words().map_err(CliError::Program)?;
    let mut words: Vec<String> = program
        .iter()
        .map(|word| word.display().to_string())
        .collect();
    words.push("sweep".to_owned());
    let source = Path::new(&arguments.source.source);
    let source = match crate::config::preset(&arguments.source.source) {
        Some(preset) => preset.name.to_owned(),
        None => whole(source)?.display().to_string(),
    };
    words.extend(of_sweep(arguments, source, with_whole_path));
    let folder = whole(folder)?.display().to_string();
    words.extend([
        "--out".to_owned(),
        folder,
        "--cell".to_owned(),
        cell.to_owned(),
    ]);
    words.extend(arguments.force.then(|| "--force".to_owned()));
    words.extend(of_adapter(&arguments.adapter));
    quoted(&words)
}

/// What decides the cells, and what they are asked for.
fn of_sweep(arguments: &SweepArgs, source: String, set: impl Fn(&str) -> String) -> Vec<String> {
    let mut words = vec![source];
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    for text in &arguments.vary {
        add("--vary", text.clone());
    }
    for text in &arguments.rows {
        add("--row", text.clone());
    }
    for text in &arguments.source.sets {
        add("--set", set(text));
    }
    add("--seeds", arguments.seeds.to_string());
    add("--budget", name(&arguments.budget));
    add("--most-reuse", arguments.most_reuse.to_string());
    words.extend(of_evaluation(arguments));
    words
}

/// Refuses paths in rows that are not whole: to complete them would give the rows other names.
pub(super) fn have_whole_paths(arguments: &SweepArgs, cells: &[Cell]) -> Result<(), CliError> {
    let sets = cells.iter().flat_map(|cell| &cell.sets);
    let mut own = sets.filter(|set| !arguments.source.sets.contains(set));
    match own.find(|set| relative_path(set).is_some()) {
        Some(given) => Err(CliError::RelativePath {
            given: given.clone(),
        }),
        None => Ok(()),
    }
}

/// An assignment, with a whole path where it names the data's.
fn with_whole_path(set: &str) -> String {
    let whole = relative_path(set).and_then(|path| whole(path).ok());
    whole.map_or_else(
        || set.to_owned(),
        |path| format!("data.path={}", path.display()),
    )
}

/// The path of the data that an assignment names, if it is found from this folder only.
fn relative_path(set: &str) -> Option<&Path> {
    let (key, path) = set.split_once('=')?;
    let path = path.trim().trim_matches('"');
    let is_relative = !path.is_empty() && !path.starts_with('~') && Path::new(path).is_relative();
    (key.trim() == "data.path" && is_relative).then_some(Path::new(path))
}

fn whole(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(CliError::Program)
}

/// What the command line calls a value.
pub(super) fn name(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or(String::new(), |value| value.get_name().to_owned())
}

/// Words as a POSIX shell reads them back.
fn quoted(words: &[String]) -> Result<String, CliError> {
    // No argument of a program holds a NUL, which is all that cannot be quoted.
    let words = words.iter().map(String::as_str);
    Ok(shlex::try_join(words).unwrap_or_default())
}

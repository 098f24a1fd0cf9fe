use super::args::{CompareArgs, RunsArgs};
use super::error::CliError;
use super::output;
use crate::page::{self, Listed, RunState, is_run, listed, number, whole};
use crate::sweep::figures_of;
use indicatif::FormattedDuration;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Folders in folders that are looked into: a sweep keeps its runs two folders below its own.
const DEEPEST: u32 = 3;
/// Between two columns.
const GAP: &str = "  ";

/// `afterimage runs`
pub(super) fn runs(arguments: &RunsArgs) -> Result<(), CliError> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        return Err(CliError::NoRuns {
            folder: folder.clone(),
        });
    }
    let mut found = Vec::new();
    collect(folder, DEEPEST, &mut found);
    // Once each: runs that go on write meanwhile.
    found.sort_by_cached_key(|run| last_written(&run.folder));
    if arguments.json {
        let rows: Vec<Row> = found.iter().map(Row::of).collect();
        return output::pretty_json(&rows);
    }
    if found.is_empty() {
        return Err(CliError::NoRuns {
            folder: folder.clone(),
        });
    }
    for line in table(folder, &found) {
        output::line(&line)?;
    }
    Ok(())
}

/// `afterimage compare`
pub(super) fn compare(arguments: &CompareArgs) -> Result<(), CliError> {
    for folder in &arguments.runs {
        if !is_run(folder) {
            return Err(CliError::NoRuns {
                folder: folder.clone(),
            });
        }
    }
    let real = |folder: &PathBuf| fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
    for (place, folder) in arguments.runs.iter().enumerate() {
        if arguments.runs[..place]
            .iter()
            .any(|other| real(other) == real(folder))
        {
            return Err(CliError::SameRun {
                folder: folder.clone(),
            });
        }
    }
    let folders: Vec<&Path> = arguments.runs.iter().map(PathBuf::as_path).collect();
    let written = page::write_comparison(&folders, &arguments.out)?;
    output::note(format_args!("page      {}", written.path.display()));
    output::problems(&written);
    Ok(())
}

/// A run with the figures that its evaluation found, and the weights that these are of.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    run: &'a Listed,
    figures: BTreeMap<String, f64>,
    /// The steps before the weights that were evaluated: fewer than the run's where it has gone on since; null without an evaluation.
    evaluated_step: Option<u64>,
    /// Which weights of that step: `averaged` or `live`.
    evaluated_weights: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(run: &'a Listed) -> Self {
        Row {
            run,
            figures: figures_of(&run.evaluation),
            evaluated_step: run.evaluation.get("step").and_then(Value::as_u64),
            evaluated_weights: run.evaluation.get("weights").and_then(Value::as_str),
        }
    }
}

/// The runs in a folder, which may be one; no run lies in another.
fn collect(folder: &Path, deepest: u32, found: &mut Vec<Listed>) {
    if let Some(run) = listed(folder) {
        found.push(run);
        return;
    }
    if deepest == 0 {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // A link may lead to a run, but not further: it may lead back.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), deepest - 1, found),
            Ok(kind) if kind.is_symlink() => collect(&entry.path(), 0, found),
            _ => {}
        }
    }
}

/// When the run last wrote its metrics, its summary or its evaluation.
fn last_written(run: &Path) -> Option<SystemTime> {
    let names = ["metrics.jsonl", "summary.json", "evaluation.json"];
    let written = |name: &&str| fs::metadata(run.join(name)).ok()?.modified().ok();
    names.iter().filter_map(written).max()
}

/// A header and a line a run.
fn table(folder: &Path, runs: &[Listed]) -> Vec<String> {
    let header = ["run", "preset", "state", "steps", "time", "figures"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(header)
        .chain(runs.iter().map(|run| cells(folder, run)))
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let mut text = String::new();
        for (column, cell) in row.iter().enumerate() {
            // Numbers end below each other.
            let is_number = matches!(column, 3 | 4);
            let space = " ".repeat(widths[column] - cell.chars().count());
            text += &match is_number {
                true => format!("{space}{cell}{GAP}"),
                false => format!("{cell}{space}{GAP}"),
            };
        }
        text.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn cells(folder: &Path, run: &Listed) -> [String; 6] {
    let name: PathBuf = match run.folder.strip_prefix(folder) {
        Ok(inside) if !inside.as_os_str().is_empty() => inside.into(),
        _ => run.folder.clone(),
    };
    let preset = match (run.preset, run.changed) {
        (Some(preset), Some(0)) => preset.to_owned(),
        (Some(preset), Some(changed)) => format!("{preset} +{changed}"),
        _ => "–".to_owned(),
    };
    let state = match run.resumable {
        true => format!("{}, resumable", run.state.word()),
        false => run.state.word().to_owned(),
    };
    let steps = match run.of {
        Some(of) => format!("{}/{}", whole(run.steps), whole(of)),
        None => whole(run.steps),
    };
    let time = run.seconds.map_or("–".into(), |seconds| {
        FormattedDuration(Duration::from_secs_f64(seconds.min(1e9))).to_string()
    });
    [
        output::in_one_line(&name.display().to_string()),
        preset,
        state,
        steps,
        time,
        figures(run),
    ]
}

/// What matters of a run, in a few words.
fn figures(run: &Listed) -> String {
    let mut parts = Vec::new();
    if let Some(fits) = run
        .fits
        .as_ref()
        .filter(|_| run.state == RunState::Finished)
    {
        // What it is; the rest says why.
        let what = match fits {
            _ if fits.starts_with("a density") => "a density",
            _ if fits.contains("a generator") => "a generator",
            _ => fits,
        };
        parts.push(output::in_one_line(what));
    }
    if let Some(what) = &run.diverged {
        parts.push(output::in_one_line(what));
    }
    if let Some(r_hat) = run.r_hat {
        parts.push(format!("R-hat {}", number(r_hat)));
    }
    for (what, value) in &run.headlines {
        parts.push(format!("{what} {value}"));
    }
    if let Some(distance) = run.data_distance.filter(|_| run.headlines.is_empty()) {
        parts.push(format!("distance from data {}", number(distance)));
    }
    parts.join("; ")
}

//! Runs beside each other, as one page: what they came to, which settings differ, and their curves in the same charts.

use super::chart::{Chart, Plot};
use super::curves;
use super::folder::Folder;
use super::listed::{Listed, listed_of};
use super::numbers::{number, whole};
use super::view::{Shown, last_samples};
use crate::config::{Difference, differences};
use crate::train::CURVES;
use askama::Template;
use std::path::Path;

#[derive(Template)]
#[template(path = "compare.html")]
struct Page {
    title: String,
    /// What the runs are called here.
    names: Vec<String>,
    folders: Vec<String>,
    problems: Vec<String>,
    tables: Vec<Table>,
    curves: Vec<Chart>,
    other_curves: Vec<Chart>,
    samples: Vec<Shown>,
}

/// A table with a column a run.
struct Table {
    title: &'static str,
    /// What the rows are.
    what: &'static str,
    rows: Vec<(String, Vec<String>)>,
    /// What there is to say without any rows.
    none: &'static str,
}

/// The page of the runs in `folders`, and what could not be read.
pub(super) fn page(folders: &[&Path]) -> (String, Vec<String>) {
    let mut runs: Vec<Folder> = folders
        .iter()
        .map(|path| Folder::read(path, path))
        .collect();
    let names = names(&runs);
    let samples = samples(&mut runs, &names);
    let listed: Vec<Listed> = runs.iter().map(listed_of).collect();
    let mut problems = Vec::new();
    for (run, name) in runs.iter().zip(&names) {
        let missing = run
            .missing
            .iter()
            .map(|file| format!("{name} has no {file}"));
        problems.extend(missing);
        problems.extend(
            run.problems
                .iter()
                .map(|problem| format!("{name}: {problem}")),
        );
    }
    let page = Page {
        title: names.join(", "),
        folders: runs
            .iter()
            .map(|run| run.path.display().to_string())
            .collect(),
        problems: problems.clone(),
        tables: vec![outcomes(&listed), settings(&runs)],
        curves: main_curves(&runs, &names),
        other_curves: other_curves(&runs, &names),
        samples,
        names,
    };
    // It fails where a value cannot be written into a text, and all of these can.
    let text = page.render().unwrap_or_else(|error| error.to_string());
    (text, problems)
}

/// The names of the folders, or their whole paths where two have the same.
fn names(runs: &[Folder]) -> Vec<String> {
    let short: Vec<String> = runs.iter().map(Folder::name).collect();
    let is_unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    match short.iter().all(is_unique) {
        true => short,
        false => runs
            .iter()
            .map(|run| run.path.display().to_string())
            .collect(),
    }
}

/// What the runs came to.
fn outcomes(runs: &[Listed]) -> Table {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |name: &str, of: &dyn Fn(&Listed) -> Option<String>| {
        let cells: Vec<Option<String>> = runs.iter().map(of).collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(|cell| cell.unwrap_or("–".into()));
            rows.push((name.into(), cells.collect()));
        }
    };
    add("state", &|run| Some(run.state.word().into()));
    add("optimiser steps", &|run| Some(whole(run.steps)));
    add("seconds of training", &|run| {
        Some(number(run.seconds?.round()))
    });
    add("fits", &|run| run.fits.clone());
    add("diverged", &|run| run.diverged.clone());
    add("R-hat of the chains", &|run| run.r_hat.map(number));
    add("least distance of chains from data", &|run| {
        run.data_distance.map(number)
    });
    let mut evaluated: Vec<&str> = Vec::new();
    for (what, _) in runs.iter().flat_map(|run| &run.headlines) {
        if !evaluated.contains(what) {
            evaluated.push(what);
        }
    }
    for name in evaluated {
        add(name, &|run| {
            let found = run.headlines.iter().find(|(what, _)| *what == name);
            found.map(|(_, value)| value.clone())
        });
    }
    Table {
        title: "What they came to",
        what: "",
        rows,
        none: "",
    }
}

/// The settings in which the runs differ.
fn settings(runs: &[Folder]) -> Table {
    let mut rows = Vec::new();
    let first = runs.iter().find_map(|run| run.config.as_ref());
    if let Some(first) = first {
        let of_each: Vec<_> = runs
            .iter()
            .map(|run| run.config.as_ref().map(|config| differences(config, first)))
            .collect();
        let mut keys: Vec<(&str, Option<&str>)> = Vec::new();
        for found in of_each.iter().flatten().flatten() {
            if keys.iter().all(|(key, _)| *key != found.key) {
                keys.push((&found.key, found.other.as_deref()));
            }
        }
        rows = keys
            .into_iter()
            .map(|(key, of_first)| {
                let cell = |found: &Option<Vec<Difference>>| {
                    let Some(found) = found else {
                        return "–".to_owned();
                    };
                    let own = found.iter().find(|found| found.key == key);
                    let value = own.map_or(of_first, |own| own.value.as_deref());
                    value.unwrap_or("absent").to_owned()
                };
                (key.to_owned(), of_each.iter().map(cell).collect())
            })
            .collect();
    }
    Table {
        title: "Settings that differ",
        what: "key",
        rows,
        none: "None: all settings are the same.",
    }
}

/// A chart for each metric that has a curve of its own, with a line a run.
fn main_curves(runs: &[Folder], names: &[String]) -> Vec<Chart> {
    let mut curves: Vec<_> = CURVES.iter().collect();
    curves.sort_by_key(|curve| curve.place);
    let distances: Vec<_> = runs
        .iter()
        .map(|run| curves::judged(&run.metrics))
        .collect();
    let distance = lines(
        distances.iter().zip(names).map(|(judged, name)| {
            let (steps, values) = judged;
            (name.clone(), &steps[..], &values[..])
        }),
        [
            "energy distance of chains from data",
            "energy distance (units of the values)",
        ],
        false,
        "figures",
    );
    let charts = curves.into_iter().filter_map(|curve| {
        // Curves that share a chart on a run's own page are told apart by their labels.
        let title = match CURVES
            .iter()
            .filter(|other| other.title == curve.title)
            .count()
        {
            1 => curve.title.to_owned(),
            _ => format!("{}: {}", curve.title, curve.label),
        };
        chart(
            runs,
            names,
            curve.name,
            &title,
            curve.label,
            curve.log_scale,
        )
    });
    charts.chain(distance).collect()
}

/// A chart for each metric without one.
fn other_curves(runs: &[Folder], names: &[String]) -> Vec<Chart> {
    let mut others: Vec<&str> = Vec::new();
    for name in runs.iter().flat_map(|run| curves::varying(&run.metrics)) {
        if !others.contains(&name) {
            others.push(name);
        }
    }
    let charts = others
        .into_iter()
        .filter_map(|name| chart(runs, names, name, &name.replace('_', " "), name, false));
    charts.collect()
}

/// A metric over the steps, a line a run; none where no run has it.
fn chart(
    runs: &[Folder],
    names: &[String],
    metric: &str,
    title: &str,
    label: &str,
    logarithmic: bool,
) -> Option<Chart> {
    // A run without the metric keeps its colour in all charts: its line is empty.
    let series = runs.iter().zip(names).map(|(run, name)| {
        let values = run.metrics.column(metric);
        let steps = values.map_or(&[][..], |_| run.metrics.steps());
        (name.clone(), steps, values.unwrap_or_default())
    });
    lines(series, [title, label], logarithmic, "steps")
}

/// A chart of series over the steps, which have a value for each `unit`.
fn lines<'a>(
    series: impl Iterator<Item = (String, &'a [f64], &'a [f64])>,
    [title, label]: [&'a str; 2],
    logarithmic: bool,
    unit: &'a str,
) -> Option<Chart> {
    Plot {
        title,
        caption: String::new(),
        x_label: "optimiser step",
        y_label: label,
        logarithmic,
        unit,
        series: series.collect(),
        marks: &[],
        level: None,
    }
    .chart()
}

/// The last pictures of each run.
fn samples(runs: &mut [Folder], names: &[String]) -> Vec<Shown> {
    let mut all = Vec::new();
    for (run, name) in runs.iter_mut().zip(names) {
        for shown in last_samples(run) {
            all.push(Shown {
                title: format!("{name}: {}", shown.title),
                ..shown
            });
        }
    }
    all
}

//! At what equal cost the rows of a sweep are compared.

use super::axes::key_of;
use crate::config::{Config, Criterion, Interval, SnapshotKind};

/// What all rows spend equally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// Optimiser steps; noise is used once.
    Steps,
    /// Energy-gradient evaluations: those of the preset's optimiser steps at a pass of the sampler each. Noise is used again
    /// as far as its snapshot lasts, and there are as many more optimiser steps.
    Gradients,
}

impl Budget {
    /// What the command line and file names call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Budget::Steps => "steps",
            Budget::Gradients => "gradients",
        }
    }

    /// What tables and pictures call it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Budget::Steps => "equal optimiser steps",
            Budget::Gradients => "equal energy-gradient evaluations",
        }
    }
}

/// What a budget makes of a row.
pub(super) enum Share {
    /// What it sets beside the row's own, and what is to be said of it.
    Sets(Vec<String>, Option<String>),
    /// That it makes no sense, and why.
    None(String),
}

const REUSE: &str = "sampler.reuse";
const STEPS: &str = "run.steps";

/// What `budget` sets where `row` are the row's assignments, with `common` ones before them, and `config` the two without
/// it. A row's own `run.steps`, and a `sampler.reuse` that was asked for, stay. Noise is used at most `most_reuse` times.
pub(super) fn share(
    budget: Budget,
    config: &Config,
    common: &[String],
    row: &[String],
    most_reuse: u64,
) -> Share {
    let kind = config.snapshot.kind;
    let steps = config.run.steps;
    // What nobody refreshes shares no noise, and does not read how often it would.
    let chosen = chosen(&[common, row].concat(), REUSE).filter(|_| kind.is_refreshed());
    let own_steps = chosen_in_row(row);
    let once = |note: &str| {
        let sets = match (kind.is_refreshed(), &chosen) {
            (true, None) => vec![format!("{REUSE}=1")],
            _ => Vec::new(),
        };
        Share::Sets(
            sets,
            Some(note.into()).filter(|note: &String| !note.is_empty()),
        )
    };
    if budget == Budget::Steps {
        return once(match &chosen {
            Some(_) => "uses noise again as the row says",
            None => "",
        });
    }
    if !kind.needs_chains() {
        return Share::None(
            "fixed noise takes no energy-gradient evaluations, so that none can be equal".into(),
        );
    }
    if kind == SnapshotKind::Ema {
        return once("a moving average moves with every step, so that no noise is used again");
    }
    if config.objective.generator == Criterion::ContrastiveDivergence {
        return once("contrastive divergence cannot use noise again");
    }
    let reuse = match &chosen {
        Some(value) => match value.parse::<u64>() {
            Ok(reuse) => reuse,
            Err(_) if own_steps => {
                return Share::Sets(Vec::new(), Some("run.steps as the row says".into()));
            }
            Err(_) => {
                return Share::None(format!(
                    "with {REUSE} = {value} it is known only afterwards how many evaluations there were: set {STEPS} in the row, too"
                ));
            }
        },
        None => {
            let lasts = match config.snapshot.interval {
                Interval::Every(steps) => steps,
                Interval::Adaptive => config.snapshot.max_interval,
            };
            let most = most_reuse.min(lasts).max(1);
            let reuse = (1..=most).rev().find(|reuse| lasts.is_multiple_of(*reuse));
            let reuse = reuse.unwrap_or(1);
            if reuse == 1 {
                return once("its noise cannot be used again");
            }
            reuse
        }
    };
    let mut sets = Vec::new();
    if chosen.is_none() {
        sets.push(format!("{REUSE}={reuse}"));
    }
    if own_steps {
        return Share::Sets(sets, Some("run.steps as the row says".into()));
    }
    sets.push(format!("{STEPS}={}", steps.saturating_mul(reuse)));
    Share::Sets(sets, None)
}

/// The value that the last of the assignments `sets` to `key` chooses, if it does.
fn chosen(sets: &[String], key: &str) -> Option<String> {
    let last = sets.iter().rev().find(|set| key_of(set) == key)?;
    let value = last.split_once('=').map_or("", |(_, value)| value);
    let value = value.trim().trim_matches('"').to_owned();
    (!value.is_empty() && value != "auto").then_some(value)
}

fn chosen_in_row(row: &[String]) -> bool {
    chosen(row, STEPS).is_some()
}

/// About what training costs, in energy-gradient evaluations of a sample; an update counts as three.
pub(super) fn cost(config: &Config) -> f64 {
    let batch = config.run.batch as f64;
    let noise = batch * config.objective.noise_ratio as f64;
    let pass = match config.snapshot.kind.needs_chains() {
        true => config.dynamics().evaluations(config.sampler.steps) as f64,
        false => 0.0,
    };
    let updates = config.run.steps as f64 * 3.0 * (batch + noise);
    updates + config.run.steps as f64 / config.pool() as f64 * noise * pass
}

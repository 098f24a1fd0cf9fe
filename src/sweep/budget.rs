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
    pub(super) const ALL: [Budget; 2] = [Budget::Steps, Budget::Gradients];

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

/// What all cells share.
pub(super) struct Common<'a> {
    /// A preset or a file.
    pub(super) source: &'a str,
    pub(super) sets: &'a [String],
    pub(super) seeds: u64,
    pub(super) budgets: &'a [Budget],
    /// Energy-gradient evaluations of a pass of the source with `sets`, without any row.
    pub(super) pass: f64,
    /// Noise is used at most so often, where a budget lets it be used again.
    pub(super) most_reuse: u64,
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

/// What `budget` sets where `row` are the row's assignments and `config` these after the `common` ones. A row's own
/// `run.steps`, and a `sampler.reuse` that was asked for, stay.
pub(super) fn share(budget: Budget, config: &Config, common: &Common<'_>, row: &[String]) -> Share {
    let kind = config.snapshot.kind;
    let steps = config.run.steps;
    // What nobody refreshes shares no noise, and does not read how often it would.
    let chosen = chosen(&[common.sets, row].concat(), REUSE).filter(|_| kind.is_refreshed());
    let own_steps = chosen_in_row(row);
    let once = match (kind.is_refreshed(), &chosen) {
        (true, None) => vec![format!("{REUSE}=1")],
        _ => Vec::new(),
    };
    if budget == Budget::Steps {
        let note = chosen.map(|_| "uses noise again as the row says".into());
        return Share::Sets(once, note);
    }
    if !kind.needs_chains() {
        return Share::None(
            "fixed noise takes no energy-gradient evaluations, so that none can be equal".into(),
        );
    }
    // A row whose pass takes more evaluations has fewer of them.
    let passes = match common.pass > 0.0 {
        true => (steps as f64 * common.pass / evaluations_of_a_pass(config))
            .round()
            .max(1.0) as u64,
        false => steps,
    };
    let once = |note: &str| {
        let mut sets = once;
        let mut note = note.to_owned();
        if own_steps {
            note += ", run.steps as the row says";
        } else if passes != steps {
            sets.push(format!("{STEPS}={passes}"));
        }
        Share::Sets(sets, Some(note))
    };
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
            let most = common.most_reuse.min(lasts).max(1);
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
    sets.push(format!("{STEPS}={}", passes.saturating_mul(reuse)));
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

/// Energy-gradient evaluations of a pass of the sampler; 0 where noise needs no chains.
pub(super) fn evaluations_of_a_pass(config: &Config) -> f64 {
    if !config.snapshot.kind.needs_chains() {
        return 0.0;
    }
    let chains = (config.run.batch as u64 * config.objective.noise_ratio as u64) as f64;
    chains * config.dynamics().evaluations(config.sampler.steps) as f64
}

/// About what training costs, in energy-gradient evaluations of a sample; an update counts as three.
pub(super) fn cost(config: &Config) -> f64 {
    let batch = config.run.batch as f64;
    let noise = batch * config.objective.noise_ratio as f64;
    let updates = config.run.steps as f64 * 3.0 * (batch + noise);
    updates + config.run.steps as f64 / config.pool() as f64 * evaluations_of_a_pass(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// What the budget of evaluations sets, in a sweep of 8gaussians with 100 updates.
    fn sets(row: &[&str]) -> Vec<String> {
        let common = ["run.steps=100", "sampler.jumps=0", "sampler.steps=4"].map(String::from);
        let row: Vec<String> = row.iter().map(|set| (*set).to_owned()).collect();
        let loaded = |sets: &[String]| config::load("8gaussians", sets).unwrap();
        let asked = Common {
            source: "8gaussians",
            sets: &common,
            seeds: 1,
            budgets: &Budget::ALL,
            pass: evaluations_of_a_pass(&loaded(&common)),
            most_reuse: 10,
        };
        let config = loaded(&[&common[..], &row].concat());
        match share(Budget::Gradients, &config, &asked, &row) {
            Share::Sets(sets, _) => sets,
            Share::None(reason) => panic!("{reason}"),
        }
    }

    /// MALA takes an evaluation more than steps (its first state).
    #[test]
    fn rows_whose_passes_cost_more_have_fewer_of_them() {
        let interval = |steps: u64| format!("snapshot.interval={steps}");
        assert_eq!(
            sets(&[&interval(6)]),
            ["sampler.reuse=6", "run.steps=600"],
            "as dear as those of the preset"
        );
        assert_eq!(
            sets(&[&interval(6), "sampler.steps=9"]),
            ["sampler.reuse=6", "run.steps=300"]
        );
        assert_eq!(
            sets(&[&interval(1), "run.batch=128"]),
            ["sampler.reuse=1", "run.steps=200"]
        );
        assert_eq!(sets(&[&interval(1)]), ["sampler.reuse=1"]);
        assert_eq!(
            sets(&[&interval(1), "run.steps=7", "run.batch=128"]),
            ["sampler.reuse=1"]
        );
    }
}

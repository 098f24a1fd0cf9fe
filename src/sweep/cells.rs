//! What is trained, and what makes no sense to train.

use super::axes::Row;
use super::budget::{self, Budget, Common, Share};
use super::error::SweepError;
use crate::config::{self, Config, ConfigError};
use std::collections::BTreeSet;

/// A training run of a sweep, with its evaluation.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The folder it is trained into, in that of the cells.
    pub(crate) name: String,
    /// What tables call its row.
    pub(crate) row: String,
    /// The budgets that it stands for; several where all of them ask for the same.
    pub(crate) budgets: Vec<Budget>,
    pub(crate) seed: u64,
    /// Assignments that make its configuration of the sweep's preset, in their order.
    pub(crate) sets: Vec<String>,
    pub(crate) config: Config,
    /// What is to be said of it under each budget.
    pub(super) notes: Vec<(Budget, String)>,
}

/// A row that is not trained under a budget.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Senseless {
    pub(crate) row: String,
    pub(crate) budget: Budget,
    pub(crate) reason: String,
}

/// A row under a budget, before it has seeds.
struct Template {
    row: String,
    budgets: Vec<Budget>,
    sets: Vec<String>,
    config: Config,
    notes: Vec<(Budget, String)>,
}

/// The cells of `rows`, of every row those with the first seed before any with the second, and what makes no sense.
pub(super) fn cells(
    common: &Common<'_>,
    rows: &[Row],
) -> Result<(Vec<Cell>, Vec<Senseless>), SweepError> {
    let mut templates: Vec<Template> = Vec::new();
    let mut senseless = Vec::new();
    for row in rows {
        // Under all budgets, so that a cell has the same name whichever are asked for.
        for budget in Budget::ALL {
            match template(common, row, budget)? {
                Ok(found) => add(
                    found,
                    budget,
                    common.budgets,
                    &mut templates,
                    &mut senseless,
                ),
                Err(reason) => senseless.push(Senseless {
                    row: row.name.clone(),
                    budget,
                    reason,
                }),
            }
        }
    }
    let stems = stems(&templates);
    senseless.retain(|one| common.budgets.contains(&one.budget));
    let mut cells = Vec::new();
    for seed in 1..=common.seeds {
        for (template, stem) in templates.iter().zip(&stems) {
            let asked = template.budgets.iter().copied();
            let budgets: Vec<Budget> = asked.filter(|one| common.budgets.contains(one)).collect();
            if budgets.is_empty() {
                continue;
            }
            let mut config = template.config.clone();
            config.run.seed = seed;
            let seeded = [format!("run.seed={seed}")];
            cells.push(Cell {
                name: format!("{stem}-seed-{seed}"),
                row: template.row.clone(),
                budgets,
                seed,
                sets: [&template.sets[..], &seeded].concat(),
                config,
                notes: template.notes.clone(),
            });
        }
    }
    Ok((cells, senseless))
}

/// Adds what is `found` under `budget`, unless it is trained already under one that is `asked` for.
fn add(
    found: Template,
    budget: Budget,
    asked: &[Budget],
    templates: &mut Vec<Template>,
    senseless: &mut Vec<Senseless>,
) {
    let is_trained = |known: &Template| known.budgets.iter().any(|one| asked.contains(one));
    let same = templates.iter_mut().find(|known| {
        known.config == found.config && (known.row == found.row || is_trained(known))
    });
    match same {
        Some(known) if known.row == found.row => {
            known.budgets.push(budget);
            known.notes.extend(found.notes);
        }
        Some(known) => senseless.push(Senseless {
            row: found.row,
            budget,
            reason: format!("the same as the row `{}`", known.row),
        }),
        None => templates.push(found),
    }
}

/// What is trained of `row` under `budget`; where that makes no sense, the reason.
fn template(
    common: &Common<'_>,
    row: &Row,
    budget: Budget,
) -> Result<Result<Template, String>, SweepError> {
    let own = [common.sets, &row.sets[..]].concat();
    let before = match resolved(common.source, &own)? {
        Ok(config) => config,
        Err(reason) => return Ok(Err(reason)),
    };
    let share = budget::share(budget, &before, common, &row.sets);
    let (more, note) = match share {
        Share::Sets(sets, note) => (sets, note),
        Share::None(reason) => return Ok(Err(reason)),
    };
    let sets = [own, more].concat();
    let resolved = match config::resolve(common.source, &sets) {
        Ok(resolved) => resolved,
        Err(error) => return refused(error).map(Err),
    };
    // A row whose own setting nothing reads is another row under a wrong name.
    let keys: BTreeSet<&str> = row
        .sets
        .iter()
        .map(|set| super::axes::key_of(set))
        .collect();
    let unread = resolved.ignored.into_iter().find(|sentence| {
        let key = sentence.split(' ').next().unwrap_or_default();
        keys.contains(key)
    });
    if let Some(reason) = unread {
        return Ok(Err(reason));
    }
    let mut config = resolved.config;
    config.run.seed = 1;
    Ok(Ok(Template {
        row: row.name.clone(),
        budgets: vec![budget],
        sets,
        config,
        notes: note.into_iter().map(|note| (budget, note)).collect(),
    }))
}

/// The configuration, or why its values do not go together.
fn resolved(source: &str, sets: &[String]) -> Result<Result<Config, String>, SweepError> {
    match config::resolve(source, sets) {
        Ok(resolved) => Ok(Ok(resolved.config)),
        Err(error) => refused(error).map(Err),
    }
}

/// Why values do not go together. Any other error is one of the whole command.
fn refused(error: ConfigError) -> Result<String, SweepError> {
    match error {
        ConfigError::Refused { .. } => Ok(error.to_string()),
        other => Err(other.into()),
    }
}

/// Names of files for the rows, each another one, also where a file system does not tell capitals: of letters that no shell and
/// no file system minds.
fn stems(templates: &[Template]) -> Vec<String> {
    /// As long as is comfortable to read.
    const LONGEST: usize = 60;
    let plain = |template: &Template| {
        let mut stem = String::new();
        for c in template.row.chars() {
            match c {
                c if c.is_ascii_alphanumeric() || "._".contains(c) => stem.push(c),
                _ if stem.ends_with('-') || stem.is_empty() => {}
                _ => stem.push('-'),
            }
        }
        stem.trim_matches(['-', '.']).to_owned()
    };
    let named = templates.iter().map(|template| {
        let stem = plain(template);
        let is_told = stem.len() <= LONGEST && !stem.is_empty();
        let is_alone = templates
            .iter()
            .all(|other| other.row == template.row || !plain(other).eq_ignore_ascii_case(&stem));
        let stem = match is_told && is_alone {
            true => stem,
            false => {
                let short: String = stem.chars().take(LONGEST).collect();
                let told = crc32fast::hash(template.row.as_bytes());
                format!("{short}-{told:08x}")
            }
        };
        format!("{stem}-{}", template.budgets[0].name())
    });
    named.collect()
}

impl Cell {
    /// Its note under `budget`.
    pub(super) fn note(&self, budget: Budget) -> Option<&str> {
        let found = self.notes.iter().find(|(of, _)| *of == budget);
        found.map(|(_, note)| note.as_str())
    }

    /// About what training costs, in energy-gradient evaluations of a sample.
    pub(crate) fn cost(&self) -> f64 {
        budget::cost(&self.config)
    }

    /// What a line about it begins with.
    pub(crate) fn title(&self) -> String {
        let budgets: Vec<&str> = self.budgets.iter().map(|budget| budget.name()).collect();
        format!(
            "{}, {}, seed {}",
            self.row,
            budgets.join(" and "),
            self.seed
        )
    }

    /// Whether its snapshot is taken anew along the way.
    pub(super) fn is_refreshed(&self) -> bool {
        self.config.snapshot.kind.is_refreshed()
    }
}

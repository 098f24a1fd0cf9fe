//! What follows from other settings: a configuration whose keys the user chose or did not.
//!
//! A rule of `validate` that is broken says which assignments would mend it. One on a key that nobody chose is carried
//! out; what then is still broken is refused, with assignments that were tried to mend it.

use super::Config;
use super::assign::set;
use super::check::check_words;
use super::error::{ConfigError, Violation};
use super::keys::{literal, may_be_auto, sections};
use super::validate::{Finding, Fix, findings, ignored};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;
use toml::Table;

/// A value that nobody chose, since it follows from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The key, with its section.
    pub key: String,
    /// The value as TOML; none where the key is left out.
    pub value: Option<String>,
    /// Why.
    pub why: String,
}

impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} = {value} ({})", self.key, self.why),
            None => write!(f, "{} is absent ({})", self.key, self.why),
        }
    }
}

/// A valid configuration, and what in it nobody chose.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The configuration.
    pub config: Config,
    /// Values that differ from what preset and defaults say, because others ask for it.
    pub derived: Vec<Derived>,
    /// What was chosen and no part of the run reads, a sentence each.
    pub ignored: Vec<String>,
}

/// A checked table, and which of its keys were chosen.
#[derive(Clone)]
pub(super) struct Draft {
    pub table: Table,
    /// As `section.key`. What was derived counts as chosen, too, so that nothing is derived twice.
    pub chosen: BTreeSet<String>,
    pub origin: String,
}

/// A draft after all that follows was carried out.
struct Settled {
    config: Config,
    derived: Vec<Derived>,
    /// What is still wrong.
    left: Vec<Finding>,
}

/// An assignment that mends something, and what is wrong then.
struct Step {
    cured: Violation,
    fix: Fix,
    left: Vec<Finding>,
}

impl Draft {
    /// A draft of `config` with every key chosen; none where TOML cannot hold its numbers.
    fn of(config: &Config) -> Option<Self> {
        let keys = sections(config).into_iter().flat_map(|section| {
            let keys = section.keys.into_iter();
            keys.map(move |key| format!("{}.{}", section.name, key.name))
        });
        Some(Draft {
            table: Table::try_from(config).ok()?,
            chosen: keys.collect(),
            origin: "the configuration".into(),
        })
    }

    /// The configuration with everything derived that follows.
    pub(super) fn resolve(self) -> Result<Resolved, ConfigError> {
        check_words(&self.table, &sections(&Config::default()))?;
        let settled = self.clone().settle()?;
        match settled.left.is_empty() {
            true => Ok(Resolved {
                ignored: ignored(&settled.config, &self.chosen),
                config: settled.config,
                derived: settled.derived,
            }),
            false => Err(self.refusal(settled.left)),
        }
    }

    fn settle(mut self) -> Result<Settled, ConfigError> {
        let mut derived = Vec::new();
        loop {
            let config = self.config()?;
            let left = findings(&config);
            let is_free =
                |fix: &&Fix| fix.follows && may_be_auto(fix.key) && !self.chosen.contains(fix.key);
            let next = left.iter().find_map(|finding| {
                let fix = finding.fixes.iter().find(is_free)?;
                Some((finding.violation.clone(), fix.clone()))
            });
            let Some((violation, fix)) = next else {
                return Ok(Settled {
                    config,
                    derived,
                    left,
                });
            };
            // Ends, since every turn chooses one key more.
            self.choose(&fix)?;
            derived.push(Derived {
                key: fix.key.into(),
                value: literal(&sections(&self.config()?), fix.key),
                why: reason(&violation, &fix, literal(&sections(&config), fix.key)),
            });
        }
    }

    fn choose(&mut self, fix: &Fix) -> Result<(), ConfigError> {
        set(&mut self.table, &assignment(fix))?;
        self.chosen.insert(fix.key.into());
        Ok(())
    }

    fn config(&self) -> Result<Config, ConfigError> {
        // What can still fail here is a whole number that is too large for this machine's `usize`.
        Config::deserialize(self.table.clone()).map_err(|error| ConfigError::Type {
            origin: self.origin.clone(),
            key: "a value".into(),
            wanted: "one that this machine can hold".into(),
            given: error.message().replace('\n', ", "),
        })
    }

    /// The error that says all of `left`, what is wrong after all was derived, each with assignments that mend it, and
    /// together all of it.
    fn refusal(mut self, left: Vec<Finding>) -> ConfigError {
        let mut violations: Vec<Violation> = left.iter().map(|one| one.violation.clone()).collect();
        let mut remaining = left;
        let mut last = 0;
        // Ends, since every turn leaves less.
        while let Some(steps) = self.next_steps(&remaining) {
            for Step { cured, fix, left } in steps {
                let helped = violations
                    .iter_mut()
                    .enumerate()
                    .filter(|(_, violation)| has(&remaining, violation) && !has(&left, violation));
                let mut is_new = true;
                for (place, violation) in helped {
                    violation.fixes.push(assignment(&fix));
                    last = if violation.key == cured.key {
                        place
                    } else {
                        last
                    };
                    is_new = false;
                }
                // What came up on the way goes with what brought it up.
                if is_new {
                    violations[last].fixes.push(assignment(&fix));
                }
                if self.choose(&fix).is_err() {
                    return ConfigError::Refused { violations };
                }
                remaining = left;
            }
        }
        ConfigError::Refused { violations }
    }

    /// The fewest assignments that mend one of `left` and leave less.
    fn next_steps(&self, left: &[Finding]) -> Option<Vec<Step>> {
        // A chain of settings that follow from one another is not longer; the search grows with the power of it.
        const MOST_STEPS: usize = 3;
        (1..=MOST_STEPS).find_map(|most| self.steps(left, left, &[], most))
    }

    /// At most `most` assignments, besides those to the keys `taken`, that lead from `now` to less than `start`. The
    /// first one mends any of `start`; further ones only what those before brought up.
    fn steps(
        &self,
        start: &[Finding],
        now: &[Finding],
        taken: &[&str],
        most: usize,
    ) -> Option<Vec<Step>> {
        let is_open = |finding: &&Finding| taken.is_empty() || !has(start, &finding.violation);
        now.iter().filter(is_open).find_map(|finding| {
            let fixes = finding.fixes.iter();
            let mut fixes: Vec<&Fix> = fixes.filter(|fix| !taken.contains(&fix.key)).collect();
            // What the user chose goes last.
            fixes.sort_by_key(|fix| self.chosen.contains(fix.key));
            fixes.into_iter().find_map(|fix| {
                let mut draft = self.clone();
                draft.choose(fix).ok()?;
                let left = draft.clone().settle().ok()?.left;
                if has(&left, &finding.violation) {
                    return None;
                }
                let rest = match left.len() < start.len() {
                    true => Vec::new(),
                    false if most == 1 => return None,
                    false => {
                        let taken = [taken, &[fix.key]].concat();
                        draft.steps(start, &left, &taken, most - 1)?
                    }
                };
                let step = Step {
                    cured: finding.violation.clone(),
                    fix: fix.clone(),
                    left,
                };
                Some(std::iter::once(step).chain(rest).collect())
            })
        })
    }
}

impl Config {
    /// Checks every value against what its key allows, and together.
    ///
    /// What depends on the data, such as a path or a kernel larger than the image, is checked where the data is known.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Refused`] with everything that is wrong. Nothing is derived here: all values count as chosen.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let left = findings(self);
        if left.is_empty() {
            return Ok(());
        }
        Err(match Draft::of(self) {
            Some(draft) => draft.refusal(left),
            None => ConfigError::Refused {
                violations: left.into_iter().map(|one| one.violation).collect(),
            },
        })
    }
}

fn has(findings: &[Finding], violation: &Violation) -> bool {
    findings.iter().any(|finding| {
        let known = &finding.violation;
        (&known.key, &known.allowed) == (&violation.key, &violation.allowed)
    })
}

fn assignment(fix: &Fix) -> String {
    format!("{}={}", fix.key, fix.value)
}

/// Why `fix` was derived, in place of `before`.
fn reason(violation: &Violation, fix: &Fix, before: Option<String>) -> String {
    let Violation {
        key,
        given,
        allowed,
        ..
    } = violation;
    match before {
        Some(before) if fix.key != key => {
            format!("in place of {before}: {key} = {given} must {allowed}")
        }
        Some(before) => format!("in place of {before}: it must {allowed}"),
        None => format!("{key} = {given} must {allowed}"),
    }
}

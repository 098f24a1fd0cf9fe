//! What a run was asked to do: the settings that are not defaults, and the preset that is nearest to it.

use crate::config::{self, Config, differences};

/// A setting that is not the default.
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) default: String,
}

/// The settings of `config` that are not defaults.
pub(super) fn chosen(config: &Config) -> Vec<Setting> {
    let shown = |value: Option<String>| value.unwrap_or_else(|| "absent".into());
    let found = differences(config, &Config::default()).into_iter();
    found
        .map(|found| Setting {
            key: found.key,
            value: shown(found.value),
            default: shown(found.other),
        })
        .collect()
}

/// A preset, and the assignments with which it is a configuration.
pub(super) struct Nearest {
    pub(super) preset: &'static str,
    pub(super) sets: Vec<String>,
}

impl Nearest {
    /// How many of the assignments are somebody's choice: not the kernels, which a run writes down itself.
    pub(super) fn chosen(&self) -> usize {
        let chosen = self.sets.iter();
        chosen
            .filter(|set| !set.starts_with("run.kernels="))
            .count()
    }
}

/// The preset that gives `config` with the fewest assignments; none where no assignments do.
pub(super) fn nearest(config: &Config) -> Option<Nearest> {
    let found = config::presets().iter().filter_map(|preset| {
        let sets = assignments(config, preset.name)?;
        Some(Nearest {
            preset: preset.name,
            sets,
        })
    });
    found.min_by_key(|nearest| nearest.sets.len())
}

/// The assignments that make `config` of a preset.
fn assignments(config: &Config, preset: &str) -> Option<Vec<String>> {
    let path = format!("data.path={}", config.data.path);
    // A preset that reads a file is none without.
    let start = config::load(preset, &[]).or_else(|_| config::load(preset, &[path]));
    let mut sets: Vec<String> = Vec::new();
    let mut found = start.ok()?;
    // What is chosen may change what follows from it, which is then chosen as well.
    for _ in 0..4 {
        let missing = differences(config, &found);
        if missing.is_empty() && !sets.is_empty() {
            break;
        }
        sets.extend(missing.iter().map(|found| {
            let value = found.value.as_deref().unwrap_or("");
            format!("{}={}", found.key, bare(value))
        }));
        found = config::load(preset, &sets).ok()?;
    }
    (found == *config).then_some(sets)
}

/// A text without its quotes, where it means the same without.
fn bare(literal: &str) -> &str {
    let inner = literal
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let is_plain = |text: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
        !text.is_empty() && text.chars().all(plain)
    };
    inner.filter(is_plain).unwrap_or(literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_to_the_nearest_preset_give_the_configuration_back() {
        for (preset, sets) in [
            ("digits", &[][..]),
            ("digits", &["run.steps=300", "run.batch=16"]),
            (
                "digits-density",
                &["network.layers=[{conv=4, kernel=3},{dense=1}]"],
            ),
            (
                "8gaussians",
                &["run.slice=64", "sampler.kind=mala", "sampler.noise="],
            ),
            ("mnist", &["data.path=/some where/it's \"there\".gz"]),
            ("moons", &["snapshot.kind=mixture", "snapshot.interval=4"]),
        ] {
            let sets: Vec<String> = sets.iter().map(|&set| set.into()).collect();
            let config = config::load(preset, &sets).unwrap();
            let nearest = nearest(&config).unwrap();
            let again = config::load(nearest.preset, &nearest.sets).unwrap();
            assert_eq!(again, config, "{} {:?}", nearest.preset, nearest.sets);
            assert!(nearest.sets.len() <= sets.len() + 4, "{:?}", nearest.sets);
            if sets.is_empty() {
                assert_eq!((nearest.preset, nearest.sets.len()), (preset, 0));
            }
        }
    }
}

//! In what a configuration differs from another.

use super::Config;
use super::keys::sections;

/// A key that two configurations have different values of.
pub(crate) struct Difference {
    /// `section.key`
    pub(crate) key: String,
    /// Its value as TOML in one line; none where it is absent.
    pub(crate) value: Option<String>,
    /// The other's, likewise.
    pub(crate) other: Option<String>,
}

/// The keys of `config` whose values are not those of `other`, in their order.
pub(crate) fn differences(config: &Config, other: &Config) -> Vec<Difference> {
    let (ours, theirs) = (sections(config), sections(other));
    let mut found = Vec::new();
    for (section, other) in ours.iter().zip(&theirs) {
        for (key, other) in section.keys.iter().zip(&other.keys) {
            if key.literal != other.literal {
                found.push(Difference {
                    key: format!("{}.{}", section.name, key.name),
                    value: key.literal.as_deref().map(in_one_line),
                    other: other.literal.as_deref().map(in_one_line),
                });
            }
        }
    }
    found
}

/// A list of layers in one line. Whatever else there is stands in one already.
fn in_one_line(literal: &str) -> String {
    let Some(inner) = literal
        .strip_prefix("[\n")
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return literal.to_owned();
    };
    let lines: Vec<&str> = inner.lines().map(str::trim).collect();
    format!("[{}]", lines.join(" ").trim_end_matches(','))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn differences_are_told_in_values_that_can_be_set() {
        let digits = config::load("digits-langevin", &[]).unwrap();
        assert_eq!(differences(&digits, &digits).len(), 0);
        let sets = [
            "network.layers=[{conv=4, kernel=3},{dense=1}]",
            "run.slice=7",
        ]
        .map(String::from);
        let other = config::load("digits-langevin", &sets).unwrap();
        let found = differences(&other, &digits);
        let keys: Vec<&str> = found.iter().map(|found| found.key.as_str()).collect();
        assert!(keys.contains(&"network.layers") && keys.contains(&"run.slice"));
        let again: Vec<String> = found
            .iter()
            .map(|found| format!("{}={}", found.key, found.value.as_deref().unwrap_or("")))
            .collect();
        assert!(again.iter().all(|set| !set.contains('\n')), "{again:?}");
        assert_eq!(config::load("digits-langevin", &again).unwrap(), other);
    }
}

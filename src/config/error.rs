//! What can be wrong with a configuration.

use crate::words::choice;
use std::fmt;
use std::io;

/// What is wrong with a configuration and what to do about it, in one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Neither a preset nor a file has this name.
    #[error(
        "no preset or file is called `{name}`; did you mean the preset `{nearest}`? `afterimage presets` lists them all"
    )]
    NotFound {
        /// What was asked for.
        name: String,
        /// The preset with the most similar name.
        nearest: String,
    },

    /// A configuration file could not be read.
    #[error(
        "cannot read `{path}`: {source}; name a readable .toml file or a preset (`afterimage presets` lists them)"
    )]
    Read {
        /// The file.
        path: String,
        /// Why it could not be read.
        source: io::Error,
    },

    /// The text is not TOML.
    #[error("{origin}, line {line}: this is not valid TOML: {problem}")]
    Syntax {
        /// Where the text came from.
        origin: String,
        /// The line, counted from 1.
        line: usize,
        /// The parser's complaint.
        problem: String,
    },

    /// A key or section that the configuration does not have.
    #[error("{origin}: there is no `{key}`; did you mean {}?", quoted(.nearest))]
    Unknown {
        /// Where it was named: a file, a preset or `--set`.
        origin: String,
        /// The unknown name, with its section.
        key: String,
        /// The most similar names that exist: several where several sections have such a key.
        nearest: Vec<String>,
    },

    /// A value of the wrong type.
    #[error("{origin}: `{key}` must be {wanted}, not {given}")]
    Type {
        /// Where it was given: a file, a preset or `--set`.
        origin: String,
        /// The key, with its section.
        key: String,
        /// What the key holds.
        wanted: String,
        /// What was given instead.
        given: String,
    },

    /// The argument of `--set` is not an assignment.
    #[error("`{assignment}` sets nothing; write section.key=value, for instance run.seed=7")]
    Assignment {
        /// The argument.
        assignment: String,
    },

    /// An assignment to something else than the data of a trained model.
    #[error(
        "`{assignment}` changes how the model was trained: of a trained model only the keys of [data] can be set"
    )]
    NotData {
        /// The argument.
        assignment: String,
    },

    /// Values outside what their keys allow, or that do not go together.
    #[error("{}", in_one_line(.violations))]
    Refused {
        /// All that is wrong.
        violations: Vec<Violation>,
    },
}

/// A value that cannot stay as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The key, with its section.
    pub key: String,
    /// The value.
    pub given: String,
    /// What is allowed; completes the sentence "it must …".
    pub allowed: String,
    /// Assignments `section.key=value` that would make it right; none where that takes a choice.
    pub fixes: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation {
            key,
            given,
            allowed,
            fixes,
        } = self;
        write!(f, "{key} = {given} is not allowed: it must {allowed}")?;
        let flags: Vec<String> = fixes.iter().map(|fix| format!("--set {fix}")).collect();
        match flags.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", flags.join(" ")),
        }
    }
}

fn in_one_line(violations: &[Violation]) -> String {
    let sentences: Vec<String> = violations.iter().map(Violation::to_string).collect();
    sentences.join("; ")
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    choice(&names)
}

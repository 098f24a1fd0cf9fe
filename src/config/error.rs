//! What can be wrong with a configuration.

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
    #[error("{origin}: there is no `{key}`; did you mean `{nearest}`?")]
    Unknown {
        /// Where it was named: a file, a preset or `--set`.
        origin: String,
        /// The unknown name, with its section.
        key: String,
        /// The most similar name that exists.
        nearest: String,
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

    /// A value outside what its key allows.
    #[error("{key} = {given} is not allowed: it must {allowed}")]
    Value {
        /// The key, with its section.
        key: String,
        /// The value.
        given: String,
        /// What is allowed; completes the sentence "it must …".
        allowed: String,
    },
}

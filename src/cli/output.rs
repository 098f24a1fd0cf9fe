use super::error::CliError;
use crate::data::Dataset;
pub(super) use crate::files::npy;
use crate::page::Written;
use crate::words::choice;
use indicatif::ProgressDrawTarget;
use serde::Serialize;
use std::env;
use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;

/// Prints one line to stdout. A reader that went away, as in `| head`, is no error.
pub(super) fn line(text: &str) -> Result<(), CliError> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints one line to stderr. Where nobody can read it, the work goes on all the same; `eprintln!` would panic.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// Whether stderr is a terminal on which lines can be drawn anew: not where TERM is `dumb` or, but for Windows, unset.
pub(super) fn is_screen() -> bool {
    // What bars are drawn on has to say so, or they would be neither drawn nor replaced by lines.
    !ProgressDrawTarget::stderr().is_hidden()
}

/// Whether what goes to stderr may be coloured (<https://no-color.org>).
pub(super) fn has_colours() -> bool {
    is_screen() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints how the values of a data set were read, and what was decided on the way; where `quiet`, warnings alone.
pub(super) fn data(data: &Dataset, quiet: bool) {
    if !quiet {
        note(format_args!("values    {}", data.meaning()));
    }
    for line in data.notes() {
        let line = in_one_line(line);
        if line.starts_with("warning") {
            note(line);
        } else if !quiet {
            note(format_args!("          {line}"));
        }
    }
}

/// Prints what of a run is not on its page.
pub(super) fn problems(page: &Written) {
    for problem in &page.problems {
        note(format_args!("warning: {}", in_one_line(problem)));
    }
}

/// Prints an error to stderr as one line.
pub(super) fn error(error: &impl Display) {
    note(format_args!("error: {}", in_one_line(&error.to_string())));
}

/// `text` in one line and without control characters, whatever a file or a driver may have put into it.
pub(super) fn in_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.split(['\n', '\r', '\t']).map(str::trim).collect();
    let mut line = String::new();
    for character in lines.join(" ").trim().chars() {
        match character.is_control() {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    line
}

/// Prints a value to stdout as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), CliError> {
    line(&serde_json::to_string(value).map_err(std::io::Error::from)?)
}

/// Prints a value to stdout as JSON over several lines.
pub(super) fn pretty_json(value: &impl Serialize) -> Result<(), CliError> {
    line(&serde_json::to_string_pretty(value).map_err(std::io::Error::from)?)
}

/// What the ending of `path`, in small letters or capitals, means among those that can be written.
pub(super) fn ending<T: Copy>(path: &Path, known: &[(&str, T)]) -> Result<T, CliError> {
    let given = path.extension().unwrap_or_default();
    let found = known
        .iter()
        .find(|(ending, _)| given.eq_ignore_ascii_case(ending));
    found.map(|(_, meant)| *meant).ok_or_else(|| {
        let endings = known.iter().map(|(ending, _)| format!(".{ending}"));
        CliError::Ending {
            path: path.into(),
            wanted: choice(&endings.collect::<Vec<_>>()),
        }
    })
}

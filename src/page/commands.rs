//! The commands that give the same again, quoted for a POSIX shell.

use super::folder::Folder;
use super::settings::Nearest;
use serde_json::{Map, Value};

const SET: &str = "--set";

/// A command, and what it does.
pub(super) struct Command {
    pub(super) what: String,
    /// Its words in lines, all but the last of which go on in the next.
    pub(super) lines: Vec<String>,
}

/// The commands of a run and of the parts of its evaluation.
pub(super) fn commands(folder: &Folder, nearest: Option<&Nearest>) -> Vec<Command> {
    let mut commands = Vec::new();
    if let Some(nearest) = nearest {
        let mut lines = vec![vec!["afterimage", "train", nearest.preset]];
        lines.extend(nearest.sets.iter().map(|set| vec![SET, set]));
        commands.push(command("Train the same again, from a preset", &lines));
    }
    let path = folder.whole_path("");
    if folder.config.is_some() {
        let config = folder.whole_path("config.toml");
        commands.push(command(
            "Train the same again, from this run's file",
            &[vec!["afterimage", "train", &config]],
        ));
    }
    let start = vec!["afterimage", "evaluate", &path];
    let evaluated = evaluations(&folder.evaluation, &start, "Evaluate it");
    if evaluated.is_empty() {
        commands.push(command("Evaluate it", std::slice::from_ref(&start)));
    }
    commands.extend(evaluated);
    for (file, found) in &folder.by_others {
        let what = format!("Evaluate it by other data, as in {file}");
        commands.extend(evaluations(found, &start, &what));
    }
    commands
}

/// A command for each part of the evaluation that has `found` this, with the arguments that it was asked for with.
fn evaluations(found: &Map<String, Value>, start: &[&str], what: &str) -> Vec<Command> {
    let recorded = found.get("arguments").and_then(Value::as_object);
    let parts = recorded.into_iter().flatten();
    let commands = parts.filter_map(|(part, words)| {
        let words = words.as_array()?.iter().map(Value::as_str);
        let words: Vec<&str> = words.collect::<Option<_>>()?;
        let mut lines = vec![start.to_vec()];
        for word in words {
            match lines.last_mut() {
                // Every flag but the first, which says the part, begins a line.
                Some(line) if !word.starts_with("--") || line.len() == start.len() => {
                    line.push(word);
                }
                _ => lines.push(vec![word]),
            }
        }
        Some(command(&format!("{what}: {part}"), &lines))
    });
    commands.collect()
}

fn command(what: &str, lines: &[Vec<&str>]) -> Command {
    Command {
        what: what.into(),
        lines: lines.iter().map(|words| line(words)).collect(),
    }
}

/// The words of a line, each quoted where it has to be.
fn line(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| match word.split_once('=') {
        // A key needs no quotes, and an assignment is easier to read with its value alone in them.
        Some((key, value)) if words[0] == SET => format!("{key}={}", quoted(value)),
        _ => quoted(word),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    // No argument of a program holds a NUL, which is all that cannot be quoted.
    shlex::try_quote(word).unwrap_or_default().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let words = vec![
            "afterimage",
            "train",
            "it's $HOME & \"<b>\"",
            "a b=[{ conv = 3 }]",
        ];
        let command = command("", std::slice::from_ref(&words));
        assert_eq!(shlex::split(&command.lines[0]).unwrap(), words);
    }
}

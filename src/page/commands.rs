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
    let path = folder.path.to_string_lossy();
    if folder.config.is_some() {
        let config = folder.path.join("config.toml");
        let config = config.to_string_lossy();
        commands.push(command(
            "Train the same again, from this run's file",
            &[vec!["afterimage", "train", &config]],
        ));
    }
    let evaluated = evaluations(folder);
    if evaluated.is_empty() {
        commands.push(command(
            "Evaluate it",
            &[vec!["afterimage", "evaluate", &path]],
        ));
    }
    commands.extend(evaluated);
    commands
}

/// A command for each part of the evaluation, with what it was asked.
fn evaluations(folder: &Folder) -> Vec<Command> {
    let found = &folder.evaluation;
    let path = folder.path.to_string_lossy();
    let seed = folder.config.as_ref().map(|config| config.run.seed);
    let data = folder.config.as_ref().map(|config| &config.data);
    let mut commands = Vec::new();
    for (part, key) in [
        ("density", "nll"),
        ("samples", "sample_quality"),
        ("stability", "stability"),
        ("likelihood", "likelihood"),
        ("outside", "outside"),
    ] {
        let Some(figures) = found.get(key) else {
            continue;
        };
        let mut words = vec![vec![
            "afterimage".to_owned(),
            "evaluate".to_owned(),
            path.clone().into_owned(),
            "--only".to_owned(),
            part.to_owned(),
        ]];
        // The figures of density stand beside what they are of.
        let figures = match part {
            "density" => found.get("samples").unwrap_or(&Value::Null),
            _ => figures,
        };
        let asked = [
            ("--count", number(figures, "count")),
            ("--chains", number(&figures["method"], "chains")),
            ("--evaluations", number(&figures["method"], "evaluations")),
            ("--against", figures["source"].as_str().map(str::to_owned)),
            (
                "--seed",
                number(figures, "seed")
                    .or(number(&figures["method"], "seed"))
                    .filter(|given| seed.is_none_or(|seed| *given != seed.to_string())),
            ),
            (
                "--weights",
                text(found, "weights").filter(|kind| kind == "live"),
            ),
        ];
        for (flag, value) in asked {
            words.extend(value.map(|value| vec![flag.to_owned(), value]));
        }
        // Other data than the run's own.
        let named = found.get("data").and_then(Value::as_object);
        let named = named.and_then(|named| Some((text(named, "source")?, text(named, "path")?)));
        let others = named.filter(|(source, read)| {
            data.is_some_and(|own| own.source.name != source || own.path != *read)
        });
        if let Some((source, read)) = others {
            words.push(vec![SET.into(), format!("data.source={source}")]);
            words.push(vec![SET.into(), format!("data.path={read}")]);
        }
        let words: Vec<Vec<&str>> = words
            .iter()
            .map(|line| line.iter().map(String::as_str).collect())
            .collect();
        commands.push(command(&format!("Evaluate it: {part}"), &words));
    }
    commands
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key)?.as_str().map(str::to_owned)
}

fn number(figures: &Value, key: &str) -> Option<String> {
    figures.get(key)?.as_u64().map(|value| value.to_string())
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

//! The commands that give the same again, quoted for a POSIX shell.

use super::folder::Folder;
use super::settings::Nearest;
use crate::data::Source;
use crate::words::Word;
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
    let evaluated = evaluations(folder, &folder.evaluation, "Evaluate it");
    if evaluated.is_empty() {
        commands.push(command(
            "Evaluate it",
            &[vec!["afterimage", "evaluate", &path]],
        ));
    }
    commands.extend(evaluated);
    for (file, found) in &folder.by_others {
        let what = format!("Evaluate it by other data, as in {file}");
        commands.extend(evaluations(folder, found, &what));
    }
    commands
}

/// A command for each part of the evaluation that has `found` this, with what it was asked.
fn evaluations(folder: &Folder, found: &Map<String, Value>, what: &str) -> Vec<Command> {
    let path = folder.path.to_string_lossy();
    let seed = folder.config.as_ref().map(|config| config.run.seed);
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
        words.extend(data_read(folder, found));
        let words: Vec<Vec<&str>> = words
            .iter()
            .map(|line| line.iter().map(String::as_str).collect())
            .collect();
        commands.push(command(&format!("{what}: {part}"), &words));
    }
    commands
}

/// What says which data were read and how, where it is not what the run says of its own.
fn data_read(folder: &Folder, found: &Map<String, Value>) -> Vec<Vec<String>> {
    let own = folder.config.as_ref().and_then(|config| {
        // By way of its text, as evaluations are written.
        let text = serde_json::to_string(&config.data).ok()?;
        serde_json::from_str::<Map<String, Value>>(&text).ok()
    });
    let read = found.get("data").and_then(Value::as_object);
    let Some((own, read)) = own.as_ref().zip(read) else {
        return Vec::new();
    };
    let are_named = found.contains_key("named_data");
    let are_others = ["source", "path"]
        .iter()
        .any(|&key| own.get(key) != read.get(key));
    let source = text(read, "source").unwrap_or_default();
    let mut words = Vec::new();
    if are_named {
        let path = text(read, "path").filter(|path| !path.is_empty());
        words.push(vec![
            "--data".into(),
            path.unwrap_or_else(|| source.clone()),
        ]);
    }
    let is_generated = Source::named(&source).is_some_and(|source| source.is_generated());
    let (auto, all) = (Value::from("auto"), Value::from(0));
    for (key, value) in read {
        let usual = match &key[..] {
            "source" | "path" if are_named => continue,
            // Others are read whole, and generated ones do not read it.
            "held_out" if are_others || are_named || is_generated => continue,
            "range" | "layout" if are_named => Some(&auto),
            "limit" if are_named => Some(&all),
            _ => own.get(key),
        };
        if usual.is_some_and(|usual| usual != value) {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            words.push(vec![SET.into(), format!("data.{key}={value}")]);
        }
    }
    words
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

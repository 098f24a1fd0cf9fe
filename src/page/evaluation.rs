//! What `evaluate` found, part by part.

use super::figures::{Group, groups};
use super::numbers::{interval, number, whole, with_error};
use serde_json::{Map, Value};

/// What an evaluation says of what it is of.
const ABOUT: [&str; 9] = [
    "source",
    "data_noise",
    "weights",
    "step",
    "weights_crc32",
    "data",
    "data_record",
    "arguments",
    "pictures",
];
/// The objects and lists of the exact figures, which stand at the top.
const OF_DENSITY: [&str; 4] = ["grid", "data_sample", "samples", "modes"];
/// What a run's own settings say already.
const SETTINGS: [&str; 1] = ["sampler"];

/// A part of an evaluation.
pub(super) struct Part {
    pub(super) title: String,
    /// How to read it, in a sentence.
    pub(super) about: &'static str,
    pub(super) groups: Vec<Group>,
}

/// What was evaluated, in words; none without an evaluation.
pub(super) fn about(found: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| found.get(key).and_then(Value::as_str);
    let step = found.get("step").and_then(Value::as_u64)?;
    let noise = found
        .get("data_noise")
        .and_then(Value::as_f64)
        .unwrap_or(0.0);
    Some(format!(
        "The {} weights after {} steps, on {} with noise {}.",
        text("weights").unwrap_or("averaged"),
        whole(step),
        text("source").unwrap_or("data"),
        number(noise)
    ))
}

/// Every part that `found` has.
pub(super) fn parts(found: &Map<String, Value>) -> Vec<Part> {
    let mut exact = Map::new();
    let mut others = Vec::new();
    for (key, value) in found {
        if ABOUT.contains(&&key[..]) {
            continue;
        }
        match value {
            Value::Object(inner) if !OF_DENSITY.contains(&&key[..]) => others.push((key, inner)),
            _ => drop(exact.insert(key.clone(), value.clone())),
        }
    }
    let exact = Some(&exact).filter(|exact| !exact.is_empty());
    let exact = exact.map(|exact| part("density", exact));
    let others = others.into_iter().map(|(key, inner)| part(key, inner));
    exact.into_iter().chain(others).collect()
}

fn part(key: &str, found: &Map<String, Value>) -> Part {
    let mut found = found.clone();
    without_settings(&mut found);
    let (title, about) = match key {
        "density" => (
            "Exact figures",
            "By quadrature in the plane, in nats: p is the data's density with the noise of training, q the model's.",
        ),
        "likelihood" => (
            "Log-likelihood",
            "log Z by annealed chains from the model's Gaussian base and back, in nats; intervals of 95 %. A figure that cannot be \
             relied on is said to be not valid, and why.",
        ),
        "sample_quality" => (
            "Quality of fresh samples",
            "Beside each figure its floor: what it is for other data in place of samples, at the same counts. ± is a standard error.",
        ),
        "stability" => (
            "Long runs",
            "Chains that begin at data and run on: a density keeps them there, and fresh chains come there, too.",
        ),
        "outside" => (
            "Use: other data told from the model's own",
            "The probability that a sample of the other data has the higher energy; ½ is chance. ± is a standard error.",
        ),
        "seconds" => (
            "Time",
            "Seconds that the parts took on the machine where they were computed.",
        ),
        _ => ("", ""),
    };
    let groups = groups("", &found);
    Part {
        title: match title {
            "" => super::figures::called(key),
            _ => title.into(),
        },
        about,
        groups,
    }
}

/// Takes settings out of `found`, at any depth.
fn without_settings(found: &mut Map<String, Value>) {
    found.retain(|key, value| !(SETTINGS.contains(&&key[..]) && is_settings(value)));
    for value in found.values_mut() {
        if let Value::Object(inner) = value {
            without_settings(inner);
        }
    }
}

fn is_settings(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|value| value.contains_key("kind"))
}

/// The figures that the head of the page shows: what, how much, and beside it.
pub(super) fn headlines(found: &Map<String, Value>) -> Vec<(&'static str, String, String)> {
    let at = |path: &str| found_at(found, path);
    let mut headlines = Vec::new();
    if let Some(kl) = at("/kl_data_model").and_then(|value| value.as_f64()) {
        headlines.push(("KL(data‖model)", number(kl), "nats, exact".to_owned()));
    }
    let bits = "/likelihood/data/bits_per_dimension";
    let ends = at(&format!("{bits}/interval")).and_then(|value| {
        let ends = value.as_array()?;
        Some([ends.first()?.as_f64()?, ends.get(1)?.as_f64()?])
    });
    let value = at(&format!("{bits}/value")).and_then(|value| value.as_f64());
    let which = at("/likelihood/data/which").and_then(|value| value.as_str());
    if let Some((value, ends)) = value.zip(ends) {
        let (value, _) = with_error(value, ends[1] - ends[0]);
        let beside = format!("{}, of {}", interval(ends), which.unwrap_or("data"));
        headlines.push(("bits per dimension", value, beside));
    }
    let of_frechet = |key: &str| {
        let path = format!("/sample_quality/distances/frechet_distance/{key}");
        at(&path)?.as_f64()
    };
    let frechet = of_frechet("value").zip(of_frechet("standard_error"));
    let floor = of_frechet("floor").zip(of_frechet("floor_standard_error"));
    if let Some(((value, error), (floor, floor_error))) = frechet.zip(floor) {
        let (value, error) = with_error(value, error);
        let (floor, floor_error) = with_error(floor, floor_error);
        headlines.push((
            "Fréchet distance",
            format!("{value} ± {error}"),
            format!("floor {floor} ± {floor_error}, fresh samples"),
        ));
    }
    headlines
}

/// What lies at a path such as `/a/b`.
fn found_at<'a>(found: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut keys = path.trim_start_matches('/').split('/');
    let mut value = found.get(keys.next()?)?;
    for key in keys {
        value = value.get(key)?;
    }
    Some(value)
}

//! What `evaluate` found, part by part.

use super::figures::{Group, groups};
use super::numbers::{interval, number, whole, with_error};
use serde_json::{Map, Value};
use std::path::Path;

/// What an evaluation says of what it is of.
const ABOUT: [&str; 10] = [
    "source",
    "data_noise",
    "weights",
    "step",
    "weights_crc32",
    "data",
    "named_data",
    "data_record",
    "arguments",
    "pictures",
];
/// The objects and lists of the exact figures, which stand at the top.
const OF_DENSITY: [&str; 4] = ["grid", "data_sample", "samples", "modes"];
/// The weights that are in use unless others are asked for.
const AVERAGED: &str = "averaged";
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
    let counts = |key: &str| found.get("data_record")?.get(key)?.get("count")?.as_u64();
    let record = match (counts("training"), counts("held_out")) {
        (Some(training), Some(held_out)) => format!(
            ", {} samples for training and {} held out",
            whole(training),
            whole(held_out)
        ),
        _ => String::new(),
    };
    Some(format!(
        "The {} weights after {} steps, on {} with noise {}{record}.",
        text("weights").unwrap_or(AVERAGED),
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
    let all = exact.into_iter().chain(others);
    all.filter(|part| !part.groups.is_empty()).collect()
}

fn part(key: &str, found: &Map<String, Value>) -> Part {
    let mut found = found.clone();
    without_settings(&mut found);
    if key == "stability"
        && let Some(data) = found.shift_remove("data_is")
    {
        found.shift_insert(0, "begin_at".into(), data);
    }
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
    let mut groups = groups("", &found);
    if key == "sample_quality" {
        for group in &mut groups {
            let of = match &group.title[..] {
                "distances" => compared(&found, found.get("distances")),
                "buffer: distances" => compared(
                    &found,
                    found.get("buffer").and_then(|of| of.get("distances")),
                ),
                _ => None,
            };
            group.about = of.unwrap_or_default();
        }
    }
    Part {
        title: match title {
            "" => super::figures::called(key),
            _ => title.into(),
        },
        about,
        groups,
    }
}

/// How many samples `distances` in `quality` are of, against how many data, and by what.
fn compared(quality: &Map<String, Value>, distances: Option<&Value>) -> Option<String> {
    let count = |key: &str| Some(whole(distances?.get(key)?.as_u64()?));
    Some(format!(
        "{} of {} samples, as many of {} data, {}",
        count("compared")?,
        count("samples")?,
        count("data")?,
        features(quality)?
    ))
}

/// What samples are compared by.
fn features(quality: &Map<String, Value>) -> Option<String> {
    let file = quality
        .get("feature_network")
        .and_then(|of| of["file"].as_str());
    Some(match (file, quality.get("features")?.as_str()?) {
        (Some(file), _) => {
            let name = Path::new(file).file_name().unwrap_or_default();
            format!("in the features of {}", name.to_string_lossy())
        }
        (None, name) => by(name),
    })
}

/// What the features called `name` compare by.
pub(super) fn by(name: &str) -> String {
    match name {
        "pixels" => "by their values".into(),
        _ => format!("in the features of the {}", super::figures::called(name)),
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

/// What weights `found` is of, in brackets, where these are not the averaged ones after all `done` steps of the run: it stays where
/// the run goes on. Nothing else says so beside a figure.
pub(super) fn of_other_weights(found: &Map<String, Value>, done: u64) -> Option<String> {
    let step = found.get("step").and_then(Value::as_u64);
    let after = step.filter(|step| *step != done);
    let after = after.map(|step| format!("after {} steps", whole(step)));
    let weights = found.get("weights").and_then(Value::as_str);
    let weights = weights.filter(|weights| *weights != AVERAGED);
    let weights = weights.map(|weights| format!("{weights} weights"));
    let parts: Vec<String> = weights.into_iter().chain(after).collect();
    (!parts.is_empty()).then(|| format!("({})", parts.join(" ")))
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
        let count = at("/likelihood/data/count").and_then(|value| value.as_u64());
        let count = count.map_or(String::new(), |count| {
            format!("{} samples of ", whole(count))
        });
        let beside = format!("{}, of {count}{}", interval(ends), which.unwrap_or("data"));
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
        let compared = at("/sample_quality/distances/compared").and_then(|value| value.as_u64());
        let compared = compared.map_or(String::new(), |count| format!("{} ", whole(count)));
        let by = at("/sample_quality").and_then(|value| features(value.as_object()?));
        headlines.push((
            "Fréchet distance",
            format!("{value} ± {error}"),
            format!(
                "floor {floor} ± {floor_error}; {compared}fresh samples, {}",
                by.unwrap_or_default()
            ),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn distances(count: u64) -> Value {
        json!({
            "data": 1617, "samples": count, "compared": count, "dimensions": 64,
            "frechet_distance": {"value": 73.2, "standard_error": 8.04, "floor": 6.81, "floor_standard_error": 2.6},
        })
    }

    fn evaluation() -> Map<String, Value> {
        let found = json!({
            "source": "digits", "data_noise": 0.1, "weights": "averaged", "step": 60, "weights_crc32": "0", "data": {"limit": 0},
            "data_record": {"training": {"count": 1617, "crc32": "0"}, "held_out": {"count": 180, "crc32": "0"}},
            "sample_quality": {
                "data_is": "training data", "nearest_is": "held-out data", "features": "digits_classifier",
                "feature_network": null, "distances": distances(100), "buffer": {"distances": distances(808)},
            },
            "stability": {"data_is": "held-out data", "stable": false, "unstable_is": "they left"},
            "likelihood": {"data": {
                "which": "held-out data", "count": 180,
                "bits_per_dimension": {"value": 6.03, "standard_error": 0.013, "interval": [6.004, 6.055]},
            }},
            "arguments": {"samples": ["--only", "samples"]},
            "pictures": {"samples": "neighbours.png"},
            "seconds": {},
        });
        found.as_object().unwrap().clone()
    }

    #[test]
    fn every_part_says_what_its_data_are_to_it() {
        let parts = parts(&evaluation());
        let titles: Vec<&str> = parts.iter().map(|part| &part.title[..]).collect();
        // Neither what was evaluated nor an object without figures is a part.
        assert_eq!(
            titles,
            ["Quality of fresh samples", "Long runs", "Log-likelihood"]
        );
        let row = |part: usize, group: usize, name: &str| {
            let rows = &parts[part].groups[group].rows;
            let found = rows.iter().find(|row| row.name == name);
            let row = found.unwrap_or_else(|| panic!("no {name}"));
            (row.value.clone(), row.notes.clone())
        };
        assert_eq!(row(0, 0, "compared with").0, "training data");
        assert_eq!(row(1, 0, "chains begin at").0, "held-out data");
        assert_eq!(row(1, 0, "stable"), ("no".into(), "they left".into()));
        assert_eq!(row(2, 0, "scored").0, "held-out data");
        let told = |place: usize| {
            let group = &parts[0].groups[place];
            (&group.title[..], &group.about[..])
        };
        let by = "in the features of the digits classifier";
        let fresh = format!("100 of 100 samples, as many of 1,617 data, {by}");
        assert_eq!(told(1), ("distances", &fresh[..]));
        let buffer = format!("808 of 808 samples, as many of 1,617 data, {by}");
        assert_eq!(told(2), ("buffer: distances", &buffer[..]));
    }

    #[test]
    fn what_was_evaluated_and_by_what_is_said_at_the_top() {
        let mut found = evaluation();
        let told = about(&found).unwrap();
        assert!(
            told.ends_with("noise 0.1, 1,617 samples for training and 180 held out."),
            "{told}"
        );
        let beside = |found: &Map<String, Value>| -> Vec<String> {
            headlines(found)
                .into_iter()
                .map(|(_, _, beside)| beside)
                .collect()
        };
        assert_eq!(
            beside(&found),
            [
                "6.004 to 6.055, of 180 samples of held-out data",
                "floor 6.8 ± 2.6; 100 fresh samples, in the features of the digits classifier"
            ]
        );
        found["sample_quality"]["feature_network"] = json!({"file": "/a/b.onnx", "range": [0, 1]});
        assert!(beside(&found)[1].ends_with("in the features of b.onnx"));
    }

    #[test]
    fn figures_of_other_weights_than_the_last_averaged_ones_are_told() {
        let mut found = evaluation();
        let told = |found: &Map<String, Value>, done| of_other_weights(found, done);
        assert_eq!(told(&Map::new(), 20_000), None);
        assert_eq!(told(&found, 60), None);
        assert_eq!(told(&found, 20_000).unwrap(), "(after 60 steps)");
        found["weights"] = json!("live");
        assert_eq!(told(&found, 60).unwrap(), "(live weights)");
        found["step"] = json!(2_400);
        assert_eq!(
            told(&found, 60).unwrap(),
            "(live weights after 2,400 steps)"
        );
    }
}

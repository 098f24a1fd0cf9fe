//! Figures in JSON, as tables: whatever keys there are, so that what an evaluation says is on the page by itself.

use super::chart::{Chart, Plot};
use super::numbers::{interval, number, whole, with_error};
use serde_json::{Map, Value};

/// Keys under which an object has its estimate.
const ESTIMATES: [&str; 5] = ["value", "accuracy", "squared", "discrepancy", "nll"];
/// Numbers with decimals that are no figures: what was asked for, and what it took.
const ASKED: [&str; 14] = [
    "acceptance",
    "cell",
    "deviation",
    "error",
    "kl_model_data_error",
    "length",
    "noise",
    "path_length",
    "power",
    "seconds",
    "step_size",
    "temperature",
    "tolerance",
    "total_variation_error",
];
/// Words that say what a figure is of, without which it would be misread.
const OF_WHAT: [&str; 5] = ["begin_at", "data_is", "inside_is", "nearest_is", "which"];
/// Rows of a list, at most.
const MOST_ROWS: usize = 40;
/// Longer lists of numbers are charts.
const LONG: usize = 16;

/// The figures of an object, without those of the objects in it that are no figures.
#[derive(Default)]
pub(super) struct Group {
    pub(super) title: String,
    /// What the figures are of.
    pub(super) about: String,
    pub(super) rows: Vec<Row>,
    pub(super) lists: Vec<List>,
    pub(super) charts: Vec<Chart>,
    /// Why figures are not valid.
    pub(super) reasons: Vec<String>,
    /// What was asked for, and counts.
    pub(super) facts: Vec<(String, String)>,
}

/// A figure.
#[derive(Default)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) error: String,
    pub(super) interval: String,
    pub(super) floor: String,
    pub(super) floor_error: String,
    pub(super) notes: String,
    /// Why there is none.
    pub(super) missing: Option<String>,
}

/// A table of its own.
pub(super) struct List {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Rows that are left out.
    pub(super) more: usize,
}

impl Group {
    pub(super) fn has_intervals(&self) -> bool {
        self.rows.iter().any(|row| !row.interval.is_empty())
    }

    pub(super) fn has_floors(&self) -> bool {
        self.rows.iter().any(|row| !row.floor.is_empty())
    }

    pub(super) fn has_notes(&self) -> bool {
        self.rows.iter().any(|row| !row.notes.is_empty())
    }

    /// Columns of the table of figures.
    pub(super) fn columns(&self) -> usize {
        let optional = [self.has_intervals(), self.has_floors(), self.has_notes()];
        2 + optional.into_iter().filter(|has| *has).count()
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.lists.is_empty()
            && self.charts.is_empty()
            && self.reasons.is_empty()
            && self.facts.is_empty()
    }
}

/// The groups of `object`, itself first, then those of the objects in it.
pub(super) fn groups(title: &str, object: &Map<String, Value>) -> Vec<Group> {
    let mut group = Group {
        title: title.into(),
        ..Group::default()
    };
    let mut below = Vec::new();
    for (key, value) in object {
        match value {
            Value::Null => group.rows.extend(nothing(key, object)),
            Value::Bool(yes) => {
                let value = if *yes { "yes" } else { "no" };
                let mut row = Row::plain(key, value.into());
                row.notes = reason_of(key, object).unwrap_or_default();
                group.rows.push(row);
            }
            Value::String(text) if key == "not_valid" => group.reasons.push(text.clone()),
            // Told where the key that it explains is.
            Value::String(_) if explained(key, object) || is_reason(key, object) => {}
            Value::String(text) if OF_WHAT.contains(&&key[..]) => {
                group.rows.push(Row::plain(key, text.clone()));
            }
            Value::String(text) => group.facts.push((called(key), text.clone())),
            Value::Number(value) if is_figure(key, value) => {
                group.rows.push(Row::plain(key, shown(key, value)));
            }
            Value::Number(value) => group.facts.push((called(key), shown(key, value))),
            Value::Array(values) => array(&mut group, key, values, object),
            Value::Object(inner) => match (figure(key, inner), shares(key, inner)) {
                (Some(row), _) => group.rows.push(row),
                (None, Some(list)) => group.lists.push(list),
                (None, None) => {
                    let title = match title {
                        "" => called(key),
                        _ => format!("{title}: {}", called(key)),
                    };
                    below.extend(groups(&title, inner));
                }
            },
        }
    }
    let mut all = vec![group];
    all.retain(|group| !group.is_empty());
    all.extend(below);
    all
}

/// Why a yes is a no: what stands under `unkey_is`.
fn reason_of(key: &str, object: &Map<String, Value>) -> Option<String> {
    object
        .get(&format!("un{key}_is"))?
        .as_str()
        .map(str::to_owned)
}

/// Whether a text is such a reason.
fn is_reason(key: &str, object: &Map<String, Value>) -> bool {
    let of = key
        .strip_prefix("un")
        .and_then(|key| key.strip_suffix("_is"));
    of.is_some_and(|of| object.get(of).is_some_and(Value::is_boolean))
}

/// What is said of a key that is null: why, where that is a figure.
fn nothing(key: &str, object: &Map<String, Value>) -> Option<Row> {
    // A reason that is not needed.
    if key.ends_with("_is") || key.ends_with("_not_valid") {
        return None;
    }
    let reason = |key: String| object.get(&key)?.as_str().map(str::to_owned);
    let stem = key.split('_').next().unwrap_or(key);
    let why = reason(format!("{key}_is"))
        .or_else(|| reason(format!("{key}_not_valid")))
        .or_else(|| reason(format!("{stem}_not_valid")));
    let is_refused = object.get("valid") == Some(&Value::Bool(false));
    let is_estimate = is_estimate(key);
    match why {
        Some(why) => Some(Row::missing(key, why)),
        None if is_refused || is_estimate => Some(Row::missing(key, "see the reason given".into())),
        None => None,
    }
}

fn is_estimate(key: &str) -> bool {
    ["log_z", "log_likelihood", "bits_per_dimension"].contains(&key)
}

/// Whether a text explains another key of the same object, which is null.
fn explained(key: &str, object: &Map<String, Value>) -> bool {
    let stem = key.strip_suffix("_is").or(key.strip_suffix("_not_valid"));
    stem.is_some_and(|stem| {
        object
            .iter()
            .any(|(other, value)| value.is_null() && other.starts_with(stem))
    })
}

fn is_figure(key: &str, value: &serde_json::Number) -> bool {
    let asked = ASKED.contains(&key) || key.ends_with("_noise");
    value.is_f64() && !asked
}

fn shown(key: &str, value: &serde_json::Number) -> String {
    match value.as_u64() {
        // A seed is a name.
        Some(value) if key == "seed" => value.to_string(),
        Some(value) => whole(value),
        None => number(value.as_f64().unwrap_or(f64::NAN)),
    }
}

fn array(group: &mut Group, key: &str, values: &[Value], object: &Map<String, Value>) {
    if key == "not_valid" {
        let texts = values.iter().filter_map(Value::as_str);
        group.reasons.extend(texts.map(str::to_owned));
    } else if !values.is_empty() && values.iter().all(Value::is_object) {
        group.lists.push(list(key, values));
    } else if values.len() > LONG {
        group.charts.extend(series(key, values, object));
    } else if let Some(ends) = pair(values).filter(|_| key == "interval") {
        group.rows.push(Row {
            interval: interval(ends),
            ..Row::plain(key, String::new())
        });
    } else {
        let texts: Vec<String> = values.iter().map(cell).collect();
        group.facts.push((called(key), texts.join(", ")));
    }
}

/// An object that is one figure.
fn figure(key: &str, object: &Map<String, Value>) -> Option<Row> {
    let number_of = |object: &Map<String, Value>, key: &str| object.get(key)?.as_f64();
    if let (1, Some(Value::String(why))) = (object.len(), object.get("not_valid")) {
        return Some(Row::missing(key, why.clone()));
    }
    let estimate = ESTIMATES.iter().find(|name| object.contains_key(**name))?;
    let value = number_of(object, estimate)?;
    // An estimate that has an error only where it is valid.
    let inner = object.get("log_z").and_then(Value::as_object);
    let error = inner.unwrap_or(object);
    let mut row = Row {
        name: called(key),
        ..Row::default()
    };
    (row.value, row.error) = match number_of(error, "standard_error") {
        Some(error) => with_error(value, error),
        None => (number(value), String::new()),
    };
    row.interval = ends(error);
    match object.get("floor") {
        Some(Value::Object(floor)) => {
            row.floor = number(number_of(floor, estimate)?);
            let between = ends(floor);
            if !between.is_empty() {
                row.floor = format!("{} ({between})", row.floor);
            }
        }
        Some(floor) => {
            let floor = floor.as_f64()?;
            (row.floor, row.floor_error) = match number_of(object, "floor_standard_error") {
                Some(error) => with_error(floor, error),
                None => (number(floor), String::new()),
            };
        }
        None => {}
    }
    let told = [
        *estimate,
        "standard_error",
        "interval",
        "floor",
        "floor_standard_error",
        "log_z",
    ];
    let rest = object
        .iter()
        .filter(|(key, _)| !told.contains(&key.as_str()));
    let mut notes: Vec<String> = rest
        .filter(|(_, value)| !value.is_object() && !value.is_array() && !value.is_null())
        .map(|(key, value)| format!("{} {}", called(key), cell(value)))
        .collect();
    if object.get("log_z").is_some_and(Value::is_null) {
        notes.insert(0, "without an interval: not valid".into());
    }
    row.notes = notes.join(", ");
    Some(row)
}

fn ends(object: &Map<String, Value>) -> String {
    let values = object.get("interval").and_then(Value::as_array);
    let ends = values.and_then(|values| pair(values));
    ends.map(interval).unwrap_or_default()
}

fn pair(values: &[Value]) -> Option<[f64; 2]> {
    match values {
        [low, high] => Some([low.as_f64()?, high.as_f64()?]),
        _ => None,
    }
}

/// An object of lists of numbers of one length, such as shares of classes, as a table.
fn shares(key: &str, object: &Map<String, Value>) -> Option<List> {
    let lists: Vec<(&String, &Vec<Value>)> = object
        .iter()
        .map(|(name, value)| Some((name, value.as_array()?)))
        .collect::<Option<_>>()?;
    let count = lists.first()?.1.len();
    let is_even = lists
        .iter()
        .all(|(_, values)| values.len() == count && values.iter().all(Value::is_number));
    if !is_even || count == 0 || count > LONG {
        return None;
    }
    let head = (0..count).map(|place| place.to_string());
    Some(List {
        title: called(key),
        head: std::iter::once(String::new()).chain(head).collect(),
        rows: lists
            .into_iter()
            .map(|(name, values)| {
                let cells = values.iter().map(cell);
                std::iter::once(called(name)).chain(cells).collect()
            })
            .collect(),
        more: 0,
    })
}

/// Objects as the rows of a table.
fn list(key: &str, values: &[Value]) -> List {
    let objects: Vec<&Map<String, Value>> = values.iter().filter_map(Value::as_object).collect();
    let mut keys: Vec<&String> = Vec::new();
    // What is null in every row, such as why figures are not valid, needs no column.
    let entries = objects.iter().flat_map(|object| object.iter());
    for (key, _) in entries.filter(|(_, value)| !value.is_null()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let rows = objects.iter().take(MOST_ROWS).map(|object| {
        let cells = keys
            .iter()
            .map(|key| object.get(*key).map_or(String::new(), cell));
        cells.collect()
    });
    List {
        title: called(key),
        head: keys.iter().map(|key| called(key)).collect(),
        rows: rows.collect(),
        more: objects.len().saturating_sub(MOST_ROWS),
    }
}

/// A long list of numbers as a chart over their places.
fn series(key: &str, values: &[Value], object: &Map<String, Value>) -> Option<Chart> {
    let ys: Vec<f64> = values
        .iter()
        .map(|v| v.as_f64().unwrap_or(f64::NAN))
        .collect();
    let xs: Vec<f64> = (0..ys.len()).map(|place| place as f64).collect();
    let is_of_passes = object.get("passes").and_then(Value::as_u64) == Some(ys.len() as u64 - 1);
    let spread = object.get("deviation").and_then(Value::as_f64);
    let (title, caption) = match (key, spread) {
        ("energies", Some(spread)) => (
            "mean energy of chains that begin at data".to_owned(),
            format!(
                "The energies of the data themselves have a standard deviation of {}.",
                number(spread)
            ),
        ),
        _ => (called(key), String::new()),
    };
    Plot {
        title: &title,
        caption,
        x_label: if is_of_passes {
            "passes of the sampler"
        } else {
            "place in the list"
        },
        y_label: if key == "energies" {
            "energy (nats)"
        } else {
            "value"
        },
        logarithmic: false,
        unit: "values",
        series: vec![(called(key), &xs, &ys)],
        marks: &[],
        level: None,
    }
    .chart()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        Value::Number(value) => shown("", value),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let cells: Vec<String> = values.iter().map(cell).collect();
            cells.join(", ")
        }
        Value::Object(object) => match figure("", object) {
            Some(Row {
                missing: Some(why), ..
            }) => format!("not valid: {why}"),
            Some(row) if row.error.is_empty() => row.value,
            Some(row) => format!("{} ± {}", row.value, row.error),
            None => {
                let cells = object
                    .iter()
                    .map(|(key, value)| format!("{} {}", called(key), cell(value)));
                cells.collect::<Vec<_>>().join(", ")
            }
        },
    }
}

impl Row {
    fn plain(key: &str, value: String) -> Self {
        Row {
            name: called(key),
            value,
            ..Row::default()
        }
    }

    fn missing(key: &str, why: String) -> Self {
        Row {
            missing: Some(why),
            ..Row::plain(key, String::new())
        }
    }
}

/// What a key is called on the page.
pub(super) fn called(key: &str) -> String {
    let known = match key {
        "auroc" => "AUROC",
        "begin_at" => "chains begin at",
        "data_is" => "compared with",
        "inside_is" => "the model's own",
        "nearest_is" => "taken as unseen",
        "which" => "scored",
        "telescoped" => "along the snapshots",
        "bennett" => "Bennett's ratio of both ways",
        "from_base" => "annealed from the base",
        "from_model" => "annealed from the model",
        "copying" => "nearer to training than to held-out samples",
        "data_sample" => "negative log-likelihood of fresh data",
        "fresh_against_data" => "fresh chains against those from data (MMD²)",
        "frechet_distance" => "Fréchet distance",
        "gaussian_fitted_to_scored_data" => "log-likelihood of a Gaussian fitted to these data",
        "kernel_distance" => "kernel distance (MMD²)",
        "kl_data_model" => "KL(data‖model)",
        "kl_model_data" => "KL(model‖data)",
        "log_likelihood" => "log-likelihood",
        "log_likelihood_at_most" => "log-likelihood is below, with 95 %",
        "log_z" => "log Z",
        "log_z_at_least" => "log Z is above, with 95 %",
        "nll" => "negative log-likelihood of the data",
        "p_value" => "p =",
        "sliced_wasserstein" => "sliced Wasserstein-2",
        "states" => "states of the chains",
        "stein" => "kernel Stein discrepancy",
        "two_sample" => "told from data by a linear classifier",
        "valid" => "log Z is valid",
        "weights_crc32" => "CRC-32 of the weights",
        _ => return key.replace('_', " "),
    };
    known.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn only(value: Value) -> Group {
        let mut found = groups("", value.as_object().unwrap());
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn a_figure_has_its_error_its_interval_and_its_floor() {
        let group = only(json!({
            "frechet_distance": {"value": 73.2, "standard_error": 8.04, "floor": 6.81, "floor_standard_error": 2.6},
            "two_sample": {"right": 71, "count": 100, "accuracy": 0.71, "interval": [0.61, 0.79],
                "floor": {"right": 49, "count": 100, "accuracy": 0.49, "interval": [0.39, 0.59]}},
            "states": {"squared": -0.0038, "standard_error": 0.0219, "p_value": 0.576, "bootstraps": 499},
        }));
        let told: Vec<[&str; 5]> = group
            .rows
            .iter()
            .map(|row| {
                [
                    &*row.value,
                    &*row.error,
                    &*row.interval,
                    &*row.floor,
                    &*row.notes,
                ]
            })
            .collect();
        assert_eq!(told[0], ["73.2", "8.0", "", "6.8", ""]);
        assert_eq!(group.rows[0].floor_error, "2.6");
        assert_eq!(
            told[1],
            [
                "0.71",
                "",
                "0.61 to 0.79",
                "0.49 (0.39 to 0.59)",
                "right 71, count 100"
            ]
        );
        assert_eq!(
            told[2],
            ["−0.004", "0.022", "", "", "p = 0.576, bootstraps 499"]
        );
    }

    #[test]
    fn what_is_not_valid_says_why() {
        let group = only(json!({
            "valid": false, "not_valid": ["the works overlap by 0.001"], "log_z": null, "log_z_at_least": -80.5,
            "nearest": {"not_valid": "no data was held out"},
            "kl_model_data": null, "kl_model_data_is": "infinite: q has mass where p has none",
            "unstable_is": null,
            "from_base": {"value": -70.0, "log_z": null, "effective_chains": 2.5},
        }));
        assert_eq!(group.reasons, ["the works overlap by 0.001"]);
        let row = |name: &str| group.rows.iter().find(|row| row.name == name).unwrap();
        assert_eq!(
            row("log Z").missing.as_deref(),
            Some("see the reason given")
        );
        assert_eq!(
            row("nearest").missing.as_deref(),
            Some("no data was held out")
        );
        let infinite = row("KL(model‖data)").missing.as_deref();
        assert_eq!(infinite, Some("infinite: q has mass where p has none"));
        assert!(row("annealed from the base").notes.contains("not valid"));
        assert!(group.rows.iter().all(|row| row.name != "unstable is"));
    }

    /// Only what is called so: two numbers may be anything.
    #[test]
    fn a_pair_of_numbers_is_no_interval() {
        let group = only(
            json!({"range": [0.0, 1.0], "telescoped": {"value": 1.5, "interval": [1.0, 2.0]}}),
        );
        assert_eq!(group.facts, [("range".into(), "0, 1".into())]);
        assert_eq!(
            (&*group.rows[0].name, &*group.rows[0].interval),
            ("along the snapshots", "1.0 to 2.0")
        );
        assert_eq!(group.columns(), 3);
    }

    #[test]
    fn every_key_is_somewhere() {
        let value = json!({
            "a_new_figure": 1.5, "a_new_count": 12, "a_new_word": "fresh", "a_new_list": [{"x": 1, "why": null}, {"y": 2.5}],
            "a_new_object": {"inside": 0.25}, "a_new_series": (0..40).collect::<Vec<_>>(),
        });
        let found = groups("", value.as_object().unwrap());
        let all = &found[0];
        assert_eq!(all.rows[0].name, "a new figure");
        assert_eq!(all.facts.len(), 2);
        assert_eq!(all.lists[0].head, ["x", "y"]);
        assert_eq!(all.charts.len(), 1);
        assert_eq!(
            (&*found[1].title, &*found[1].rows[0].name),
            ("a new object", "inside")
        );
    }
}

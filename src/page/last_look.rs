//! Whether chains that began in different places have come to one distribution, as the end of a run tells it.

use super::evaluation::by;
use super::folder::Folder;
use super::numbers::{number, whole};
use serde_json::Value;

/// The last look of a run.
pub(super) struct LastLookTable {
    /// What was compared, or why nothing was.
    pub(super) about: String,
    pub(super) rows: Vec<PairRow>,
}

/// A pair of kinds of chains.
pub(super) struct PairRow {
    pub(super) kinds: String,
    pub(super) discrepancy: String,
    pub(super) p_value: String,
    pub(super) adjusted: String,
    pub(super) apart: &'static str,
}

/// What the summary in `folder` tells of it; none where there was none.
pub(super) fn table(folder: &Folder) -> Option<LastLookTable> {
    let told = folder.summary.get("last_look")?.as_object()?;
    if let Some(why) = told.get("not_valid").and_then(Value::as_str) {
        return Some(LastLookTable {
            about: format!("Chains of different starts were not compared: {why}."),
            rows: Vec::new(),
        });
    }
    let of = |key: &str| {
        told.get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or("unknown").to_owned();
    let figure = |value: &Value| value.as_f64().map_or("none".into(), number);
    let kinds: Vec<String> = of("kinds")
        .map(|kind| {
            let count = |key: &str| kind[key].as_u64().unwrap_or(0);
            let lost = match count("lost") {
                0 => String::new(),
                lost => format!(" ({} lost)", whole(lost)),
            };
            format!("{} {}{lost}", whole(count("chains")), text(kind, "kind"))
        })
        .collect();
    let steps = told.get("steps").and_then(Value::as_u64).unwrap_or(0);
    let features = told.get("features").and_then(Value::as_str);
    let level = told.get("level").and_then(Value::as_f64).unwrap_or(0.0);
    let about = format!(
        "Chains of different starts, after {} steps each on the weights that the run left: {}; compared {} with permutation \
         tests on the squared MMD. Pairs are told apart at {} % for all of them together.",
        whole(steps),
        kinds.join(", "),
        by(features.unwrap_or("pixels")),
        number(100.0 * level)
    );
    let rows = of("pairs").map(|pair| PairRow {
        kinds: format!("{} and {}", text(pair, "left"), text(pair, "right")),
        discrepancy: figure(&pair["discrepancy"]),
        p_value: figure(&pair["p_value"]),
        adjusted: figure(&pair["adjusted_p_value"]),
        apart: match pair["told_apart"].as_bool() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        },
    });
    Some(LastLookTable {
        about,
        rows: rows.collect(),
    })
}

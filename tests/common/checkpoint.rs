//! Small checkpoints, made without training.

use afterimage::config;
use afterimage::data;
use afterimage::low_level::network::initial_parameters;
use afterimage::low_level::{model, train};
use afterimage::model::Model;
use afterimage::train::MetricsRow;
use std::fs;
use std::path::Path;

/// A network that compiles fast, over images.
pub const IMAGE_LAYERS: &str =
    "network.layers=[{conv=4, kernel=3, stride=2, padding=1}, {dense=1}]";
/// The same over points.
pub const POINT_LAYERS: &str = "network.layers=[{dense=8}, {dense=1}]";

/// An untrained model of a preset, with `layers` for its network and every weight drawn.
pub fn untrained(preset: &str, layers: &str) -> Model {
    untrained_on(preset, &[layers])
}

/// The same with any settings.
pub fn untrained_on(preset: &str, sets: &[&str]) -> Model {
    let drawn = ["network.zero_head=false", "run.samples=9"];
    let sets: Vec<String> = [&drawn, sets]
        .concat()
        .into_iter()
        .map(String::from)
        .collect();
    let config = config::load(preset, &sets).expect("a valid configuration");
    let data = data::open(&config.data.options(), 1).expect("can be opened");
    let architecture = model::architecture(&config, data.shape()).expect("fits");
    let parameters = initial_parameters(&architecture, &train::initialisation(&config), 3);
    Model::new(config, data.shape(), data.scaling(), parameters, 7).expect("fits")
}

/// The rows of a metrics file, each of which must be whole.
#[allow(dead_code)]
pub fn metrics(path: &Path) -> Vec<MetricsRow> {
    let text = fs::read_to_string(path).expect("a metrics file");
    assert!(text.is_empty() || text.ends_with('\n'), "a torn last line");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a row"))
        .collect()
}

//! Which figures of an evaluation a sweep compares.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A figure of `evaluation.json`.
pub(super) struct Figure {
    /// Its column in `sweep.csv`.
    pub(super) key: &'static str,
    /// Its place in `evaluation.json`.
    pointer: &'static str,
    /// What tables and pictures call it.
    pub(super) title: &'static str,
    /// Where it is compared, beside `sweep.csv`.
    pub(super) shown: Shown,
}

/// Where a figure is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// In a column of the table and in pictures.
    Drawn,
    /// In a column of the table.
    InTable,
    /// In `sweep.csv` alone.
    InFile,
}

const fn figure(
    key: &'static str,
    pointer: &'static str,
    title: &'static str,
    shown: Shown,
) -> Figure {
    Figure {
        key,
        pointer,
        title,
        shown,
    }
}

/// All of them, the first that there is being the one that cost is set against.
#[rustfmt::skip]
pub(super) const FIGURES: &[Figure] = &[
    figure("kl_data_model", "/kl_data_model", "KL(data‖model), nats", Shown::Drawn),
    figure("kl_model_data", "/kl_model_data", "KL(model‖data), nats", Shown::InTable),
    figure("total_variation", "/total_variation", "total variation", Shown::InFile),
    figure("model_mode_coverage", "/model_mode_coverage", "modes covered, share", Shown::InFile),
    figure("frechet_distance", "/sample_quality/distances/frechet_distance/value", "Fréchet distance", Shown::Drawn),
    figure("frechet_distance_floor", "/sample_quality/distances/frechet_distance/floor", "its floor", Shown::InTable),
    figure("kernel_distance", "/sample_quality/distances/kernel_distance/value", "kernel distance", Shown::InFile),
    figure("sliced_wasserstein", "/sample_quality/distances/sliced_wasserstein/value", "sliced Wasserstein distance", Shown::InFile),
    figure("precision", "/sample_quality/distances/precision/value", "precision", Shown::InTable),
    figure("recall", "/sample_quality/distances/recall/value", "recall", Shown::InTable),
    figure("density", "/sample_quality/distances/density/value", "density", Shown::InFile),
    figure("coverage", "/sample_quality/distances/coverage/value", "coverage", Shown::InTable),
    figure("two_sample_accuracy", "/sample_quality/distances/two_sample/accuracy", "told from data, accuracy", Shown::InFile),
    figure("log_z", "/likelihood/log_z/value", "log Z", Shown::InFile),
    figure("log_likelihood", "/likelihood/data/log_likelihood/value", "log-likelihood, nats", Shown::InFile),
    figure("bits_per_dimension", "/likelihood/data/bits_per_dimension/value", "bits per dimension", Shown::Drawn),
    figure("chains_stable", "/stability/stable", "chains from data stay (1) or not (0)", Shown::InFile),
];

/// The figures that `evaluation` has. What is not valid is null there, or absent, and so it is here.
pub(crate) fn figures_of(evaluation: &Map<String, Value>) -> BTreeMap<String, f64> {
    let evaluation = Value::Object(evaluation.clone());
    let of = |figure: &Figure| {
        let value = match evaluation.pointer(figure.pointer)? {
            Value::Bool(holds) => f64::from(u8::from(*holds)),
            value => value.as_f64()?,
        };
        Some((figure.key.to_owned(), value))
    };
    FIGURES.iter().filter_map(of).collect()
}

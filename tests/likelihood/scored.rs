//! What is said of the data that are scored, under models whose networks have weights 0: normal laws of standard deviation 0.5.

use crate::executor;
use afterimage::config;
use afterimage::data::{self, DataOptions, RawRange, Scaling};
use afterimage::evaluation::{LikelihoodFigures, LikelihoodOptions, ModelData, log_likelihood_of};
use afterimage::low_level::random::{Philox, Stream};
use afterimage::model::Model;
use afterimage::shape::Shape;
use std::f64::consts::LN_2;
use std::fs;
use std::path::Path;

const DIGITS: (Shape, usize) = (Shape::new(1, 8, 8), 64);

fn model(preset: &str, (shape, length): (Shape, usize), scaling: Scaling, more: &[&str]) -> Model {
    let sets = [
        &[
            "network.layers=[{dense=1}]",
            "network.base=gaussian",
            "network.base_std=0.5",
        ],
        more,
    ];
    let sets: Vec<String> = sets.concat().into_iter().map(String::from).collect();
    let config = config::load(preset, &sets).expect("a valid configuration");
    Model::new(config, shape, scaling, vec![0.0; length + 1], 7).expect("fits")
}

fn digits(more: &[&str]) -> Model {
    let scaling = Scaling::between([0.0, 16.0], [-1.0, 1.0]);
    model("digits", DIGITS, scaling, more)
}

fn scored(model: &Model, data: &ModelData) -> LikelihoodFigures {
    let options = LikelihoodOptions {
        chains: 16,
        evaluations: 50_000,
        seed: 5,
    };
    let found = log_likelihood_of(
        &mut executor(),
        model,
        data,
        &[],
        &options,
        &mut |_, _, _| {},
    );
    let found = found.expect("is scored");
    assert!(found.valid, "{:?}", found.not_valid);
    found
}

/// `values` of 8×8 pictures as a file of floats, which are taken as they are.
fn named(model: &Model, folder: &Path, values: &[f32]) -> ModelData {
    let shape = format!("({}, 8, 8)", values.len() / 64);
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(header.bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let path = folder.join("named.npy");
    fs::write(&path, bytes).expect("is written");
    let options = DataOptions {
        source: "npy".into(),
        path: path.display().to_string(),
        range: RawRange::Given([-1.0, 1.0]),
        held_out: 0.0,
        ..model.config().data.options()
    };
    let data = data::open(&options, 1).expect("is read");
    ModelData::named(model, data).expect("fits")
}

/// The first 150 digits in the model's scale.
fn some_digits() -> Vec<f32> {
    let config = config::load("digits-langevin", &[]).expect("a preset");
    let digits = data::open(&config.data.options(), 1).expect("are embedded");
    digits.whole().first(150)
}

#[test]
fn data_in_the_models_scale_have_bits_of_the_runs_raw_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = digits(&[]);
    let found = scored(&model, &named(&model, folder.path(), &some_digits()));
    let data = &found.data;
    // p of raw values, 8 times as wide, is an eighth for each of 64.
    let bits = |log_likelihood: f64| -(log_likelihood / LN_2 - 64.0 * 3.0) / 64.0;
    let of_model = [(data.log_likelihood, data.bits_per_dimension)];
    let others = data.comparison.iter();
    let others = others.map(|other| (other.log_likelihood, other.bits_per_dimension));
    for (nats, found) in of_model.into_iter().chain(others) {
        let (nats, found) = (nats.expect("valid").value, found.expect("valid").value);
        assert!((found - bits(nats)).abs() < 1e-9, "{found}");
    }
    assert_eq!(data.comparison.len(), 2);
    assert!(data.comparison_not_valid.is_none() && data.not_valid.is_empty());
}

/// log Z does not depend on the data that are scored.
#[test]
fn a_sample_whose_energy_is_infinite_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = digits(&[]);
    let mut values = some_digits();
    values[3 * 64 + 5] = 1e30;
    let found = scored(&model, &named(&model, folder.path(), &values));
    assert!(found.log_z.is_some());
    let data = &found.data;
    assert!(data.not_valid[0].contains("sample 3"), "{data:?}");
    assert!(data.negative_energy.is_none() && data.log_likelihood.is_none());
    assert!(data.bits_per_dimension.is_none() && data.log_likelihood_at_most.is_none());
    assert!(
        data.comparison
            .iter()
            .all(|other| other.difference.is_none())
    );
}

#[test]
fn one_sample_has_no_interval() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = digits(&[]);
    let found = scored(&model, &named(&model, folder.path(), &some_digits()[..64]));
    let data = &found.data;
    assert_eq!(data.count, 1);
    assert!(data.not_valid[0].contains("two at least"), "{data:?}");
    assert!(data.negative_energy.is_none() && data.log_likelihood.is_none());
    assert!(data.bits_per_dimension.is_none());
    // Of that very sample the bound holds.
    assert!(data.log_likelihood_at_most.is_some());
    assert_eq!(data.comparison.len(), 2);
    for other in &data.comparison {
        assert!(other.log_likelihood.is_none() && other.difference.is_none());
        assert!(other.bits_per_dimension.is_none() && other.not_valid.is_some());
    }
}

/// Values that are sums of others but for the rounding of 32-bit numbers, and training data that are gone.
#[test]
fn what_cannot_be_fitted_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = digits(&[
        "data.noise=0.0",
        "data.source=npy",
        "data.path=is-gone.npy",
        "data.range=[0,16]",
    ]);
    let mut random = Philox::new(3, Stream::Data, 0);
    let mut values: Vec<f32> = (0..150 * 64).map(|_| 0.3 * random.normal()).collect();
    for sample in values.chunks_mut(64) {
        sample[63] = sample[0] + sample[1];
    }
    let found = scored(&model, &named(&model, folder.path(), &values));
    let data = &found.data;
    assert!(data.gaussian_fitted_to_scored_data.is_none());
    let reason = data.gaussian_not_valid.as_ref().expect("a reason");
    assert!(reason.contains("singular"), "{reason}");
    assert!(data.comparison.is_empty());
    let reason = data.comparison_not_valid.as_ref().expect("a reason");
    assert!(reason.contains("cannot be read"), "{reason}");
}

/// A generated set is scored by points that training has not seen, and what it has seen is what others are fitted to.
#[test]
fn fresh_draws_are_compared_where_training_was_limited() {
    let point = (Shape::new(2, 1, 1), 2);
    let of = |more: &[&str]| {
        let model = model("moons", point, Scaling::unscaled(-4.0, 4.0), more);
        let data = ModelData::of(&model).expect("are drawn");
        scored(&model, &data).data
    };
    let limited = of(&["data.limit=40"]);
    assert_eq!((limited.which, limited.count), ("fresh draws", 10_000));
    assert_eq!(limited.comparison.len(), 2);
    assert!(limited.comparison.iter().all(|other| other.training == 40));
    assert!(
        limited
            .comparison
            .iter()
            .all(|other| other.difference.is_some())
    );
    let endless = of(&[]);
    assert_eq!((endless.which, endless.count), ("fresh draws", 10_000));
    assert!(endless.comparison.is_empty());
    let reason = endless.comparison_not_valid.expect("a reason");
    assert!(reason.contains("drawn without end"), "{reason}");
}

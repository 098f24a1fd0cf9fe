//! Feature networks that a user names: ONNX files that `onnx/make.py` wrote.

use crate::command::{afterimage, run, stderr, stdout};
use crate::of_models::gaussian;
use afterimage::config;
use afterimage::data::{self, Scaling};
use afterimage::low_level::quality::{
    FeatureNetwork, Features, Points, QualityError, frechet_distance,
};
use afterimage::shape::Shape;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const SHAPE: Shape = Shape::new(1, 8, 8);

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/quality/onnx/{name}.onnx"))
}

fn scaling() -> Scaling {
    Scaling::between([0.0, 16.0], [-1.0, 1.0])
}

fn network(name: &str, range: [f32; 2]) -> FeatureNetwork {
    FeatureNetwork::load(&file(name), range).expect("is a network")
}

fn features(network: &FeatureNetwork, samples: &[f32]) -> Result<Points, QualityError> {
    Features::by(Some(network), "digits", SHAPE, scaling())?.points(samples)
}

fn digits(count: usize) -> Vec<f32> {
    let options = config::load("digits-langevin", &[])
        .expect("is a preset")
        .data
        .options();
    data::open(&options, 0).expect("are embedded").first(count)
}

/// The built-in classifier, run in f64 from the same weights.
#[test]
fn an_exported_classifier_gives_the_features_of_the_built_in_one() {
    // No multiple of the batch, so that the last one is not full.
    let samples = digits(150);
    let network = network("digits_features", [-1.0, 1.0]);
    let found = features(&network, &samples).expect("are computed");
    let built_in = Features::of("digits", SHAPE, scaling()).expect("is embedded");
    let wanted = built_in.points(&samples).expect("are computed");
    assert_eq!((found.count(), found.dimensions()), (150, 64));
    let largest = wanted
        .iter()
        .flatten()
        .fold(0.0, |most: f64, x| most.max(x.abs()));
    for (found, wanted) in found.iter().flatten().zip(wanted.iter().flatten()) {
        // Sums of up to 512 products in f32, of features up to `largest`.
        assert!(
            (found - wanted).abs() <= 1e-5 * largest,
            "{found}, not {wanted} of up to {largest}"
        );
    }
    let halves = |points: &Points| {
        let values: Vec<f64> = points.iter().flatten().copied().collect();
        let [left, right] = [0, 75].map(|from| {
            Points::new(values[from * 64..(from + 75) * 64].to_vec(), 64).expect("are finite")
        });
        frechet_distance(&left, &right).expect("is computed")
    };
    crate::assert_near(
        "Fréchet distance",
        halves(&found),
        halves(&wanted),
        1e-4 * halves(&wanted),
    );
}

/// Means over 2×2 pixels, of any number of pictures or of three at a time.
#[test]
fn outputs_of_any_rank_are_features_and_batches_may_be_fixed() {
    let samples = digits(8);
    let pooled = features(&network("pools", [0.0, 1.0]), &samples).expect("are computed");
    let by_threes = features(&network("fixed_batch", [0.0, 1.0]), &samples).expect("are computed");
    assert_eq!((pooled.count(), pooled.dimensions()), (8, 16));
    assert_eq!(pooled, by_threes);
    for (features, sample) in pooled.iter().zip(samples.chunks(64)) {
        for (place, feature) in features.iter().enumerate() {
            let corner = 16 * (place / 4) + 2 * (place % 4);
            let four = [0, 1, 8, 9].map(|pixel| f64::from(sample[corner + pixel]));
            // Of the model's values from −1 to 1, in the network's range from 0 to 1.
            let mean = (four.iter().sum::<f64>() / 4.0 + 1.0) / 2.0;
            crate::assert_near("mean", *feature, mean, 1e-6);
        }
    }
}

#[test]
fn what_is_no_feature_network_is_refused_with_what_to_do() {
    let refused = |path: &Path, range: [f32; 2]| {
        let loaded = FeatureNetwork::load(path, range);
        let found = loaded.and_then(|network| features(&network, &digits(5)));
        let message = found.expect_err("is refused").to_string();
        assert!(
            message.contains("cannot be used as a feature network"),
            "{message}"
        );
        assert!(!message.contains('\n'), "{message}");
        message
    };
    for (name, range, wanted) in [
        ("two_inputs", [0.0, 1.0], "2 inputs and 1 outputs"),
        ("whole_numbers", [0.0, 1.0], "input is not of 32-bit floats"),
        (
            "gives_whole_numbers",
            [0.0, 1.0],
            "output is not of 32-bit floats",
        ),
        (
            "colours",
            [0.0, 1.0],
            "takes samples of 3×8×8, and these are of 1×8×8",
        ),
        // The logarithm of black.
        ("logarithm", [0.0, 1.0], "of sample 0 is not finite"),
        ("mean_of_all", [0.0, 1.0], "whose first side should be 4"),
        (
            "less_the_mean_of_all",
            [0.0, 1.0],
            "features of a sample change with the other samples",
        ),
        ("batch_of_5000", [0.0, 1.0], "takes 5000 samples at a time"),
        ("wide", [0.0, 1.0], "gives 9216 features"),
        ("pools", [1.0, 0.0], "the lower first"),
        ("pools", [0.0, f32::NAN], "two finite numbers"),
        ("nowhere", [0.0, 1.0], "check the path"),
    ] {
        let message = refused(&file(name), range);
        assert!(message.contains(wanted), "no '{wanted}' in {message}");
    }
    // No ONNX at all, or cut short: behind the graph, in the last twenty bytes, stands a number of a version only.
    let folder = tempfile::tempdir().expect("a folder");
    let damaged = folder.path().join("damaged.onnx");
    let whole = fs::read(file("digits_features")).expect("is there");
    for length in [0, 1, 10, 100, 1000, whole.len() / 2, whole.len() - 20] {
        fs::write(&damaged, &whole[..length]).expect("is written");
        let message = refused(&damaged, [0.0, 1.0]);
        assert!(message.contains("an ONNX file that is whole"), "{message}");
    }
    // Another value range may be what a network takes.
    let found = features(&network("logarithm", [1.0, 2.0]), &digits(5));
    assert_eq!(found.expect("are computed").dimensions(), 64);
}

#[test]
fn evaluate_names_the_network_and_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let run_folder = folder.path().join("run");
    fs::create_dir_all(run_folder.join("checkpoints")).expect("a folder");
    let model = gaussian(&["run.sample_steps=8", "sampler.steps=2"]);
    model
        .save(&run_folder.join("checkpoints/000007.safetensors"))
        .expect("is saved");
    let path = file("digits_features").display().to_string();
    let evaluate = |more: &[&str]| {
        let arguments = [
            "evaluate",
            "run",
            "--only",
            "samples",
            "--samples",
            "40",
            "--json",
        ];
        let done = run(&folder, &[&arguments, more].concat());
        let printed: Value = serde_json::from_str(stdout(&done)).expect("is JSON");
        (printed["sample_quality"].clone(), stderr(&done).to_owned())
    };
    let (built_in, _) = evaluate(&[]);
    let (found, table) = evaluate(&["--features", &path, "--features-range", "-1,1"]);
    assert_eq!(found["features"], "onnx");
    assert_eq!(found["feature_network"]["file"], path);
    assert_eq!(
        found["feature_network"]["range"],
        serde_json::json!([-1.0, 1.0])
    );
    let crc32 = format!(
        "{:08x}",
        crc32fast::hash(&fs::read(&path).expect("is there"))
    );
    assert_eq!(found["feature_network"]["crc32"], crc32);
    assert!(table.contains(&crc32) && !table.contains("FID"), "{table}");
    let distance = |quality: &Value| {
        let distance = &quality["distances"]["frechet_distance"]["value"];
        distance.as_f64().expect("is told")
    };
    let wanted = distance(&built_in);
    crate::assert_near("Fréchet distance", distance(&found), wanted, 1e-4 * wanted);
    assert!(built_in["feature_network"].is_null() && found["classes"].is_null());
    let arguments = [
        "evaluate",
        "run",
        "--only",
        "samples",
        "--features",
        "none.onnx",
    ];
    let done = afterimage(&folder, &arguments).output().expect("starts");
    assert!(!done.status.success());
    assert!(
        stderr(&done).contains("check the path"),
        "{}",
        stderr(&done)
    );
}

/// A network that does not fit is refused before there is anything to compare, also where a part was not asked for by name, and
/// what the chains of `stability` are compared by is told.
#[test]
fn a_network_that_does_not_fit_is_refused_before_any_work() {
    let folder = tempfile::tempdir().expect("a folder");
    gaussian(&["run.sample_steps=8", "sampler.steps=2"])
        .save(&folder.path().join("a.safetensors"))
        .expect("is saved");
    let evaluate = |name: &str, more: &[&str]| {
        let path = file(name).display().to_string();
        let arguments = ["evaluate", "a.safetensors", "--json", "--features", &path];
        afterimage(&folder, &[&arguments, more].concat())
            .output()
            .expect("starts")
    };
    for only in [&[][..], &["--only", "stability"]] {
        let done = evaluate("wide", only);
        assert!(!done.status.success());
        let words = stderr(&done);
        assert!(words.contains("up to a pooled layer"), "{words}");
        assert!(
            !words.contains("not valid") && stdout(&done).is_empty(),
            "{words}"
        );
    }
    let done = evaluate("pools", &["--only", "stability"]);
    let printed: Value = serde_json::from_str(stdout(&done)).expect("is JSON");
    let found = &printed["stability"];
    assert_eq!(found["features"], "onnx");
    assert_eq!(
        found["feature_network"]["range"],
        serde_json::json!([0.0, 1.0])
    );
    assert!(
        found["fresh_against_data"]["energy_difference"].is_number(),
        "{found}"
    );
}

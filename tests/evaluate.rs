//! Evaluation against the exact truth: models whose normaliser and divergences are known, and the command.

#[path = "common/checkpoint.rs"]
mod checkpoint;
#[path = "common/command.rs"]
mod command;

use afterimage::config;
use afterimage::data::Scaling;
use afterimage::evaluation::{EvaluationError, EvaluationOptions, Outcome, evaluate};
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::low_level::checkpoint::TensorFile;
use afterimage::low_level::report::{EvaluationPanels, evaluation};
use afterimage::model::{Model, ModelError, Weights};
use afterimage::shape::Shape;
use afterimage::train::ReportError;
use checkpoint::{IMAGE_LAYERS, POINT_LAYERS, untrained};
use command::{afterimage, run, stderr, stdout};
use image::Rgb;
use serde_json::Value;
use std::f64::consts::{LN_2, PI};
use std::fs;
use tempfile::TempDir;

fn executor() -> Executor {
    Executor::open(&AdapterChoice::Best, ExecutorOptions::default())
        .expect("the tests need an adapter: run `sh setup.sh`")
}

/// A model of `preset`'s data with these settings and parameters.
fn model(preset: &str, sets: &[&str], parameters: &[f32]) -> Model {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let config = config::load(preset, &sets).expect("a valid configuration");
    let scaling = Scaling {
        raw: None,
        scale: 1.0,
        offset: 0.0,
        low: -4.0,
        high: 4.0,
    };
    Model::new(config, Shape::new(2, 1, 1), scaling, parameters.to_vec(), 7).expect("fits")
}

/// exp(−E) is a Gaussian of this standard deviation: the network's weights are all zero.
fn gaussian(preset: &str, std: f32, more: &[&str]) -> Model {
    let base = format!("network.base_std={std}");
    let mut sets = vec!["network.layers=[{dense=1}]", base.as_str()];
    sets.extend(more);
    model(preset, &sets, &[0.0; 3])
}

/// exp(−E) is exp(2²/2s²) times a sum of two Gaussian bells of standard deviation s = 0.2: at (2, 0), `right` high, and
/// at (−2, 0), 1 high. With a = 2/s² the network is −ln(right·exp(a·x) + exp(−a·x)) = a·x − softplus(2a·x + ln right), and
/// a·x = softplus(a·x) − softplus(−a·x).
fn two_of_eight(right: f32, more: &[&str]) -> Model {
    let a = 2.0 / 0.04;
    let mut sets = vec![
        "network.layers=[{dense=3}, {dense=1}]",
        "network.activation=softplus",
        "network.base_std=0.2",
    ];
    sets.extend(more);
    let parameters = [
        2.0 * a,
        0.0,
        a,
        0.0,
        -a,
        0.0,
        right.ln(),
        0.0,
        0.0,
        -1.0,
        1.0,
        -1.0,
        0.0,
    ];
    model("8gaussians", &sets, &parameters)
}

fn options(tolerance: f64, count: usize) -> EvaluationOptions {
    EvaluationOptions {
        tolerance,
        count,
        seed: 3,
    }
}

fn outcome(model: &Model, options: &EvaluationOptions) -> Outcome {
    evaluate(&mut executor(), model, options, &mut |_, _, _| {}).expect("evaluates")
}

#[track_caller]
fn assert_near(what: &str, found: f64, wanted: f64, tolerance: f64) {
    let error = (found - wanted).abs();
    assert!(error <= tolerance, "{what}: {found}, not {wanted}");
}

#[test]
fn a_gaussian_has_its_normaliser_entropy_and_likelihood() {
    // E |x|² of the data, as tests/planar_density.rs has it; with it the likelihood is known.
    for (source, squares) in [("8gaussians", 4.08), ("checkerboard", 32.0 / 3.0)] {
        for std in [0.7_f32, 2.0, 5.0] {
            let figures = outcome(&gaussian(source, std, &[]), &options(1e-4, 0)).figures;
            let variance = f64::from(std).powi(2);
            let log_z = (2.0 * PI * variance).ln();
            let nll = squares / (2.0 * variance) + log_z;
            assert_near("log Z", figures.log_z, log_z, 1e-4);
            assert_near("model's entropy", figures.model_entropy, 1.0 + log_z, 1e-4);
            assert_near("NLL", figures.nll, nll, 1e-4);
            let sample = figures.data_sample;
            assert_near("of a sample", sample.nll, nll, 5.0 * sample.standard_error);
            assert!(sample.standard_error < 0.1, "{}", sample.standard_error);
            if source == "checkerboard" {
                assert_near("entropy", figures.data_entropy, 32.0_f64.ln(), 1e-9);
                assert_near("KL", figures.kl_data_model, nll - 32.0_f64.ln(), 1e-4);
            }
        }
    }
}

#[test]
fn divergences_between_mixtures_are_those_in_closed_form() {
    for right in [1.0_f64, 3.0] {
        let model = two_of_eight(right as f32, &[]);
        let figures = outcome(&model, &options(1e-4, 0)).figures;
        let peak = 4.0 / (2.0 * 0.04);
        let log_z = (2.0 * PI * 0.04 * (1.0 + right)).ln() + peak;
        // Energies near the modes are sums of numbers up to 200, each rounded at 1e-5.
        assert_near("log Z", figures.log_z, log_z, 1e-4);
        // The modes' tails meet at 3.8 standard deviations, outside of which lies 3e-4 of a mode.
        let q = [right / (1.0 + right), 1.0 / (1.0 + right)];
        let kl = q.iter().map(|q| q * (8.0 * q).ln()).sum::<f64>();
        assert_near("KL(q‖p)", figures.kl_model_data.expect("finite"), kl, 1e-3);
        assert_near("variation", figures.total_variation, 0.75, 1e-3);
        let single = 1.0 + (2.0 * PI * 0.04).ln();
        assert_near("H(p)", figures.data_entropy, single + 3.0 * LN_2, 1e-3);
        let mixing: f64 = q.iter().map(|q| -q * q.ln()).sum();
        assert_near("H(q)", figures.model_entropy, single + mixing, 1e-4);
        assert_eq!(figures.model_mode_coverage, 0.25);
        for mode in &figures.modes {
            assert_near(&mode.name, mode.data, 0.125, 1e-4);
            let due = match mode.name.as_str() {
                "0°" => q[0],
                "180°" => q[1],
                _ => 0.0,
            };
            assert_near(&mode.name, mode.model, due, 1e-3);
            assert_eq!(mode.samples, None);
        }
    }
}

#[test]
fn noise_belongs_to_the_data() {
    // Data of variance 0.04 + 0.21 about each centre, against a Gaussian base: E |x|² = 4 + 2·0.25.
    let model = gaussian("8gaussians", 2.0, &["data.noise=0.45825757"]);
    let figures = outcome(&model, &options(1e-4, 0)).figures;
    let nll = 4.5 / 8.0 + (8.0 * PI).ln();
    assert_near("NLL", figures.nll, nll, 1e-4);
    let sample = figures.data_sample;
    assert_near("of a sample", sample.nll, nll, 5.0 * sample.standard_error);
}

#[test]
fn refinement_converges_to_one_value() {
    let model = untrained("rings", POINT_LAYERS);
    let [rough, fine] =
        [1e-2, 1e-6].map(|tolerance| outcome(&model, &options(tolerance, 0)).figures);
    assert!(rough.grid.error <= 1e-2 && fine.grid.error <= 1e-6);
    assert!(fine.grid.cells > rough.grid.cells);
    for (rough, fine) in [
        (rough.log_z, fine.log_z),
        (rough.nll, fine.nll),
        (rough.data_entropy, fine.data_entropy),
        (rough.kl_data_model, fine.kl_data_model),
        (rough.total_variation, fine.total_variation),
    ] {
        assert_near("figure", rough, fine, 1e-2);
    }
    assert!(fine.kl_data_model > 0.1 && fine.total_variation < 1.0);
}

#[test]
fn a_checkerboard_has_no_finite_reverse_divergence() {
    let figures = outcome(&gaussian("checkerboard", 2.0, &[]), &options(1e-4, 0)).figures;
    assert_eq!(figures.kl_model_data, None);
    assert!(
        figures
            .kl_model_data_is
            .is_some_and(|why| why.contains("infinite"))
    );
    // By symmetry half of the Gaussian's mass inside ±4, a square of two standard deviations.
    let inside = 0.954_499_736_103_642_f64.powi(2);
    assert_near("off", figures.mass_off_data, 1.0 - 0.5 * inside, 1e-4);
    let noisy = gaussian("checkerboard", 2.0, &["data.noise=0.1"]);
    let figures = outcome(&noisy, &options(1e-4, 0)).figures;
    assert!(figures.kl_model_data.is_some_and(|kl| kl > 1.0));
    assert_eq!(
        (figures.kl_model_data_is, figures.mass_off_data),
        (None, 0.0)
    );
}

#[test]
fn samples_are_the_samplers_own_and_go_to_the_nearest_mode() {
    let model = two_of_eight(1.0, &["run.sample_steps=60", "sampler.start_std=2.0"]);
    let outcome = outcome(&model, &options(1e-3, 300));
    let samples = outcome.figures.samples.expect("drawn");
    assert_eq!((samples.count, samples.steps, samples.seed), (300, 60, 3));
    assert_eq!(samples.lost, 0);
    assert_eq!(samples.sampler, model.config().sampler);
    assert_eq!(outcome.samples.len(), 300);
    let right = outcome.samples.iter().filter(|[x, _]| *x > 0.0).count() as f64 / 300.0;
    let weights: Vec<f64> = outcome
        .figures
        .modes
        .iter()
        .filter_map(|m| m.samples)
        .collect();
    assert_near("all", weights.iter().sum(), 1.0, 1e-9);
    // Chains do not cross between the modes, so each has about half; few lie 3.8 standard deviations away.
    assert_near("right", weights[0], right, 0.02);
    assert!((0.3..0.7).contains(&weights[0]), "{weights:?}");
    assert_eq!(samples.mode_coverage, 0.25);
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let mut executor = executor();
    let mut refused = |model: &Model, tolerance: f64| {
        let result = evaluate(
            &mut executor,
            model,
            &options(tolerance, 0),
            &mut |_, _, _| {},
        );
        let error = result.err().expect("refused");
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        (error, text)
    };
    let good = gaussian("moons", 2.0, &[]);
    for tolerance in [0.0, 1e-7, 0.2, -1.0, f64::NAN] {
        let (error, _) = refused(&good, tolerance);
        assert!(
            matches!(error, EvaluationError::Tolerance { .. }),
            "{error}"
        );
    }
    let (_, text) = refused(&untrained("digits", IMAGE_LAYERS), 1e-4);
    assert!(
        text.contains("`digits`") && text.contains("images"),
        "{text}"
    );
    // E = x has no Z.
    let falling = model(
        "moons",
        &["network.layers=[{dense=1}]", "network.base=none"],
        &[1.0, 0.0, 0.0],
    );
    let (error, text) = refused(&falling, 1e-4);
    assert!(
        matches!(error, EvaluationError::Unbounded { .. }),
        "{error}"
    );
    assert!(text.contains("network.base"), "{text}");
    // Finite weights whose energies overflow.
    let overflowing = model("moons", &["network.layers=[{dense=1}]"], &[3e38, 0.0, 0.0]);
    let (error, _) = refused(&overflowing, 1e-4);
    assert!(
        matches!(error, EvaluationError::NotFinite { .. }),
        "{error}"
    );
    // Narrower than any cell.
    let rough = gaussian("moons", 0.001, &[]);
    let (error, text) = refused(&rough, 1e-6);
    assert!(
        matches!(error, EvaluationError::NotConverged { .. }),
        "{error}"
    );
    assert!(text.contains("tolerance"), "{text}");
}

#[test]
fn live_weights_are_stored_beside_the_averaged_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.safetensors");
    let averaged = untrained("moons", POINT_LAYERS);
    let live: Vec<f32> = averaged.parameters().iter().map(|v| v + 1.0).collect();
    let both = averaged.clone().with_live(live.clone()).unwrap();
    both.save(&path).unwrap();

    let loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.weights(), Weights::Averaged);
    assert_eq!(loaded.parameters(), averaged.parameters());
    let loaded_live = loaded.using(Weights::Live).unwrap();
    assert_eq!(loaded_live.weights(), Weights::Live);
    assert_eq!(loaded_live.parameters(), live);
    // Each file holds what a module of PyTorch has, and nothing else.
    let live_path = folder.path().join("both.live.safetensors");
    for path in [&path, &live_path] {
        let file = TensorFile::load(path).unwrap();
        let names: Vec<String> = file.tensors.into_iter().map(|t| t.name).collect();
        let wanted = [
            "layers.0.weight",
            "layers.0.bias",
            "layers.1.weight",
            "layers.1.bias",
        ];
        assert_eq!(names, wanted);
    }
    let alone = Model::load(&live_path).unwrap();
    assert_eq!(alone.weights(), Weights::Live);
    assert_eq!(alone.parameters(), live);
    let error = alone.using(Weights::Averaged).unwrap_err();
    assert!(matches!(error, ModelError::NoAveragedWeights), "{error}");

    // As earlier versions wrote them: in one file.
    let mut file = TensorFile::load(&path).unwrap();
    for mut tensor in TensorFile::load(&live_path).unwrap().tensors {
        tensor.name = format!("live.{}", tensor.name);
        file.tensors.push(tensor);
    }
    let old_path = folder.path().join("old.safetensors");
    file.save(&old_path).unwrap();
    let old = Model::load(&old_path).unwrap();
    assert_eq!(old.parameters(), averaged.parameters());
    assert_eq!(old.using(Weights::Live).unwrap().parameters(), live);
    // Half of the live weights are none.
    file.tensors.pop();
    file.save(&old_path).unwrap();
    let error = Model::load(&old_path).unwrap_err().to_string();
    assert!(error.contains("live.layers.1.bias"), "{error}");

    // Those of another step.
    let later = Model::new(
        averaged.config().clone(),
        averaged.architecture().input(),
        averaged.scaling(),
        averaged.parameters().to_vec(),
        averaged.step() + 1,
    );
    later.unwrap().save(&path).unwrap();
    let error = Model::load(&path)
        .unwrap()
        .using(Weights::Live)
        .unwrap_err();
    assert!(
        matches!(error, ModelError::OtherLiveWeights { .. }),
        "{error}"
    );

    // And none at all.
    fs::remove_file(&live_path).unwrap();
    averaged.save(&path).unwrap();
    let old = Model::load(&path).unwrap();
    assert_eq!(
        old.clone().using(Weights::Averaged).unwrap().parameters(),
        averaged.parameters()
    );
    let error = old.clone().using(Weights::Live).unwrap_err();
    assert!(matches!(error, ModelError::NoLiveWeights), "{error}");
    assert!(matches!(
        old.with_live(vec![0.0]),
        Err(ModelError::WrongTensor { .. })
    ));
}

// The picture

#[test]
fn both_densities_share_one_scale() {
    let (data, model) = ([0.0, 1.0, 0.0, 0.0], [2.0, 0.0, f32::NAN, 0.0]);
    let energies = [0.0, 10.0, 20.0, f32::INFINITY];
    let panels = EvaluationPanels {
        data: &data,
        model: &model,
        energies: &energies,
        side: 2,
        extent: 4.0,
        samples: &[[0.0, 0.0]],
    };
    let picture = evaluation(&panels).unwrap();
    assert_eq!(picture.dimensions(), (4 * 430, 464));
    let at = |panel: u32, column: u32, row: u32| {
        *picture.get_pixel(430 * panel + 56 + 90 + 180 * column, 44 + 90 + 180 * row)
    };
    let (dark, middle, bright) = (
        Rgb([0x44, 0x01, 0x54]),
        Rgb([0x21, 0x90, 0x8c]),
        Rgb([0xfd, 0xe7, 0x25]),
    );
    let loud = Rgb([255, 0, 255]);
    assert_eq!([at(0, 0, 0), at(0, 1, 0)], [dark, middle]);
    assert_eq!(
        [at(1, 0, 0), at(1, 1, 0), at(1, 0, 1)],
        [bright, dark, loud]
    );
    assert_eq!(
        [at(2, 0, 0), at(2, 1, 0), at(2, 0, 1), at(2, 1, 1)],
        [bright, dark, dark, loud]
    );

    let wrong = EvaluationPanels {
        model: &model[..3],
        ..panels
    };
    let error = evaluation(&wrong).unwrap_err();
    assert!(
        matches!(error, ReportError::LandscapeSize { .. }),
        "{error}"
    );
    let none = EvaluationPanels { side: 0, ..panels };
    assert!(matches!(
        evaluation(&none),
        Err(ReportError::Nothing { .. })
    ));
    let endless = EvaluationPanels {
        extent: f32::NAN,
        ..panels
    };
    assert!(matches!(
        evaluation(&endless),
        Err(ReportError::Extent { .. })
    ));
}

// The command

#[track_caller]
fn printed(folder: &TempDir, arguments: &[&str]) -> String {
    stdout(&run(folder, arguments)).to_owned()
}

#[track_caller]
fn refused(folder: &TempDir, arguments: &[&str], part: &str) {
    let output = afterimage(folder, arguments).output().unwrap();
    let errors = stderr(&output);
    assert!(!output.status.success(), "{arguments:?}");
    assert!(errors.contains(part), "no `{part}` in: {errors}");
}

#[test]
fn the_command_evaluates_a_run_and_repeats_itself() {
    let folder = tempfile::tempdir().unwrap();
    let train = [
        "train",
        "8gaussians",
        "--quiet",
        "--set",
        POINT_LAYERS,
        "--set",
        "run.steps=4",
        "--set",
        "run.batch=16",
        "--set",
        "sampler.buffer=32",
        "--set",
        "objective.noise_ratio=1",
        "--set",
        "sampler.steps=2",
        "--set",
        "run.sample_steps=5",
        "--set",
        "run.samples=40",
    ];
    run(&folder, &train);
    let evaluate = ["evaluate", "runs/8gaussians", "--quiet", "--json"];
    let text = printed(&folder, &evaluate);
    let figures: Value = serde_json::from_str(&text).expect("one object");
    let keys: Vec<&String> = figures.as_object().expect("an object").keys().collect();
    let wanted = [
        "source",
        "data_noise",
        "weights",
        "step",
        "weights_crc32",
        "data",
        "data_record",
        "log_z",
        "nll",
        "data_entropy",
        "model_entropy",
        "kl_data_model",
        "kl_model_data",
        "total_variation",
        "mass_off_data",
        "grid",
        "data_sample",
        "samples",
        "model_mode_coverage",
        "modes",
        "arguments",
        "pictures",
    ];
    assert_eq!(keys, wanted);
    assert_eq!(figures["source"], "8gaussians");
    assert_eq!(
        (&figures["weights"], &figures["step"]),
        (&"averaged".into(), &4.into())
    );
    assert_eq!(figures["samples"]["count"], 40);
    assert_eq!(figures["samples"]["sampler"]["buffer"], 32);
    assert_eq!(figures["modes"].as_array().map(Vec::len), Some(8));
    let number = |name: &str| figures[name].as_f64().expect("a number");
    let difference = number("nll") - number("data_entropy");
    assert_near("KL", number("kl_data_model"), difference, 1e-12);
    assert!(number("kl_data_model") > 0.0 && number("kl_model_data") > 0.0);

    let picture = image::open(folder.path().join("runs/8gaussians/evaluation.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (4 * 430, 464));
    assert_eq!(
        printed(&folder, &evaluate),
        text,
        "a repeated evaluation differs"
    );

    // The live weights are others, and every command takes them.
    let live = printed(
        &folder,
        &[&evaluate[..], &["--weights", "live", "--out", "live.png"]].concat(),
    );
    let live: Value = serde_json::from_str(&live).expect("one object");
    assert_eq!(live["weights"], "live");
    assert_ne!(live["log_z"], figures["log_z"]);
    assert!(folder.path().join("live.png").is_file());
    let energies = |weights: &str| {
        let arguments = [
            "energy",
            "runs/8gaussians",
            "moons",
            "--json",
            "--weights",
            weights,
        ];
        printed(&folder, &arguments)
    };
    assert_ne!(energies("live"), energies("averaged"));
    let samples = |weights: &str, out: &str| {
        let arguments = [
            "sample",
            "runs/8gaussians",
            "--quiet",
            "--out",
            out,
            "--weights",
            weights,
        ];
        run(&folder, &arguments);
        fs::read(folder.path().join(out)).unwrap()
    };
    assert_ne!(samples("live", "a.npy"), samples("averaged", "b.npy"));
    assert_eq!(samples("averaged", "b.npy"), samples("averaged", "c.npy"));
}

#[test]
fn the_command_prints_a_table_and_takes_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    untrained("checkerboard", POINT_LAYERS).save(&path).unwrap();
    let arguments = [
        "evaluate",
        "model.safetensors",
        "--count",
        "0",
        "--tolerance",
        "1e-2",
    ];
    let output = run(&folder, &[&arguments[..], &["--out", "exact.png"]].concat());
    let table = stderr(&output);
    assert!(output.stdout.is_empty(), "{table}");
    for part in ["KL(data‖model)", "inf", "square (-3, 1)", "wrote exact.png"] {
        assert!(table.contains(part), "no `{part}` in: {table}");
    }
    assert!(folder.path().join("exact.png").is_file());

    let json = printed(
        &folder,
        &[&arguments[..], &["--json", "--quiet", "--seed", "9"]].concat(),
    );
    let figures: Value = serde_json::from_str(&json).expect("one object");
    assert!(figures["kl_model_data"].is_null() && figures["samples"].is_null());
    assert!(
        figures["kl_model_data_is"]
            .as_str()
            .is_some_and(|why| why.contains("infinite"))
    );
    assert_eq!(figures["grid"]["tolerance"], 1e-2);
    // Nobody asked for a picture in the current folder.
    assert!(!folder.path().join("evaluation.png").exists());
}

#[test]
fn the_command_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    untrained("digits", IMAGE_LAYERS)
        .save(&path("digits.safetensors"))
        .unwrap();
    untrained("moons", POINT_LAYERS)
        .save(&path("moons.safetensors"))
        .unwrap();
    let mut bytes = fs::read(path("moons.safetensors")).unwrap();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(path("nan.safetensors"), bytes).unwrap();

    refused(
        &folder,
        &["evaluate", "digits.safetensors", "--only", "density"],
        "images among them, with --only likelihood",
    );
    refused(
        &folder,
        &["evaluate", "absent.safetensors"],
        "does not exist",
    );
    refused(
        &folder,
        &["evaluate", "."],
        "neither a checkpoint nor a run folder",
    );
    refused(&folder, &["evaluate", "nan.safetensors"], "not finite");
    refused(
        &folder,
        &["evaluate", "moons.safetensors", "--tolerance", "1e-9"],
        "1e-9 nats",
    );
    refused(
        &folder,
        &["evaluate", "moons.safetensors", "--weights", "live"],
        "no live weights",
    );
    refused(
        &folder,
        &["evaluate", "moons.safetensors", "--out", "a.jpg"],
        "a.jpg",
    );
    assert!(!path("evaluation.png").exists());
}

//! The samples of models whose distribution is known.

use afterimage::config;
use afterimage::data::Scaling;
use afterimage::evaluation::{
    DataIs, FeatureName, Judged, QualityData, QualityFigures, StabilityFigures,
    out_of_distribution, sample_quality, stability,
};
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::low_level::random::{Philox, Stream};
use afterimage::model::{Model, SampleOptions};
use afterimage::shape::Shape;

const SHAPE: Shape = Shape::new(1, 8, 8);

fn executor() -> Executor {
    Executor::open(&AdapterChoice::Best, ExecutorOptions::default())
        .expect("the tests need an adapter: run `sh setup.sh`")
}

/// exp(−E) is a normal distribution of standard deviation 0.5: the network's weights are all zero. Its chains are
/// Hamiltonian, so that they reach it without bias.
pub fn gaussian(more: &[&str]) -> Model {
    gaussian_of(vec![0.0; 65], more)
}

/// The same with other weights.
pub fn gaussian_of(weights: Vec<f32>, more: &[&str]) -> Model {
    let mut sets = vec![
        "network.layers=[{dense=1}]",
        "network.base_std=0.5",
        "sampler.kind=hmc",
        "sampler.step_size=0.1",
        "sampler.start_std=0.5",
        "data.noise=0.1",
    ];
    sets.extend(more);
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let config = config::load("digits-langevin", &sets).expect("a valid configuration");
    let scaling = Scaling::between([0.0, 16.0], [-1.0, 1.0]);
    Model::new(config, SHAPE, scaling, weights, 7).expect("fits")
}

/// Samples of the model, by another generator.
fn normal(count: usize, std: f32, step: u32) -> Vec<f32> {
    let mut random = Philox::new(5, Stream::Data, step);
    (0..count * SHAPE.len())
        .map(|_| std * random.normal())
        .collect()
}

fn figures(training: &[f32], others: &[f32], count: usize) -> QualityFigures {
    let data = QualityData {
        training,
        others,
        others_are: DataIs::HeldOut,
    };
    let options = SampleOptions {
        count,
        steps: 12,
        seed: 3,
        frames: 0,
    };
    let outcome = sample_quality(
        &mut executor(),
        &gaussian(&[]),
        data,
        None,
        &options,
        &mut |_, _| {},
    );
    let outcome = outcome.expect("samples are drawn");
    assert_eq!(outcome.picture.is_some(), !training.is_empty());
    outcome.figures
}

/// Data that are the model's own: with the noise of training, 0.5² = 0.49² + 0.1².
#[test]
fn a_perfect_model_is_at_every_floor() {
    let data = normal(700, 0.24_f32.sqrt(), 1);
    let (training, held_out) = data.split_at(600 * SHAPE.len());
    let found = figures(training, held_out, 300);
    assert_eq!((found.count, found.lost, found.chains), (300, 0, "fresh"));
    assert_eq!(found.features, FeatureName::DigitsClassifier);
    let stein = found.stein.valid().expect("is valid");
    for (what, found) in [("states", stein.states), ("data", stein.data)] {
        assert!(found.p_value > 0.01, "{what}: {found:?}");
        assert!(
            found.squared.abs() < 4.0 * found.standard_error,
            "{what}: {found:?}"
        );
    }
    // What is denoised has the deviation (1 − 0.1²/0.5²) · 0.5 = 0.48, less than the data's 0.49: of 64 dimensions not told
    // apart by a few hundred samples.
    let distances = found.distances.valid().expect("is valid");
    let kernel = distances.kernel_distance;
    let error = kernel.standard_error.hypot(kernel.floor_standard_error);
    assert!(
        (kernel.value - kernel.floor).abs() < 4.0 * error,
        "{kernel:?}"
    );
    assert!(
        distances.two_sample.samples.interval[0] < 0.5,
        "{distances:?}"
    );
}

/// Held-out data of the very law of the samples, which denoising leaves with a deviation of 0.48, come as near to the
/// training data as they do; training data that are the samples themselves come nearer than any.
#[test]
fn copies_are_told_from_fresh_samples() {
    let training = normal(600, 0.24_f32.sqrt(), 1);
    let held_out = normal(200, 0.48, 2);
    let copying = |training: &[f32]| {
        let found = figures(training, &held_out, 200);
        found.nearest.valid().expect("is valid").copying
    };
    let fresh = copying(&training);
    let error = fresh.standard_error.expect("has one");
    assert!((fresh.value - 0.5).abs() < 4.0 * error, "{fresh:?}");
    // Of 200 and 200 an AUROC has an error of √(1/12 · 2/200) = 0.029 under equality.
    assert!((error - 0.029).abs() < 0.01, "{fresh:?}");
    let options = SampleOptions {
        count: 200,
        steps: 12,
        seed: 3,
        frames: 0,
    };
    let drawn = gaussian(&[]).sample(&mut executor(), &options, &mut |_, _| true);
    assert_eq!(copying(&drawn.expect("are drawn").values).value, 1.0);
}

/// Digits are none of this model's, and it none of theirs.
#[test]
fn a_model_that_has_learned_nothing_is_far_from_digits() {
    let options = gaussian(&[]).config().data.options();
    let digits = afterimage::data::open(&options, 0)
        .expect("are embedded")
        .first(600);
    let found = figures(&digits, &[], 100);
    let distances = found.distances.valid().expect("is valid");
    assert_eq!((distances.compared, distances.dimensions), (100, 64));
    let frechet = distances.frechet_distance;
    assert!(
        frechet.value > frechet.floor + 5.0 * frechet.standard_error,
        "{frechet:?}"
    );
    assert!(
        distances.two_sample.samples.interval[0] > 0.9,
        "{distances:?}"
    );
    assert!(
        distances.coverage.value < distances.coverage.floor,
        "{distances:?}"
    );
    let stein = found.stein.valid().expect("is valid");
    assert!(stein.states.p_value > 0.01, "{stein:?}");
    assert_eq!(stein.data.p_value, 1.0 / 500.0);
    // Nothing was held out, and the report says so instead of a figure.
    let Judged::NotValid { not_valid } = &found.nearest else {
        panic!("{:?}", found.nearest);
    };
    assert!(not_valid.contains("held out"), "{not_valid}");
    let json = serde_json::to_value(&found).expect("is JSON");
    assert!(json["nearest"]["not_valid"].is_string());
    assert!(json["distances"]["frechet_distance"]["floor"].is_number());
    assert_eq!(json["features"], "digits_classifier");
    let shares: f64 = found.classes.expect("has classes").samples.iter().sum();
    assert!((shares - 1.0).abs() < 1e-12);
}

#[test]
fn too_few_samples_are_said_to_be_too_few_and_repetitions_are_equal() {
    let data = normal(100, 0.5, 1);
    let found = figures(&data, &[], 10);
    for judged in [
        found.distances.valid().is_some(),
        found.stein.valid().is_some(),
    ] {
        assert!(!judged);
    }
    let json = |figures: &QualityFigures| serde_json::to_string(figures).expect("is JSON");
    let (first, second) = (figures(&data, &[], 40), figures(&data, &[], 40));
    assert_eq!(json(&first), json(&second));
}

#[test]
fn energies_tell_a_wider_distribution_apart() {
    let (inside, outside) = (normal(200, 0.24_f32.sqrt(), 1), normal(300, 0.6, 2));
    let mut executor = executor();
    let model = gaussian(&[]);
    let mut of = |inside: &[f32], outside: &[f32]| {
        out_of_distribution(&mut executor, &model, inside, outside, 1)
    };
    let found = of(&inside, &outside).expect("is computed");
    assert_eq!((found.inside, found.outside), (200, 300));
    // Energies are ½χ²₆₄ times (σ/0.5)²: for 64 dimensions normal with means 32 and 32 · 1.48 = 47.4 and deviations 5.7 and
    // 8.4, so the AUROC is Φ(15.4/10.1) = 0.936.
    let error = found.auroc.standard_error.expect("has one");
    assert!(
        (found.auroc.value - 0.936).abs() < 4.0 * error + 0.01,
        "{found:?}"
    );
    let equal = of(&inside, &normal(200, 0.24_f32.sqrt(), 3)).expect("is computed");
    let error = equal.auroc.standard_error.expect("has one");
    assert!((equal.auroc.value - 0.5).abs() < 4.0 * error, "{equal:?}");
    let message = of(&inside, &[]).expect_err("has one class").to_string();
    assert!(message.contains("none outside"), "{message}");
}

fn stability_of(model: &Model, data: &[f32]) -> StabilityFigures {
    stability_by(model, data, 2)
}

fn stability_by(model: &Model, data: &[f32], seed: u64) -> StabilityFigures {
    let outcome = stability(&mut executor(), model, data, None, seed, &mut |_, _, _| {});
    let outcome = outcome.expect("chains are run");
    assert!(outcome.picture.is_some());
    assert_eq!(outcome.figures.energies.len(), 101);
    outcome.figures
}

/// The model's own data stay, and fresh chains come to where they are.
#[test]
fn chains_of_a_perfect_model_stay_with_its_data() {
    let model = gaussian(&["sampler.steps=2", "run.sample_steps=8"]);
    let found = stability_of(&model, &normal(128, 0.24_f32.sqrt(), 1));
    assert!(found.stable && found.unstable_is.is_none(), "{found:?}");
    assert_eq!(found.told_apart, Some(false), "{found:?}");
    // ½χ²₆₄ has a deviation of √32 = 5.66, known from 128 values within 6 %; 5 of these.
    assert!((found.deviation - 5.66).abs() < 1.8, "{found:?}");
    let mean = found.energies[0].expect("is finite");
    assert!(
        (mean - 32.0).abs() < 5.0 * 5.66 / 128_f64.sqrt(),
        "{found:?}"
    );
}

/// Where fresh chains take as many steps as those from data, the same random numbers would pair them: each state would
/// have its double in the other set, and p would be 1 whatever the seed.
#[test]
fn fresh_chains_and_those_from_data_share_no_random_numbers() {
    // By Langevin steps, which adapt nothing, and whose noise alone decides where chains are in the end.
    let model = gaussian(&[
        "sampler.kind=langevin",
        "sampler.step_size=0.2",
        "sampler.steps=2",
        "run.sample_steps=200",
    ]);
    let data = normal(128, 0.24_f32.sqrt(), 1);
    let p_values: Vec<f64> = (1..=5)
        .map(|seed| stability_by(&model, &data, seed))
        .map(|found| found.fresh_against_data.valid().expect("is valid").p_value)
        .collect();
    // Uniform values are all above 0.9 once in 10⁵ times, and all below 0.1.
    let least = p_values.iter().copied().fold(1.0, f64::min);
    let most = p_values.iter().copied().fold(0.0, f64::max);
    assert!(least < 0.9 && most > 0.1, "{p_values:?}");
}

/// Digits lie where this model has hardly any mass: chains leave them for it.
#[test]
fn chains_leave_data_that_are_none_of_the_models() {
    let model = gaussian(&["sampler.steps=2", "run.sample_steps=8"]);
    let options = model.config().data.options();
    let digits = afterimage::data::open(&options, 0)
        .expect("are embedded")
        .first(300);
    let found = stability_of(&model, &digits);
    assert!(!found.stable, "{found:?}");
    let reason = found.unstable_is.expect("has a reason");
    assert!(reason.contains("standard deviations"), "{reason}");
    let last = found.energies[100].expect("is finite");
    assert!((last - 32.0).abs() < 5.0 * 5.66 / 128_f64.sqrt(), "{last}");
}

/// Fresh chains that have had no time are not where those from data are, though they agree among themselves.
#[test]
fn fresh_chains_that_have_not_arrived_are_told_from_those_from_data() {
    let sets = [
        "sampler.steps=2",
        "run.sample_steps=1",
        "sampler.start_std=1.5",
        // Trajectories that turn the starts into the law of the model by a hundredth only.
        "sampler.step_size=1e-4",
    ];
    let found = stability_of(&gaussian(&sets), &normal(128, 0.24_f32.sqrt(), 1));
    assert!(found.stable, "{found:?}");
    assert_eq!(found.told_apart, Some(true), "{found:?}");
    let test = found.fresh_against_data.valid().expect("is valid");
    assert_eq!(test.p_value, 0.001);
}

#[test]
fn data_of_which_no_chains_can_begin_are_refused() {
    let (mut executor, model) = (executor(), gaussian(&[]));
    for data in [&[][..], &normal(1, 0.5, 1)] {
        let found = stability(&mut executor, &model, data, None, 2, &mut |_, _, _| {});
        let message = found.err().expect("is refused").to_string();
        assert!(message.contains("at least 2"), "{message}");
    }
    // Equal data have no energies of different height to measure by.
    let equal = [0.5; 64].repeat(3);
    let found = stability(&mut executor, &model, &equal, None, 2, &mut |_, _, _| {});
    let message = found.err().expect("is refused").to_string();
    assert!(message.contains("no scale"), "{message}");
}

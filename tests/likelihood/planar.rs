//! log Z of trained models of all planar sets, along the snapshots of their runs and by annealed chains, against quadrature.

use super::executor;
use super::turns::extended;
use afterimage::evaluation::{
    EvaluationOptions, IntervalFigures, LikelihoodOptions, ModelData, evaluate, log_likelihood_of,
};
use afterimage::model::{Model, kept_snapshots};
use afterimage::train::{self, Trainer};
use afterimage::{config, data};
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};
use std::sync::atomic::AtomicBool;

const PRESETS: [&str; 6] = [
    "8gaussians",
    "2spirals",
    "checkerboard",
    "rings",
    "moons",
    "pinwheel",
];
/// How many chains the first estimate takes.
const CHAINS: usize = 32;

/// How many times as wide as an interval of 95 % one is that fails once in twenty times among all that are looked at
/// (Bonferroni), by Student's t for so many independent chains.
fn widened(chains: usize) -> f64 {
    let figures = (PRESETS.len() * ESTIMATES.len()) as f64;
    let t = StudentsT::new(0.0, 1.0, chains as f64 - 1.0).expect("a law");
    t.inverse_cdf(1.0 - 0.025 / figures) / t.inverse_cdf(0.975)
}

const ESTIMATES: [&str; 4] = [
    "along snapshots",
    "Bennett's ratio",
    "from the base",
    "from the model",
];

/// Asserts that as many misses of intervals of 95 % are likely, at 1e-3: of each estimate over all models, which know nothing
/// of one another, and of all of them together. Bennett's ratio is made of both annealed sweeps, so that estimates of one model
/// miss together more often than the binomial law has it: at 1e-3 of that law the latter is refused more often than once
/// in a thousand times, and finds as much more. So few intervals cannot hold the truth too often: that they are not too
/// wide is for laws in closed form, which are repeated.
#[track_caller]
fn assert_few_misses(misses: [u64; ESTIMATES.len()], models: u64) {
    let likely = |what: &str, misses: u64, of: u64| {
        let as_many = match misses {
            0 => 1.0,
            _ => Binomial::new(0.05, of).expect("a law").sf(misses - 1),
        };
        println!("{what}: {misses} of {of} intervals of 95 % miss the truth");
        assert!(
            as_many > 1e-3,
            "{what}: {misses} of {of} intervals of 95 % miss the truth"
        );
    };
    for (misses, what) in misses.into_iter().zip(ESTIMATES) {
        likely(what, misses, models);
    }
    let of = models * ESTIMATES.len() as u64;
    likely("all estimates", misses.iter().sum(), of);
}

/// Four of six models, or three of one, are too many.
#[test]
fn misses_that_are_too_many_are_found_out() {
    assert_few_misses([0, 1, 1, 3], 6);
    assert_few_misses([1, 1, 0, 0], 1);
    for (misses, models) in [([4, 0, 0, 0], 6), ([2, 2, 1, 1], 6), ([1, 1, 1, 0], 1)] {
        let refused = std::panic::catch_unwind(|| assert_few_misses(misses, models));
        assert!(refused.is_err(), "{misses:?} of {models}");
    }
}

#[test]
fn trained_planar_models_agree_with_quadrature_by_all_estimates() {
    // Six in the extended tests, for longer.
    let (presets, steps, evaluations) = match extended() {
        true => (&PRESETS[..], 1000, 400_000),
        false => (&PRESETS[4..5], 150, 250_000),
    };
    let mut misses = [0; ESTIMATES.len()];
    for preset in presets {
        let sets = [
            format!("run.steps={steps}"),
            "run.sample_steps=1".into(),
            "run.sample_every=0".into(),
            "sampler.probe=0".into(),
            "sampler.diagnose=0".into(),
        ];
        let config = config::load(preset, &sets).unwrap();
        let data = data::open(&config.data.options(), config.run.seed).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let mut trainer = Trainer::new(executor(), &config, data).expect("starts");
        let never = AtomicBool::new(false);
        let summary =
            train::run(&mut trainer, &config, &run, false, &never, &mut |_| {}).expect("trains");
        let model = Model::load(&summary.checkpoint).unwrap();
        let kept = kept_snapshots(&run, &model);
        assert!(kept.parameters.len() >= 15, "{}", kept.parameters.len());
        assert!(kept.notes.is_empty(), "{:?}", kept.notes);

        let mut executor = executor();
        let options = EvaluationOptions {
            tolerance: 1e-4,
            count: 0,
            seed: 3,
        };
        let exact = evaluate(&mut executor, &model, &options, &mut |_, _, _| {}).expect("exact");
        let truth = exact.figures.log_z;
        let mut found = |times: usize| {
            let options = LikelihoodOptions {
                chains: times * CHAINS,
                evaluations: times as u64 * evaluations,
                seed: 5,
            };
            let progress = &mut |_, _, _| {};
            let data = ModelData::of(&model).expect("reads");
            log_likelihood_of(
                &mut executor,
                &model,
                &data,
                &kept.parameters,
                &options,
                progress,
            )
            .expect("estimates")
        };
        // Of six models, each looked at by five comparisons that fail once in two hundred times by chance, one may well be
        // refused: then as it advises, with as many more chains.
        let first = found(1);
        let found = match first.valid {
            true => first,
            false => {
                println!("{preset}, first: {truth:.4}, {:?}", first.not_valid);
                found(4)
            }
        };
        assert!(found.valid, "{preset}: {:?}", found.not_valid);
        let estimates = &found.estimates;
        let along = estimates.telescoped.as_ref().expect("snapshots");
        println!("{preset}: {truth:.4}, {:?}, {estimates:?}", found.cost);
        assert_eq!(along.snapshots, kept.parameters.len());
        assert!(along.snapshots_used >= Some(1), "{along:?}");
        assert!(
            along.not_valid.is_empty(),
            "{preset}: {:?}",
            along.not_valid
        );
        let all = [
            along.log_z,
            estimates.bennett.log_z,
            estimates.from_base.log_z,
            estimates.from_model.log_z,
        ];
        for ((what, figures), misses) in ESTIMATES.into_iter().zip(all).zip(&mut misses) {
            let IntervalFigures {
                value, interval, ..
            } = figures.unwrap_or_else(|| panic!("{preset}: nothing {what}: {estimates:?}"));
            // What quadrature is exact to.
            let (half, exact) = (0.5 * (interval[1] - interval[0]), 1e-4);
            let error = (value - truth).abs();
            *misses += u64::from(error > half + exact);
            assert!(
                error <= widened(found.method.chains) * half + exact,
                "{preset}, {what}: {value} in {interval:?}, not {truth}"
            );
        }
    }
    assert_few_misses(misses, presets.len() as u64);
}

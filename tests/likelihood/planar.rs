//! log Z of trained models of all planar sets, along the snapshots of their runs and by annealed chains, against quadrature.

use super::executor;
use super::turns::extended;
use afterimage::evaluation::{
    EvaluationOptions, IntervalFigures, LikelihoodOptions, ModelData, evaluate, log_likelihood_of,
};
use afterimage::model::{Model, kept_snapshots};
use afterimage::train::{self, Trainer};
use afterimage::{config, data};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::sync::atomic::AtomicBool;

const PRESETS: [&str; 6] = [
    "8gaussians",
    "2spirals",
    "checkerboard",
    "rings",
    "moons",
    "pinwheel",
];
const CHAINS: usize = 32;

/// How many times as wide as an interval of 95 % one is that fails once in twenty times among all that are looked at
/// (Bonferroni), by Student's t for independent chains.
fn widened() -> f64 {
    let figures = 3.0 * PRESETS.len() as f64;
    let t = StudentsT::new(0.0, 1.0, CHAINS as f64 - 1.0).expect("a law");
    t.inverse_cdf(1.0 - 0.025 / figures) / t.inverse_cdf(0.975)
}

#[test]
fn trained_planar_models_agree_with_quadrature_by_all_estimates() {
    // Six in the extended tests, for longer.
    let (presets, steps, evaluations) = match extended() {
        true => (&PRESETS[..], 1000, 400_000),
        false => (&PRESETS[4..5], 150, 250_000),
    };
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
        let mut found = |evaluations| {
            let options = LikelihoodOptions {
                chains: CHAINS,
                evaluations,
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
        // refused: then as it advises, with more.
        let first = found(evaluations);
        let found = match first.valid {
            true => first,
            false => found(4 * evaluations),
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
        for (what, figures) in [
            ("along snapshots", along.log_z),
            ("Bennett's ratio", estimates.bennett.log_z),
            ("from the base", estimates.from_base.log_z),
        ] {
            let IntervalFigures {
                value, interval, ..
            } = figures.unwrap_or_else(|| panic!("{preset}: nothing {what}: {estimates:?}"));
            let most = widened() * 0.5 * (interval[1] - interval[0]) + 1e-4;
            assert!(
                (value - truth).abs() <= most,
                "{preset}, {what}: {value} in {interval:?}, not {truth}"
            );
        }
    }
}

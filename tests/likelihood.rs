//! log Z with intervals that cover: laws in closed form through the estimators that networks take, and networks whose Z is
//! known.

#[path = "common/checkpoint.rs"]
mod checkpoint;
#[path = "common/command.rs"]
mod command;
#[path = "likelihood/planar.rs"]
mod planar;
#[path = "likelihood/scored.rs"]
mod scored;
#[path = "likelihood/scores.rs"]
mod scores;
#[path = "likelihood/telescope.rs"]
mod telescope;
#[path = "common/turns.rs"]
mod turns;

use afterimage::config;
use afterimage::data;
use afterimage::evaluation::{
    EvaluationError, EvaluationOptions, LikelihoodFigures, LikelihoodOptions, evaluate,
    log_likelihood,
};
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::low_level::evaluation::{
    Advanced, Estimate, LogZ, LogZError, Path, Problem, SweepStage, log_z,
};
use afterimage::low_level::kernels::{Integrator, LEAPFROG};
use afterimage::low_level::random::{Philox, Stream};
use afterimage::low_level::twins::{HmcState, adapted, hmc_step};
use afterimage::model::Model;
use checkpoint::{IMAGE_LAYERS, POINT_LAYERS, untrained};
use command::{afterimage, run, stderr, stdout};
use scores::Scores;
use serde_json::Value;
use statrs::distribution::{Binomial, Discrete, DiscreteCDF};
use std::convert::Infallible;
use std::f64::consts::{LN_2, PI};
use std::fs;
use turns::extended;

/// A mixture of Gaussians of one standard deviation, times exp(−constant).
#[derive(Clone)]
struct Mixture {
    dimensions: usize,
    /// Weight and mean of each part, the mean the same in every dimension.
    parts: Vec<(f64, f64)>,
    std: f64,
    constant: f64,
}

impl Mixture {
    fn log_z(&self) -> f64 {
        self.dimensions as f64 / 2.0 * (2.0 * PI * self.std.powi(2)).ln() - self.constant
    }

    /// Adds `share` times energy and gradient.
    fn add(&self, x: &[f64], share: f64, energy: &mut f64, gradient: &mut [f64]) {
        let variance = self.std.powi(2);
        let logs: Vec<f64> = self
            .parts
            .iter()
            .map(|(weight, mean)| {
                let squares: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
                weight.ln() - squares / (2.0 * variance)
            })
            .collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
        *energy += share * (self.constant - most - sum.ln());
        for ((_, mean), log) in self.parts.iter().zip(&logs) {
            let weight = share * (log - most).exp() / sum / variance;
            for (gradient, x) in gradient.iter_mut().zip(x) {
                *gradient += weight * (x - mean);
            }
        }
    }

    fn draw(&self, random: &mut Philox) -> Vec<f64> {
        let mut left = f64::from(random.uniform());
        let part = self.parts.iter().find(|(weight, _)| {
            left -= weight;
            left < 0.0
        });
        let mean = part.or(self.parts.last()).map_or(0.0, |(_, mean)| *mean);
        let values = (0..self.dimensions).map(|_| mean + self.std * f64::from(random.normal()));
        values.collect()
    }
}

/// Leapfrog steps of a transition, and how its time step varies.
const LEAPS: (&Integrator, usize, f64) = (&LEAPFROG, 3, 0.2);

/// The path from one mixture to another in f64, on the twin of the kernels.
struct Exact {
    base: Mixture,
    model: Mixture,
    /// What chains start from that are to have the model's law.
    data: Mixture,
    seed: u64,
    step: u32,
    x: Vec<f64>,
    chains: usize,
}

impl Exact {
    fn new(model: Mixture, data: Mixture, chains: usize, seed: u64) -> Self {
        Exact {
            base: gaussian(model.dimensions, 0.0, 1.0),
            model,
            data,
            seed,
            step: 0,
            x: Vec::new(),
            chains,
        }
    }

    fn truth(&self) -> f64 {
        self.model.log_z()
    }

    fn start(&mut self, from: Mixture) -> Vec<f64> {
        let mut random = Philox::new(self.seed, Stream::SamplingStart, self.step);
        self.step += 1;
        let states = (0..self.chains).flat_map(|_| from.draw(&mut random));
        self.x = states.collect();
        self.potentials()
    }

    fn potentials(&self) -> Vec<f64> {
        let mut unused = vec![0.0; self.model.dimensions];
        let potential = |x: &[f64]| {
            let mut energy = 0.0;
            self.model.add(x, 1.0, &mut energy, &mut unused);
            self.base.add(x, -1.0, &mut energy, &mut unused);
            energy
        };
        self.x
            .chunks(self.model.dimensions)
            .map(potential)
            .collect()
    }
}

impl Path for Exact {
    type Error = Infallible;

    fn chains(&self) -> usize {
        self.chains
    }

    fn dimensions(&self) -> usize {
        self.model.dimensions
    }

    fn log_z_base(&self) -> f64 {
        self.base.log_z()
    }

    fn first_step_size(&self) -> f64 {
        self.base.std.powi(2) / 32.0
    }

    fn evaluations(&self, steps: usize) -> usize {
        steps * LEAPS.1 + 2
    }

    fn start_at_base(&mut self) -> Result<Vec<f64>, Infallible> {
        Ok(self.start(self.base.clone()))
    }

    fn start_at_model(&mut self) -> Result<Vec<f64>, Infallible> {
        Ok(self.start(self.data.clone()))
    }

    fn advance(
        &mut self,
        beta: f64,
        mut step_size: f64,
        steps: usize,
        adapt: bool,
    ) -> Result<Advanced, Infallible> {
        let length = self.model.dimensions;
        let field = |x: &[f64]| {
            let mut gradient = vec![0.0; x.len()];
            let energies = x.chunks(length).zip(gradient.chunks_mut(length));
            let energies = energies.map(|(x, gradient)| {
                let mut energy = 0.0;
                self.model.add(x, beta, &mut energy, gradient);
                self.base.add(x, 1.0 - beta, &mut energy, gradient);
                energy
            });
            (energies.collect::<Vec<f64>>(), gradient)
        };
        let (energies, gradient) = field(&self.x);
        let mut state = HmcState {
            x: self.x.clone(),
            energies,
            gradient,
        };
        for step in 0..steps {
            let random = (self.seed, Stream::Sampling, self.step + step as u32);
            let tests = hmc_step(&mut state, step_size, LEAPS, 1.0, random, 0, &field);
            if adapt {
                let accepted = tests.iter().map(|(change, _)| (-change).exp().min(1.0));
                let acceptance = accepted.sum::<f64>() / tests.len() as f64;
                step_size = adapted(step_size, acceptance, 0.8, step, [0.5, 50.0, 0.05]);
            }
        }
        self.x = state.x;
        self.step += steps as u32;
        Ok(Advanced {
            potentials: self.potentials(),
            step_size,
        })
    }
}

fn gaussian(dimensions: usize, mean: f64, std: f64) -> Mixture {
    Mixture {
        dimensions,
        parts: vec![(1.0, mean)],
        std,
        constant: 0.0,
    }
}

/// Two parts with a third and two thirds of the weight, whose means are `apart` standard deviations from one another.
fn two_parts(dimensions: usize, std: f64, apart: f64) -> Mixture {
    let mean = 0.5 * apart * std / (dimensions as f64).sqrt();
    Mixture {
        dimensions,
        parts: vec![(1.0 / 3.0, -mean), (2.0 / 3.0, mean)],
        std,
        constant: 12.5,
    }
}

fn estimated(path: &mut Exact, evaluations: u64) -> LogZ {
    log_z(path, evaluations, &mut |_, _, _| {}).expect("enough evaluations")
}

const ESTIMATES: [&str; 3] = ["Bennett", "from the base", "from the model"];

/// How often each interval held the truth, how often the bound did, and the widths of Bennett's; and by how much each missed
/// it, of Bennett's ratio, from the base and from the model.
struct Coverage {
    repetitions: u64,
    bennett: u64,
    there: u64,
    back: u64,
    bound: u64,
    widths: Vec<f64>,
    scores: [Scores; 3],
}

/// A refusal counts as a miss.
fn coverage(repetitions: u64, evaluations: u64, path: impl Fn(u64) -> Exact) -> Coverage {
    let mut coverage = Coverage {
        repetitions,
        bennett: 0,
        there: 0,
        back: 0,
        bound: 0,
        widths: Vec::new(),
        scores: Default::default(),
    };
    for seed in 0..repetitions {
        let mut path = path(seed);
        let truth = path.truth();
        let found = estimated(&mut path, evaluations);
        let holds = |estimate: &Estimate| {
            let [low, high] = estimate.interval();
            u64::from(found.is_valid() && (low..=high).contains(&truth))
        };
        coverage.bennett += holds(&found.bennett);
        coverage.there += holds(&found.there);
        coverage.back += holds(&found.back);
        coverage.bound += u64::from(found.at_least < truth);
        coverage.widths.push(2.0 * found.bennett.half_width);
        if found.is_valid() {
            let estimates = [found.bennett, found.there, found.back];
            for (scores, estimate) in coverage.scores.iter_mut().zip(estimates) {
                scores.add(&estimate, truth, found.chains);
            }
        }
    }
    coverage.widths.sort_by(f64::total_cmp);
    coverage
}

/// Asserts that a share of 95 % is likely, on both sides by a test at 1e-3. Up to 148 repetitions cannot hold too often: that
/// intervals are not too wide is for [`Scores`].
#[track_caller]
fn assert_covers(what: &str, hits: u64, of: u64) {
    let law = Binomial::new(0.95, of).expect("a law");
    let (as_few, as_many) = (law.cdf(hits), law.sf(hits) + law.pmf(hits));
    assert!(
        as_few > 5e-4 && as_many > 5e-4,
        "{what}: {hits} of {of} intervals of 95 % hold the truth"
    );
}

#[track_caller]
fn assert_all_cover(what: &str, coverage: &Coverage) {
    let of = coverage.repetitions;
    println!(
        "{what}: Bennett {} there {} back {} bound {} of {of}; median width {:.3}",
        coverage.bennett,
        coverage.there,
        coverage.back,
        coverage.bound,
        coverage.widths[coverage.widths.len() / 2]
    );
    let hits = [coverage.bennett, coverage.there, coverage.back];
    for (hits, estimate) in hits.into_iter().zip(ESTIMATES) {
        assert_covers(&format!("{what}, {estimate}"), hits, of);
    }
    for (scores, estimate) in coverage.scores.iter().zip(ESTIMATES) {
        scores.assert_calibrated(&format!("{what}, {estimate}"));
    }
    // It holds by Markov's inequality, with much to spare.
    assert!(
        20 * coverage.bound >= 19 * of,
        "{what}: {} of {of}",
        coverage.bound
    );
}

#[test]
fn intervals_cover_in_the_plane() {
    let repetitions = if extended() { 400 } else { 100 };
    let narrow = |seed| {
        // Data are wider than the model: chains have to forget that.
        Exact::new(gaussian(2, 0.5, 0.3), gaussian(2, 0.5, 0.5), 32, seed)
    };
    assert_all_cover("a Gaussian", &coverage(repetitions, 150_000, narrow));
    let modes = |seed| Exact::new(two_parts(2, 0.4, 3.0), two_parts(2, 0.4, 3.0), 32, seed);
    assert_all_cover("two modes", &coverage(repetitions, 150_000, modes));
}

#[test]
fn intervals_cover_in_64_dimensions() {
    let repetitions = if extended() { 200 } else { 40 };
    let narrow = |seed| Exact::new(gaussian(64, 0.2, 0.7), gaussian(64, 0.2, 0.9), 24, seed);
    let modes = |seed| Exact::new(two_parts(64, 0.7, 3.0), two_parts(64, 0.7, 3.0), 24, seed);
    assert_all_cover("a Gaussian", &coverage(repetitions, 150_000, narrow));
    if extended() {
        assert_all_cover("two modes", &coverage(repetitions, 150_000, modes));
    }
}

#[test]
fn intervals_cover_in_784_dimensions() {
    if !extended() {
        return;
    }
    let narrow = |seed| {
        let data = gaussian(784, 0.05, 0.95);
        Exact::new(gaussian(784, 0.05, 0.9), data, 24, seed)
    };
    assert_all_cover("a Gaussian", &coverage(60, 600_000, narrow));
}

#[test]
fn intervals_cover_two_modes_in_784_dimensions() {
    if !extended() {
        return;
    }
    let modes = |seed| {
        let model = two_parts(784, 0.9, 3.0);
        Exact::new(model.clone(), model, 24, seed)
    };
    assert_all_cover("two modes", &coverage(60, 600_000, modes));
}

#[test]
fn too_few_evaluations_and_too_little_overlap_are_refused() {
    let path = |seed| Exact::new(gaussian(64, 1.0, 0.05), gaussian(64, 1.0, 0.05), 24, seed);
    // Where there is hardly a path, what a pilot takes is known, and with it what all of it takes.
    let short = |seed| Exact::new(gaussian(2, 0.0, 0.9), gaussian(2, 0.0, 0.9), 24, seed);
    let error = log_z(&mut short(1), 20_000, &mut |_, _, _| {}).expect_err("too few");
    let LogZError::Budget { least } = error else {
        panic!("{error:?}");
    };
    let enough = estimated(&mut short(1), least);
    let spent: u64 = enough.costs.iter().map(|(_, cost)| cost.evaluations).sum();
    assert!(spent <= least, "{spent} of {least}");
    log_z(&mut short(1), least - 24, &mut |_, _, _| {}).expect_err("too few");
    // A pilot takes no more than two fifths, and does not get far with little.
    for (given, first) in [(1000, true), (24_000, false)] {
        let error = log_z(&mut path(1), given, &mut |_, _, _| {}).expect_err("too few");
        let LogZError::Pilot { beta } = error else {
            panic!("{error:?}");
        };
        assert!((beta == 0.0) == first && beta < 1.0, "{beta}");
    }
    // 150 nats of work in about the shortest sweeps that there are.
    let tried = (1..40).map(|times| 5000 * times);
    let mut tried = tried.map(|given| (given, log_z(&mut path(1), given, &mut |_, _, _| {})));
    let (least, found) = tried
        .find_map(|(given, found)| found.ok().map(|found| (given, found)))
        .expect("enough");
    assert!(!found.is_valid());
    let of_kind = |kind: fn(&Problem) -> bool| found.problems.iter().any(kind);
    for stage in [SweepStage::There, SweepStage::Back] {
        let few = |problem: &Problem| matches!(problem, Problem::FewChainsCount { stage: s, .. } if *s == stage);
        assert!(found.problems.iter().any(few), "{:?}", found.problems);
    }
    assert!(
        of_kind(|problem| matches!(problem, Problem::NoOverlap { .. })),
        "{:?}",
        found.problems
    );
    // What needs no overlap still holds.
    assert!(found.at_least < path(1).truth());
    assert!(found.wanted_evaluations > least);
}

/// Chains from data that all sit in a mode with a fiftieth of the mass and never leave it: R-hat and effective sample sizes of
/// such chains are perfect. Those from the base get to both modes.
#[test]
fn chains_that_all_share_one_of_two_modes_are_found_out() {
    for seed in 0..10 {
        let mut model = two_parts(2, 0.15, 14.0);
        model.parts[0].0 = 0.02;
        model.parts[1].0 = 0.98;
        let one_mode = gaussian(2, model.parts[0].1, 0.15);
        let found = estimated(&mut Exact::new(model, one_mode, 32, seed), 200_000);
        let disagree = |problem: &Problem| matches!(problem, Problem::Disagree { .. });
        assert!(
            found.problems.iter().any(disagree),
            "seed {seed}: {found:?}"
        );
    }
}

/// A narrow valley, a fifth across and 57 long, that falls by one in a length of √2. Chains from its upper end, which move by
/// about half a unit in a transition, are still on their way down when they are asked.
#[test]
fn chains_that_have_not_forgotten_the_data_are_found_out() {
    let means = (-100..=100).map(|place| 0.2 * f64::from(place));
    let valley = Mixture {
        dimensions: 2,
        parts: means.map(|mean| ((-mean).exp(), mean)).collect(),
        std: 0.1,
        constant: 0.0,
    };
    let mut path = Exact::new(valley, gaussian(2, 19.0, 0.1), 32, 3);
    let found = log_z(&mut path, 100_000, &mut |_, _, _| {}).expect("runs");
    let drift = |problem: &Problem| matches!(problem, Problem::Drift { .. });
    assert!(found.problems.iter().any(drift), "{found:?}");
}

/// A path whose chains under the model stay where they begin, as where every step is refused.
struct Frozen(Exact);

impl Path for Frozen {
    type Error = Infallible;

    fn chains(&self) -> usize {
        self.0.chains()
    }

    fn dimensions(&self) -> usize {
        self.0.dimensions()
    }

    fn log_z_base(&self) -> f64 {
        self.0.log_z_base()
    }

    fn first_step_size(&self) -> f64 {
        self.0.first_step_size()
    }

    fn evaluations(&self, steps: usize) -> usize {
        self.0.evaluations(steps)
    }

    fn start_at_base(&mut self) -> Result<Vec<f64>, Infallible> {
        self.0.start_at_base()
    }

    fn start_at_model(&mut self) -> Result<Vec<f64>, Infallible> {
        self.0.start_at_model()
    }

    fn advance(
        &mut self,
        beta: f64,
        step_size: f64,
        steps: usize,
        adapt: bool,
    ) -> Result<Advanced, Infallible> {
        self.0.advance(beta, step_size, steps, adapt)
    }

    fn settle(&mut self, _: f64, _: usize) -> Result<Vec<f64>, Infallible> {
        Ok(self.0.potentials())
    }
}

/// Also where they begin at samples of the model, and all estimates agree.
#[test]
fn chains_that_do_not_move_are_found_out() {
    let model = gaussian(2, 0.5, 0.6);
    let path = |model: Mixture| Exact::new(model.clone(), model, 32, 3);
    let found = log_z(&mut Frozen(path(model)), 50_000, &mut |_, _, _| {}).expect("runs");
    assert_eq!(found.problems, [Problem::Frozen]);
    // Where the model is the base nobody can see that they move.
    let base = gaussian(2, 0.0, 1.0);
    let found = log_z(&mut Frozen(path(base)), 50_000, &mut |_, _, _| {}).expect("runs");
    assert!(found.is_valid(), "{:?}", found.problems);
}

fn executor() -> Executor {
    Executor::open(&AdapterChoice::Best, ExecutorOptions::default())
        .expect("the tests need an adapter: run `sh setup.sh`")
}

fn likelihood(executor: &mut Executor, model: &Model, evaluations: u64) -> LikelihoodFigures {
    let options = LikelihoodOptions {
        chains: 32,
        evaluations,
        seed: 5,
    };
    log_likelihood(executor, model, &options, &mut |_, _, _| {}).expect("estimates")
}

/// Untrained networks with weights enough for several modes, against the quadrature of the part `density`.
#[test]
fn networks_in_the_plane_agree_with_quadrature() {
    let mut executor = executor();
    let turn = if extended() { 0 } else { 4 };
    // The others in the extended tests.
    let presets = [
        "8gaussians",
        "moons",
        "rings",
        "pinwheel",
        "checkerboard",
        "2spirals",
    ];
    for preset in &presets[turn..] {
        let drawn = untrained(preset, POINT_LAYERS);
        let parameters = drawn.parameters().iter().map(|value| 2.0 * value).collect();
        let (shape, scaling) = (drawn.architecture().input(), drawn.scaling());
        let model = Model::new(drawn.config().clone(), shape, scaling, parameters, 7).unwrap();
        let options = EvaluationOptions {
            tolerance: 1e-4,
            count: 0,
            seed: 3,
        };
        let exact = evaluate(&mut executor, &model, &options, &mut |_, _, _| {}).expect("exact");
        let found = likelihood(&mut executor, &model, 150_000);
        assert!(found.valid, "{preset}: {:?}", found.not_valid);
        let estimates = found.estimates;
        for (what, figures) in [
            ("log Z", found.log_z),
            ("from the base", estimates.from_base.log_z),
            ("from the model", estimates.from_model.log_z),
        ] {
            let figures = figures.expect("valid");
            let error = (figures.value - exact.figures.log_z).abs();
            // Twenty-four figures, each wrong by as much once in 16,000 times.
            let most = 4.0 * figures.standard_error + 1e-4;
            assert!(
                error < most,
                "{preset}, {what}: {figures:?}, not {}",
                exact.figures.log_z
            );
            assert!(
                figures.standard_error < 0.3,
                "{preset}, {what}: {figures:?}"
            );
        }
        // The same data law, other draws.
        let nll = found.data.log_likelihood.expect("valid");
        let error = (nll.value + exact.figures.nll).abs();
        assert!(
            error < 4.0 * nll.standard_error,
            "{preset}: {nll:?}, not {}",
            -exact.figures.nll
        );
        assert_eq!(found.data.which, "fresh draws");
        assert!(found.data.dequantised.is_none());
        assert!(found.data.gaussian_fitted_to_scored_data.is_some());
    }
}

/// E = |x|²/2 + w·x + b over 8×8 images, whose Z is (2π)³² exp(|w|²/2 − b).
#[test]
fn a_linear_network_over_images_has_its_normaliser_and_its_bits() {
    let mut executor = executor();
    let sets = ["network.layers=[{dense=1}]", "data.noise=0.1"].map(String::from);
    let config = config::load("digits-langevin", &sets).unwrap();
    let data = data::open(&config.data.options(), 1).unwrap();
    let mut random = Philox::new(4, Stream::Parameters, 0);
    let mut parameters: Vec<f32> = (0..64).map(|_| 0.3 * random.normal()).collect();
    let squares: f64 = parameters.iter().map(|w| f64::from(*w).powi(2)).sum();
    parameters.push(-7.0);
    let model = Model::new(config, data.shape(), data.scaling(), parameters.clone(), 7).unwrap();
    let found = likelihood(&mut executor, &model, 150_000);
    assert!(found.valid, "{:?}", found.not_valid);
    let truth = 32.0 * (2.0 * PI).ln() + squares / 2.0 + 7.0;
    for figures in [
        found.log_z,
        found.estimates.from_base.log_z,
        found.estimates.from_model.log_z,
    ] {
        let figures = figures.expect("valid");
        let error = (figures.value - truth).abs();
        assert!(
            error < 4.0 * figures.standard_error,
            "{figures:?}, not {truth}"
        );
        assert!(figures.standard_error < 0.3, "{figures:?}");
    }
    assert!(found.log_z_at_least < truth);

    // Noise of variance s² adds 64·s²/2 to the mean energy and nothing to the linear part.
    let energy = |x: &[f32]| -> f64 {
        let terms = x.iter().zip(&parameters);
        let terms = terms.map(|(x, w)| f64::from(x * x) / 2.0 + f64::from(w * x));
        terms.sum::<f64>() - 7.0
    };
    let all = data.whole().first(usize::MAX);
    let energies: Vec<f64> = all.chunks(64).map(energy).collect();
    let mean = energies.iter().sum::<f64>() / energies.len() as f64;
    let scored = &found.data;
    assert_eq!((scored.count, scored.which), (1797, "training data"));
    let reason = scored.comparison_not_valid.as_ref().expect("a reason");
    assert!(reason.contains("training data are scored"), "{reason}");
    // Σ (x + w)·noise of each of 1797 samples has a deviation of about 0.1·√(64 + |w|²) ≈ 0.8.
    let tolerance = 5.0 * 0.9 / 1797f64.sqrt();
    let wanted = -(mean + 32.0 * 0.01);
    assert!((scored.negative_energy.expect("finite").value - wanted).abs() < tolerance);
    let step = 2.0 / 16.0_f64;
    let dequantised = scored.dequantised.expect("whole values");
    let wanted = -(mean + 32.0 * step * step / 12.0);
    assert!((dequantised.negative_energy.expect("finite").value - wanted).abs() < tolerance);

    let log_z = found.log_z.expect("valid").value;
    let likelihood = scored.log_likelihood.expect("valid").value;
    assert!((likelihood - (scored.negative_energy.expect("finite").value - log_z)).abs() < 1e-9);
    // p of raw values, from 0 to 16, is p of the model's, from −1 to 1, times 1/8 for each of 64.
    let bits = |log_likelihood: f64| -(log_likelihood + 64.0 * step.ln()) / (64.0 * LN_2);
    let found_bits = scored.bits_per_dimension.expect("valid").value;
    assert!((found_bits - bits(likelihood)).abs() < 1e-9);
    let found_bits = dequantised.bits_per_dimension.expect("valid").value;
    assert!(
        (found_bits - bits(dequantised.negative_energy.expect("finite").value - log_z)).abs()
            < 1e-9
    );
}

#[test]
fn what_has_no_path_is_refused() {
    let mut executor = executor();
    let mut refused = |sets: &[&str]| -> EvaluationError {
        let mut all = vec!["network.layers=[{dense=1}]".to_owned()];
        all.extend(sets.iter().map(|set| (*set).to_owned()));
        let config = config::load("digits-langevin", &all).unwrap();
        let data = data::open(&config.data.options(), 1).unwrap();
        let architecture =
            afterimage::low_level::model::architecture(&config, data.shape()).unwrap();
        let parameters = vec![0.1; architecture.parameter_count()];
        let model = Model::new(config, data.shape(), data.scaling(), parameters, 1).unwrap();
        let options = LikelihoodOptions::of(&model);
        log_likelihood(&mut executor, &model, &options, &mut |_, _, _| {}).expect_err("refused")
    };
    let error = refused(&["network.base=none"]);
    assert!(matches!(error, EvaluationError::NoBase), "{error}");
    let error = refused(&["network.spectral_norm=true", "network.zero_head=false"]);
    assert!(error.to_string().contains("spectral_norm"), "{error}");
    let error = refused(&[
        "network.layers=[{residual=1, kernel=3}]",
        "network.zero_head=false",
    ]);
    assert!(error.to_string().contains("dense = 1"), "{error}");
}

#[test]
fn the_command_writes_what_it_prints_and_repeats_itself() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("run/checkpoints")).unwrap();
    let path = folder.path().join("run/checkpoints/000007.safetensors");
    untrained("digits-langevin", IMAGE_LAYERS)
        .save(&path)
        .unwrap();
    let arguments = [
        "evaluate",
        "run",
        "--only",
        "likelihood",
        "--evaluations",
        "150000",
        "--chains",
        "32",
        "--json",
    ];
    let output = run(&folder, &arguments);
    let figures: Value = serde_json::from_str(stdout(&output)).expect("one object");
    let written = fs::read_to_string(folder.path().join("run/evaluation.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), figures);
    assert_eq!(
        (&figures["source"], &figures["step"]),
        (&"digits".into(), &7.into())
    );
    let likelihood = &figures["likelihood"];
    assert_eq!(likelihood["valid"], true, "{likelihood}");
    assert_eq!(likelihood["not_valid"], Value::Array(Vec::new()));
    assert_eq!(likelihood["method"]["chains"], 32);
    let interval = &likelihood["log_z"]["interval"];
    let value = likelihood["log_z"]["value"].as_f64().expect("a number");
    assert!(interval[0].as_f64() < Some(value) && Some(value) < interval[1].as_f64());
    let parts = likelihood["cost"].as_array().expect("parts").iter();
    let spent: u64 = parts.filter_map(|part| part["evaluations"].as_u64()).sum();
    // The data are scored beyond what was allowed for log Z, twice.
    assert!(spent <= 150_000 + 2 * 1797, "{spent}");
    let table = stderr(&output);
    for part in [
        "annealed from the base",
        "Bennett's ratio",
        "1797 samples of digits (training data) with noise 0.1",
        "fitted to these very data, as the model was",
        "bits per dimension",
        "energy-gradient evaluations in",
        "evaluation.json",
    ] {
        assert!(table.contains(part), "no `{part}` in: {table}");
    }

    let again = run(&folder, &[&arguments[..], &["--quiet"]].concat());
    assert!(stderr(&again).is_empty(), "{}", stderr(&again));
    let mut again: Value = serde_json::from_str(stdout(&again)).expect("one object");
    // Time is what may differ.
    again["likelihood"]["cost"] = likelihood["cost"].clone();
    assert_eq!(again, figures, "a repeated evaluation differs");

    // A run that kept snapshots is estimated along those that can be read as well.
    let snapshots = folder.path().join("run/snapshots");
    fs::create_dir(&snapshots).unwrap();
    let model = untrained("digits", IMAGE_LAYERS);
    model.save(&snapshots.join("000003.safetensors")).unwrap();
    fs::write(snapshots.join("000001.safetensors"), "cut short").unwrap();
    let along = run(&folder, &arguments);
    assert!(
        stderr(&along).contains("000001.safetensors is left out"),
        "{}",
        stderr(&along)
    );
    assert!(stderr(&along).contains("along kept snapshots"));
    let along: Value = serde_json::from_str(stdout(&along)).expect("one object");
    let estimates = &along["likelihood"]["estimates"];
    assert_eq!(
        likelihood["estimates"]["telescoped"],
        Value::Null,
        "{likelihood}"
    );
    let telescoped = &estimates["telescoped"];
    assert_eq!(
        (&telescoped["snapshots"], &telescoped["snapshots_used"]),
        (&1.into(), &1.into()),
        "{estimates}"
    );
    assert!(telescoped["value"].is_number(), "{estimates}");
    let parts = along["likelihood"]["cost"]
        .as_array()
        .expect("parts")
        .iter();
    let spent: u64 = parts.filter_map(|part| part["evaluations"].as_u64()).sum();
    assert!(spent <= 150_000 + 2 * 1797, "{spent}");

    // What does not hold is not printed.
    let few = "evaluate run --only likelihood --evaluations 200 --quiet";
    let few: Vec<&str> = few.split(' ').collect();
    let failed = afterimage(&folder, &few).output().expect("starts");
    assert!(!failed.status.success());
    assert!(
        stderr(&failed).contains("--evaluations"),
        "{}",
        stderr(&failed)
    );
}

/// f = w·x with |w| = 80 takes some 6,400 temperatures for a variance of ln w of 1, and gets some hundreds.
#[test]
fn what_is_not_valid_is_printed_without_intervals() {
    let folder = tempfile::tempdir().unwrap();
    let config = config::load(
        "digits-langevin",
        &["network.layers=[{dense=1}]".to_owned()],
    )
    .unwrap();
    let data = data::open(&config.data.options(), 1).unwrap();
    let parameters = [vec![10.0; 64], vec![0.0]].concat();
    let model = Model::new(config, data.shape(), data.scaling(), parameters, 7).unwrap();
    let path = folder.path().join("steep.safetensors");
    model.save(&path).unwrap();
    let arguments = "evaluate steep.safetensors --only likelihood --evaluations 120000 --chains 16";
    let arguments: Vec<&str> = arguments.split(' ').chain(["--json"]).collect();
    let output = run(&folder, &arguments);
    let figures: Value = serde_json::from_str(stdout(&output)).expect("one object");
    let likelihood = &figures["likelihood"];
    assert_eq!(likelihood["valid"], false, "{likelihood}");
    assert_ne!(likelihood["not_valid"], Value::Array(Vec::new()));
    assert_eq!(likelihood["log_z"], Value::Null);
    for estimate in ["from_base", "from_model", "bennett"] {
        let estimate = &likelihood["estimates"][estimate];
        assert_eq!(estimate["log_z"], Value::Null, "{likelihood}");
        assert!(estimate["value"].is_number(), "{likelihood}");
    }
    for figure in ["log_likelihood", "bits_per_dimension"] {
        assert_eq!(likelihood["data"][figure], Value::Null, "{likelihood}");
    }
    let table = stderr(&output);
    assert!(!table.contains("intervals of 95 %"), "{table}");
    assert_eq!(table.matches("without an interval").count(), 3, "{table}");
    assert!(table.contains("\nnot valid: "), "{table}");
}

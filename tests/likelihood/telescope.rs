//! log Z along kept laws in closed form: what the intervals cover, how wide they are, and what is refused.

use super::scores::Scores;
use super::turns::extended;
use super::{Exact, LEAPS, Mixture, assert_covers, estimated, gaussian, two_parts};
use afterimage::low_level::evaluation::{Telescope, TelescopeProblem, Trail, telescoped};
use afterimage::low_level::random::{Philox, Stream};
use afterimage::low_level::twins::{HmcState, adapted, hmc_step};
use std::convert::Infallible;
use std::ops::Range;

/// The way from a standard normal law past others to the last, in f64, on the twin of the kernels. Between two of them
/// means, widths and constants are interpolated, as weights are.
struct Way {
    /// The base, those that were kept, and the model.
    all: Vec<Mixture>,
    /// Those of them that it leads past.
    laws: Vec<Mixture>,
    /// Where chains start that are to have the law of the last.
    data: Mixture,
    chains: usize,
    seed: u64,
    step: u32,
    x: Vec<f64>,
    /// Whether there is nothing between two laws: the further one begins right behind the nearer.
    leaps: bool,
}

impl Way {
    /// To `model`, by so many shares of the way; chains from data start at `data`.
    fn new(model: Mixture, data: Mixture, shares: &[f64], chains: usize, seed: u64) -> Self {
        // Parts as the model has, all of them at the base.
        let mut base = gaussian(model.dimensions, 0.0, 1.0);
        base.parts = model
            .parts
            .iter()
            .map(|(weight, _)| (*weight, 0.0))
            .collect();
        let mut laws: Vec<Mixture> = shares
            .iter()
            .map(|share| between(&base, &model, *share))
            .collect();
        laws.insert(0, base);
        laws.push(model);
        Way {
            all: laws.clone(),
            laws,
            data,
            chains,
            seed,
            step: 0,
            x: Vec::new(),
            leaps: false,
        }
    }

    fn truth(&self) -> f64 {
        self.laws[self.laws.len() - 1].log_z()
    }

    fn at(&self, place: f64) -> Mixture {
        let last = self.laws.len() - 1;
        let knot = (place.floor() as usize).min(last);
        let share = place - knot as f64;
        let share = if self.leaps { share.ceil() } else { share };
        between(&self.laws[knot], &self.laws[(knot + 1).min(last)], share)
    }

    fn start(&mut self, law: &Mixture) {
        let mut random = Philox::new(self.seed, Stream::SamplingStart, self.step);
        self.step += 1;
        self.x = (0..self.chains)
            .flat_map(|_| law.draw(&mut random))
            .collect();
    }
}

fn between(from: &Mixture, to: &Mixture, share: f64) -> Mixture {
    let mix = |from: f64, to: f64| from + share * (to - from);
    let parts = from.parts.iter().zip(&to.parts);
    Mixture {
        dimensions: to.dimensions,
        parts: parts
            .map(|(from, to)| (mix(from.0, to.0), mix(from.1, to.1)))
            .collect(),
        std: mix(from.std, to.std),
        constant: mix(from.constant, to.constant),
    }
}

impl Trail for Way {
    type Error = Infallible;
    type States = Vec<f64>;

    fn chains(&self) -> usize {
        self.chains
    }

    fn log_z_base(&self) -> f64 {
        self.laws[0].log_z()
    }

    fn first_step_size(&self) -> f64 {
        1.0 / 32.0
    }

    fn kept(&self) -> usize {
        self.all.len() - 2
    }

    fn lead_past(&mut self, kept: &[usize]) {
        let last = self.all.len() - 1;
        let chosen = [0]
            .into_iter()
            .chain(kept.iter().map(|k| k + 1))
            .chain([last]);
        self.laws = chosen.map(|law| self.all[law].clone()).collect();
    }

    fn knots(&self) -> usize {
        self.laws.len() - 1
    }

    fn evaluations(&self, steps: usize) -> usize {
        steps * LEAPS.1 + 1
    }

    fn start_at_base(&mut self) -> Result<(), Infallible> {
        let base = self.laws[0].clone();
        self.start(&base);
        Ok(())
    }

    fn start_at_model(&mut self) -> Result<(), Infallible> {
        let data = self.data.clone();
        self.start(&data);
        Ok(())
    }

    fn advance(
        &mut self,
        place: f64,
        mut step_size: f64,
        steps: usize,
        adapt: bool,
    ) -> Result<f64, Infallible> {
        let law = self.at(place);
        let field = |x: &[f64]| {
            let mut gradient = vec![0.0; x.len()];
            let each = x
                .chunks(law.dimensions)
                .zip(gradient.chunks_mut(law.dimensions));
            let energies = each.map(|(x, gradient)| {
                let mut energy = 0.0;
                law.add(x, 1.0, &mut energy, gradient);
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
        Ok(step_size)
    }

    fn states(&mut self) -> Result<Vec<f64>, Infallible> {
        Ok(self.x.clone())
    }

    fn potentials(&mut self, states: &[Vec<f64>], place: f64) -> Result<Vec<Vec<f64>>, Infallible> {
        let (law, base) = (self.at(place), &self.laws[0]);
        let mut unused = vec![0.0; law.dimensions];
        let mut potential = |x: &[f64]| {
            let mut energy = 0.0;
            law.add(x, 1.0, &mut energy, &mut unused);
            base.add(x, -1.0, &mut energy, &mut unused);
            energy
        };
        let each = states
            .iter()
            .map(|states| states.chunks(law.dimensions).map(&mut potential).collect());
        Ok(each.collect())
    }
}

fn along(way: &mut Way, evaluations: u64) -> Telescope {
    let Ok(found) = telescoped(way, evaluations, &mut |_, _| {});
    found
}

/// What is added to the seeds of annealed chains, so that they share no random number with those along the way.
const ANNEALED: u64 = 1 << 40;

/// `count` seeds that no other `case` has: with the same ones, errors of one law are those of another in part.
fn seeds(case: u64, count: u64) -> Range<u64> {
    case << 32..(case << 32) + count
}

/// How often intervals along the way hold the truth, a refusal counted as a miss, and how wide they are beside those of
/// annealed chains with the same evaluations.
#[track_caller]
fn assert_covers_along(what: &str, seeds: Range<u64>, evaluations: u64, way: impl Fn(u64) -> Way) {
    let repetitions = seeds.end - seeds.start;
    let (mut hits, mut refused) = ([0; 3], 0);
    let mut scores: [Scores; 3] = Default::default();
    let mut widths: [Vec<f64>; 6] = Default::default();
    let mut laws = 0;
    for seed in seeds {
        let mut way = way(seed);
        let truth = way.truth();
        let model = way.laws[way.laws.len() - 1].clone();
        let mut path = Exact::new(model, way.data.clone(), way.chains, ANNEALED + seed);
        let annealed = estimated(&mut path, evaluations);
        let spent = annealed
            .costs
            .iter()
            .map(|(_, cost)| cost.evaluations)
            .sum();
        let found = along(&mut way, spent);
        assert!(
            found.evaluations <= spent,
            "{} of {spent}",
            found.evaluations
        );
        let Some(telescoped) = found.valid() else {
            println!("{what}, seed {seed}: {:?}", found.problems);
            refused += 1;
            continue;
        };
        laws = telescoped.laws;
        let estimates = [telescoped.both, telescoped.up, telescoped.down];
        for (hits, estimate) in hits.iter_mut().zip(&estimates) {
            let [low, high] = estimate.interval();
            *hits += u64::from((low..=high).contains(&truth));
        }
        for (scores, estimate) in scores.iter_mut().zip(&estimates) {
            scores.add(estimate, truth, way.chains);
        }
        let annealed = [annealed.bennett, annealed.there, annealed.back];
        for (widths, estimate) in widths.iter_mut().zip(estimates.iter().chain(&annealed)) {
            widths.push(2.0 * estimate.half_width);
        }
    }
    let medians = widths.map(|mut widths| {
        widths.sort_by(f64::total_cmp);
        widths[widths.len() / 2]
    });
    println!(
        "{what}: along {laws} laws {hits:?} of {repetitions}, {refused} refused; median widths {medians:.3?} (both ways, up, \
         down; Bennett's ratio of annealed chains, from the base, from the model)"
    );
    for ((hits, scores), pass) in
        hits.into_iter()
            .zip(&scores)
            .zip(["telescoped", "upward", "downward"])
    {
        assert_covers(&format!("{what}, {pass}"), hits, repetitions);
        scores.assert_calibrated(&format!("{what}, {pass}"));
    }
    let best = medians.iter().copied().fold(f64::INFINITY, f64::min);
    // What is printed with an interval of its own.
    for width in [medians[0], medians[3], medians[4], medians[5]] {
        assert!(width <= 3.0 * best, "{what}: {medians:.3?}");
    }
}

const SHARES: [f64; 4] = [0.02, 0.2, 0.5, 0.8];

#[test]
fn telescoped_intervals_cover_in_the_plane() {
    let repetitions = if extended() { 600 } else { 40 };
    // Data are a little wider than the model: chains have to forget that.
    let narrow = |seed| {
        Way::new(
            gaussian(2, 0.5, 0.3),
            gaussian(2, 0.5, 0.4),
            &SHARES,
            32,
            seed,
        )
    };
    assert_covers_along("a Gaussian", seeds(1, repetitions), 150_000, narrow);
}

#[test]
fn telescoped_intervals_cover_two_modes_in_the_plane() {
    let repetitions = if extended() { 600 } else { 40 };
    let modes = two_parts(2, 0.4, 3.0);
    let modes = |seed| Way::new(modes.clone(), modes.clone(), &SHARES, 32, seed);
    assert_covers_along("two modes", seeds(2, repetitions), 150_000, modes);
}

#[test]
fn telescoped_intervals_cover_in_64_dimensions() {
    let repetitions = if extended() { 200 } else { 40 };
    let narrow = |seed| {
        Way::new(
            gaussian(64, 0.2, 0.7),
            gaussian(64, 0.2, 0.8),
            &SHARES,
            24,
            seed,
        )
    };
    assert_covers_along("a Gaussian", seeds(3, repetitions), 150_000, narrow);
}

#[test]
fn telescoped_intervals_cover_two_modes_in_64_dimensions() {
    if !extended() {
        return;
    }
    let modes = two_parts(64, 0.7, 3.0);
    let modes = |seed| Way::new(modes.clone(), modes.clone(), &SHARES, 24, seed);
    assert_covers_along("two modes", seeds(4, 200), 150_000, modes);
}

#[test]
fn telescoped_intervals_cover_in_784_dimensions() {
    if !extended() {
        return;
    }
    let narrow = |seed| {
        Way::new(
            gaussian(784, 0.05, 0.9),
            gaussian(784, 0.05, 0.92),
            &SHARES,
            24,
            seed,
        )
    };
    assert_covers_along("a Gaussian", seeds(5, 40), 300_000, narrow);
}

#[test]
fn telescoped_intervals_cover_two_modes_in_784_dimensions() {
    if !extended() {
        return;
    }
    let modes = two_parts(784, 0.9, 3.0);
    let modes = |seed| Way::new(modes.clone(), modes.clone(), &SHARES, 24, seed);
    assert_covers_along("two modes", seeds(6, 40), 300_000, modes);
}

/// Between laws that leap there is none near enough, and none is counted on that is too far.
#[test]
fn laws_without_overlap_are_refused() {
    let far = gaussian(64, 1.0, 0.05);
    let mut way = Way::new(far.clone(), far, &[], 24, 1);
    way.leaps = true;
    let found = along(&mut way, 400_000);
    assert!(found.valid().is_none());
    let unbridged = |problem: &TelescopeProblem| matches!(problem, TelescopeProblem::Unbridged { share } if *share < 1.0);
    assert!(found.problems.iter().any(unbridged), "{:?}", found.problems);
}

/// The law before last has one of two modes, and the last has a fiftieth of its mass there: chains from before see nothing
/// of the other, so that the pilot finds both laws near; those from the model are all there.
#[test]
fn a_mode_that_appears_between_two_laws_is_found_out() {
    for seed in 0..10 {
        let mut model = two_parts(2, 0.15, 14.0);
        model.parts[0].0 = 0.02;
        model.parts[1].0 = 0.98;
        let mut way = Way::new(model.clone(), model, &[0.3, 0.7], 32, seed);
        let last = way.all.len() - 2;
        for law in &mut way.all[..=last] {
            law.parts[0].0 = 1.0;
            law.parts[1].0 = 0.0;
        }
        let found = along(&mut way, 200_000);
        let told = |problem: &TelescopeProblem| {
            matches!(
                problem,
                TelescopeProblem::NoOverlap { .. } | TelescopeProblem::Gap { .. }
            )
        };
        assert!(found.problems.iter().any(told), "seed {seed}: {found:?}");
    }
}

/// Chains from data all sit in the mode with nearly all of the mass and hardly leave it, and half of those from the base are in
/// either, while the weights of the modes change. Where weights stay as they are, the sum is right whichever mode chains are in.
#[test]
fn chains_along_the_way_that_share_a_mode_are_found_out() {
    for seed in 0..10 {
        let mut model = two_parts(2, 0.15, 14.0);
        model.parts[0].0 = 0.001;
        model.parts[1].0 = 0.999;
        let one_mode = gaussian(2, model.parts[1].1, 0.15);
        let mut way = Way::new(model, one_mode, &SHARES, 32, seed);
        let last = way.all.len() - 2;
        for law in &mut way.all[..=last] {
            law.parts[0].0 = 0.5;
            law.parts[1].0 = 0.5;
        }
        let found = along(&mut way, 200_000);
        assert!(found.valid().is_none(), "seed {seed}: {found:?}");
    }
}

#[test]
fn too_few_evaluations_along_the_way_are_refused() {
    let way = || Way::new(gaussian(2, 0.5, 0.3), gaussian(2, 0.5, 0.3), &SHARES, 24, 1);
    let few = along(&mut way(), 1000);
    assert!(
        matches!(few.problems[..], [TelescopeProblem::Pilot { share: 0.0 }]),
        "{few:?}"
    );
    // Past many laws, a pilot of three tenths leaves too little for the rest at first, and says how much is enough.
    let far = || {
        Way::new(
            gaussian(64, 1.0, 0.1),
            gaussian(64, 1.0, 0.1),
            &SHARES,
            24,
            1,
        )
    };
    let mut tried = (1..60).map(|times| along(&mut far(), 10_000 * times));
    let least = tried.find_map(|found| match found.problems[..] {
        [TelescopeProblem::Budget { least, .. }] => Some(least),
        [TelescopeProblem::Pilot { .. }] => None,
        _ => panic!("{found:?}"),
    });
    let least = least.expect("a pilot that leaves too little");
    // With more the pilots get further, and take more.
    let mut found = along(&mut far(), least);
    for _ in 0..3 {
        if let [TelescopeProblem::Budget { least, .. }] = found.problems[..] {
            found = along(&mut far(), least);
        }
    }
    assert!(found.found.is_some(), "{found:?}");
}

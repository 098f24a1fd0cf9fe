//! ln Z of a model with a known base: a pilot, annealed chains both ways, and whether to believe them.

use super::estimates::{Estimate, annealed, annealed_back, bennett, log_mean_exp, mean, variance};
use super::path::Path;
use super::schedule::{Pilot, PilotError, Stop};
use std::time::{Duration, Instant};

/// The variance of ln w that a sweep is made long enough for, if it can be afforded: six of seven chains count then, and the
/// law of the weights is nearly normal, for which intervals are right.
const WANTED_VARIANCE: f64 = 0.15;
/// The variance of ln w at which more than half of the chains count.
const SUFFICIENT_VARIANCE: f64 = 0.5;
/// The least share of the chains of a sweep that must count for its own estimate to be printed: with less the few large
/// weights that are there say too little about those that are missing, and intervals hold the truth less often than they say.
const LEAST_EFFECTIVE: f64 = 0.4;
/// The least share for Bennett's ratio to be compared with it, which itself depends on no large weight.
const LEAST_COMPARABLE: f64 = 0.1;
/// The least overlap of the works both ways. As much is left of normal ones whose means are 5 standard deviations apart.
const LEAST_OVERLAP: f64 = 0.03;
/// Two independent estimates that agree lie further apart than so many of their combined errors once in two hundred times.
pub(super) const MOST_APART: f64 = 2.81;
/// Means of chains that do not drift move by more than so many of their errors once in a thousand times.
const MOST_DRIFT: f64 = 3.29;
/// The most of the evaluations that a pilot may take: a path that is too long for that is too long for its sweeps as well.
const PILOT_SHARE: f64 = 0.4;
/// Shares of what the pilot leaves of the evaluations: for chains to forget the data that they start from, and for each of
/// both sweeps.
const EQUILIBRATION_SHARE: f64 = 0.3;
const SWEEP_SHARE: f64 = 0.35;
/// The fewest temperatures of a sweep, and the fewest transitions in which chains forget where they started.
const FEWEST_STEPS: usize = 64;
const FEWEST_EQUILIBRATION: usize = 200;
/// Transitions that are run at a time where nobody looks at what is between them.
const STRETCH: usize = 20;
/// The chance that the bound which needs no other assumption is wrong, over all attempts together: whether another follows
/// depends on how one comes out, so that the k-th has 2⁻ᵏ of it.
const BOUND_RISK: f64 = 0.05;

/// A part of the work, of which there may be several at different speeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepStage {
    /// Chains feel out the path.
    Pilot,
    /// Chains that started from data forget them.
    Equilibration,
    /// From the base to the model.
    There,
    /// From the model to the base.
    Back,
}

/// Energy-gradient evaluations and time of a part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Of all chains together; an evaluation of the energy alone counts as much.
    pub evaluations: u64,
    pub time: Duration,
}

/// Why an estimate of ln Z could not be begun.
#[derive(Debug, PartialEq)]
pub enum LogZError<E> {
    /// The chains could not be moved.
    Path(E),
    /// An energy on the way is not finite.
    NotFinite,
    /// The pilot did not come from β = 0 to 1.
    TooLong { beta: f64 },
    /// The share of the evaluations that a pilot may take did not bring it further than β.
    Pilot { beta: f64 },
    /// A pilot took so much that less than `least` evaluations leave nothing for the sweeps.
    Budget { least: u64 },
}

impl<E> From<PilotError<E>> for LogZError<E> {
    fn from(error: PilotError<E>) -> Self {
        match error {
            PilotError::Path(error) => LogZError::Path(error),
            PilotError::NotFinite => LogZError::NotFinite,
            PilotError::TooLong { beta } => LogZError::TooLong { beta },
            PilotError::Budget { beta } => LogZError::Pilot { beta },
        }
    }
}

/// What is wrong with an estimate, so that it is not valid.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// Too few of the chains of a sweep count: so many of all.
    FewChainsCount {
        stage: SweepStage,
        effective: f64,
        of: usize,
    },
    /// The works both ways have too little in common.
    NoOverlap { overlap: f64 },
    /// Two estimates lie too far apart.
    Disagree {
        names: [&'static str; 2],
        values: [f64; 2],
        apart: f64,
    },
    /// The energies of chains from data still move: those of the network without its base, at the middle and at the end.
    Drift { middle: f64, end: f64, apart: f64 },
    /// No chain from data has moved in the second half of that time.
    Frozen,
}

/// ln Z by both sweeps.
#[derive(Clone, Debug)]
pub struct LogZ {
    /// Bennett's acceptance ratio between both sweeps: the least error.
    pub bennett: Estimate,
    /// Annealed importance sampling from the base: low on average, the more so the fewer chains count, but for the bias
    /// that the jackknife takes off.
    pub there: Estimate,
    /// The same from the model: high on average (Burda, Grosse & Salakhutdinov 2015).
    pub back: Estimate,
    /// What is wrong; with nothing here, `bennett` is what to report.
    pub problems: Vec<Problem>,
    /// ln Z is above this with 95 %, whatever chains do (Markov's inequality on weights whose mean is right, with the risk
    /// divided over attempts).
    pub at_least: f64,
    pub chains: usize,
    /// Temperatures of either sweep, with a transition at each but the last.
    pub steps: usize,
    /// Transitions in which the chains forgot the data that they had started from.
    pub equilibration: usize,
    /// ∫ sd(f) dβ along the path.
    pub length: f64,
    /// Variances of ln w there and back.
    pub variances: [f64; 2],
    /// Evaluations after which the sweeps should be long enough, where they were not.
    pub wanted_evaluations: u64,
    /// Of pilot, equilibration and both sweeps.
    pub costs: [(SweepStage, Cost); 4],
}

impl LogZ {
    /// Whether it may be printed as ln Z of the model.
    pub fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Estimates ln Z with at most `evaluations` energy-gradient evaluations, or fewer where fewer do. What is not valid is tried
/// again, from the start and with longer sweeps, while evaluations are left. `progress` is told how many of how many steps of
/// a stage are done.
///
/// # Errors
/// When the chains cannot be moved, or there is nothing to be seen for so few evaluations.
pub fn log_z<P: Path>(
    path: &mut P,
    evaluations: u64,
    progress: &mut dyn FnMut(SweepStage, usize, usize),
) -> Result<LogZ, LogZError<P::Error>> {
    let chains = path.chains() as u64;
    let mut costs = Costs::new(chains);
    let mut left = usize::try_from(evaluations / chains.max(1)).unwrap_or(usize::MAX);
    let most = (left as f64 * PILOT_SHARE) as usize;
    let pilot = Pilot::run(path, most, &mut |beta| {
        progress(SweepStage::Pilot, (beta * 1000.0) as usize, 1000);
    })?;
    costs.add(SweepStage::Pilot, pilot.evaluations);
    left -= pilot.evaluations;
    let Some(mut plan) = Plan::new(path, &pilot, left) else {
        let least = pilot.evaluations + Plan::LEAST.evaluations(path);
        return Err(LogZError::Budget {
            least: chains * least as u64,
        });
    };
    let mut risk = BOUND_RISK;
    loop {
        risk /= 2.0;
        left = left.saturating_sub(plan.evaluations(path));
        let mut found = attempt(path, &pilot, plan, &mut costs, progress)?;
        let worst = found.variances[0].max(found.variances[1]);
        let longer = plan.longer(path, left, worst / WANTED_VARIANCE);
        match longer.filter(|_| !found.is_valid()) {
            Some(longer) => plan = longer,
            None => {
                found.costs = costs.parts;
                found.at_least += risk.ln();
                // The variance falls as one over the steps.
                let factor = (worst / SUFFICIENT_VARIANCE).max(2.0);
                found.wanted_evaluations = (evaluations as f64 * factor) as u64;
                return Ok(found);
            }
        }
    }
}

/// Both sweeps, and what they say.
fn attempt<P: Path>(
    path: &mut P,
    pilot: &Pilot,
    plan: Plan,
    costs: &mut Costs,
    progress: &mut dyn FnMut(SweepStage, usize, usize),
) -> Result<LogZ, LogZError<P::Error>> {
    let mut stops = pilot.schedule(plan.steps);
    let there = sweep(path, &stops, Start::Base, &mut |done| {
        progress(SweepStage::There, done, plan.steps);
    })?;
    costs.add(SweepStage::There, plan.sweep(path));

    let step_size = pilot.last_step_size();
    let settled = equilibrate(path, step_size, plan.equilibration, &mut |done| {
        progress(SweepStage::Equilibration, done, plan.equilibration);
    })?;
    costs.add(
        SweepStage::Equilibration,
        stretched(path, plan.equilibration),
    );

    stops.reverse();
    let back = sweep(
        path,
        &stops,
        Start::Here(settled.end.clone()),
        &mut |done| {
            progress(SweepStage::Back, done, plan.steps);
        },
    )?;
    costs.add(SweepStage::Back, plan.sweep(path));

    let base = path.log_z_base();
    let mut found = LogZ {
        bennett: bennett(&there, &back).shifted(base),
        there: annealed(&there).shifted(base),
        back: annealed_back(&back).shifted(base),
        problems: Vec::new(),
        // Less what the risk of this attempt takes off, which its caller knows.
        at_least: log_mean_exp(&there) + base,
        chains: path.chains(),
        steps: plan.steps,
        equilibration: plan.equilibration,
        length: pilot.length(),
        variances: [variance(&there), variance(&back)],
        wanted_evaluations: 0,
        costs: costs.parts,
    };
    found.problems = problems(&found, &settled);
    Ok(found)
}

/// What each part has taken so far.
struct Costs {
    chains: u64,
    since: Instant,
    parts: [(SweepStage, Cost); 4],
}

impl Costs {
    fn new(chains: u64) -> Self {
        let stages = [
            SweepStage::Pilot,
            SweepStage::There,
            SweepStage::Equilibration,
            SweepStage::Back,
        ];
        Costs {
            chains,
            since: Instant::now(),
            parts: stages.map(|stage| (stage, Cost::default())),
        }
    }

    /// Adds so many evaluations of every chain, and the time since the last of them.
    fn add(&mut self, stage: SweepStage, evaluations: usize) {
        for (_, cost) in self.parts.iter_mut().filter(|(part, _)| *part == stage) {
            cost.evaluations += self.chains * evaluations as u64;
            cost.time += self.since.elapsed();
        }
        self.since = Instant::now();
    }
}

/// How the evaluations are spent.
#[derive(Clone, Copy)]
struct Plan {
    steps: usize,
    equilibration: usize,
}

impl Plan {
    /// The shortest that says anything.
    const LEAST: Plan = Plan {
        steps: FEWEST_STEPS,
        equilibration: FEWEST_EQUILIBRATION,
    };

    /// With so many evaluations of a chain; none where they do not suffice.
    fn new<P: Path>(path: &P, pilot: &Pilot, left: usize) -> Option<Plan> {
        if left < Self::LEAST.evaluations(path) {
            return None;
        }
        let affordable = left as f64 * SWEEP_SHARE / path.evaluations(1) as f64;
        let wanted = (pilot.variance_times_steps / WANTED_VARIANCE).ceil();
        let steps = wanted.min(affordable).max(FEWEST_STEPS as f64) as usize;
        let per_stretch = path.evaluations(STRETCH) as f64;
        let affordable = left as f64 * EQUILIBRATION_SHARE / per_stretch * STRETCH as f64;
        // Whatever is slow along the path is slow at its end as well.
        let most = FEWEST_EQUILIBRATION.max(2 * steps);
        Some(Plan {
            steps,
            equilibration: (affordable as usize).clamp(FEWEST_EQUILIBRATION, most),
        })
    }

    /// The same, so many times as long, or for as long as `left` evaluations of a chain allow; none where that is hardly
    /// longer.
    fn longer<P: Path>(self, path: &P, left: usize, times: f64) -> Option<Plan> {
        let affordable = left as f64 / self.evaluations(path) as f64;
        let times = times.clamp(2.0, 8.0).min(affordable);
        (times >= 1.5).then_some(Plan {
            steps: (self.steps as f64 * times) as usize,
            equilibration: (self.equilibration as f64 * times) as usize,
        })
    }

    /// Evaluations of a chain for a sweep.
    fn sweep<P: Path>(self, path: &P) -> usize {
        self.steps * path.evaluations(1)
    }

    /// Evaluations of a chain for all of it.
    fn evaluations<P: Path>(self, path: &P) -> usize {
        2 * self.sweep(path) + stretched(path, self.equilibration)
    }
}

/// Evaluations of a chain for so many transitions with nothing seen between.
fn stretched<P: Path>(path: &P, steps: usize) -> usize {
    let rest = match steps % STRETCH {
        0 => 0,
        rest => path.evaluations(rest),
    };
    steps / STRETCH * path.evaluations(STRETCH) + rest
}

/// f of chains that move under the model, in the middle of it and in the end.
struct Settled {
    middle: Vec<f64>,
    end: Vec<f64>,
}

/// Moves chains from data under the model.
fn equilibrate<P: Path>(
    path: &mut P,
    step_size: f64,
    steps: usize,
    progress: &mut dyn FnMut(usize),
) -> Result<Settled, LogZError<P::Error>> {
    let mut potentials = finite(path.start_at_model())?;
    let mut middle = potentials.clone();
    let mut done = 0;
    while done < steps {
        let stretch = STRETCH.min(steps - done);
        potentials = finite(path.settle(step_size, stretch))?;
        if done < steps / 2 {
            middle.clone_from(&potentials);
        }
        done += stretch;
        progress(done);
    }
    Ok(Settled {
        middle,
        end: potentials,
    })
}

/// Where a sweep begins.
enum Start {
    /// At fresh draws from the base.
    Base,
    /// Where the chains are; f there.
    Here(Vec<f64>),
}

/// The work of each chain along `stops`.
fn sweep<P: Path>(
    path: &mut P,
    stops: &[Stop],
    start: Start,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<f64>, LogZError<P::Error>> {
    let mut potentials = match start {
        Start::Base => finite(path.start_at_base())?,
        Start::Here(potentials) => potentials,
    };
    let mut works = vec![0.0; path.chains()];
    for (index, pair) in stops.windows(2).enumerate() {
        let [from, to] = [pair[0], pair[1]];
        for (work, f) in works.iter_mut().zip(&potentials) {
            *work -= (to.beta - from.beta) * f;
        }
        // Nobody asks where chains go at the last one.
        if index + 2 < stops.len() {
            let advanced = path.advance(to.beta, to.step_size, 1, false);
            potentials = finite(advanced.map(|advanced| advanced.potentials))?;
        }
        progress(index + 1);
    }
    Ok(works)
}

fn finite<E>(potentials: Result<Vec<f64>, E>) -> Result<Vec<f64>, LogZError<E>> {
    let potentials = potentials.map_err(LogZError::Path)?;
    match potentials.iter().all(|f| f.is_finite()) {
        true => Ok(potentials),
        false => Err(LogZError::NotFinite),
    }
}

fn problems(found: &LogZ, settled: &Settled) -> Vec<Problem> {
    let Settled { middle, end } = settled;
    let mut problems = Vec::new();
    for (stage, estimate) in [
        (SweepStage::There, found.there),
        (SweepStage::Back, found.back),
    ] {
        if estimate.support < LEAST_COMPARABLE * found.chains as f64 {
            problems.push(Problem::FewChainsCount {
                stage,
                effective: estimate.support,
                of: found.chains,
            });
        }
    }
    let overlap = found.bennett.support;
    if !overlaps(&found.bennett) {
        problems.push(Problem::NoOverlap { overlap });
    }
    // Errors mean nothing where few chains count.
    if problems.is_empty() {
        let named = [
            ("the way there", found.there),
            ("the way back", found.back),
            ("both ways together", found.bennett),
        ];
        for [a, b] in [[0, 1], [0, 2], [1, 2]].map(|pair| pair.map(|index: usize| named[index])) {
            let error = a.1.standard_error.hypot(b.1.standard_error);
            let apart = (a.1.value - b.1.value).abs() / error.max(f64::MIN_POSITIVE);
            let rounding = 1e-9 * (1.0 + a.1.value.abs());
            if apart > MOST_APART && (a.1.value - b.1.value).abs() > rounding {
                problems.push(Problem::Disagree {
                    names: [a.0, b.0],
                    values: [a.1.value, b.1.value],
                    apart,
                });
            }
        }
    }
    let changes: Vec<f64> = end
        .iter()
        .zip(middle)
        .map(|(end, middle)| end - middle)
        .collect();
    // Where f is the same everywhere, nobody can see chains move.
    if changes.iter().all(|change| *change == 0.0) && variance(end) > 0.0 {
        problems.push(Problem::Frozen);
    }
    let error = (variance(&changes) / changes.len() as f64).sqrt();
    let apart = mean(&changes).abs() / error.max(f64::MIN_POSITIVE);
    if error > 0.0 && apart > MOST_DRIFT {
        problems.push(Problem::Drift {
            middle: mean(middle),
            end: mean(end),
            apart,
        });
    }
    problems
}

/// Whether enough chains of a sweep count for its estimate to be printed.
pub(super) fn counts(estimate: &Estimate, chains: usize) -> bool {
    estimate.support >= LEAST_EFFECTIVE * chains as f64
}

/// Whether works overlap enough for Bennett's ratio to be believed.
fn overlaps(estimate: &Estimate) -> bool {
    estimate.support >= LEAST_OVERLAP
}

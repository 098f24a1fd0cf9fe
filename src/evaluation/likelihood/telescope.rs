//! ln Z along the snapshots that training kept: a pilot that picks the laws, chains past all of them from both ends, and
//! whether to believe them.

use super::bridges::{Pass, Seen, telescope};
use super::estimates::{Estimate, variance};
use super::log_z::MOST_APART;
use super::trail::Trail;
use std::time::{Duration, Instant};

/// The most that ln w changes from one law to the next, in its standard deviations over the pilot's chains: works that
/// spread as much overlap by about 0.8.
const STRIDE: f64 = 1.0;
/// Transitions of the pilot at a law.
const STAGE_STEPS: usize = 5;
/// Transitions that adapt the step size before the first law and at the last.
const SETTLING: usize = 25;
/// Laws after which a pilot gives up.
const MOST_LAWS: usize = 2000;
/// The shortest way between two kept laws, as a share of it, that is tried to find a law near enough.
const SHORTEST: f64 = 1e-5;
/// The most of the evaluations that a pilot may take.
const PILOT_SHARE: f64 = 0.3;
/// Transitions from one record to the next: energies under three laws cost about as much as one of them.
pub(super) const APART: usize = 3;
/// The fewest and the most records of a chain at a law.
const FEWEST_RECORDS: usize = 3;
const MOST_RECORDS: usize = 64;
/// The least overlap of two neighbouring laws. The pilot looks for 0.8 and sees some tens of chains; where as little is left
/// of that, its chains were not where they should have been.
const LEAST_OVERLAP: f64 = 0.1;

/// Why an estimate along kept snapshots is not valid.
#[derive(Clone, Debug, PartialEq)]
pub enum TelescopeProblem {
    /// An energy on the way is not finite.
    NotFinite,
    /// The pilot's share of the evaluations, or all laws that it may pick, did not bring it further than this share of the
    /// way.
    Pilot { share: f64 },
    /// No law behind this share of the way is near enough to the one that is there.
    Unbridged { share: f64 },
    /// Past so many laws, fewer evaluations than these leave too few records at each.
    Budget { laws: usize, least: u64 },
    /// The laws that have least in common have so much.
    NoOverlap { overlap: f64 },
    /// Chains from the base and chains from the model give other values.
    Gap { values: [f64; 2], apart: f64 },
}

/// ln Z along kept snapshots.
#[derive(Clone, Debug)]
pub struct Telescoped {
    /// By the chains from both ends together; its `support` is the least overlap.
    pub both: Estimate,
    /// By those from the base alone, which lag behind the laws.
    pub up: Estimate,
    /// By those from the model alone, which lag the other way.
    pub down: Estimate,
    /// Laws from base to model, both of them too.
    pub laws: usize,
    /// How many of those that training kept the way leads past.
    pub kept: usize,
    /// Records of each chain at each law.
    pub records: usize,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Telescope {
    /// None where chains did not get past all laws.
    pub found: Option<Telescoped>,
    /// Why it is not valid; empty where it is.
    pub problems: Vec<TelescopeProblem>,
    /// Energy-gradient evaluations of all chains; an energy alone counts as much.
    pub evaluations: u64,
    pub time: Duration,
}

impl Telescope {
    /// The estimate, where it may be printed.
    pub fn valid(&self) -> Option<&Telescoped> {
        self.found.as_ref().filter(|_| self.problems.is_empty())
    }
}

/// Estimates ln Z of the model at the end of `trail` with at most `evaluations` energy-gradient evaluations. `progress` is
/// told how many thousandths are done.
///
/// # Errors
/// When the chains cannot be moved; all else is a problem of the result.
pub fn telescoped<T: Trail>(
    trail: &mut T,
    evaluations: u64,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Telescope, T::Error> {
    let began = Instant::now();
    let mut work = Work {
        left: usize::try_from(evaluations / trail.chains().max(1) as u64).unwrap_or(usize::MAX),
        spent: 0,
        trail,
        progress,
    };
    let outcome = work.run();
    let evaluations = (work.spent * work.trail.chains()) as u64;
    let (found, problems) = match outcome {
        Ok(found) => {
            let problems = problems(&found);
            (Some(found), problems)
        }
        Err(Lacking::Problem(problem)) => (None, vec![problem]),
        Err(Lacking::Failure(error)) => return Err(error),
    };
    Ok(Telescope {
        found,
        problems,
        evaluations,
        time: began.elapsed(),
    })
}

fn problems(found: &Telescoped) -> Vec<TelescopeProblem> {
    let overlaps = [found.both, found.up, found.down].map(|estimate| estimate.support);
    let overlap = overlaps.into_iter().fold(1.0, f64::min);
    // Errors mean nothing without overlap.
    if overlap < LEAST_OVERLAP {
        return vec![TelescopeProblem::NoOverlap { overlap }];
    }
    let (up, down) = (found.up, found.down);
    let difference = (up.value - down.value).abs();
    let apart = difference
        / up.standard_error
            .hypot(down.standard_error)
            .max(f64::MIN_POSITIVE);
    match apart > MOST_APART && difference > 1e-9 * (1.0 + up.value.abs()) {
        true => vec![TelescopeProblem::Gap {
            values: [up.value, down.value],
            apart,
        }],
        false => Vec::new(),
    }
}

/// Why there is no estimate.
enum Lacking<E> {
    Problem(TelescopeProblem),
    Failure(E),
}

/// A law that chains pass, and how far they step there.
#[derive(Clone, Copy, Debug)]
struct Law {
    place: f64,
    step_size: f64,
}

struct Work<'a, T: Trail> {
    trail: &'a mut T,
    /// Evaluations of a chain.
    left: usize,
    spent: usize,
    progress: &'a mut dyn FnMut(usize, usize),
}

impl<T: Trail> Work<'_, T> {
    fn run(&mut self) -> Result<Telescoped, Lacking<T::Error>> {
        let laws = self.pilot()?;
        let records = self.records(&laws)?;
        let up = self.pass(&laws, records, false)?;
        let down = self.pass(&laws, records, true)?;
        let base = self.trail.log_z_base();
        Ok(Telescoped {
            both: telescope(&[&up, &down]).shifted(base),
            up: telescope(&[&up]).shifted(base),
            down: telescope(&[&down]).shifted(base),
            laws: laws.len(),
            kept: self.trail.knots() - 1,
            records,
        })
    }

    fn spend(&mut self, evaluations: usize) {
        self.spent += evaluations;
    }

    fn advance(&mut self, law: Law, steps: usize, adapt: bool) -> Result<f64, Lacking<T::Error>> {
        self.spend(self.trail.evaluations(steps));
        self.trail
            .advance(law.place, law.step_size, steps, adapt)
            .map_err(Lacking::Failure)
    }

    /// f of every chain in each of `states`.
    fn potentials(
        &mut self,
        states: &[T::States],
        place: f64,
    ) -> Result<Vec<Vec<f64>>, Lacking<T::Error>> {
        self.spend(states.len());
        let found = self
            .trail
            .potentials(states, place)
            .map_err(Lacking::Failure)?;
        match found.iter().flatten().all(|f| f.is_finite()) {
            true => Ok(found),
            false => Err(Lacking::Problem(TelescopeProblem::NotFinite)),
        }
    }

    fn share(&self, place: f64) -> f64 {
        place / self.trail.knots() as f64
    }

    /// Finds the way with the fewest laws: past all that training kept, or past every third, every ninth and so on of them,
    /// counted from the last. Training rarely goes straight, and all that it went astray is as much more for chains to forget.
    /// Whatever is picked or adapted is over with it.
    fn pilot(&mut self) -> Result<Vec<Law>, Lacking<T::Error>> {
        let kept = self.trail.kept();
        let ways: Vec<Vec<usize>> = (0..)
            .map(|power| 3_usize.pow(power))
            .take_while(|every| *every == 1 || *every < 3 * kept)
            .map(|every| {
                (0..kept)
                    .filter(|k| (kept - 1 - k).is_multiple_of(every))
                    .collect()
            })
            .collect();
        let most = (self.left as f64 * PILOT_SHARE) as usize;
        let mut base = Law {
            place: 0.0,
            step_size: self.trail.first_step_size(),
        };
        if self.spent + self.trail.evaluations(SETTLING) > most {
            return Err(Lacking::Problem(TelescopeProblem::Pilot { share: 0.0 }));
        }
        self.trail.start_at_base().map_err(Lacking::Failure)?;
        base.step_size = self.advance(base, SETTLING, true)?;
        let mut best: Option<(usize, Vec<Law>)> = None;
        let mut problem = None;
        // The sparsest first, so that the others can be given up once they are longer.
        for (done, (index, way)) in ways.iter().enumerate().rev().enumerate() {
            self.trail.lead_past(way);
            let fewest = best.as_ref().map_or(MOST_LAWS, |(_, laws)| laws.len());
            match self.lay_out(base, most, fewest) {
                Ok(laws) => best = Some((index, laws)),
                Err(Lacking::Problem(found)) => {
                    problem.get_or_insert(found);
                }
                Err(failure) => return Err(failure),
            }
            let thousandths = 1000.0 * PILOT_SHARE * (done + 1) as f64 / ways.len() as f64;
            (self.progress)(thousandths as usize, 1000);
        }
        match (best, problem) {
            (Some((index, laws)), _) => {
                self.trail.lead_past(&ways[index]);
                Ok(laws)
            }
            (None, Some(problem)) => Err(Lacking::Problem(problem)),
            (None, None) => Err(Lacking::Problem(TelescopeProblem::Pilot { share: 0.0 })),
        }
    }

    /// Moves chains from the base to the model past laws of which each is as far from the one before as it may be, and which
    /// are at most `fewest`.
    fn lay_out(
        &mut self,
        mut law: Law,
        most: usize,
        fewest: usize,
    ) -> Result<Vec<Law>, Lacking<T::Error>> {
        let to_end = self.trail.evaluations(STAGE_STEPS) + self.trail.evaluations(SETTLING);
        let end = self.trail.knots() as f64;
        self.trail.start_at_base().map_err(Lacking::Failure)?;
        let mut laws = vec![law];
        while law.place < end {
            if self.spent + to_end > most || laws.len() >= fewest {
                let share = self.share(law.place);
                return Err(Lacking::Problem(TelescopeProblem::Pilot { share }));
            }
            law.place = self.next(law.place)?;
            law.step_size = self.advance(law, STAGE_STEPS, true)?;
            if law.place >= end {
                law.step_size = self.advance(law, SETTLING, true)?;
            }
            laws.push(law);
        }
        Ok(laws)
    }

    /// The furthest place behind `place` that is near enough for the chains that are there: a kept law if one is, the last
    /// of them in a row; else one between `place` and the next.
    fn next(&mut self, place: f64) -> Result<f64, Lacking<T::Error>> {
        let states = [self.trail.states().map_err(Lacking::Failure)?];
        let own = self.potentials(&states, place)?;
        let spread = |work: &mut Self, other: f64| -> Result<f64, Lacking<T::Error>> {
            let there = work.potentials(&states, other)?;
            let works = there[0].iter().zip(&own[0]).map(|(there, own)| there - own);
            Ok(variance(&works.collect::<Vec<f64>>()).sqrt())
        };
        let first = place.floor() + 1.0;
        let mut nearest = spread(self, first)?;
        if nearest <= STRIDE {
            let mut knot = first;
            while knot < self.trail.knots() as f64 && spread(self, knot + 1.0)? <= STRIDE {
                knot += 1.0;
            }
            return Ok(knot);
        }
        let mut share = 1.0;
        while share > SHORTEST {
            // As if it grew with the way; a little less, and never so little that it takes many.
            share *= (0.9 * STRIDE / nearest).clamp(0.1, 0.8);
            let between = place + share * (first - place);
            nearest = spread(self, between)?;
            if nearest <= STRIDE {
                return Ok(between);
            }
        }
        let share = self.share(place);
        Err(Lacking::Problem(TelescopeProblem::Unbridged { share }))
    }

    /// Transitions of chains that come to a law before their first record there.
    fn rest(records: usize) -> usize {
        (APART * records / 2).max(APART)
    }

    /// Evaluations of a chain for both passes.
    fn cost(&self, laws: usize, records: usize) -> usize {
        let moves =
            self.trail.evaluations(Self::rest(records)) + records * self.trail.evaluations(APART);
        // Three energies at each record, but two at the ends.
        2 * ((laws - 1) * moves + records * (3 * laws - 2))
    }

    /// How many records of each chain at each law can be afforded.
    fn records(&self, laws: &[Law]) -> Result<usize, Lacking<T::Error>> {
        let left = self.left.saturating_sub(self.spent);
        let affordable = |records: &usize| self.cost(laws.len(), *records) <= left;
        let records = (FEWEST_RECORDS..=MOST_RECORDS).rev().find(affordable);
        records.ok_or_else(|| {
            let least = self.spent + self.cost(laws.len(), FEWEST_RECORDS);
            Lacking::Problem(TelescopeProblem::Budget {
                laws: laws.len(),
                least: (least * self.trail.chains()) as u64,
            })
        })
    }

    /// Chains past all laws, from the base or from the model, and what they saw.
    fn pass(
        &mut self,
        laws: &[Law],
        records: usize,
        from_model: bool,
    ) -> Result<Pass, Lacking<T::Error>> {
        let start = match from_model {
            true => self.trail.start_at_model(),
            false => self.trail.start_at_base(),
        };
        start.map_err(Lacking::Failure)?;
        let mut order: Vec<usize> = (0..laws.len()).collect();
        if from_model {
            order.reverse();
        }
        let mut pass: Pass = vec![Vec::new(); laws.len()];
        for (done, index) in order.into_iter().enumerate() {
            pass[index] = self.at(laws, index, records)?;
            let half = f64::from(u8::from(from_model)) + (done + 1) as f64 / laws.len() as f64;
            let thousandths = 1000.0 * (PILOT_SHARE + (1.0 - PILOT_SHARE) * half / 2.0);
            (self.progress)(thousandths as usize, 1000);
        }
        Ok(pass)
    }

    /// Moves the chains at a law until they have forgotten the one before, and records what they see from there.
    fn at(
        &mut self,
        laws: &[Law],
        index: usize,
        records: usize,
    ) -> Result<Vec<Seen>, Lacking<T::Error>> {
        let law = laws[index];
        let mut states = Vec::new();
        if index > 0 {
            self.advance(law, Self::rest(records), false)?;
        }
        for _ in 0..records {
            // Of the base there are exact draws to be had.
            match index {
                0 => self.trail.start_at_base().map_err(Lacking::Failure)?,
                _ => self.advance(law, APART, false).map(drop)?,
            }
            states.push(self.trail.states().map_err(Lacking::Failure)?);
        }
        let own = self.potentials(&states, law.place)?;
        let mut seen = vec![Seen::default(); self.trail.chains()];
        let look = |work: &mut Self, other: usize| -> Result<Vec<Vec<f64>>, _> {
            let there = work.potentials(&states, laws[other].place)?;
            // (chain, record), as ln w.
            let works = |chain: usize| {
                let pairs = own.iter().zip(&there);
                pairs
                    .map(|(own, there)| own[chain] - there[chain])
                    .collect()
            };
            Ok((0..work.trail.chains()).map(works).collect())
        };
        if index > 0 {
            for (seen, works) in seen.iter_mut().zip(look(self, index - 1)?) {
                seen.before = works;
            }
        }
        if index + 1 < laws.len() {
            for (seen, works) in seen.iter_mut().zip(look(self, index + 1)?) {
                seen.after = works;
            }
        }
        Ok(seen)
    }
}

//! The families beside each other on a small convolution, and what follows from it.

use super::chosen::{ChosenBy, ChosenKernels};
use crate::gpu::{Buffer, Executor, Frozen, GpuError, Recording, at_once};
use crate::kernels::{Activation, ConvGeometry, KernelFamily, Variant};
use crate::network::specimen::{Size, Specimen};
use crate::words::Word;
use serde::{Deserialize, Serialize};
use web_time::{Duration, Instant};

/// What is compiled first: nearly nothing, for there are drivers on which a family compiles for half a minute a layer
/// (docs/kernels.md has the figures that this and what follows were chosen by).
const SMALLEST: Size = Size {
    geometry: ConvGeometry::new([2, 8, 8], 2, [3, 3], 1, 1),
    samples: 16,
    activation: Activation::SILU,
};
/// A family whose smallest layer takes so many times as long as the usual one's until its first run has ended, and more than a
/// time that other work or a cold disk may take, is not waited for. By what the usual one takes, so that a slow machine and
/// other work on it do not matter.
const SLOW_TO_COMPILE: f64 = 3.0;
const SOON: Duration = Duration::from_secs(2);
/// What is timed: a layer as in a small network over digits. The family that is the faster one by it is so on whole networks.
const SIZE: Size = Size {
    geometry: ConvGeometry::new([16, 8, 8], 32, [3, 3], 2, 1),
    samples: 64,
    activation: Activation::SILU,
};
/// How often the families are timed in turn. The least time counts, since other work on the machine only ever adds to it.
const ROUNDS: usize = 25;
/// Each measurement is of as many runs as take about this long, so that handing them over counts for little.
const LONG_ENOUGH: Duration = Duration::from_millis(8);
const MOST_RUNS: u32 = 64;
/// And nor is one that takes longer than this with it, where the smallest layer lay in a cache: a network has several such.
const LONGEST_START: Duration = Duration::from_secs(15);
/// How many times as fast as the usual family another has to be to take its place: far beyond what such measurements vary by
/// beside other work, so that measuring again comes to the same.
const MARGIN: f64 = 2.0;

/// How a family did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub family: KernelFamily,
    pub outcome: TrialOutcome,
}

/// What came of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialOutcome {
    /// It computed something else than its twin.
    Wrong,
    /// Its kernels took so many seconds to compile, and were not timed.
    SlowToCompile { seconds: f64 },
    /// It takes so many milliseconds for a forward pass with its input gradient: the least of several.
    Ran { milliseconds: f64 },
}

/// What follows from trials, the first of which is that of the usual family: the fastest that computes right, if it is faster
/// than that by a clear margin. None where the first did not run.
pub fn decide(trials: &[Trial]) -> Option<ChosenKernels> {
    let ran = |trial: &Trial| match trial.outcome {
        TrialOutcome::Ran { milliseconds } => Some(milliseconds).filter(|time| *time > 0.0),
        TrialOutcome::Wrong | TrialOutcome::SlowToCompile { .. } => None,
    };
    let [usual, rivals @ ..] = trials else {
        return None;
    };
    let own_time = ran(usual)?;
    let times_as_fast = |rival: &Trial| ran(rival).map(|time| own_time / time);
    let fastest = rivals
        .iter()
        .filter_map(|rival| Some((rival.family, times_as_fast(rival)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let (family, findings) = match fastest {
        Some((family, ratio)) if ratio >= MARGIN => {
            let usual = usual.family.name();
            (family, format!("{ratio:.1} times as fast as {usual}"))
        }
        _ => {
            let findings: Vec<String> = rivals
                .iter()
                .map(|rival| {
                    let name = rival.family.name();
                    match (rival.outcome, times_as_fast(rival)) {
                        (TrialOutcome::SlowToCompile { seconds }, _) => {
                            format!("{name} took {seconds:.0} s to compile")
                        }
                        (_, Some(ratio)) if ratio > 1.0 => {
                            format!("{name} was only {ratio:.2} times as fast")
                        }
                        (_, Some(ratio)) => format!("{name} took {:.1} times as long", 1.0 / ratio),
                        (_, None) => format!("{name} computed wrong results"),
                    }
                })
                .collect();
            (usual.family, findings.join(", "))
        }
    };
    Some(ChosenKernels {
        family,
        by: ChosenBy::Measurement,
        why: format!("measured on this driver: {findings}"),
    })
}

/// Tries `variants` on this device, each of another family.
///
/// # Errors
/// When the GPU fails.
pub fn try_families(executor: &mut Executor, variants: &[Variant]) -> Result<Vec<Trial>, GpuError> {
    let mark = executor.mark();
    let outcome = try_all(executor, variants);
    executor.release_since(mark);
    outcome
}

/// One that is ready to be timed.
struct Runner {
    step: Frozen,
    /// Runs in one measurement.
    runs: u32,
    least: Duration,
}

fn try_all(executor: &mut Executor, variants: &[Variant]) -> Result<Vec<Trial>, GpuError> {
    let mut begun = Vec::new();
    let mut usual = Duration::ZERO;
    for &variant in variants {
        let (_, mut outcome) = ready(executor, SMALLEST, variant)?;
        if begun.is_empty() {
            usual = outcome.unwrap_or_default();
        } else {
            outcome = outcome.and_then(|start| within(start, longest_beside(usual)));
        }
        begun.push(match outcome {
            Ok(_) => begin(executor, variant, begun.is_empty())?,
            Err(outcome) => Err(outcome),
        });
    }
    for _ in 0..ROUNDS {
        for runner in begun.iter_mut().filter_map(|begun| begun.as_mut().ok()) {
            let took = time(executor, &runner.step, runner.runs)?;
            runner.least = runner.least.min(took);
        }
    }
    let trials = variants.iter().zip(begun).map(|(variant, begun)| Trial {
        family: variant.family(),
        outcome: match begun {
            Ok(runner) => TrialOutcome::Ran {
                milliseconds: runner.least.as_secs_f64() * 1e3,
            },
            Err(outcome) => outcome,
        },
    });
    let trials = trials.collect();
    tracing::info!("families of kernels: {trials:?}");
    Ok(trials)
}

/// A convolution of this size by a variant, and how long it took until its first run had ended, if that was right.
fn ready(
    executor: &mut Executor,
    size: Size,
    variant: Variant,
) -> Result<(Specimen, Result<Duration, TrialOutcome>), GpuError> {
    let specimen = Specimen::new(size, variant)?;
    let began = Instant::now();
    let is_right = at_once(specimen.computes_right(executor))?;
    let start = match is_right {
        true => Ok(began.elapsed()),
        false => Err(TrialOutcome::Wrong),
    };
    Ok((specimen, start))
}

/// How long the smallest layer of a family may take where that of the usual one took so long.
fn longest_beside(usual: Duration) -> Duration {
    SOON.max(usual.mul_f64(SLOW_TO_COMPILE))
}

/// `start`, unless it is longer than `longest`.
fn within(start: Duration, longest: Duration) -> Result<Duration, TrialOutcome> {
    let seconds = start.as_secs_f64();
    match start > longest {
        true => Err(TrialOutcome::SlowToCompile { seconds }),
        false => Ok(start),
    }
}

/// Makes a variant ready to be timed. The usual one, which runs where no other does, may take as long as it likes.
fn begin(
    executor: &mut Executor,
    variant: Variant,
    is_usual: bool,
) -> Result<Result<Runner, TrialOutcome>, GpuError> {
    let (specimen, start) = ready(executor, SIZE, variant)?;
    let longest = match is_usual {
        true => Duration::MAX,
        false => LONGEST_START,
    };
    let start = start.and_then(|start| within(start, longest));
    if let Err(outcome) = start {
        return Ok(Err(outcome));
    }
    let step = specimen.step().clone().freeze();
    let least = time(executor, &step, 1)?;
    let runs = LONG_ENOUGH.as_secs_f64() / least.as_secs_f64();
    Ok(Ok(Runner {
        step,
        runs: (runs as u32).clamp(1, MOST_RUNS),
        least,
    }))
}

/// How long one of `runs` runs took.
fn time(executor: &mut Executor, step: &Frozen, runs: u32) -> Result<Duration, GpuError> {
    let mut recording = Recording::new();
    recording.replay(step, 0, runs);
    let word = Buffer::new("trial", 1);
    let began = Instant::now();
    executor.run(&recording)?;
    // A read waits for everything, and leaves alone what else is under way.
    executor.read_words(word, 0, 1)?;
    Ok(began.elapsed() / runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use KernelFamily::{Lanes, Texel, Tiled};

    fn ran(family: KernelFamily, milliseconds: f64) -> Trial {
        let outcome = TrialOutcome::Ran { milliseconds };
        Trial { family, outcome }
    }

    fn other(family: KernelFamily, outcome: TrialOutcome) -> Trial {
        Trial { family, outcome }
    }

    fn decided(trials: &[Trial]) -> (KernelFamily, String) {
        let chosen = decide(trials).expect("the first one ran");
        assert_eq!(chosen.by, ChosenBy::Measurement);
        (chosen.family, chosen.why)
    }

    #[test]
    fn another_family_wins_by_a_clear_margin_only() {
        for (time, family, words) in [
            (0.5, Lanes, "4.0 times as fast as texel"),
            (2.0 / MARGIN, Lanes, "2.0 times as fast as texel"),
            (1.4, Texel, "lanes was only 1.43 times as fast"),
            (2.0, Texel, "lanes took 1.0 times as long"),
            (20.0, Texel, "lanes took 10.0 times as long"),
        ] {
            let (chosen, why) = decided(&[ran(Texel, 2.0), ran(Lanes, time)]);
            assert_eq!(chosen, family, "{time}");
            assert!(why.ends_with(words), "{why}");
        }
        let three = [ran(Texel, 2.0), ran(Tiled, 1.0), ran(Lanes, 0.5)];
        assert_eq!(decided(&three).0, Lanes);
    }

    /// By the times of docs/kernels.md, and by those of a machine ten times as slow and of one that has cached the usual family.
    #[test]
    fn what_compiles_far_longer_than_the_usual_family_is_not_waited_for() {
        for (usual, other, is_slow) in [
            (0.84, 4.86, true),
            (1.09, 7.33, true),
            (8.4, 48.6, true),
            (0.05, 4.86, true),
            (0.77, 1.07, false),
            (0.41, 0.48, false),
            (7.7, 10.7, false),
            (0.05, 1.07, false),
        ] {
            let [usual, other] = [usual, other].map(Duration::from_secs_f64);
            let outcome = within(other, longest_beside(usual));
            let seconds = other.as_secs_f64();
            let want = match is_slow {
                true => Err(TrialOutcome::SlowToCompile { seconds }),
                false => Ok(other),
            };
            assert_eq!(outcome, want, "{usual:?} and {other:?}");
        }
    }

    #[test]
    fn what_computes_wrong_or_compiles_for_long_never_wins() {
        let slow = TrialOutcome::SlowToCompile { seconds: 61.2 };
        for (outcome, words) in [
            (TrialOutcome::Wrong, "lanes computed wrong results"),
            (slow, "lanes took 61 s to compile"),
        ] {
            let (chosen, why) = decided(&[ran(Texel, 2.0), other(Lanes, outcome)]);
            assert_eq!(chosen, Texel);
            assert!(why.ends_with(words), "{why}");
            let beside = [ran(Texel, 2.0), other(Lanes, outcome), ran(Tiled, 0.1)];
            assert_eq!(decided(&beside).0, Tiled);
            // Nothing is decided against what was not timed.
            assert_eq!(decide(&[other(Texel, outcome), ran(Lanes, 1.0)]), None);
        }
        assert_eq!(decide(&[]), None);
        assert_eq!(decide(&[ran(Texel, 0.0), ran(Lanes, 1.0)]), None);
        assert_eq!(decide(&[ran(Texel, f64::NAN), ran(Lanes, 1.0)]), None);
        let impossible = [ran(Texel, 1.0), ran(Lanes, 0.0), ran(Tiled, f64::NAN)];
        assert_eq!(decided(&impossible).0, Texel);
    }
}

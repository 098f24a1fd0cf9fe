use super::error::BenchError;
use crate::gpu::{Executor, Recording};
use serde::Serialize;
use std::time::{Duration, Instant};

/// The fewest runs of a measurement: a median needs three.
const FEWEST_RUNS: usize = 3;
/// A run of something short is repeated until it is this long against the cost of a submission and the clock's step.
const LONG_RUN: Duration = Duration::from_millis(20);
const MOST_REPEATS: f64 = 256.0;

/// Whose clock a time is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Clock {
    /// The host's, from the start of encoding until the GPU is known to have finished: what a user waits.
    Wall,
    /// The GPU's timestamps.
    Gpu,
}

/// How long several runs took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) smallest: f64,
    /// A quarter of the runs took less.
    pub(crate) lower_quartile: f64,
    /// A quarter of the runs took more.
    pub(crate) upper_quartile: f64,
    pub(crate) runs: usize,
}

impl Spread {
    /// Of at least one time. Quantiles between two times are interpolated.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            let place = share * (times.len() - 1) as f64;
            let (below, above) = (times[place.floor() as usize], times[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Spread {
            median: quantile(0.5),
            smallest: times[0],
            lower_quartile: quantile(0.25),
            upper_quartile: quantile(0.75),
            runs: times.len(),
        }
    }

    /// Each quantile with the one of `other`.
    fn with(self, other: Self, combined: impl Fn(f64, f64) -> f64) -> Self {
        Spread {
            median: combined(self.median, other.median),
            smallest: combined(self.smallest, other.smallest),
            lower_quartile: combined(self.lower_quartile, other.lower_quartile),
            upper_quartile: combined(self.upper_quartile, other.upper_quartile),
            runs: self.runs.min(other.runs),
        }
    }

    /// The same runs in units that are `factor` times as long.
    fn scaled(self, factor: f64) -> Self {
        self.with(self, |time, _| time * factor)
    }

    /// What one after the other would take, estimated quantile by quantile.
    fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
}

/// The same runs by both clocks, where there are two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) wall: Spread,
    pub(super) gpu: Option<Spread>,
}

impl Times {
    pub(super) fn scaled(self, factor: f64) -> Self {
        Times {
            wall: self.wall.scaled(factor),
            gpu: self.gpu.map(|spread| spread.scaled(factor)),
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Times {
            wall: self.wall.plus(other.wall),
            gpu: self.gpu.zip(other.gpu).map(|(a, b)| a.plus(b)),
        }
    }
}

/// Runs `recording` for at least `seconds`, after a run that compiles and, if there is time, one that warms up.
pub(super) fn measure(
    executor: &mut Executor,
    recording: &Recording,
    seconds: f64,
) -> Result<Times, BenchError> {
    let enough = Duration::from_secs_f64(seconds);
    if executor.timed(recording)?.wall < enough {
        executor.timed(recording)?;
    }
    let (mut wall, mut gpu) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while start.elapsed() < enough || wall.len() < FEWEST_RUNS {
        let timing = executor.timed(recording)?;
        wall.push(timing.wall.as_secs_f64());
        gpu.extend(timing.gpu.map(|time| time.as_secs_f64()));
    }
    let is_complete = gpu.len() == wall.len();
    Ok(Times {
        wall: Spread::of(wall),
        gpu: is_complete.then(|| Spread::of(gpu)),
    })
}

/// Times one `unit` of work too short to be timed alone, in runs of as many as it takes.
pub(super) fn measure_short(
    executor: &mut Executor,
    unit: &Recording,
    seconds: f64,
) -> Result<Times, BenchError> {
    executor.timed(unit)?;
    let once = executor.timed(unit)?.wall;
    let repeats = LONG_RUN.as_secs_f64() / once.as_secs_f64().max(1e-9);
    let repeats = repeats.clamp(1.0, MOST_REPEATS) as usize;
    let mut run = Recording::new();
    for _ in 0..repeats {
        run.append(unit.clone());
    }
    Ok(measure(executor, &run, seconds)?.scaled(1.0 / repeats as f64))
}

/// The unit that suits a time in nanoseconds, behind the factor that leads to it.
pub(super) fn unit_for(nanoseconds: f64) -> (f64, &'static str) {
    match nanoseconds {
        ns if ns >= 1e6 => (1e-6, "ms"),
        ns if ns >= 1e3 => (1e-3, "µs"),
        ns if ns >= 1.0 => (1.0, "ns"),
        _ => (1e3, "ps"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_where_they_should() {
        let spread = Spread::of(vec![5.0, 1.0, 2.0, 4.0, 3.0]);
        let quartiles = (spread.lower_quartile, spread.median, spread.upper_quartile);
        assert_eq!(quartiles, (2.0, 3.0, 4.0));
        assert_eq!((spread.smallest, spread.runs), (1.0, 5));
        let even = Spread::of(vec![2.0, 1.0]);
        assert_eq!((even.median, even.upper_quartile), (1.5, 1.75));
        let sum = spread.scaled(2.0).plus(even);
        assert_eq!((sum.median, sum.runs), (7.5, 2));
    }
}

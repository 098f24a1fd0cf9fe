use std::ops::Range;
use std::time::Duration;

/// How often the candidates for a pass are timed in turn. The least time counts, since other work on the machine only
/// ever adds to it.
const ROUNDS: usize = 5;
/// Rounds that are worth their time even past the limit: far less than it took to compile.
const LEAST_ROUNDS: usize = 3;
/// Candidates that are slower than the fastest so far by this much are not timed again.
const HOPELESS: f64 = 1.3;
/// What another candidate must save to take the place of the cost model's choice: about what such short measurements
/// vary by.
const MARGIN: f64 = 0.05;

/// Candidates that are compiled side by side.
const SIDE_BY_SIDE: usize = 2;

/// What a search measures with.
pub(super) trait Meter {
    /// A pass with its candidates.
    type Task;
    /// Why nothing more can be measured.
    type Error;

    /// Time since the search began.
    fn now(&self) -> Duration;

    /// How many candidates a pass has.
    fn candidates(&self, pass: &Self::Task) -> usize;

    /// Makes some candidates of a pass ready to be timed and says of each whether it can be. Those before them stay
    /// ready; from the first one on, those of other passes do not.
    fn prepare(
        &mut self,
        pass: &Self::Task,
        candidates: Range<usize>,
    ) -> Result<Vec<bool>, Self::Error>;

    /// How long one run of a candidate that is ready takes.
    fn time(&mut self, candidate: usize) -> Result<Duration, Self::Error>;
}

/// The best candidate for each of `passes`, for as many of them, from the first, as there is time for within `limit`. The
/// first is the cost model's choice, which stays unless another is clearly faster.
pub(super) fn search<M: Meter>(
    meter: &mut M,
    passes: &[M::Task],
    limit: Duration,
) -> Result<Vec<usize>, M::Error> {
    let mut found = Vec::new();
    let mut longest = Duration::ZERO;
    for pass in passes {
        let began = meter.now();
        if began + longest >= limit {
            break;
        }
        found.push(best_candidate(meter, pass, limit)?);
        longest = longest.max(meter.now().saturating_sub(began));
    }
    Ok(found)
}

fn best_candidate<M: Meter>(
    meter: &mut M,
    pass: &M::Task,
    limit: Duration,
) -> Result<usize, M::Error> {
    let mut in_question = Vec::new();
    let began = meter.now();
    let mut longest = Duration::ZERO;
    // Compiling is what takes long: of the first pass, fewer candidates may have to do.
    for start in (0..meter.candidates(pass)).step_by(SIDE_BY_SIDE) {
        let before = meter.now();
        if start > 0 && before + longest >= limit {
            break;
        }
        let end = (start + SIDE_BY_SIDE).min(meter.candidates(pass));
        in_question.extend(meter.prepare(pass, start..end)?);
        longest = longest.max(meter.now().saturating_sub(before));
    }
    tracing::debug!(
        "{} candidates compiled in {:?}",
        in_question.len(),
        meter.now().saturating_sub(began)
    );
    let mut least = vec![Duration::MAX; in_question.len()];
    for round in 0..ROUNDS {
        let rivals = in_question.iter().filter(|&&yes| yes).count();
        if rivals < 2 || (round >= LEAST_ROUNDS && meter.now() >= limit) {
            break;
        }
        for candidate in (0..least.len()).filter(|&candidate| in_question[candidate]) {
            least[candidate] = least[candidate].min(meter.time(candidate)?);
        }
        let fastest = least.iter().min().copied().unwrap_or_default();
        for (yes, &time) in in_question.iter_mut().zip(&least) {
            *yes &= time.as_secs_f64() < HOPELESS * fastest.as_secs_f64();
        }
    }
    tracing::debug!("least times {least:?}");
    Ok(choose(&least))
}

/// The first, unless another takes less time by more than the margin.
fn choose(times: &[Duration]) -> usize {
    let fastest = (0..times.len()).min_by_key(|&candidate| times[candidate]);
    fastest
        .filter(|&fastest| times[fastest].as_secs_f64() < (1.0 - MARGIN) * times[0].as_secs_f64())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Candidates that take fixed times in milliseconds, with a clock that only they move.
    #[derive(Default)]
    struct Fake {
        clock: Duration,
        compile: Duration,
        pass: Vec<u64>,
        timed: Vec<usize>,
        /// Added to every run of the first round.
        disturbance: Duration,
    }

    impl Meter for Fake {
        type Task = Vec<u64>;
        type Error = Infallible;

        fn now(&self) -> Duration {
            self.clock
        }

        fn candidates(&self, pass: &Vec<u64>) -> usize {
            pass.len()
        }

        fn prepare(
            &mut self,
            pass: &Vec<u64>,
            candidates: Range<usize>,
        ) -> Result<Vec<bool>, Infallible> {
            self.clock += self.compile;
            if candidates.start == 0 {
                self.pass.clear();
                self.timed.clear();
            }
            assert_eq!(self.pass.len(), candidates.start, "one after another");
            self.pass.extend(&pass[candidates.clone()]);
            self.timed.resize(self.pass.len(), 0);
            Ok(pass[candidates].iter().map(|&time| time > 0).collect())
        }

        fn time(&mut self, candidate: usize) -> Result<Duration, Infallible> {
            let mut time = Duration::from_millis(self.pass[candidate]);
            if self.timed[candidate] == 0 {
                time += self.disturbance;
            }
            self.timed[candidate] += 1;
            self.clock += time;
            Ok(time)
        }
    }

    const AGES: Duration = Duration::from_secs(1000);

    fn found(fake: &mut Fake, passes: &[&[u64]], limit: Duration) -> Vec<usize> {
        let passes: Vec<_> = passes.iter().map(|pass| pass.to_vec()).collect();
        let Ok(found) = search(fake, &passes, limit);
        found
    }

    #[test]
    fn the_first_stays_unless_another_is_clearly_faster() {
        let passes: [&[u64]; 6] = [
            &[100, 99, 96],
            &[100, 110, 94],
            &[100, 90, 80, 85],
            &[100],
            // Those at 0 cannot be timed.
            &[100, 0, 50],
            &[0, 0],
        ];
        let found = found(&mut Fake::default(), &passes, AGES);
        assert_eq!(found, [0, 2, 2, 0, 2, 0]);
    }

    #[test]
    fn the_least_of_several_rounds_counts_and_slow_ones_drop_out() {
        let mut fake = Fake {
            disturbance: Duration::from_millis(500),
            ..Default::default()
        };
        assert_eq!(found(&mut fake, &[&[100, 80, 1000]], AGES), [1]);
        assert_eq!(fake.timed, [ROUNDS, ROUNDS, 1]);
    }

    #[test]
    fn a_search_stops_at_its_limit() {
        let passes: [&[u64]; 4] = [&[10, 10]; 4];
        let mut fake = Fake {
            compile: Duration::from_millis(400),
            ..Default::default()
        };
        // 500 ms a pass: a third one would end after 1500.
        assert_eq!(
            found(&mut fake, &passes, Duration::from_millis(1400)).len(),
            2
        );
        assert_eq!(fake.clock, Duration::from_millis(1000));
        assert_eq!(
            found(&mut Fake::default(), &passes, Duration::ZERO).len(),
            0
        );
    }

    #[test]
    fn the_first_pass_is_decided_however_long_it_takes() {
        let mut fake = Fake {
            compile: AGES,
            ..Default::default()
        };
        let passes: [&[u64]; 2] = [&[100, 80, 1], &[1, 1]];
        assert_eq!(found(&mut fake, &passes, Duration::from_secs(3)), [1]);
        // Nothing was left for a third candidate and more rounds.
        assert_eq!(fake.timed, [LEAST_ROUNDS; 2]);
    }
}

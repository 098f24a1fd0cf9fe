use super::news::News;
use std::collections::VecDeque;
use std::sync::mpsc;
use web_time::{Duration, Instant};

/// What a launch costs beside its arithmetic, in floating-point operations: about 20 µs at 50 GFLOP/s.
const LAUNCH_COST: f64 = 1e6;
/// Assumed until the first submission has been timed: slow enough for any machine.
const FIRST_SECONDS_PER_FLOP: f64 = 1e-9;
/// How much one measurement moves the estimate.
const SMOOTHING: f64 = 0.3;

/// Bounds the work of one submission by measured time, because drivers kill submissions that run for seconds,
/// and the number of submissions in flight, because each holds memory.
pub(super) struct Budget {
    target: Duration,
    most_in_flight: usize,
    seconds_per_flop: f64,
    recorded: f64,
    /// Of it, what takes place in any case.
    certain: f64,
    in_flight: VecDeque<InFlight>,
    last_done: Instant,
    done_sender: mpsc::Sender<(u64, Instant)>,
    done: mpsc::Receiver<(u64, Instant)>,
    next_id: u64,
    news: News,
}

struct InFlight {
    id: u64,
    index: wgpu::SubmissionIndex,
    cost: f64,
    certain: f64,
    submitted: Instant,
}

impl Budget {
    pub(super) fn new(target: Duration, most_in_flight: usize, news: News) -> Self {
        let (done_sender, done) = mpsc::channel();
        Budget {
            target,
            most_in_flight: most_in_flight.max(1),
            seconds_per_flop: FIRST_SECONDS_PER_FLOP,
            recorded: 0.0,
            certain: 0.0,
            in_flight: VecDeque::new(),
            last_done: Instant::now(),
            done_sender,
            done,
            next_id: 0,
            news,
        }
    }

    /// Whether a launch still fits into the submission being recorded. The first always does.
    pub(super) fn fits(&self, flops: u64) -> bool {
        let seconds = (self.recorded + cost(flops)) * self.seconds_per_flop;
        self.recorded == 0.0 || seconds <= self.target.as_secs_f64()
    }

    /// Counts a launch into the submission being recorded, and whether it is `conditional`.
    pub(super) fn add(&mut self, flops: u64, conditional: bool) {
        self.recorded += cost(flops);
        if !conditional {
            self.certain += cost(flops);
        }
    }

    /// Notes that what was recorded has been submitted, and asks to be told when the GPU has finished it.
    pub(super) fn submitted(&mut self, index: wgpu::SubmissionIndex, queue: &wgpu::Queue) {
        let cost = std::mem::take(&mut self.recorded);
        let id = self.next_id;
        self.next_id += 1;
        let (sender, news) = (self.done_sender.clone(), self.news.clone());
        queue.on_submitted_work_done(move || {
            // The receiver lives as long as the executor; after that nobody needs the news.
            let _ = sender.send((id, Instant::now()));
            news.wake();
        });
        self.in_flight.push_back(InFlight {
            id,
            index,
            cost,
            certain: std::mem::take(&mut self.certain),
            submitted: Instant::now(),
        });
    }

    /// Learns from the submissions that have finished.
    pub(super) fn update(&mut self) {
        let mut newest = None;
        while let Ok((id, finished)) = self.done.try_recv() {
            newest = newest.max(Some((id, finished)));
        }
        let Some((id, finished)) = newest else { return };
        let Some(position) = self.in_flight.iter().position(|entry| entry.id == id) else {
            return;
        };
        // The news of several arrives at once when nobody asked for a while: they count as one.
        let mut cost = 0.0;
        let mut began = None;
        let mut certain = 0.0;
        for entry in self.in_flight.drain(..=position) {
            cost += entry.cost;
            certain += entry.certain;
            began.get_or_insert(entry.submitted.max(self.last_done));
        }
        if let Some(began) = began
            && cost > 0.0
        {
            self.learn(cost, certain, finished.saturating_duration_since(began));
        }
        self.last_done = finished;
    }

    /// Learns from what took so long: work that costs between `certain` and `cost`, since some of it may not have taken place. So the
    /// rate lies between two, and the estimate moves towards the nearer one where it lies outside.
    fn learn(&mut self, cost: f64, certain: f64, took: Duration) {
        let least = took.as_secs_f64() / cost;
        let most = took.as_secs_f64() / certain;
        let measured = self.seconds_per_flop.clamp(least, most.max(least));
        self.seconds_per_flop += SMOOTHING * (measured - self.seconds_per_flop);
    }

    /// Whether anything is still on its way.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn is_waiting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// The oldest submission, when there are too many in flight: the one to wait for.
    pub(super) fn must_wait_for(&self) -> Option<wgpu::SubmissionIndex> {
        (self.in_flight.len() >= self.most_in_flight)
            .then(|| self.in_flight.front().map(|entry| entry.index.clone()))
            .flatten()
    }
}

fn cost(flops: u64) -> f64 {
    flops as f64 + LAUNCH_COST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_closed_before_it_grows_past_the_target() {
        let mut budget = Budget::new(Duration::from_millis(100), 2, News::default());
        let flops = 30_000_000; // 31 ms each at the first assumed rate, with the launch cost
        for _ in 0..3 {
            assert!(budget.fits(flops));
            budget.add(flops, false);
        }
        assert!(!budget.fits(flops));
    }

    #[test]
    fn one_launch_over_the_target_still_runs_alone() {
        let mut budget = Budget::new(Duration::from_millis(1), 2, News::default());
        assert!(budget.fits(u64::MAX / 2));
        budget.add(u64::MAX / 2, false);
        assert!(!budget.fits(1));
    }

    #[test]
    fn submissions_grow_on_a_machine_that_turns_out_fast() {
        let mut budget = Budget::new(Duration::from_millis(100), 2, News::default());
        budget.add(1, false);
        let flops = 1_000_000_000; // 1 s at the first assumed rate, 10 ms at the measured one
        assert!(!budget.fits(flops));
        for _ in 0..20 {
            budget.learn(1e9, 1e9, Duration::from_millis(10));
        }
        assert!(budget.fits(flops));
        assert!(!budget.fits(20 * flops));
    }
}

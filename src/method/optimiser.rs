use crate::gpu::{Buffer, Recording};
use crate::kernels::{AdamArguments, AdamSettings, NORM_PARTS, RatioMetrics, adam, gradient_norm};
use crate::purpose::OPTIMISER;
use crate::words::words;

/// What the moving average of the weights is called among buffers.
pub(crate) const AVERAGED_PARAMETERS: &str = "averaged parameters";

words! {
    /// How the learning rate changes over a run.
    pub enum Schedule {
        Constant = "constant",
        /// Half a cosine from 1 to the final share.
        Cosine = "cosine",
        /// Geometric from 1 to the final share.
        Exponential = "exponential",
    }
}

/// Adam with its schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OptimiserSettings {
    /// At the peak rate.
    pub adam: AdamSettings,
    pub schedule: Schedule,
    /// The rate at the last step as a share of the peak.
    pub final_share: f32,
    /// Steps of linear rise from 0, before the schedule.
    pub warmup: u64,
    /// Steps of the whole run.
    pub steps: u64,
}

impl OptimiserSettings {
    /// The learning rate of optimiser step `step`, counted from 0: the last step of the rise has the peak, from where the
    /// schedule starts, so that it is reached whatever the schedule.
    pub(crate) fn rate(&self, step: u64) -> f32 {
        let peak = f64::from(self.adam.rate);
        if step < self.warmup {
            return (peak * (step + 1) as f64 / self.warmup as f64) as f32;
        }
        let start = self.warmup.saturating_sub(1);
        let length = self.steps.saturating_sub(1).saturating_sub(start).max(1);
        let progress = (step - start).min(length) as f64 / length as f64;
        let end = f64::from(self.final_share);
        let share = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => {
                end + (1.0 - end) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
            Schedule::Exponential => end.powf(progress),
        };
        (peak * share) as f32
    }
}

/// The optimiser's state on the GPU: gradient, Adam's moments, and the moving average of the weights.
pub struct Optimiser {
    settings: OptimiserSettings,
    gradient: Buffer,
    first_moment: Buffer,
    second_moment: Buffer,
    average: Buffer,
    norm_scratch: Buffer,
}

impl Optimiser {
    /// The state for `parameters` values.
    pub(crate) fn new(settings: OptimiserSettings, parameters: usize) -> Self {
        Optimiser {
            settings,
            gradient: Buffer::new("parameter gradient", parameters).of(OPTIMISER),
            first_moment: Buffer::new("first moment", parameters)
                .of(OPTIMISER)
                .lasting(),
            second_moment: Buffer::new("second moment", parameters)
                .of(OPTIMISER)
                .lasting(),
            average: Buffer::new(AVERAGED_PARAMETERS, parameters)
                .of(OPTIMISER)
                .lasting(),
            norm_scratch: Buffer::new("norm scratch", NORM_PARTS).of(OPTIMISER),
        }
    }

    /// Where the gradient of the parameters goes.
    pub fn gradient(&self) -> Buffer {
        self.gradient
    }

    /// The moving average of the parameters: what samples are drawn from after training.
    pub fn average(&self) -> Buffer {
        self.average
    }

    /// The learning rate of optimiser step `step`, counted from 0.
    pub(crate) fn rate(&self, step: u64) -> f32 {
        self.settings.rate(step)
    }

    /// Starts the average at the initial parameters.
    pub(crate) fn setup(&self, recording: &mut Recording, initial: &[f32]) {
        recording.upload_f32(self.average, 0, initial);
    }

    /// Moves `parameters` by optimiser step `step`, counted from 0, and leaves the gradient's norm in `metrics`.
    pub(crate) fn step(
        &self,
        recording: &mut Recording,
        step: u64,
        parameters: Buffer,
        metrics: Buffer,
    ) {
        let count = parameters.words();
        let place = RatioMetrics::NORM_PLACE;
        gradient_norm(
            recording,
            count,
            self.gradient,
            self.norm_scratch,
            metrics,
            place,
        );
        let settings = AdamSettings {
            rate: self.rate(step),
            ..self.settings.adam
        };
        let arguments = AdamArguments {
            gradient: self.gradient,
            norm: metrics,
            norm_place: place,
            parameters,
            first_moment: self.first_moment,
            second_moment: self.second_moment,
            average: self.average,
        };
        adam(recording, &settings, step + 1, count, &arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(schedule: Schedule, warmup: u64) -> OptimiserSettings {
        let adam = AdamSettings {
            rate: 2.0,
            beta1: 0.0,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            gradient_clip: 0.0,
            average: 0.0,
            normalise_gradient: false,
        };
        OptimiserSettings {
            adam,
            schedule,
            final_share: 0.25,
            warmup,
            steps: 101,
        }
    }

    #[test]
    fn schedules_start_and_end_where_they_should() {
        for (schedule, middle, end) in [
            (Schedule::Constant, 2.0, 2.0),
            (Schedule::Cosine, 1.25, 0.5),
            (Schedule::Exponential, 1.0, 0.5),
        ] {
            let settings = settings(schedule, 0);
            assert_eq!(settings.rate(0), 2.0);
            assert!((settings.rate(50) - middle).abs() < 1e-6, "{schedule:?}");
            assert!((settings.rate(100) - end).abs() < 1e-6, "{schedule:?}");
            assert_eq!(settings.rate(1000), settings.rate(100));
        }
    }

    #[test]
    fn warmup_rises_linearly() {
        let settings = settings(Schedule::Constant, 4);
        let rates: Vec<f32> = (0..5).map(|step| settings.rate(step)).collect();
        assert_eq!(rates, [0.5, 1.0, 1.5, 2.0, 2.0]);
    }

    #[test]
    fn every_schedule_starts_at_the_peak_where_the_warmup_ends() {
        for (schedule, middle, end) in [
            (Schedule::Constant, 2.0, 2.0),
            (Schedule::Cosine, 1.25, 0.5),
            (Schedule::Exponential, 1.0, 0.5),
        ] {
            // 40 steps to the peak, 60 more to the end.
            let warm = settings(schedule, 41);
            assert!((warm.rate(19) - 2.0 * 20.0 / 41.0).abs() < 1e-6);
            assert_eq!(warm.rate(40), 2.0, "{schedule:?}");
            assert!((warm.rate(70) - middle).abs() < 1e-6, "{schedule:?}");
            assert!((warm.rate(100) - end).abs() < 1e-6, "{schedule:?}");
            // As long as the run, but for a step, and longer.
            assert_eq!(settings(schedule, 101).rate(100), 2.0);
            assert_eq!(settings(schedule, 100).rate(99), 2.0);
            assert!((settings(schedule, 100).rate(100) - end).abs() < 1e-6);
            assert_eq!(settings(schedule, 1).rate(0), settings(schedule, 0).rate(0));
        }
    }
}

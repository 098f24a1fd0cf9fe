use crate::gpu::{Buffer, Recording};
use crate::kernels::{
    Bregman, GENERATORS, Generator, HeadArguments, METRIC_WORDS, Normaliser, RatioSettings,
    divergence_head, ranking_head, ratio_head,
};
use crate::words::Word;

/// What data and noise are told apart by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Criterion {
    /// The Bregman divergence of a generator.
    Bregman(Generator),
    /// Every datum against its own noise samples: the log-normaliser difference cancels.
    Ranking,
    /// Mean energy of the data minus that of the noise, without a ratio to the snapshot.
    ContrastiveDivergence,
}

/// How many there are.
const COUNT: usize = GENERATORS.len() + 2;

impl Criterion {
    /// All of them: the registered generators, and the two that are none.
    pub const ALL: [Criterion; COUNT] = {
        let mut all = [Criterion::Ranking; COUNT];
        let mut index = 0;
        while index < GENERATORS.len() {
            all[index] = Criterion::Bregman(GENERATORS[index]);
            index += 1;
        }
        all[COUNT - 1] = Criterion::ContrastiveDivergence;
        all
    };
}

impl Word for Criterion {
    fn all() -> &'static [Self] {
        &Self::ALL
    }

    fn name(&self) -> &'static str {
        match self {
            Criterion::Bregman(generator) => generator.name,
            Criterion::Ranking => "ranking",
            Criterion::ContrastiveDivergence => "contrastive-divergence",
        }
    }
}

/// The settings of an [`Objective`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectiveSettings {
    pub criterion: Criterion,
    /// The exponent a of the generator `power`.
    pub exponent: f32,
    /// Where |u| is clamped for unbounded generators.
    pub clamp: f32,
    /// For generators only.
    pub normaliser: Normaliser,
    /// Weight of the mean squared energies of data and noise.
    pub energy_l2: f32,
}

impl Default for ObjectiveSettings {
    /// Logistic without log-normaliser and penalty; the numbers are those of the configuration's defaults.
    fn default() -> Self {
        ObjectiveSettings {
            criterion: Criterion::Bregman(Generator::LOGISTIC),
            exponent: 0.5,
            clamp: 10.0,
            normaliser: Normaliser::Zero,
            energy_l2: 0.0,
        }
    }
}

/// The objective on a batch of data samples followed by noise samples.
pub struct Objective {
    settings: ObjectiveSettings,
    data: usize,
    noise: usize,
    c: Buffer,
    factor: Buffer,
    metrics: Buffer,
}

impl Objective {
    /// An objective over `data` data samples and `noise` noise samples; ν is their ratio.
    pub fn new(settings: ObjectiveSettings, data: usize, noise: usize) -> Self {
        Objective {
            settings,
            data,
            noise,
            c: Buffer::new("normaliser", settings.normaliser.words()).lasting(),
            factor: Buffer::new("sample factors", data + noise),
            metrics: Buffer::new("metrics", METRIC_WORDS),
        }
    }

    /// Whether the energies under the snapshot are needed.
    pub(crate) fn compares(&self) -> bool {
        self.settings.criterion != Criterion::ContrastiveDivergence
    }

    /// The factor of every sample in the parameter gradient.
    pub fn factor(&self) -> Buffer {
        self.factor
    }

    /// The metrics of the last step: see [`crate::kernels::RatioMetrics`].
    pub fn metrics(&self) -> Buffer {
        self.metrics
    }

    /// Asks for the metrics of the step, which arrive later under `ticket`.
    pub(crate) fn fetch_metrics(&self, recording: &mut Recording, ticket: u64) {
        recording.fetch(self.metrics, 0, METRIC_WORDS, ticket);
    }

    /// c, and behind it what its average needs; all of it is 0 at a refresh.
    pub(crate) fn normaliser(&self) -> Buffer {
        self.c
    }

    /// Sets c to 0, as it is when the snapshot equals the live model.
    pub fn reset(&self, recording: &mut Recording) {
        recording.upload_f32(self.c, 0, &vec![0.0; self.c.words()]);
    }

    /// From the energies under the live parameters and the snapshot to factors and metrics. `snapshot` is not looked at
    /// unless the objective compares the two.
    pub fn weigh(&self, recording: &mut Recording, live: Buffer, snapshot: Buffer) {
        let s = &self.settings;
        let arguments = HeadArguments {
            live,
            snapshot,
            factor: self.factor,
            metrics: self.metrics,
        };
        match s.criterion {
            Criterion::Bregman(generator) => {
                let settings = RatioSettings {
                    bregman: Bregman {
                        generator,
                        exponent: s.exponent,
                        clamp: s.clamp,
                    },
                    normaliser: s.normaliser,
                    energy_l2: s.energy_l2,
                };
                ratio_head(
                    recording, &settings, self.data, self.noise, self.c, &arguments,
                );
            }
            Criterion::Ranking => {
                ranking_head(recording, self.data, self.noise, s.energy_l2, &arguments);
            }
            Criterion::ContrastiveDivergence => divergence_head(
                recording,
                self.data,
                self.noise,
                s.energy_l2,
                live,
                self.factor,
                self.metrics,
            ),
        }
    }
}

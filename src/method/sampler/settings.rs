//! How noise is drawn, and what that makes of a model, in words.

use crate::kernels::{ChainStart, Dynamics};
use crate::method::Diagnostics;

/// Where the chains of an optimiser step come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ChainMode {
    /// From a replay buffer of `slots` chains, to which they return; a share of them starts afresh.
    Persistent { slots: usize, restart: f32 },
    /// Every chain starts afresh. The model then fits the law of these short runs, not a density.
    ShortRun,
    /// Every chain starts from a data sample (contrastive divergence).
    Data,
}

/// How noise is drawn from the snapshot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SamplerSettings {
    pub mode: ChainMode,
    /// Steps of a pass.
    pub steps: usize,
    pub dynamics: Dynamics,
    pub start: ChainStart,
    /// Share of the fresh chains that start from a data sample of the step in place of `start`. Where it is above 0, so
    /// do the chains of a new replay buffer, as each is met for the first time.
    pub data_share: f32,
    /// Temperature of the first step of a pass, see [`ChainPass::anneal`](crate::method::ChainPass::anneal).
    pub anneal: Option<f32>,
    /// When the chains are looked at; none for never, and where a pass is shorter than 4 steps.
    pub diagnose: Option<Diagnose>,
}

/// The passes whose chains leave a trace for [`Diagnostics`]: one for each optimiser step that draws noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Diagnose {
    /// The last one of so many.
    pub every: u64,
    /// And the last one of as many as the run has.
    pub of: u64,
}

/// What chains that began in different places say together, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// Two kinds are not of one distribution.
    Apart(String),
    /// No two kinds were found to differ.
    NotApart(String),
    /// They were not compared, for this reason.
    NotCompared(String),
}

/// The most records of a chain in one pass.
pub(super) const MOST_RECORDS: usize = 32;
/// The fewest that R-hat can be told from.
pub(crate) const FEWEST_RECORDS: usize = 4;
/// What a verdict without a last look says.
pub(crate) const NOT_COMPARED: &str = "chains of different starts were not compared";
/// What every verdict on a density begins with.
const DENSITY: &str = "a density";
/// Below this R-hat the chains count as samples of one law; 1.01 is asked of long runs (Vehtari et al. 2021), which
/// the few records of a pass cannot show.
pub(crate) const SETTLED: f64 = 1.05;

impl SamplerSettings {
    /// What a model trained on these chains is fitted to, in words: a density needs noise samples from the snapshot's
    /// own law, otherwise the fixed point is the law of the chains.
    pub(crate) fn target(&self) -> String {
        let target = match self.mode {
            ChainMode::Persistent { .. }
                if !self.is_at_temperature_one() || self.anneal.is_some() =>
            {
                "the law of its chains, which do not run at temperature 1"
            }
            ChainMode::Persistent { .. } => {
                "a density, as far as persistent chains at temperature 1 keep up with it"
            }
            ChainMode::ShortRun => "the law of its short runs: a generator, not a density",
            ChainMode::Data => "the law of short runs from the data (contrastive divergence)",
        };
        match self.dynamics.langevin.clip {
            clip if clip > 0.0 => format!("{target}; energy gradients are clipped at ±{clip}"),
            _ => target.to_owned(),
        }
    }

    /// [`Self::target`] after the fact: what a diagnosed pass on the last snapshot says of it, and by which figure; and what
    /// chains that began in different places do, since R-hat does not see where all of a kind share one mode.
    pub(crate) fn verdict(
        &self,
        last: Option<&Diagnostics>,
        agreement: Option<&Agreement>,
    ) -> String {
        let verdict = self.verdict_by_mixing(last);
        match agreement {
            None => verdict,
            Some(Agreement::NotApart(how)) => format!("{verdict}; {how}"),
            Some(Agreement::NotCompared(why)) => format!("{verdict}; {NOT_COMPARED}: {why}"),
            Some(Agreement::Apart(how)) if verdict.starts_with(DENSITY) => {
                let mixing = match last.and_then(Diagnostics::worst) {
                    Some((what, r_hat)) => format!(", though R-hat of {what} is {r_hat:.2}"),
                    None => String::new(),
                };
                format!("the law of its chains, a generator and not {DENSITY}: {how}{mixing}")
            }
            Some(Agreement::Apart(how)) => format!("{verdict}; {how}"),
        }
    }

    fn verdict_by_mixing(&self, last: Option<&Diagnostics>) -> String {
        let Some(last) = last else {
            return self.target();
        };
        let pass = format!("over {} steps on the last snapshot", last.steps);
        let of_chains = "the law of its chains, not a density";
        if last.lost > 0 {
            let all = last.lost + last.chains;
            return format!("{of_chains}: {} of {all} chains ran away {pass}", last.lost);
        }
        let Some((what, r_hat)) = last.worst() else {
            let how = match last.still == last.chains {
                true => "did not move",
                false => "hardly moved",
            };
            return format!("{of_chains}: the chains {how} {pass}");
        };
        let figure = format!("R-hat of {what} {r_hat:.2} {pass}");
        let clip = self.dynamics.langevin.clip;
        if !matches!(self.mode, ChainMode::Persistent { .. }) || self.anneal.is_some() {
            // However well chains mix that go on, these began afresh in every pass, or were hot.
            format!("{}; {figure}", self.target())
        } else if r_hat > SETTLED {
            format!(
                "the law of its chains, a generator and not a density: {figure}, above {SETTLED}"
            )
        } else if !self.is_at_temperature_one() {
            format!("the law of its chains, which do not run at temperature 1: {figure}")
        } else if clip > 0.0 {
            format!("the law of its chains, with energy gradients clipped at ±{clip}: {figure}")
        } else {
            let bias = match self.dynamics.kind.is_exact() {
                true => "",
                false => ", but for the bias of steps without a Metropolis test",
            };
            let fresh = match self.mode {
                ChainMode::Persistent { restart, .. } if restart > 0.0 => {
                    format!(
                        ", but for the {:.1} % that a pass starts afresh",
                        100.0 * restart
                    )
                }
                ChainMode::Persistent { .. } | ChainMode::ShortRun | ChainMode::Data => {
                    String::new()
                }
            };
            format!(
                "a density, its negatives being samples of the snapshot{bias}{fresh}: {figure}, at most {SETTLED}"
            )
        }
    }

    fn is_at_temperature_one(&self) -> bool {
        let langevin = &self.dynamics.langevin;
        let (noise, step) = (f64::from(langevin.noise), f64::from(langevin.step_size));
        // The noise is stored in f32, so its square is right to about 2⁻²³.
        (noise * noise / (2.0 * step) - 1.0).abs() < 1e-5 && self.dynamics.temperature == 1.0
    }

    /// Records of each chain in a diagnosed pass; 0 where none is.
    pub(super) fn records(&self) -> usize {
        match self.diagnose {
            Some(_) if self.steps >= FEWEST_RECORDS => self.steps.min(MOST_RECORDS),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{LangevinSettings, SAMPLERS};
    use crate::method::{Mixing, Traces};

    /// Of chains at temperature 1.
    fn settings() -> SamplerSettings {
        let langevin = LangevinSettings {
            step_size: 0.01,
            noise: 0.02f32.sqrt(),
            clip: 0.0,
            bounds: crate::kernels::Bounds::None,
        };
        SamplerSettings {
            mode: ChainMode::Persistent {
                slots: 8,
                restart: 0.0,
            },
            steps: 20,
            dynamics: langevin.into(),
            start: ChainStart::Gaussian {
                mean: 0.0,
                std: 1.0,
            },
            data_share: 0.0,
            anneal: None,
            diagnose: None,
        }
    }

    #[test]
    fn a_run_says_what_it_is_fitted_to() {
        let mut settings = settings();
        assert!(settings.target().starts_with("a density"));
        settings.dynamics.langevin.noise = 0.005;
        assert!(settings.target().starts_with("the law of its chains"));
        settings.mode = ChainMode::ShortRun;
        settings.dynamics.langevin.clip = 0.03;
        assert!(settings.target().contains("generator"));
        assert!(settings.target().ends_with("±0.03"));
    }

    #[test]
    fn the_verdict_names_its_figure() {
        let mut settings = settings();
        let mixing = |r_hat| Mixing {
            r_hat,
            ..Mixing::default()
        };
        let mut row = Diagnostics::of(0, 1, &Traces::new(&[], 1), 1.0, 0.01);
        row.energy = mixing(Some(1.31));
        row.projections = [mixing(Some(1.02)); 3];
        assert_eq!(settings.verdict(None, None), settings.target());
        let verdict = settings.verdict(Some(&row), None);
        assert!(verdict.contains("R-hat of the energy 1.31"), "{verdict}");
        assert!(
            verdict.contains("not a density") && verdict.ends_with("above 1.05"),
            "{verdict}"
        );
        row.energy = mixing(Some(1.01));
        let verdict = settings.verdict(Some(&row), None);
        assert!(
            verdict.starts_with("a density") && verdict.contains("a projection 1.02"),
            "{verdict}"
        );
        assert!(verdict.contains("without a Metropolis test"), "{verdict}");
        settings.dynamics.kind = SAMPLERS[1];
        assert!(!settings.verdict(Some(&row), None).contains("without"));
        settings.dynamics.temperature = 0.5;
        assert!(settings.verdict(Some(&row), None).contains("temperature 1"));
        settings.dynamics.temperature = 1.0;
        settings.mode = ChainMode::Persistent {
            slots: 8,
            restart: 0.05,
        };
        assert!(
            settings
                .verdict(Some(&row), None)
                .contains("but for the 5.0 %")
        );
        // Chains that mix when they go on say nothing of those that begin afresh in every pass, or hot.
        settings.anneal = Some(4.0);
        assert!(!settings.verdict(Some(&row), None).starts_with("a density"));
        settings.anneal = None;
        for mode in [ChainMode::ShortRun, ChainMode::Data] {
            settings.mode = mode;
            let verdict = settings.verdict(Some(&row), None);
            assert!(verdict.starts_with("the law of"), "{verdict}");
            assert!(verdict.contains("a projection 1.02"), "{verdict}");
        }
        row.lost = 1;
        assert!(settings.verdict(Some(&row), None).contains("ran away"));
        row.lost = 0;
        row.energy = mixing(None);
        assert!(
            settings
                .verdict(Some(&row), None)
                .contains("a projection 1.02")
        );
        row.projections = [mixing(None); 3];
        let ends = |row: &Diagnostics| {
            let verdict = settings.verdict(Some(row), None);
            assert!(verdict.contains("not a density"), "{verdict}");
            verdict
        };
        (row.chains, row.still) = (8, 8);
        assert!(ends(&row).contains("the chains did not move over"));
        row.still = 7;
        assert!(ends(&row).contains("the chains hardly moved over"));
    }

    #[test]
    fn chains_that_are_told_apart_make_no_density_whatever_r_hat_says() {
        let mut settings = settings();
        let mut row = Diagnostics::of(0, 1, &Traces::new(&[], 1), 1.0, 0.01);
        row.energy.r_hat = Some(1.01);
        let [apart, not_apart] = ["x is not y", "x may be y"].map(str::to_owned);
        let [apart, not_apart] = [Agreement::Apart(apart), Agreement::NotApart(not_apart)];
        let verdict = settings.verdict(Some(&row), Some(&not_apart));
        assert!(
            verdict.starts_with(DENSITY) && verdict.ends_with("; x may be y"),
            "{verdict}"
        );
        let verdict = settings.verdict(Some(&row), Some(&apart));
        assert_eq!(
            verdict,
            "the law of its chains, a generator and not a density: x is not y, though R-hat of the energy is 1.01"
        );
        // Without a look at R-hat, too.
        assert!(
            settings
                .verdict(None, Some(&apart))
                .ends_with("density: x is not y")
        );
        // What was not looked at is told.
        let not_compared = Agreement::NotCompared("too short".into());
        let verdict = settings.verdict(Some(&row), Some(&not_compared));
        assert!(
            verdict.starts_with(DENSITY)
                && verdict.ends_with("; chains of different starts were not compared: too short"),
            "{verdict}"
        );
        // What is no density anyhow gets the reason in addition.
        settings.mode = ChainMode::ShortRun;
        let verdict = settings.verdict(Some(&row), Some(&apart));
        assert!(
            verdict.starts_with("the law of its short runs") && verdict.ends_with("; x is not y"),
            "{verdict}"
        );
    }
}

use super::error::ModelError;
use super::settings;
use super::stored::Model;
use crate::config::Config;
use crate::gpu::{Buffer, Executor, Recording};
use crate::kernels::Dynamics;
use crate::method::{ChainPass, Chains, PreparedChains, StepControl, Strategy};
use crate::network::{Network, trusted_variant, tuned_kernels};
use crate::random::Stream;

/// Chains that run side by side hold about this many values; more chains are drawn in batches, which does not change
/// what is drawn.
const BATCH_VALUES: usize = 1 << 16;

/// How many chains run side by side where `count` samples of `length` values are drawn: batches are alike, since all of them
/// take the time of a full one.
fn batch_size(count: usize, length: usize) -> usize {
    let most = (BATCH_VALUES / length).clamp(128, 2048);
    count.div_ceil(count.div_ceil(most))
}

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// Samples.
    pub count: usize,
    /// Steps of the model's sampler from fresh chains.
    pub steps: usize,
    pub seed: u64,
    /// States to keep of the way there, evenly spaced and with the last one; 0 for none.
    pub frames: usize,
}

impl SampleOptions {
    /// How many stretches the steps are handed to the device in, as many between any two frames.
    fn stretches(&self) -> usize {
        let frames = self.frames.max(1);
        frames * self.steps.div_ceil(20).div_ceil(frames).max(1)
    }

    /// How many steps were done at each frame.
    pub(crate) fn frame_steps(&self) -> Vec<usize> {
        let steps = |frame| self.steps * frame / self.frames;
        (1..=self.frames).map(steps).collect()
    }
}

/// Records what drawing `count` samples of a model that is trained by `config` begins with, on the workspace `network`: all
/// that it uses. Chains run layer by layer here, whatever suits the adapter.
pub(crate) fn first_draw(config: &Config, network: &Network, count: usize) -> Recording {
    let (architecture, options) = (network.architecture(), &config.run);
    let network = network.for_samples(batch_size(count, architecture.input().len()));
    let chains = fresh_chains(config, network, config.dynamics(), options.seed);
    let (prepared, mut recording) = begun(&chains, &[]);
    chains.restart(&mut recording, 0, 0, chains.network().samples());
    let pass = pass(config, options.sample_steps, 0);
    prepared.run(&mut recording, &pass, 0..pass.steps.min(1));
    prepared.denoise(&mut recording, config.data.noise);
    recording
}

pub(super) fn fresh_chains(
    config: &Config,
    network: Network,
    dynamics: Dynamics,
    seed: u64,
) -> Chains {
    let start = settings::chain_start(config);
    Chains::on(network, dynamics, start, (seed, Stream::Sampling))
}

/// What comes before the first start of `chains`, and what they are then: prepared for the parameters `values`.
pub(super) fn begun<'a>(chains: &'a Chains, values: &[f32]) -> (PreparedChains<'a>, Recording) {
    let count = chains.network().architecture().parameter_count();
    let parameters = Buffer::new("parameters", count);
    let mut recording = Recording::new();
    chains.setup(&mut recording);
    recording.upload_f32(parameters, 0, values);
    let prepared = chains.prepare(&mut recording, parameters);
    (prepared, recording)
}

pub(super) fn pass(config: &Config, steps: usize, first_chain: usize) -> ChainPass {
    ChainPass {
        first_step: 0,
        steps,
        adapting: steps / 2,
        first_chain,
        anneal: config.sampler.anneal,
    }
}

/// Samples drawn from a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// (sample, channel, row, column), in the model's scale.
    pub values: Vec<f32>,
    /// How many of them are not finite: chains that ran away.
    pub lost: usize,
    /// The states before the first step, like `values`; empty where no states along the way are kept.
    pub start: Vec<f32>,
    /// The states along the way, each like `values`.
    pub frames: Vec<Vec<f32>>,
    /// Energy-gradient evaluations that were spent, those of chains beyond the wanted number included.
    pub gradient_evaluations: u64,
    /// That of the last steps: where there is a Metropolis test, it is adapted in the first half of the steps.
    pub step_size: f32,
    /// Mean Metropolis acceptance of the steps at a fixed step size; none where there were none, or no test.
    pub acceptance: Option<f32>,
}

impl Model {
    /// Draws samples by chains of the sampler it was trained with, from fresh starts. Where training added noise to the
    /// data, the last states are denoised by one step of size (noise)², see [`PreparedChains::denoise`].
    ///
    /// Chains that do not run side by side are drawn in batches. That changes nothing of what is drawn, except where the
    /// step size is adapted: each batch goes on from that of the one before.
    ///
    /// `progress` is told how many of all steps are done and says whether to go on. When it says no, the chains of the
    /// present batch are returned as they are, and those of later batches are not drawn.
    ///
    /// # Errors
    /// When the options are out of range or the GPU fails.
    pub fn sample(
        &self,
        executor: &mut Executor,
        options: &SampleOptions,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Samples, ModelError> {
        self.check(options)?;
        let mark = executor.mark();
        let batch = batch_size(options.count, self.architecture.input().len());
        let variant = trusted_variant(executor)?;
        let kernels = tuned_kernels(executor, &self.architecture, batch, variant)?;
        let samples = Network::new(&self.architecture, batch, kernels)
            .map_err(ModelError::from)
            .and_then(|network| self.draw(executor, network, options, progress));
        executor.release_since(mark);
        samples
    }

    /// [`Self::sample`] on a workspace of this model's architecture that exists already and is not in use; whoever uses
    /// it afterwards prepares it anew.
    pub(crate) fn sample_on(
        &self,
        executor: &mut Executor,
        workspace: &Network,
        options: &SampleOptions,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Samples, ModelError> {
        self.check(options)?;
        let mark = executor.mark();
        let network =
            workspace.for_samples(batch_size(options.count, self.architecture.input().len()));
        let samples = self.draw(executor, network, options, progress);
        executor.release_since(mark);
        samples
    }

    fn check(&self, options: &SampleOptions) -> Result<(), ModelError> {
        let length = self.architecture.input().len();
        if options.count == 0 || options.count.saturating_mul(length) > 1 << 30 {
            return Err(ModelError::OutOfRange {
                what: "a sample count",
                given: options.count as u64,
                advice: "draw at least one sample and at most 2³⁰ values",
            });
        }
        if options.steps > 1 << 24 {
            return Err(ModelError::OutOfRange {
                what: "a number of steps",
                given: options.steps as u64,
                advice: "take at most 2²⁴",
            });
        }
        Ok(())
    }

    fn draw(
        &self,
        executor: &mut Executor,
        network: Network,
        options: &SampleOptions,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Samples, ModelError> {
        let length = self.architecture.input().len();
        let batch = network.samples();
        let mut dynamics = self.dynamics();
        if dynamics.kind.is_exact() {
            dynamics.langevin.step_size = self.step_size();
        }
        let chains = fresh_chains(&self.config, network, dynamics, options.seed)
            .with_mixture(self.mixture.clone(), self.config.data.noise)
            .with_strategy(Strategy::trusted(executor, &self.architecture, batch)?);
        let (prepared, recording) = begun(&chains, &self.parameters);
        executor.run(&recording)?;

        let mut samples = Samples {
            values: Vec::new(),
            lost: 0,
            start: Vec::new(),
            frames: vec![Vec::new(); options.frames],
            gradient_evaluations: 0,
            step_size: dynamics.langevin.step_size,
            acceptance: None,
        };
        let batches = options.count.div_ceil(batch);
        for index in 0..batches {
            let mut tell =
                |done: usize| progress(index * options.steps + done, batches * options.steps);
            let go_on = self.batch(
                executor,
                prepared,
                index * batch,
                options,
                &mut samples,
                &mut tell,
            )?;
            if !go_on {
                break;
            }
        }
        if let Some(control) = StepControl::read(executor, chains.control())? {
            samples.step_size = control.step_size;
            samples.acceptance = control.acceptance;
        }
        samples.values.truncate(options.count * length);
        let is_lost = |sample: &&[f32]| sample.iter().any(|value| !value.is_finite());
        samples.lost = samples.values.chunks(length).filter(is_lost).count();
        let along = samples.frames.iter_mut().chain([&mut samples.start]);
        along.for_each(|states| states.truncate(options.count * length));
        Ok(samples)
    }

    fn batch(
        &self,
        executor: &mut Executor,
        prepared: PreparedChains<'_>,
        first_chain: usize,
        options: &SampleOptions,
        samples: &mut Samples,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<bool, ModelError> {
        let chains = prepared.chains();
        let mut recording = Recording::new();
        chains.restart(&mut recording, 0, first_chain, chains.network().samples());
        executor.run(&recording)?;
        let stretches = options.stretches();
        if options.frames > 0 {
            samples.start.extend(executor.read(chains.states())?);
        }
        let mut done = 0;
        let mut kept = 0;
        let mut go_on = true;
        let pass = pass(&self.config, options.steps, first_chain);
        for stretch in 1..=stretches {
            let until = options.steps * stretch / stretches;
            let mut recording = Recording::new();
            prepared.run(&mut recording, &pass, done..until);
            executor.run(&recording)?;
            done = until;
            if stretch * options.frames >= (kept + 1) * stretches {
                samples.frames[kept].extend(executor.read(chains.states())?);
                kept += 1;
            } else {
                // Progress means work done, not work handed over.
                executor.finish()?;
            }
            go_on = progress(done);
            if !go_on {
                break;
            }
        }
        let mut evaluations = match done {
            0 => 0,
            _ => chains.dynamics().evaluations(done),
        };
        let noise = self.config.data.noise;
        if noise > 0.0 {
            let mut recording = Recording::new();
            prepared.denoise(&mut recording, noise);
            executor.run(&recording)?;
            evaluations += 1;
        }
        samples.gradient_evaluations += (evaluations * chains.network().samples()) as u64;
        samples.values.extend(executor.read(chains.states())?);
        Ok(go_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_alike() {
        let of = |count, length| batch_size(count, length);
        assert_eq!([of(1, 64), of(1024, 64), of(1025, 64)], [1, 1024, 513]);
        assert_eq!([of(1500, 64), of(5000, 64)], [750, 1000]);
        assert_eq!([of(200, 1 << 20), of(5000, 2)], [100, 1667]);
    }

    #[test]
    fn frames_are_even_and_end_with_the_last_step() {
        let steps = |steps, frames| {
            let options = SampleOptions {
                count: 1,
                steps,
                seed: 0,
                frames,
            };
            options.frame_steps()
        };
        assert_eq!(steps(200, 4), [50, 100, 150, 200]);
        assert_eq!(steps(5, 5), [1, 2, 3, 4, 5]);
        assert_eq!(steps(7, 2), [3, 7]);
        assert_eq!(steps(500, 1), [500]);
        assert_eq!(steps(500, 0), [0; 0]);
        assert_eq!(steps(100, 3), [33, 66, 100]);
    }
}

//! The last look: whether chains that began in different places have come to one distribution. R-hat compares chains of one
//! kind with each other, and does not see where all of them share one mode.

use super::error::TrainError;
use super::look_size::{ENOUGH_FRESH, LEAST_CHAINS, MOST_CHAINS, SHARE};
use super::trainer::Trainer;
use crate::evaluation::quality::{Features, PairTest, Points, QualityError, pairwise_tests};
use crate::evaluation::{FeatureName, Judged, spaced, with_noise};
use crate::method::Agreement;
use crate::model::{Model, SampleOptions};
use serde::Serialize;

/// Random divisions of a permutation test.
const PERMUTATIONS: usize = 999;
/// The probability of telling any two kinds apart where all are of one distribution.
const LEVEL: f64 = 0.01;
/// The Philox step of the noise on the data, which nothing else uses.
const NOISE_STEP: u32 = u32::MAX - 20;

/// Chains of several kinds after as many steps each on the weights that the run leaves, compared with each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LastLook {
    /// Steps of each chain: `run.sample_steps`, at the model's own settings.
    pub steps: usize,
    /// What they are compared by.
    pub features: FeatureName,
    /// The kinds, and how many chains of each.
    pub kinds: Vec<ChainCount>,
    /// The probability of telling any pair apart where all are of one distribution.
    pub level: f64,
    /// Each kind against each other.
    pub pairs: Vec<PairTest>,
    /// Energy-gradient evaluations beside those of the last picture.
    pub gradient_evaluations: u64,
}

/// How many chains there were of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChainCount {
    /// `fresh` (from the sampler's start), `buffer` (from where the replay buffer left them) or `data` (from data with the noise
    /// of training).
    pub kind: &'static str,
    pub chains: usize,
    /// Those that ran away to values that are not finite, which are left out.
    pub lost: usize,
}

/// Compares `count` chains of each kind on the weights of `model`, which the run leaves. `fresh` are states of fresh chains
/// that were drawn anyway, before they were denoised; where they are too few, others are drawn. None where `progress`, which
/// is told how many of all steps are done, says no.
///
/// # Errors
/// When the GPU fails.
pub(super) fn last_look(
    trainer: &mut Trainer,
    model: &Model,
    count: usize,
    fresh: Vec<f32>,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Option<Judged<LastLook>>, TrainError> {
    let (steps, seed) = (model.config().run.sample_steps, model.config().run.seed);
    let length = trainer.data().shape().len();
    let buffer = trainer.kept_chains(count)?.map(|(states, _)| states);
    let data = with_noise(model, &some_data(trainer, count), seed, NOISE_STEP);
    let drawn = match fresh.len() >= count.min(ENOUGH_FRESH) * length {
        true => 0,
        false => count,
    };
    let values = data.len() + buffer.as_ref().map_or(0, Vec::len);
    let chains = drawn + values / length;
    let (mut done, all) = (0, chains * steps);

    let mut fresh = fresh;
    if drawn > 0 {
        let options = SampleOptions {
            count,
            steps,
            seed,
            frames: 1,
        };
        let mut going = true;
        let (executor, workspace) = trainer.workspace();
        let mut drawn = model.sample_on(executor, workspace, &options, &mut |part, of| {
            going = progress(count * steps * part / of.max(1), all);
            going
        })?;
        if !going {
            return Ok(None);
        }
        done = count * steps;
        fresh = drawn.frames.pop().unwrap_or_default();
    }
    fresh.truncate(count * length);
    let mut sets = vec![("fresh", fresh)];
    // Each kind has numbers of its own, and so random numbers that are independent of the others'.
    for (first, kind, starts) in [(0, "data", Some(data)), (MOST_CHAINS, "buffer", buffer)] {
        let Some(starts) = starts else { continue };
        let (executor, workspace) = trainer.workspace();
        let mut tell = |part: usize| {
            done += part;
            progress(done, all)
        };
        let place = (first, steps);
        let carried = model.carry_on(executor, workspace, &starts, place, seed, &mut tell)?;
        let Some(states) = carried else {
            return Ok(None);
        };
        sets.push((kind, states));
    }
    let evaluations = (chains * model.config().dynamics().evaluations(steps)) as u64;
    Ok(Some(judge(model, &sets, evaluations)))
}

/// Clean data, evenly spaced where there is an end to them.
fn some_data(trainer: &Trainer, count: usize) -> Vec<f32> {
    let data = trainer.data();
    let Some(all) = data.len() else {
        return data.first(count);
    };
    spaced(all, count)
        .flat_map(|place| data.samples(place..place + 1))
        .collect()
}

fn judge(
    model: &Model,
    sets: &[(&'static str, Vec<f32>)],
    gradient_evaluations: u64,
) -> Judged<LastLook> {
    let compared = || {
        let shape = model.architecture().input();
        let features = Features::of(model.config().data.source.name, shape, model.scaling())?;
        let is_finite = |state: &&[f32]| state.iter().all(|value| value.is_finite());
        let mut kinds = Vec::new();
        let mut points: Vec<(&'static str, Points)> = Vec::new();
        for (kind, states) in sets {
            let all = states.chunks(shape.len());
            let (chains, kept) = (all.len(), all.filter(is_finite).collect::<Vec<_>>());
            kinds.push(ChainCount {
                kind,
                chains,
                lost: chains - kept.len(),
            });
            points.push((kind, features.points(&kept.concat())?));
        }
        let points: Vec<(&'static str, &Points)> = points
            .iter()
            .map(|(kind, points)| (*kind, points))
            .collect();
        Ok::<_, QualityError>(LastLook {
            steps: model.config().run.sample_steps,
            features: features.name(),
            kinds,
            level: LEVEL,
            pairs: pairwise_tests(&points, PERMUTATIONS, LEVEL, model.config().run.seed)?,
            gradient_evaluations,
        })
    };
    Judged::of(compared())
}

impl LastLook {
    /// What it says of the chains, in words.
    pub(super) fn agreement(&self) -> Agreement {
        let most_apart = self.pairs.iter().filter(|pair| pair.told_apart);
        let most_apart =
            most_apart.min_by(|a, b| a.adjusted_p_value.total_cmp(&b.adjusted_p_value));
        if let Some(pair) = most_apart {
            return Agreement::Apart(format!(
                "{} and {} are told apart after {} steps (squared MMD {:.2e}, p = {:.3} over {} pairs, at most {})",
                chains_of(pair.left),
                chains_of(pair.right),
                self.steps,
                pair.test.discrepancy,
                pair.adjusted_p_value,
                self.pairs.len(),
                self.level
            ));
        }
        let least = self.pairs.iter().map(|pair| pair.adjusted_p_value);
        Agreement::NotApart(format!(
            "{} are not told apart (p = {:.3}, above {})",
            list(&self.kinds),
            least.fold(1.0, f64::min),
            self.level
        ))
    }
}

fn chains_of(kind: &str) -> &str {
    match kind {
        "buffer" => "chains of the replay buffer",
        "data" => "chains from data",
        _ => "fresh chains",
    }
}

fn list(kinds: &[ChainCount]) -> String {
    let names: Vec<&str> = kinds.iter().map(|count| chains_of(count.kind)).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// Why there is no last look at a run as short.
pub(super) fn too_short() -> Judged<LastLook> {
    Judged::NotValid {
        not_valid: format!(
            "{LEAST_CHAINS} chains of each kind and run.sample_steps steps would take more than a {SHARE}th of what training took: \
             train for longer, or lower run.sample_steps"
        ),
    }
}

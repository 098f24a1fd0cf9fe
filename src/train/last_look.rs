//! The last look: whether chains that began in different places have come to one distribution. R-hat compares chains of one
//! kind with each other, and does not see where all of them share one mode.

use super::energies::energies_of;
use super::error::TrainError;
use super::look_size::{ENOUGH_FRESH, LEAST_CHAINS, MOST_CHAINS, SHARE};
use super::trainer::Trainer;
use crate::evaluation::quality::{Features, NamedSet, PairTest, QualityError, pairwise_tests};
use crate::evaluation::{FeatureName, Judged, spaced_samples, with_noise};
use crate::method::Agreement;
use crate::model::{Model, SampleOptions};
use serde::Serialize;

/// Random divisions of a permutation test.
const PERMUTATIONS: usize = 999;
/// The probability of telling any two kinds apart where all are of one distribution.
const LEVEL: f64 = 0.01;
/// Chains of a kind that are compared at least.
const FEWEST_COMPARED: usize = 2;
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
    /// Those that ran away to values or energies that are not finite, which are not compared. Where there are any, the chains do
    /// not sample a density.
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
    let noise = model.config().data.noise;
    let data = with_noise(
        noise,
        &spaced_samples(trainer.data(), count),
        seed,
        NOISE_STEP,
    );
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
    let evaluations = (chains * model.dynamics().evaluations(steps)) as u64;
    let weighed: Result<Vec<_>, TrainError> = sets
        .into_iter()
        .map(|(kind, states)| {
            let energies = energies_of(trainer, model, states.clone())?;
            Ok((kind, states, energies))
        })
        .collect();
    Ok(Some(judge(model, &weighed?, evaluations)))
}

/// Compares `sets` of states with their energies, of which those count as lost that are not finite.
fn judge(
    model: &Model,
    sets: &[(&'static str, Vec<f32>, Vec<f32>)],
    gradient_evaluations: u64,
) -> Judged<LastLook> {
    let compared = || {
        let shape = model.architecture().input();
        let features = Features::of(model.config().data.source.name, shape, model.scaling())?;
        let (mut kinds, mut kept) = (Vec::new(), Vec::new());
        for (kind, states, energies) in sets {
            let all = states.chunks(shape.len()).zip(energies);
            let chains = all.len();
            let is_finite = |(state, energy): &(&[f32], &f32)| {
                energy.is_finite() && state.iter().all(|value| value.is_finite())
            };
            let (states, energies): (Vec<&[f32]>, Vec<f64>) = all
                .filter(is_finite)
                .map(|(state, energy)| (state, f64::from(*energy)))
                .unzip();
            kinds.push(ChainCount {
                kind,
                chains,
                lost: chains - states.len(),
            });
            // Of fewer nothing can be told but that they ran away.
            if states.len() >= FEWEST_COMPARED {
                kept.push((*kind, features.points(&states.concat())?, energies));
            }
        }
        let named: Vec<NamedSet<'_>> = kept
            .iter()
            .map(|(name, points, energies)| NamedSet {
                name,
                points,
                energies: Some(energies),
            })
            .collect();
        Ok::<_, QualityError>(LastLook {
            steps: model.config().run.sample_steps,
            features: features.name(),
            kinds,
            level: LEVEL,
            pairs: pairwise_tests(&named, PERMUTATIONS, LEVEL, model.config().run.seed)?,
            gradient_evaluations,
        })
    };
    Judged::of(compared())
}

impl LastLook {
    /// What it says of the chains, in words.
    pub(super) fn agreement(&self) -> Agreement {
        let lost: Vec<String> = self
            .kinds
            .iter()
            .filter(|count| count.lost > 0)
            .map(|count| {
                format!(
                    "{} of {} {} ran away",
                    count.lost,
                    count.chains,
                    chains_of(count.kind)
                )
            })
            .collect();
        let apart = self.apart();
        if !lost.is_empty() || apart.is_some() {
            return Agreement::Apart(
                lost.into_iter()
                    .chain(apart)
                    .collect::<Vec<_>>()
                    .join(", and "),
            );
        }
        let least = self.pairs.iter().map(|pair| pair.adjusted_p_value);
        Agreement::NotApart(format!(
            "{} are not told apart (p = {:.3}, above {})",
            list(&self.kinds),
            least.fold(1.0, f64::min),
            self.level
        ))
    }

    /// Which two kinds differ most, and what that may mean; none where no two do.
    fn apart(&self) -> Option<String> {
        let told = || self.pairs.iter().filter(|pair| pair.told_apart);
        let pair = told().min_by(|a, b| a.adjusted_p_value.total_cmp(&b.adjusted_p_value))?;
        let energies = pair.test.energy_difference;
        let energies = energies.map(|apart| format!(", mean energies {:.2} apart", apart.abs()));
        let words = format!(
            "{} and {} are told apart after {} steps (squared MMD {:.2e}{}, p = {:.3} over {} pairs, at most {})",
            self.counted(pair.left),
            self.counted(pair.right),
            self.steps,
            pair.test.discrepancy,
            energies.unwrap_or_default(),
            pair.adjusted_p_value,
            self.pairs.len(),
            self.level
        );
        // Chains that never leave the mode that they began in agree where their starts do, too.
        let advice = match told().all(|pair| pair.left == "fresh" || pair.right == "fresh") {
            true if self.pairs.len() > 1 => {
                "; those of the replay buffer and from data agree, which they also do where neither leaves its modes: raise \
                 run.sample_steps, and see whether the difference of fresh ones goes away"
            }
            true => "; raise run.sample_steps, and see whether the difference goes away",
            false => "",
        };
        Some(words + advice)
    }

    fn counted(&self, kind: &str) -> String {
        let of_kind = self.kinds.iter().find(|count| count.kind == kind);
        let chains = of_kind.map_or(0, |count| count.chains - count.lost);
        format!("{chains} {}", chains_of(kind))
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
    let names: Vec<String> = kinds
        .iter()
        .map(|count| format!("{} {}", count.chains, chains_of(count.kind)))
        .collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::PermutationTest;

    const KINDS: [&str; 3] = ["fresh", "data", "buffer"];

    /// Of 128 chains each, of which some fresh ones are `lost`; `apart` says which pairs are told apart: fresh and data, fresh
    /// and buffer, data and buffer.
    fn look(lost: usize, apart: [bool; 3]) -> LastLook {
        let pair = |(left, right, told_apart): (usize, usize, bool)| PairTest {
            left: KINDS[left],
            right: KINDS[right],
            test: PermutationTest {
                discrepancy: 0.25,
                energy_difference: Some(-1.5),
                p_value: 0.001,
                permutations: 999,
            },
            adjusted_p_value: if told_apart { 0.003 } else { 0.2 },
            told_apart,
        };
        let places = [(0, 1, apart[0]), (0, 2, apart[1]), (1, 2, apart[2])];
        LastLook {
            steps: 500,
            features: FeatureName::Pixels,
            kinds: KINDS
                .map(|kind| ChainCount {
                    kind,
                    chains: 128,
                    lost: if kind == "fresh" { lost } else { 0 },
                })
                .to_vec(),
            level: LEVEL,
            pairs: places.map(pair).to_vec(),
            gradient_evaluations: 1,
        }
    }

    fn apart(look: &LastLook) -> String {
        match look.agreement() {
            Agreement::Apart(how) => how,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn chains_that_ran_away_are_told_and_do_not_agree() {
        assert_eq!(
            apart(&look(3, [false; 3])),
            "3 of 128 fresh chains ran away"
        );
        let both = apart(&look(3, [true, false, false]));
        assert!(
            both.starts_with("3 of 128 fresh chains ran away, and 125 fresh chains and 128 chains from data are told apart"),
            "{both}"
        );
        let mut none_left = look(128, [false; 3]);
        none_left.pairs.clear();
        assert_eq!(apart(&none_left), "128 of 128 fresh chains ran away");
    }

    #[test]
    fn the_words_say_how_many_chains_there_were_and_what_to_do() {
        let Agreement::NotApart(how) = look(0, [false; 3]).agreement() else {
            panic!("is told apart");
        };
        assert!(
            how.starts_with(
                "128 fresh chains, 128 chains from data and 128 chains of the replay buffer are not"
            ),
            "{how}"
        );
        // Where only fresh ones differ, others may sit in their modes.
        let fresh = apart(&look(0, [true, true, false]));
        assert!(
            fresh.contains("mean energies 1.50 apart, p = 0.003 over 3 pairs")
                && fresh.contains("neither leaves its modes: raise run.sample_steps"),
            "{fresh}"
        );
        let others = apart(&look(0, [true, false, true]));
        assert!(!others.contains("raise"), "{others}");
    }
}

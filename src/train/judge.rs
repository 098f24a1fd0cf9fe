//! How far chains are from data while a run trains: the figure by which its best weights so far are known.

use crate::config::Config;
use crate::data::Dataset;
use crate::evaluation::quality::{EnergyDistance, Points};
use crate::evaluation::{DataIs, spaced, with_noise};
use std::collections::BTreeMap;

/// Chains that are judged at most, ...
const MOST_CHAINS: usize = 256;
/// ... and data that they are compared with. Both are fewer where samples have many values, ...
const MOST_DATA: usize = 1024;
/// ... so that a figure takes no more products than that.
const MOST_PRODUCTS: usize = 1 << 26;
/// Chains, and data, that a figure takes at least: it has distances within either.
pub(super) const FEWEST_JUDGED: usize = 2;
/// Other data are as many as give a floor draws that share few of them.
const OTHERS_PER_CHAIN: usize = 4;
/// The Philox steps of the noise on either data, which nothing else uses.
const NOISE_STEP: u32 = u32::MAX - 25;
const OTHERS_STEP: u32 = u32::MAX - 26;

/// What is judged while it arrives.
#[derive(Default)]
pub(super) struct Judging {
    /// Once there are chains; none where there are too few data for it.
    judge: Option<Option<Judge>>,
    /// Distances from data that wait for the metrics of their step.
    distances: BTreeMap<u64, Option<f32>>,
    /// Averaged weights that wait for the live ones of their step.
    averages: BTreeMap<u64, Vec<f32>>,
}

impl Judging {
    /// The chains after `step` have come.
    pub(super) fn chains(&mut self, step: u64, chains: &[f32], data: &Dataset, config: &Config) {
        let judge = self.judge(data, config);
        let distance = judge.and_then(|judge| judge.distance(chains, data.shape().len()));
        self.distances.insert(step, distance);
    }

    /// How far they are from data; none where no figure was computed.
    pub(super) fn distance(&mut self, step: u64) -> Option<f32> {
        self.distances.remove(&step).flatten()
    }

    /// The averaged or, after these, the live weights after `step` have come: gives both.
    pub(super) fn weights(&mut self, step: u64, weights: Vec<f32>) -> Option<(Vec<f32>, Vec<f32>)> {
        match self.averages.remove(&step) {
            Some(average) => Some((average, weights)),
            None => {
                self.averages.insert(step, weights);
                None
            }
        }
    }

    /// What distances of so many chains are to be held against; none where there are too few data for any.
    pub(super) fn floor(
        &mut self,
        chains: usize,
        data: &Dataset,
        config: &Config,
    ) -> Option<Floor> {
        let judge = self.judge(data, config)?;
        Some(judge.floor(data, config, chains))
    }

    /// Nothing of what has come counts any more.
    pub(super) fn forget(&mut self) {
        (self.distances, self.averages) = Default::default();
    }

    fn judge(&mut self, data: &Dataset, config: &Config) -> Option<&Judge> {
        let judge = self.judge.get_or_insert_with(|| Judge::new(data, config));
        judge.as_ref()
    }
}

/// Data that chains are compared with. A function of data and configuration alone.
struct Judge {
    distance: EnergyDistance,
    is: DataIs,
}

/// What a figure is of.
pub(super) struct Floor {
    /// Data that chains were compared with.
    pub(super) data: usize,
    pub(super) is: DataIs,
    /// Mean and standard deviation of the figures that data themselves have, as many as there were chains; none where there are
    /// too few data for that.
    pub(super) of_data: Option<(f64, f64)>,
}

/// How many chains of `length` values, and how many data, are compared at most.
fn sizes(length: usize) -> (usize, usize) {
    let (mut chains, mut data) = (MOST_CHAINS, MOST_DATA);
    while chains * data * length > MOST_PRODUCTS && chains + data > 32 {
        // Chains are another draw in every figure, data the same in all of them.
        match data >= chains {
            true => data /= 2,
            false => chains /= 2,
        }
    }
    (chains, data)
}

/// How many chains of `length` values are judged at most.
pub(super) fn most_chains(length: usize) -> usize {
    sizes(length).0
}

impl Judge {
    /// By data that `data` holds back, or else fresh draws, or else some that it trains on, with the noise of training; none where
    /// there are fewer than two.
    fn new(data: &Dataset, config: &Config) -> Option<Self> {
        let (values, is) = reference(data);
        let noisy = with_noise(config.data.noise, &values, config.run.seed, NOISE_STEP);
        let points = Points::of_samples(&noisy, data.shape().len()).ok()?;
        let distance = EnergyDistance::from(points).ok()?;
        Some(Judge { distance, is })
    }

    /// How far `chains` are; none where they are fewer than two, or one is not finite.
    fn distance(&self, chains: &[f32], length: usize) -> Option<f32> {
        let chains = Points::of_samples(chains, length).ok()?;
        let distance = self.distance.to(&chains).ok()? as f32;
        distance.is_finite().then_some(distance)
    }

    /// What its figures of so many `chains` are to be held against.
    fn floor(&self, data: &Dataset, config: &Config, chains: usize) -> Floor {
        let seed = config.run.seed;
        let values = others(data, chains.saturating_mul(OTHERS_PER_CHAIN));
        let noisy = with_noise(config.data.noise, &values, seed, OTHERS_STEP);
        let points = Points::of_samples(&noisy, data.shape().len());
        let of = |points: Points| self.distance.floor(&points, chains, seed);
        Floor {
            data: self.distance.count(),
            is: self.is,
            of_data: points.and_then(of).ok(),
        }
    }
}

/// The data that chains are compared with, without noise. Of those that a run trains on at most half, so that there are others.
fn reference(data: &Dataset) -> (Vec<f32>, DataIs) {
    let (_, most) = sizes(data.shape().len());
    if let Some(held_out) = held_out(data) {
        let all = held_out.len().unwrap_or(most);
        return (at(&held_out, spaced(all, most)), DataIs::HeldOut);
    }
    match data.len() {
        // A fixed draw, which no step trains on.
        None => (data.first(most), DataIs::Fresh),
        Some(all) => {
            let places = spaced(all, most.min(all.div_ceil(2)));
            (at(data, places), DataIs::Training)
        }
    }
}

/// What `data` holds back, where that is enough for a figure.
fn held_out(data: &Dataset) -> Option<Dataset> {
    let is_enough = |part: &Dataset| part.len().is_none_or(|count| count >= FEWEST_JUDGED);
    data.held_out().filter(is_enough)
}

/// What to say where `data` are too few for any figure.
pub(super) fn lacks_data(data: &Dataset) -> Option<&'static str> {
    let is_enough = held_out(data).is_some()
        // Half of them.
        || data.len().is_none_or(|all| all.div_ceil(2) >= FEWEST_JUDGED);
    let what = "it takes two data that are held out, or three that are not, and there are fewer";
    (!is_enough).then_some(what)
}

/// Up to `count` data of the same law that are none of [`reference`], without noise.
fn others(data: &Dataset, count: usize) -> Vec<f32> {
    let (_, most) = sizes(data.shape().len());
    let Some(all) = data.len() else {
        return data.samples(most..most + count);
    };
    let taken: Vec<usize> = match held_out(data) {
        Some(_) => Vec::new(),
        None => spaced(all, most.min(all.div_ceil(2))).collect(),
    };
    let left: Vec<usize> = (0..all)
        .filter(|place| taken.binary_search(place).is_err())
        .collect();
    at(data, spaced(left.len(), count).map(|place| left[place]))
}

fn at(data: &Dataset, places: impl Iterator<Item = usize>) -> Vec<f32> {
    places
        .flat_map(|place| data.samples(place..place + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::data;

    fn opened(sets: &[&str]) -> (Config, Dataset) {
        let sets: Vec<String> = sets.iter().map(|&set| set.into()).collect();
        let config = config::load("digits", &sets).expect("is valid");
        let data = data::open(&config.data.options(), config.run.seed).expect("opens");
        (config, data)
    }

    #[test]
    fn a_figure_takes_a_bounded_time() {
        assert_eq!(sizes(2), (256, 1024));
        assert_eq!(sizes(64), (256, 1024));
        for length in [784, 3072, 1 << 20] {
            let (chains, data) = sizes(length);
            let is_bounded = chains * data * length <= MOST_PRODUCTS;
            assert!(is_bounded || chains + data <= 32, "{length}");
            assert!(chains >= 16 && data >= 16, "{length}");
        }
    }

    /// What data are judged by is not what floors are of, and neither of them what a held-out part is compared with.
    #[test]
    fn no_datum_is_compared_with_itself() {
        for (sets, is, compared) in [
            (&[][..], DataIs::HeldOut, 180),
            (&["data.held_out=0"], DataIs::Training, 899),
            (&["data.held_out=0", "data.limit=9"], DataIs::Training, 5),
            // The one that is held out is too few.
            (&["data.held_out=0.1", "data.limit=10"], DataIs::Training, 5),
        ] {
            let (_, data) = opened(sets);
            let (values, found) = reference(&data);
            assert_eq!((values.len() / 64, found), (compared, is));
            let others = others(&data, 4000);
            let in_all = data.len().expect("is finite") * 64;
            match is {
                DataIs::HeldOut => assert_eq!(others.len(), in_all),
                _ => assert_eq!(others.len() + values.len(), in_all),
            }
            // No two of these digits are the same picture.
            let seen: Vec<&[f32]> = values.chunks(64).collect();
            assert!(!others.chunks(64).any(|other| seen.contains(&other)));
        }
    }

    #[test]
    fn data_themselves_are_at_their_floor_and_noise_is_not() {
        let (config, data) = opened(&[]);
        let judge = Judge::new(&data, &config).expect("there are data");
        let floor = judge.floor(&data, &config, 100);
        let (mean, deviation) = floor.of_data.expect("there are data");
        assert!(
            mean.abs() < 0.2 && deviation > 0.0 && deviation < 0.2,
            "{mean} ± {deviation}"
        );
        let digits = judge.distance(&data.first(100), 64).expect("is finite");
        let grey = judge.distance(&[0.0; 6400], 64).expect("is finite");
        assert!(digits < 0.5 && grey > 2.0, "{digits}, {grey}");
        let mut lost = data.first(100);
        lost[77] = f32::NAN;
        assert_eq!(judge.distance(&lost, 64), None);
        assert_eq!(judge.distance(&lost[..64], 64), None);
    }
}

//! The weights of the step whose chains have come nearest to data so far.

use super::judge::Floor;
use super::metrics::MetricsRow;
use crate::files::{self, BEST};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The weights after the best of the steps so far. Its figure is in its metrics.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BestSoFar {
    /// The step whose chains were judged, counted from 0.
    pub(super) step: u64,
    pub(super) average: Vec<f32>,
    pub(super) live: Vec<f32>,
}

impl BestSoFar {
    /// What a state after `rows` has of it, averaged and live weights as 32-bit words; none where it is not of these, is not finite or
    /// has not `count` of each.
    pub(super) fn of_words(
        step: u64,
        words: &[Vec<u32>; 2],
        rows: &[MetricsRow],
        count: usize,
    ) -> Option<Self> {
        let [average, live] = words
            .each_ref()
            .map(|words| words.iter().map(|&word| f32::from_bits(word)).collect());
        let best = BestSoFar {
            step,
            average,
            live,
        };
        let is_whole = best.average.len() == count && best.live.len() == count;
        let is_of_these = is_whole && best.is_finite() && best.distance(rows).is_some();
        is_of_these.then_some(best)
    }

    /// Averaged and live weights, as 32-bit words.
    pub(super) fn words(&self) -> [Vec<u32>; 2] {
        [&self.average, &self.live]
            .map(|weights| weights.iter().map(|value| value.to_bits()).collect())
    }

    pub(super) fn is_finite(&self) -> bool {
        self.average
            .iter()
            .chain(&self.live)
            .all(|value| value.is_finite())
    }

    /// Its figure among `rows`, which are those of all steps; none where they are another run's.
    pub(super) fn distance(&self, rows: &[MetricsRow]) -> Option<f32> {
        rows.get(usize::try_from(self.step).ok()?)?.data_distance
    }

    /// Optimiser steps that its weights have seen.
    pub(super) fn weights_after(&self) -> u64 {
        self.step + 1
    }
}

/// The weights of the step whose chains came nearest to data, as a run leaves them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Best {
    /// The step whose chains were judged, as in `metrics.jsonl`.
    pub step: u64,
    /// Their energy distance from data.
    pub data_distance: f32,
    /// Optimiser steps that the weights have seen, this one among them.
    pub weights_after: u64,
    /// Figures that this is the least of: all of the run, but where it ends by diverging those from that step on. The least of many is lower than a figure of the same weights would be again.
    pub figures: usize,
    /// Chains that were judged.
    pub chains: usize,
    /// Data that they were compared with, ...
    pub data: usize,
    /// ... and which these are: held-out data, fresh draws or training data.
    pub data_is: &'static str,
    /// The mean of what data themselves have, other than those, as many as there were chains; null where there are too few.
    pub floor: Option<f64>,
    /// The standard deviation of these: the noise of a figure near its floor.
    pub floor_deviation: Option<f64>,
    /// The checkpoint with the weights.
    #[serde(serialize_with = "files::path_as_text")]
    pub checkpoint: PathBuf,
}

impl Best {
    /// What there is to say of `best`, whose figure is the least of those among `rows`, of `chains` chains each, in the run in
    /// `folder`.
    pub(super) fn of(
        best: &BestSoFar,
        rows: &[MetricsRow],
        chains: usize,
        floor: Floor,
        folder: &Path,
    ) -> Option<Self> {
        let figures = rows.iter().filter(|row| row.data_distance.is_some());
        Some(Best {
            step: best.step,
            data_distance: best.distance(rows)?,
            weights_after: best.weights_after(),
            figures: figures.count(),
            chains,
            data: floor.data,
            data_is: floor.is.name(),
            floor: floor.of_data.map(|(mean, _)| mean),
            floor_deviation: floor.of_data.map(|(_, deviation)| deviation),
            checkpoint: folder.join(BEST),
        })
    }
}

//! Whether chains have reached one common law, told from what they leave behind on their way.

mod statistics;

use crate::kernels::TRACE_VALUES;
use serde::{Deserialize, Deserializer, Serialize};
use statistics::{autocorrelation, bulk_ess, split_r_hat};

/// What is judged of each record: the energy and three projections. Behind them is how far the chain has moved.
const QUANTITIES: usize = TRACE_VALUES - 1;

/// The records along a pass of the chains that are still finite at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredTraces")]
pub(crate) struct Traces {
    /// (chain, record, value)
    values: Vec<f32>,
    records: usize,
    /// Chains left out.
    lost: usize,
}

/// As training states hold them, whatever somebody wrote there.
#[derive(Deserialize)]
struct StoredTraces {
    values: Vec<f32>,
    records: usize,
    lost: usize,
}

impl TryFrom<StoredTraces> for Traces {
    type Error = &'static str;

    fn try_from(stored: StoredTraces) -> Result<Self, Self::Error> {
        let StoredTraces {
            values,
            records,
            lost,
        } = stored;
        let of_chain = records.checked_mul(TRACE_VALUES);
        match of_chain.is_some_and(|of_chain| values.len().is_multiple_of(of_chain)) {
            true => Ok(Traces {
                values,
                records,
                lost,
            }),
            false => Err("traces that are no whole number of chains"),
        }
    }
}

impl Traces {
    /// Those of `trace`: `records` records, (record, chain, value), as [`trace_chains`](crate::kernels::trace_chains)
    /// writes them.
    pub(crate) fn new(trace: &[f32], records: usize) -> Self {
        let chains = trace.len() / (records * TRACE_VALUES).max(1);
        let mut whole = Traces {
            values: Vec::with_capacity(trace.len()),
            records,
            lost: 0,
        };
        for chain in 0..chains {
            let record = |record: usize| {
                let place = (record * chains + chain) * TRACE_VALUES;
                &trace[place..place + TRACE_VALUES]
            };
            let of_chain = || (0..records).flat_map(record).copied();
            if of_chain().all(f32::is_finite) {
                whole.values.extend(of_chain());
            } else {
                whole.lost += 1;
            }
        }
        whole
    }

    /// What is judged, (chain, record, quantity), and its shape.
    pub(crate) fn judged(&self) -> (Vec<f32>, [usize; 3]) {
        let records = self.values.chunks_exact(TRACE_VALUES);
        let judged = records.flat_map(|record| &record[..QUANTITIES]).copied();
        (
            judged.collect(),
            [self.chains().len(), self.records, QUANTITIES],
        )
    }

    fn chains(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.records.max(1) * TRACE_VALUES)
    }

    /// The value at `place` of every record, chain by chain.
    fn series(&self, place: usize) -> Vec<Vec<f64>> {
        let of = |chain: &[f32]| {
            let records = chain.chunks_exact(TRACE_VALUES);
            records.map(|record| f64::from(record[place])).collect()
        };
        self.chains().map(of).collect()
    }

    /// Chains that stood still: their own values tell, since rounding would make a variance of no movement.
    fn still(&self) -> usize {
        let stands = |chain: &&[f32]| {
            let mut records = chain.chunks_exact(TRACE_VALUES);
            let first = records.next();
            records.all(|record| first.is_some_and(|first| record == first))
        };
        self.chains().filter(stands).count()
    }

    /// Mean squared distance between the ends, for each coordinate.
    fn moved(&self) -> f64 {
        let ends = self.chains().filter_map(<[f32]>::last);
        ends.map(|&end| f64::from(end)).sum::<f64>() / self.chains().len().max(1) as f64
    }
}

/// What the chains say of one quantity. A figure is absent where chains do not vary or have too few records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mixing {
    /// The rank-normalised split R-hat, from 4 records on: 1 where all halves of chains agree.
    pub r_hat: Option<f64>,
    /// The effective sample size of the mean, from 10 records on: as many as all records of all chains where they are
    /// independent.
    pub ess: Option<f64>,
    /// Between neighbouring records, over all chains.
    pub autocorrelation: Option<f64>,
}

impl Mixing {
    fn of(chains: &[Vec<f64>]) -> Self {
        Mixing {
            r_hat: split_r_hat(chains),
            ess: bulk_ess(chains),
            autocorrelation: autocorrelation(chains, 1),
        }
    }
}

/// What JSON has as null is not finite.
fn or_nan<'de, D: Deserializer<'de>, F: Deserialize<'de> + From<f32>>(
    from: D,
) -> Result<F, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_else(|| F::from(f32::NAN)))
}

/// One line of `diagnostics.jsonl`: the chains of one pass, from the records along it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// The optimiser step that the pass belongs to.
    pub step: u64,
    /// Steps of the chains in it.
    pub steps: usize,
    /// Chains looked at.
    pub chains: usize,
    /// Records of each of them.
    pub records: usize,
    /// Chains left out because they ran away to values that are not finite.
    pub lost: usize,
    /// Chains whose records are all the same.
    #[serde(default)] // not told of by earlier versions
    pub still: usize,
    /// Mean Metropolis acceptance; 1 for kinds without a test.
    #[serde(deserialize_with = "or_nan")]
    pub acceptance: f32,
    #[serde(deserialize_with = "or_nan")]
    pub step_size: f32,
    /// Mean squared distance between the ends of the pass, for each coordinate.
    #[serde(deserialize_with = "or_nan")]
    pub moved: f64,
    pub energy: Mixing,
    /// Of the states, on three random directions.
    pub projections: [Mixing; 3],
}

impl Diagnostics {
    /// Of a pass of `steps` steps that left `traces`.
    pub(crate) fn of(
        step: u64,
        steps: usize,
        traces: &Traces,
        acceptance: f32,
        step_size: f32,
    ) -> Self {
        Diagnostics {
            step,
            steps,
            chains: traces.chains().len(),
            records: traces.records,
            lost: traces.lost,
            still: traces.still(),
            acceptance,
            step_size,
            moved: traces.moved(),
            energy: Mixing::of(&traces.series(0)),
            projections: [1, 2, 3].map(|place| Mixing::of(&traces.series(place))),
        }
    }

    /// The largest R-hat and what of; none where nothing has one.
    pub fn worst(&self) -> Option<(&'static str, f64)> {
        let projections = self.projections.iter().map(|p| ("a projection", p.r_hat));
        std::iter::once(("the energy", self.energy.r_hat))
            .chain(projections)
            .filter_map(|(what, r_hat)| r_hat.map(|r_hat| (what, r_hat)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read_chain_by_chain_and_lost_chains_are_left_out() {
        let (records, count) = (12, 3);
        let mut trace = vec![0.0; records * count * TRACE_VALUES];
        for record in 0..records {
            for chain in 0..count {
                for place in 0..TRACE_VALUES {
                    trace[(record * count + chain) * TRACE_VALUES + place] =
                        ((record * 7 + chain * 3 + place * 5) % 11) as f32;
                }
            }
        }
        let series = |place: usize| -> Vec<Vec<f64>> {
            let value =
                |chain: usize, record: usize| ((record * 7 + chain * 3 + place * 5) % 11) as f64;
            [0, 2]
                .map(|chain| (0..records).map(|record| value(chain, record)).collect())
                .to_vec()
        };
        trace[(count + 1) * TRACE_VALUES] = f32::NAN;
        let traces = Traces::new(&trace, records);
        let row = Diagnostics::of(9, 40, &traces, 0.5, 0.1);
        assert_eq!((row.chains, row.lost, row.records), (2, 1, 12));
        assert_eq!(row.energy.r_hat, split_r_hat(&series(0)));
        assert_eq!(row.projections[2].ess, bulk_ess(&series(3)));
        assert_eq!(row.moved, (series(4)[0][11] + series(4)[1][11]) / 2.0);
        let largest = [0, 1, 2, 3]
            .map(|place| split_r_hat(&series(place)).unwrap())
            .into_iter()
            .fold(0.0, f64::max);
        assert_eq!(row.worst().unwrap().1, largest);
        let (judged, shape) = traces.judged();
        assert_eq!(shape, [2, 12, 4]);
        // The second record of the second whole chain.
        let wanted = [0, 1, 2, 3].map(|place| series(place)[1][1] as f32);
        assert_eq!(judged[(12 + 1) * 4..][..4], wanted);
    }

    #[test]
    fn stored_traces_that_are_no_whole_chains_are_refused() {
        let records = 3;
        let trace: Vec<f32> = (0..2 * records * TRACE_VALUES).map(|v| v as f32).collect();
        let traces = Traces::new(&trace, records);
        let stored = serde_json::to_string(&traces).expect("is JSON");
        assert_eq!(
            serde_json::from_str::<Traces>(&stored).expect("is whole"),
            traces
        );
        // The last is 1 when it is multiplied without a check for overflow.
        for records in ["4", "14757395258967641293"] {
            let other = stored.replace("\"records\":3", &format!("\"records\":{records}"));
            assert_ne!(other, stored);
            serde_json::from_str::<Traces>(&other).expect_err(records);
        }
    }

    /// A trace of 4 chains: the state of `chain` at `record` is as far as `place` says, its energy has odd decimals.
    fn trace(records: usize, place: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        let of = |i: usize| {
            let (record, chain) = (i / 4, i % 4);
            let at = place(chain, record);
            [0.1 * at + 7.3, at, 1.0 / 3.0 - at, 0.7 * at, at * at]
        };
        (0..4 * records).flat_map(of).collect()
    }

    #[test]
    fn chains_that_do_not_move_have_no_figures() {
        for records in [4, 5, 10, 32] {
            let still = trace(records, |chain, _| 0.1 + chain as f32 / 3.0);
            let row = Diagnostics::of(0, 1, &Traces::new(&still, records), 0.0, 1.0);
            assert_eq!((row.chains, row.still), (4, 4));
            assert_eq!((row.energy, row.worst()), (Mixing::default(), None));
            // One that moves among those that do not: they disagree, by a figure of ordinary size.
            let one = trace(records, |chain, record| {
                0.1 + chain as f32 + ((chain == 2) as usize * (record % 2)) as f32
            });
            let row = Diagnostics::of(0, 1, &Traces::new(&one, records), 0.0, 1.0);
            assert_eq!(row.still, 3);
            let (_, r_hat) = row.worst().expect("one moves");
            assert!((1.5..100.0).contains(&r_hat), "{r_hat}");
        }
        // An energy that is the same everywhere hides no movement.
        let mut flat = trace(10, |chain, record| (chain + record) as f32);
        flat.iter_mut()
            .step_by(TRACE_VALUES)
            .for_each(|energy| *energy = 0.3);
        let row = Diagnostics::of(0, 1, &Traces::new(&flat, 10), 1.0, 1.0);
        assert_eq!((row.still, row.energy.r_hat), (0, None));
        assert_eq!(row.worst().expect("they move").0, "a projection");
    }
}

//! All distances of samples from data, each with its floor and its spread.

use super::error::QualityError;
use super::frechet::frechet_distance;
use super::halves::standard_error;
use super::kernel::{mmd, polynomial};
use super::pairs::{pairwise, squared_distance};
use super::points::{Points, check_count, shuffled};
use super::prdc::prdc_of;
use super::sliced::{directions, sliced_wasserstein};
use super::two_sample::{Accuracy, two_sample};
use nalgebra::DMatrix;
use serde::Serialize;

/// As T. Kynkäänniemi et al. (2019) have it.
const PRECISION_NEIGHBOURS: usize = 3;
/// As M. Naeem et al. (2020) have it.
const DENSITY_NEIGHBOURS: usize = 5;
/// Lines that a sliced distance projects on.
const DIRECTIONS: usize = 256;
/// Points of each set that are compared at most: the two matrices of all pairs then take 144 MB.
pub(crate) const MOST: usize = 1000;
/// And at least, so that half of them have neighbours enough.
const LEAST: usize = 20;
/// Which random orders are whose; the first ones are of [`standard_error`].
const DATA_ORDER: u32 = 1000;
const SAMPLE_ORDER: u32 = 1001;

/// A figure of samples against data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Samples against data.
    pub value: f64,
    /// Its standard error, by how much it differs between halves of samples and data.
    pub standard_error: f64,
    /// Other data against the same data, as many as samples: what `value` would be if samples were data.
    pub floor: f64,
    /// The standard error of `floor`.
    pub floor_standard_error: f64,
}

/// The classifier two-sample test of samples against data, and of other data against the same data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TwoSampleFigures {
    /// Of samples against data.
    #[serde(flatten)]
    pub samples: Accuracy,
    /// Of data against data.
    pub floor: Accuracy,
}

/// How far samples are from data, in some features.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DistanceFigures {
    /// Data that there were.
    pub data: usize,
    /// Samples that there were.
    pub samples: usize,
    /// Points of each set that were compared: samples, data, and other data for the floor.
    pub compared: usize,
    /// Values of a point.
    pub dimensions: usize,
    /// See [`frechet_distance`].
    pub frechet_distance: Measured,
    /// See [`kernel_distance`](super::kernel_distance).
    pub kernel_distance: Measured,
    /// See [`sliced_wasserstein`].
    pub sliced_wasserstein: Measured,
    /// See [`prdc`](super::prdc), with 3 neighbours.
    pub precision: Measured,
    /// Likewise.
    pub recall: Measured,
    /// See [`prdc`](super::prdc), with 5 neighbours.
    pub density: Measured,
    /// Likewise.
    pub coverage: Measured,
    /// See [`two_sample`].
    pub two_sample: TwoSampleFigures,
}

/// Compares `samples` with `data`, both in the same features. Two disjoint sets of data and one of samples, as many points
/// in each as the samples and half of the data allow but at most 1,000, are drawn at random by `seed`: samples against the first set
/// of data give the figures, the second set against the first the floors.
///
/// # Errors
/// When points are of other dimensions, there are fewer than 20 samples or 40 data, all data are equal, or values are too
/// large to square.
pub fn measure(
    data: &Points,
    samples: &Points,
    seed: u64,
) -> Result<DistanceFigures, QualityError> {
    data.check_like(samples)?;
    check_count("samples", samples.count(), LEAST)?;
    check_count("data in two halves", data.count(), 2 * LEAST)?;
    if data.all_equal() {
        return Err(QualityError::NoScale);
    }
    let compared = samples.count().min(data.count() / 2).min(MOST);
    let data_order = shuffled(data.count(), seed, DATA_ORDER);
    let sample_order = shuffled(samples.count(), seed, SAMPLE_ORDER);
    let reference = data.select(&data_order[..compared]);
    let other = data.select(&data_order[compared..2 * compared]);
    let chosen = samples.select(&sample_order[..compared]);

    let pool = reference.followed_by(&chosen)?.followed_by(&other)?;
    let pairs = Pairs {
        kernel: pairwise(&pool, polynomial),
        squared: pairwise(&pool, squared_distance),
        directions: directions(DIRECTIONS, data.dimensions(), seed)?,
    };
    let all: Vec<usize> = (0..compared).collect();
    let with_error = |points: &Points, place: usize| {
        let of = |kept: &[usize]| pairs.figures(&reference, points, place * compared, kept);
        Ok::<_, QualityError>((of(&all)?, standard_error(compared, seed, of)?))
    };
    let (value, error) = with_error(&chosen, 1)?;
    let (floor, floor_error) = with_error(&other, 2)?;
    let measured = |index: usize| Measured {
        value: value[index],
        standard_error: error[index],
        floor: floor[index],
        floor_standard_error: floor_error[index],
    };
    Ok(DistanceFigures {
        data: data.count(),
        samples: samples.count(),
        compared,
        dimensions: data.dimensions(),
        frechet_distance: measured(0),
        kernel_distance: measured(1),
        sliced_wasserstein: measured(2),
        precision: measured(3),
        recall: measured(4),
        density: measured(5),
        coverage: measured(6),
        two_sample: TwoSampleFigures {
            samples: two_sample(&reference, &chosen)?,
            floor: two_sample(&reference, &other)?,
        },
    })
}

/// What figures of the pooled points are read off.
struct Pairs {
    kernel: DMatrix<f64>,
    squared: DMatrix<f64>,
    directions: Points,
}

impl Pairs {
    /// The figures of those of `points` that are `kept` against the same of `reference`, in the order of
    /// [`DistanceFigures`]. In the pool the reference is first, and `points` begin at `start`.
    fn figures(
        &self,
        reference: &Points,
        points: &Points,
        start: usize,
        kept: &[usize],
    ) -> Result<[f64; 7], QualityError> {
        let (left, right) = (reference.select(kept), points.select(kept));
        let pooled: Vec<usize> = kept.iter().map(|index| start + index).collect();
        let near = prdc_of(&self.squared, kept, &pooled, PRECISION_NEIGHBOURS)?;
        let dense = prdc_of(&self.squared, kept, &pooled, DENSITY_NEIGHBOURS)?;
        Ok([
            frechet_distance(&left, &right)?,
            mmd(&self.kernel, kept, &pooled)?,
            sliced_wasserstein(&left, &right, &self.directions)?,
            near.precision,
            near.recall,
            dense.density,
            dense.coverage,
        ])
    }
}

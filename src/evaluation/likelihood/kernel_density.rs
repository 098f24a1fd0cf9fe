//! A kernel density estimate: what the training data themselves say of a sample, without any learning.

use super::estimates::mean;
use nalgebra::DMatrix;
use std::f64::consts::PI;
use std::num::NonZero;
use std::thread;

/// The most training samples that have a kernel, and values of all of them together (128 MiB).
const MOST_CENTRES: usize = 10_000;
const MOST_VALUES: usize = 1 << 24;
/// The most centres that are left out in turn to find the bandwidth.
const MOST_LEFT_OUT: usize = 2_000;
/// Points whose distances are computed at a time. Results do not depend on how many processors share the batches.
const BATCH: usize = 128;
/// Kernels that are so many nats below the nearest one are left out: a term of e⁻⁴⁵ is below the rounding of 1.
const NEGLIGIBLE: f64 = 45.0;
/// Candidates over the range of bandwidths, around the best of which it is then searched.
const CANDIDATES: usize = 32;
/// Where the search ends, as a part of the bandwidth.
const PRECISION: f64 = 1e-6;

/// A mean of normal laws of one variance in all D dimensions, around the samples.
pub struct KernelDensity {
    centres: Columns,
    noise: f64,
    deviation: f64,
}

/// Points as columns, with their squared lengths.
struct Columns {
    values: DMatrix<f64>,
    squares: Vec<f64>,
}

impl Columns {
    fn of<'a>(samples: impl Iterator<Item = &'a [f32]>, length: usize) -> Self {
        let values: Vec<f64> = samples.flatten().map(|value| f64::from(*value)).collect();
        let values = DMatrix::from_vec(length, values.len() / length, values);
        let squares = values.column_iter().map(|c| c.norm_squared()).collect();
        Columns { values, squares }
    }

    fn count(&self) -> usize {
        self.squares.len()
    }

    /// The squared distance of each of `points` to each of these, one point after the other.
    fn squared_distances(&self, points: &Columns) -> Vec<f64> {
        let mut products = self.values.transpose() * &points.values;
        for (mut column, square) in products.column_iter_mut().zip(&points.squares) {
            for (product, own) in column.iter_mut().zip(&self.squares) {
                *product = (own + square - 2.0 * *product).max(0.0);
            }
        }
        products.data.into()
    }
}

impl KernelDensity {
    /// Kernels around the clean `samples`, of `length` values each; evenly spaced ones of more than 10,000, or than 2²⁴ values.
    ///
    /// The variance is `noise`², which is the law of what the model has been shown of a sample, plus the square of a bandwidth.
    /// That is the one under which samples with such noise are likeliest if each in turn has no kernel of its own (M. Rosenblatt,
    /// E. Parzen; leave-one-out likelihood by R. Duin 1976). `normal` gives the noise: standard normal numbers.
    ///
    /// # Errors
    /// Why there is none: fewer than two samples, or no bandwidth that is best.
    pub fn fit(
        samples: &[f32],
        length: usize,
        noise: f32,
        normal: &mut dyn FnMut() -> f32,
    ) -> Result<Self, String> {
        let count = samples.len() / length;
        let most = (MOST_VALUES / length).clamp(2, MOST_CENTRES);
        if count < 2 {
            return Err(format!(
                "a kernel density takes two samples, and there are {count}"
            ));
        }
        let rows: Vec<&[f32]> = evenly_spaced(count, most)
            .map(|row| &samples[row * length..(row + 1) * length])
            .collect();
        let centres = Columns::of(rows.iter().copied(), length);
        let left_out: Vec<usize> = evenly_spaced(rows.len(), MOST_LEFT_OUT).collect();
        let noisy: Vec<f32> = left_out
            .iter()
            .flat_map(|&row| rows[row])
            .map(|value| value + noise * normal())
            .collect();
        // To the others alone.
        let mut distances = Vec::with_capacity(left_out.len() * (rows.len() - 1));
        for (batch, places) in noisy.chunks(BATCH * length).zip(left_out.chunks(BATCH)) {
            let batch = Columns::of(batch.chunks_exact(length), length);
            let all = centres.squared_distances(&batch);
            for (of_point, &own) in all.chunks_exact(rows.len()).zip(places) {
                distances.extend_from_slice(&of_point[..own]);
                distances.extend_from_slice(&of_point[own + 1..]);
            }
        }
        let others = rows.len() - 1;
        let noise = f64::from(noise);
        let score = |deviation: f64| {
            let sums = distances
                .chunks_exact(others)
                .map(|of_point| log_mean_kernel(of_point, deviation, length));
            sums.sum::<f64>() / left_out.len() as f64
        };
        let deviation = likeliest(&distances, noise, length, &score)?;
        Ok(KernelDensity {
            centres,
            noise,
            deviation,
        })
    }

    /// How many samples have a kernel.
    pub fn count(&self) -> usize {
        self.centres.count()
    }

    /// The standard deviation of a kernel in every dimension, without the noise.
    pub fn bandwidth(&self) -> f64 {
        let squared = self.deviation.powi(2) - self.noise.powi(2);
        squared.max(0.0).sqrt()
    }

    /// ln of its density at each of `points`.
    pub fn log_densities(&self, points: &[f32]) -> Vec<f64> {
        let length = self.centres.values.nrows();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let batches: Vec<&[f32]> = points.chunks(BATCH * length).collect();
        let share = batches.len().div_ceil(threads).max(1);
        let of_batches = |batches: &[&[f32]]| -> Vec<f64> {
            let of_batch = |batch: &&[f32]| {
                let points = Columns::of(batch.chunks_exact(length), length);
                let distances = self.centres.squared_distances(&points);
                let points = distances.chunks_exact(self.count());
                let densities = points.map(|of| log_mean_kernel(of, self.deviation, length));
                densities.collect::<Vec<_>>()
            };
            batches.iter().flat_map(of_batch).collect()
        };
        thread::scope(|scope| {
            let parts: Vec<_> = batches
                .chunks(share)
                .map(|part| scope.spawn(move || of_batches(part)))
                .collect();
            let parts = parts.into_iter().map(|part| match part.join() {
                Ok(densities) => densities,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            parts.flatten().collect()
        })
    }
}

/// ln of the mean of normal laws of standard deviation `deviation` in `length` dimensions at these squared distances.
fn log_mean_kernel(squared_distances: &[f64], deviation: f64, length: usize) -> f64 {
    let nearest = squared_distances
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let twice = 2.0 * deviation * deviation;
    let reach = nearest + NEGLIGIBLE * twice;
    let near = squared_distances.iter().filter(|square| **square <= reach);
    let sum: f64 = near.map(|square| ((nearest - square) / twice).exp()).sum();
    let constant = 0.5 * length as f64 * (PI * twice).ln();
    (sum / squared_distances.len() as f64).ln() - nearest / twice - constant
}

/// The standard deviation, `noise` or above, with the highest `score`: the best of candidates by equal factors, then by golden
/// sections between its neighbours.
fn likeliest(
    squared_distances: &[f64],
    noise: f64,
    length: usize,
    score: &dyn Fn(f64) -> f64,
) -> Result<f64, String> {
    // All samples are about as far apart, so that no kernel needs to be wider.
    let widest = (mean(squared_distances) / length as f64).sqrt();
    let narrowest = noise.max(1e-4 * widest);
    if !(widest > 0.0 && widest.is_finite()) {
        return Err("all training samples are equal, so that no bandwidth is best".into());
    }
    let factor = (widest.max(narrowest) / narrowest).powf(1.0 / (CANDIDATES - 1) as f64);
    let at = |place: usize| narrowest * factor.powi(place as i32);
    let scores: Vec<f64> = (0..CANDIDATES).map(|place| score(at(place))).collect();
    let best = (0..CANDIDATES).fold(0, |best, place| {
        if scores[place] > scores[best] {
            place
        } else {
            best
        }
    });
    if best == 0 && noise == 0.0 {
        return Err(
            "training samples coincide, so that kernels would be likelier the narrower they are: train with data.noise".into(),
        );
    }
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut low, mut high) = (
        at(best.saturating_sub(1)),
        at((best + 1).min(CANDIDATES - 1)),
    );
    while high - low > PRECISION * high {
        let [a, b] = [high - golden * (high - low), low + golden * (high - low)];
        match score(a) >= score(b) {
            true => high = b,
            false => low = a,
        }
    }
    let middle = 0.5 * (low + high);
    // The best may lie on an end.
    Ok(match score(middle) >= scores[best] {
        true => middle,
        false => at(best),
    })
}

/// `most` of the first `count` whole numbers, evenly spaced, or all if they are fewer.
pub(super) fn evenly_spaced(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let taken = count.min(most);
    (0..taken).map(move |place| (place as u128 * count as u128 / taken as u128) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_over_all_of_the_data() {
        let rows = |len, most| evenly_spaced(len, most).collect::<Vec<_>>();
        assert_eq!(rows(3, 5), [0, 1, 2]);
        assert_eq!(rows(10, 4), [0, 2, 5, 7]);
    }

    /// Left out, each of two samples at distance d has the density of the other's kernel: ln N(d; 0, h²) is highest at h = d.
    #[test]
    fn two_samples_have_the_bandwidth_of_their_distance() {
        let found = KernelDensity::fit(&[1.0, 4.0], 1, 0.0, &mut || 0.0).unwrap();
        assert!(
            (found.bandwidth() - 3.0).abs() < 3e-4,
            "{}",
            found.bandwidth()
        );
        let kernel = |d: f64| (-0.5 * (d / 3.0).powi(2)).exp() / (3.0 * (2.0 * PI).sqrt());
        let wanted = (0.5 * (kernel(1.0) + kernel(2.0))).ln();
        let density = found.log_densities(&[2.0])[0];
        assert!((density - wanted).abs() < 1e-4, "{density}, not {wanted}");
        // In D dimensions at h = d/√D.
        let found = KernelDensity::fit(&[0.0, 0.0, 3.0, 4.0], 2, 0.0, &mut || 0.0).unwrap();
        let wanted = 5.0 / 2.0_f64.sqrt();
        assert!((found.bandwidth() - wanted).abs() < 1e-4 * wanted);
    }

    #[test]
    fn the_noise_is_a_part_of_every_kernel() {
        let found = KernelDensity::fit(&[1.0, 4.0], 1, 2.0, &mut || 0.0).unwrap();
        assert!((found.bandwidth() - 5.0_f64.sqrt()).abs() < 1e-3);
        // Never less than the noise itself.
        let found = KernelDensity::fit(&[1.0, 4.0], 1, 3.5, &mut || 0.0).unwrap();
        assert_eq!(found.bandwidth(), 0.0);
    }

    #[test]
    fn what_has_no_best_bandwidth_is_refused() {
        let refused = |samples: &[f32]| KernelDensity::fit(samples, 1, 0.0, &mut || 0.0).err();
        assert!(refused(&[1.0]).unwrap().contains("two samples"));
        assert!(refused(&[2.0; 6]).unwrap().contains("equal"));
        assert!(refused(&[1.0, 1.0, 2.0, 2.0]).unwrap().contains("coincide"));
    }
}

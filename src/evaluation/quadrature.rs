//! Integrals over the plane from energies on a grid.

use super::error::EvaluationError;
use crate::data::PlanarDensity;
use crate::gpu::Executor;
use crate::model::Evaluator;

/// Cells on a unit of length in the search for the box.
const COARSE: usize = 4;
/// Half the sides of the first and of the largest square that is searched.
const FIRST_HALF_WIDTH: usize = 16;
const LAST_HALF_WIDTH: usize = 128;
/// The largest share of the model's mass that may lie outside.
const OUTSIDE: f64 = 1e-10;
/// The most cells of a grid.
const MOST_CELLS: usize = 1 << 24;
/// Cells on a unit of length in the first quadrature; fewer of the largest squares.
const FIRST_FINENESS: usize = 8;

/// Told how many of how many energies are computed.
pub(super) type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// A model on the GPU.
pub(super) struct Energies<'a> {
    pub(super) executor: &'a mut Executor,
    pub(super) evaluator: Evaluator,
}

impl Energies<'_> {
    /// E at the points (x, y), all finite.
    pub(super) fn at(&mut self, points: &[f32]) -> Result<Vec<f32>, EvaluationError> {
        let energies = self.evaluator.energies(self.executor, points)?;
        if let Some(index) = energies.iter().position(|energy| !energy.is_finite()) {
            return Err(EvaluationError::NotFinite {
                x: points[2 * index],
                y: points[2 * index + 1],
            });
        }
        Ok(energies)
    }

    /// E at every (x, y) of `places` × `places`, the first y first.
    pub(super) fn on_grid(
        &mut self,
        places: &[f64],
        progress: Progress<'_>,
    ) -> Result<Vec<f32>, EvaluationError> {
        let all = places.len() * places.len();
        let rows_each = (self.evaluator.batch() / places.len().max(1)).max(1);
        let mut energies = Vec::with_capacity(all);
        progress(0, all);
        for rows in places.chunks(rows_each) {
            let of_row = |y: &f64| {
                let y = *y as f32;
                places.iter().flat_map(move |x| [*x as f32, y])
            };
            let points: Vec<f32> = rows.iter().flat_map(of_row).collect();
            energies.extend(self.at(&points)?);
            progress(energies.len(), all);
        }
        Ok(energies)
    }
}

/// The centres of `fineness` cells on a unit of length from −`half_width` to `half_width`.
pub(super) fn cell_centres(half_width: usize, fineness: usize) -> Vec<f64> {
    (0..2 * half_width * fineness)
        .map(|cell| (cell as f64 + 0.5) / fineness as f64 - half_width as f64)
        .collect()
}

/// Half the side, a whole number, of a square around the origin that holds all but a negligible part of both masses.
pub(super) fn half_width(
    energies: &mut Energies<'_>,
    density: &PlanarDensity,
    progress: Progress<'_>,
) -> Result<usize, EvaluationError> {
    let least = density.reach().ceil() as usize;
    let mut half_width = FIRST_HALF_WIDTH.max(least.next_power_of_two());
    loop {
        let places = cell_centres(half_width, COARSE);
        let shares = mass_outside(&energies.on_grid(&places, progress)?, &places, half_width);
        let outer = half_width - half_width / 4;
        if shares[outer] < OUTSIDE {
            let fitting = (least..=half_width).find(|&width| shares[width] < OUTSIDE);
            return Ok(fitting.unwrap_or(half_width));
        }
        if half_width >= LAST_HALF_WIDTH {
            return Err(EvaluationError::Unbounded {
                half_width,
                share: shares[outer],
            });
        }
        half_width *= 2;
    }
}

/// The share of the mass outside ±k for each k up to `half_width`.
fn mass_outside(energies: &[f32], places: &[f64], half_width: usize) -> Vec<f64> {
    let side = places.len();
    let lowest = energies.iter().copied().fold(f32::INFINITY, f32::min);
    // In the shells from ±k to ±(k + 1).
    let mut shells = vec![0.0; half_width];
    for (index, energy) in energies.iter().enumerate() {
        let [x, y] = [places[index % side], places[index / side]];
        shells[x.abs().max(y.abs()) as usize] += f64::from(lowest - energy).exp();
    }
    let mut outside = vec![0.0; half_width + 1];
    for k in (0..half_width).rev() {
        outside[k] = outside[k + 1] + shells[k];
    }
    let all = outside[0];
    outside.iter().map(|mass| mass / all).collect()
}

/// Energies and ln p of the data on one grid.
pub(super) struct Level {
    pub(super) fineness: usize,
    pub(super) places: Vec<f64>,
    energies: Vec<f32>,
    log_data: Vec<f64>,
}

/// Figures of a grid, in nats except where it says otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Integrals {
    pub(super) log_z: f64,
    /// −E_data ln q.
    pub(super) nll: f64,
    /// −E_data ln p.
    pub(super) data_entropy: f64,
    /// −E_model ln q.
    pub(super) model_entropy: f64,
    /// E_model ln q/p, over where p is not 0.
    pub(super) kl_model_data: f64,
    /// ½ ∫ |p − q|, from 0 to 1.
    pub(super) total_variation: f64,
    /// The model's mass where p is 0.
    pub(super) mass_off_data: f64,
}

impl Integrals {
    /// Each figure with the same of `other`.
    fn with(&self, other: &Integrals, combined: impl Fn(f64, f64) -> f64) -> Integrals {
        let of = |figure: fn(&Integrals) -> f64| combined(figure(self), figure(other));
        Integrals {
            log_z: of(|i| i.log_z),
            nll: of(|i| i.nll),
            data_entropy: of(|i| i.data_entropy),
            model_entropy: of(|i| i.model_entropy),
            kl_model_data: of(|i| i.kl_model_data),
            total_variation: of(|i| i.total_variation),
            mass_off_data: of(|i| i.mass_off_data),
        }
    }

    /// The limit of errors of order h², from cells of side 2h (`coarse`) and h.
    fn extrapolated(&self, coarse: &Integrals) -> Integrals {
        self.with(coarse, |fine, coarse| fine + (fine - coarse) / 3.0)
    }

    fn change_since(&self, other: &Integrals) -> Change {
        let change = self.with(other, |now, before| (now - before).abs());
        let kl_data_model = |i: &Integrals| i.nll - i.data_entropy;
        let smooth = [
            change.log_z,
            change.nll,
            (kl_data_model(self) - kl_data_model(other)).abs(),
            change.data_entropy,
            change.model_entropy,
            change.mass_off_data,
        ];
        Change {
            smooth: smooth.into_iter().fold(0.0, f64::max),
            kl_model_data: change.kl_model_data,
            total_variation: change.total_variation,
        }
    }
}

impl Level {
    fn new(
        energies: &mut Energies<'_>,
        density: &PlanarDensity,
        half_width: usize,
        fineness: usize,
        progress: Progress<'_>,
    ) -> Result<Self, EvaluationError> {
        let places = cell_centres(half_width, fineness);
        Ok(Level {
            fineness,
            energies: energies.on_grid(&places, progress)?,
            log_data: density.log_density_on_grid(&places),
            places,
        })
    }

    /// Points, with their energy and ln p.
    pub(super) fn points(&self) -> impl Iterator<Item = ([f64; 2], f64, f64)> {
        let side = self.places.len();
        let values = self.energies.iter().zip(&self.log_data).enumerate();
        values.map(move |(index, (energy, log_data))| {
            let point = [self.places[index % side], self.places[index / side]];
            (point, f64::from(*energy), *log_data)
        })
    }

    /// The area of a cell.
    pub(super) fn area(&self) -> f64 {
        (self.fineness as f64).powi(-2)
    }

    /// ln Z by the midpoint rule.
    pub(super) fn log_z(&self) -> f64 {
        let lowest = self.energies.iter().copied().fold(f32::INFINITY, f32::min);
        let lowest = f64::from(lowest);
        let sum: f64 = self.points().map(|(_, e, _)| (lowest - e).exp()).sum();
        (sum * self.area()).ln() - lowest
    }

    fn integrals(&self) -> Integrals {
        let (log_z, area) = (self.log_z(), self.area());
        let (mut data_mass, mut mean_energy, mut mean_log_data) = (0.0, 0.0, 0.0);
        let (mut model_entropy, mut cross, mut off_data, mut variation) = (0.0, 0.0, 0.0, 0.0);
        for (_, energy, log_p) in self.points() {
            let log_q = -energy - log_z;
            let (p, q) = (log_p.exp() * area, log_q.exp() * area);
            model_entropy -= q * log_q;
            variation += 0.5 * (p - q).abs();
            if log_p == f64::NEG_INFINITY {
                off_data += q;
                continue;
            }
            data_mass += p;
            mean_energy += p * energy;
            mean_log_data += p * log_p;
            cross += q * (log_q - log_p);
        }
        Integrals {
            log_z,
            // The data's mass on the grid is 1 up to the error of the rule, which cancels in part by the division.
            nll: mean_energy / data_mass + log_z,
            data_entropy: -mean_log_data / data_mass,
            model_entropy,
            kl_model_data: cross,
            total_variation: variation,
            mass_off_data: off_data,
        }
    }
}

/// By how much figures changed when the cells were halved.
#[derive(Clone, Copy)]
pub(super) struct Change {
    /// The largest change of all but those below.
    pub(super) smooth: f64,
    /// Where two of the data's components meet far from both, ln p has a kink that no affordable grid resolves.
    pub(super) kl_model_data: f64,
    /// |p − q| has kinks where the densities cross.
    pub(super) total_variation: f64,
}

/// The integrals and by how much they changed last, with the finest grid.
pub(super) fn integrate(
    energies: &mut Energies<'_>,
    density: &PlanarDensity,
    half_width: usize,
    tolerance: f64,
    progress: Progress<'_>,
) -> Result<(Integrals, Change, Level), EvaluationError> {
    // Three grids tell the first change, and all of them must be allowed.
    let mut fineness = FIRST_FINENESS;
    while (2 * half_width * 4 * fineness).pow(2) > MOST_CELLS && fineness > 1 {
        fineness /= 2;
    }
    let mut level = Level::new(energies, density, half_width, fineness, progress)?;
    let mut raw = level.integrals();
    let mut before: Option<Integrals> = None;
    let mut change = f64::INFINITY;
    loop {
        fineness *= 2;
        if (2 * half_width * fineness).pow(2) > MOST_CELLS {
            return Err(EvaluationError::NotConverged {
                points: level.energies.len(),
                change,
            });
        }
        level = Level::new(energies, density, half_width, fineness, progress)?;
        let finer = level.integrals();
        let limit = finer.extrapolated(&raw);
        raw = finer;
        if let Some(before) = before {
            let changes = limit.change_since(&before);
            change = changes.smooth;
            tracing::info!("{fineness} cells on a unit: a figure changed by {change:.1e}");
            if change <= tolerance {
                return Ok((limit, changes, level));
            }
        }
        before = Some(limit);
    }
}

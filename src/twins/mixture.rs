//! Twin of `samplers/mixture_draw.wgsl` and `samplers/mixture_density.wgsl`: a mixture of Gaussians, by whole covariances.

use crate::kernels::MixtureComponent;
use crate::random::{Stream, box_muller, philox4x32_10, uniform01};

/// A mixture to whose draws noise of a standard deviation is added.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    /// Their weights sum to 1.
    pub components: Vec<MixtureComponent>,
    pub noise: f64,
}

impl Mixture {
    /// ln Σ w N(x; μ, Σ), but for −ln(2π)/2 a value.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        let terms: Vec<f64> = self
            .components
            .iter()
            .map(|component| component.weight.ln() + self.log_normal(component, x))
            .collect();
        let highest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = terms.iter().map(|term| (term - highest).exp()).sum();
        highest + sum.ln()
    }

    /// The draw of chain `chain` in (`seed`, `stream`, `step`), where a component of `rank` directions has room for them.
    pub fn draw(
        &self,
        rank: usize,
        chain: u32,
        (seed, stream, step): (u64, Stream, u32),
    ) -> Vec<f64> {
        let key = [seed as u32, (seed >> 32) as u32];
        let words = |number: u32| philox4x32_10([chain, number, step, stream as u32], key);
        let normal = |index: usize| {
            let [a, b, c, d] = words(3 + index as u32 / 4).map(|word| f64::from(uniform01(word)));
            let four = [box_muller(a, b), box_muller(c, d)].concat();
            four[index % 4]
        };
        let u = f64::from(uniform01(words(2)[0]));
        let mut up_to = 0.0;
        let found = self.components.iter().find(|component| {
            up_to += component.weight;
            u < up_to
        });
        let component = found.unwrap_or(&self.components[self.components.len() - 1]);
        let elsewhere = (component.residual + self.noise.powi(2)).sqrt();
        let mut x = component.mean.clone();
        for (i, x) in x.iter_mut().enumerate() {
            *x += elsewhere * normal(rank + i);
            for (j, (more, direction)) in component.directions.iter().enumerate() {
                *x += direction[i] * more.sqrt() * normal(j);
            }
        }
        x
    }

    /// By the Cholesky factor L of the covariance: −ln det L − |L⁻¹ (x − μ)|²/2.
    fn log_normal(&self, component: &MixtureComponent, x: &[f64]) -> f64 {
        let n = x.len();
        let covariance = |i: usize, j: usize| {
            let along = component.directions.iter();
            let along: f64 = along.map(|(more, d)| more * d[i] * d[j]).sum();
            match i == j {
                true => along + component.residual + self.noise.powi(2),
                false => along,
            }
        };
        let (mut factor, mut white) = (vec![0.0; n * n], vec![0.0; n]);
        let mut log_density = 0.0;
        for i in 0..n {
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
                let left = covariance(i, j) - known;
                factor[i * n + j] = match i == j {
                    true => left.sqrt(),
                    false => left / factor[j * n + j],
                };
            }
            let known: f64 = (0..i).map(|k| factor[i * n + k] * white[k]).sum();
            white[i] = (x[i] - component.mean[i] - known) / factor[i * n + i];
            log_density -= factor[i * n + i].ln() + 0.5 * white[i].powi(2);
        }
        log_density
    }
}

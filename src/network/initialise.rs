use super::architecture::Architecture;
use crate::kernels::LayerKind;
use crate::random::{Philox, Stream};
use crate::words::words;

words! {
    /// The law of initial weights.
    #[derive(Default)]
    pub enum InitialWeights {
        /// Uniform on ±1/√fan_in, as PyTorch's `Conv2d` and `Linear` start.
        #[default]
        Default = "default",
        /// Normal of variance 2/fan_in, which keeps the size of maps under ReLU (He et al. 2015).
        He = "he",
        /// Uniform of variance 2/(fan_in + fan_out), between what maps and gradients want (Glorot & Bengio 2010).
        Xavier = "xavier",
        /// The weight as a matrix (out, in · height · width) has orthonormal rows, or columns where it has fewer of them:
        /// a random rotation (Saxe et al. 2014).
        Orthogonal = "orthogonal",
    }
}

/// How the parameters start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Initialisation {
    pub weights: InitialWeights,
    /// Start the last layer at zero, so that the first energy is the base alone.
    pub zero_head: bool,
    /// Factor on the weights of the first of [`Architecture::layers`]; of a residual block that is its first convolution only.
    pub first_weight_scale: f32,
    /// Factor on the biases of that layer.
    pub first_bias_scale: f32,
}

/// Initial parameters in the flat layout of [`Architecture::tensors`]: weights by the law of `how`, biases uniform on
/// ±1/√fan_in, with the departures of `how` in the first and the last layer. Vectors of spectral normalisation start near
/// the singular vectors that they follow.
pub fn initial_parameters(
    architecture: &Architecture,
    how: &Initialisation,
    seed: u64,
) -> Vec<f32> {
    let mut values = Vec::with_capacity(architecture.parameter_count());
    let last = architecture.layers().len() - 1;
    for (index, layer) in architecture.layers().iter().enumerate() {
        let (fan_in, area) = match *layer {
            LayerKind::Conv(g) => {
                let area = g.kernel_height * g.kernel_width;
                (g.in_channels * area, area)
            }
            LayerKind::Dense { input, .. } => (input.len(), 1),
        };
        let bound = 1.0 / (fan_in as f32).sqrt();
        let (mut weight_scale, mut bias_scale) = (1.0, 1.0);
        if index == 0 {
            (weight_scale, bias_scale) = (how.first_weight_scale, how.first_bias_scale);
        }
        if index == last && how.zero_head {
            (weight_scale, bias_scale) = (0.0, 0.0);
        }
        let mut generator = Philox::new(seed, Stream::Parameters, index as u32);
        let uniform =
            |generator: &mut Philox, bound: f32| bound * (2.0 * generator.uniform() - 1.0);
        let count = layer.weight_len();
        match how.weights {
            InitialWeights::Default => {
                values.extend((0..count).map(|_| uniform(&mut generator, weight_scale * bound)))
            }
            InitialWeights::He => {
                let std = weight_scale * (2.0 / fan_in as f32).sqrt();
                values.extend((0..count).map(|_| std * generator.normal()));
            }
            InitialWeights::Xavier => {
                let fans = fan_in + layer.outputs() * area;
                let bound = weight_scale * (6.0 / fans as f32).sqrt();
                values.extend((0..count).map(|_| uniform(&mut generator, bound)));
            }
            InitialWeights::Orthogonal => {
                let matrix = orthogonal(&mut generator, layer.outputs(), fan_in);
                values.extend(matrix.iter().map(|&value| weight_scale * value as f32));
            }
        }
        values.extend((0..layer.outputs()).map(|_| uniform(&mut generator, bias_scale * bound)));
    }
    if architecture.spectral_norm() {
        for (index, layer) in architecture.layers().iter().enumerate() {
            let start = architecture.parameter_offset(index);
            let weight = &values[start..start + layer.weight_len()];
            let stream = FIRST_VECTOR + index as u32;
            let mut generator = Philox::new(seed, Stream::Parameters, stream);
            let vector = singular_vector(&mut generator, weight, layer.outputs());
            values.extend(vector);
        }
    }
    values
}

/// Random numbers of the vectors come after those of any layer.
const FIRST_VECTOR: u32 = 1 << 24;
/// Iterations of the power method before training, which takes one a step from there: a Gaussian weight's largest
/// singular values lie close together, and one step from a random vector would underestimate the first by far.
const FIRST_ITERATIONS: usize = 30;

/// About the first left singular vector of a weight of `rows` rows, of length one, from a random one.
fn singular_vector(generator: &mut Philox, weight: &[f32], rows: usize) -> Vec<f32> {
    let columns = weight.len() / rows;
    let mut u: Vec<f64> = (0..rows).map(|_| generator.normal().into()).collect();
    for _ in 0..FIRST_ITERATIONS {
        let mut products = vec![0.0; columns];
        for (row, factor) in weight.chunks(columns).zip(&u) {
            let pairs = products.iter_mut().zip(row);
            pairs.for_each(|(sum, &weight)| *sum += factor * f64::from(weight));
        }
        for (row, value) in weight.chunks(columns).zip(&mut u) {
            let pairs = row.iter().zip(&products);
            *value = pairs
                .map(|(&weight, product)| f64::from(weight) * product)
                .sum();
        }
        let norm = u.iter().map(|value| value * value).sum::<f64>().sqrt();
        // Nothing is divided by the 0 of a weight that is zero.
        let norm = if norm > 0.0 { norm } else { 1.0 };
        u.iter_mut().for_each(|value| *value /= norm);
    }
    u.iter().map(|&value| value as f32).collect()
}

/// A random matrix, row by row, with orthonormal rows or, where it has more rows than columns, columns: a Gaussian one
/// after the process of Gram and Schmidt, in its stable form and twice, since once leaves errors that grow with the
/// condition of the matrix.
fn orthogonal(generator: &mut Philox, rows: usize, columns: usize) -> Vec<f64> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| generator.normal().into()).collect();
        for other in vectors.iter().chain(&vectors) {
            let along: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
            vector
                .iter_mut()
                .zip(other)
                .for_each(|(a, b)| *a -= along * b);
        }
        let norm = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|value| *value /= norm);
        vectors.push(vector);
    }
    let entry = |row: usize, column: usize| match rows <= columns {
        true => vectors[row][column],
        false => vectors[column][row],
    };
    (0..rows * columns)
        .map(|i| entry(i / columns, i % columns))
        .collect()
}

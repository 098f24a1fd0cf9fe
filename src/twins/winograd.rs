//! Twin of `shared/winograd.wgsl`: the matrices of Winograd's F(4, 2), from their definition.

/// y = Aᵀ [(G g) ⊙ (Bᵀ d)]: four outputs of a convolution with the two taps g over five inputs d.
#[derive(Clone, Debug, PartialEq)]
pub struct WinogradMatrices {
    /// Aᵀ, 4 × 5.
    pub output: Vec<Vec<f64>>,
    /// G, 5 × 2.
    pub kernel: Vec<Vec<f64>>,
    /// Bᵀ, 5 × 5.
    pub input: Vec<Vec<f64>>,
}

/// The finite interpolation points of the shaders; the fifth is ∞.
pub const WINOGRAD_POINTS: [f64; 4] = [0.0, 0.5, -1.0, 2.0];

/// The matrices for four finite `points` and ∞ (the transpose of Toom-Cook interpolation: S. Winograd, Arithmetic
/// Complexity of Computations, 1980). With M(x) = Π (x − aᵢ), row i of Bᵀ holds the coefficients of M(x) / (x − aᵢ),
/// lowest first, and its last row those of M; row i of G is the taps' polynomial at aᵢ over Π (aᵢ − aⱼ); column i of Aᵀ
/// holds the powers of aᵢ; at ∞ only the highest power counts.
pub fn winograd_matrices(points: [f64; 4]) -> WinogradMatrices {
    let others = |i: usize| {
        let point = move |&j: &usize| j != i;
        (0..4).filter(point).map(|j| points[j])
    };
    let mut input: Vec<Vec<f64>> = (0..5).map(|i| product(others(i))).collect();
    input.iter_mut().for_each(|row| row.resize(5, 0.0));
    let mut kernel: Vec<Vec<f64>> = (0..4)
        .map(|i| {
            let scale: f64 = others(i).map(|other| points[i] - other).product();
            vec![1.0 / scale, points[i] / scale]
        })
        .collect();
    kernel.push(vec![0.0, 1.0]);
    let output = (0..4)
        .map(|power| {
            let at_infinity = if power == 3 { 1.0 } else { 0.0 };
            let powers = points.iter().map(|point| point.powi(power));
            powers.chain([at_infinity]).collect()
        })
        .collect();
    WinogradMatrices {
        output,
        kernel,
        input,
    }
}

/// The coefficients of Π (x − root), lowest first.
fn product(roots: impl Iterator<Item = f64>) -> Vec<f64> {
    roots.fold(vec![1.0], |coefficients, root| {
        let mut next = vec![0.0; coefficients.len() + 1];
        for (power, coefficient) in coefficients.iter().enumerate() {
            next[power + 1] += coefficient;
            next[power] -= root * coefficient;
        }
        next
    })
}

/// The two-dimensional transform M v Mᵀ of the square matrix `v`.
pub fn winograd_transform(matrix: &[Vec<f64>], values: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let apply = |values: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let entry = |row: &Vec<f64>, column: usize| -> f64 {
            row.iter().zip(values).map(|(m, v)| m * v[column]).sum()
        };
        let row = |row| {
            (0..values[0].len())
                .map(|column| entry(row, column))
                .collect()
        };
        matrix.iter().map(row).collect()
    };
    transposed(&apply(&transposed(&apply(values))))
}

/// The transpose of a matrix.
pub fn transposed(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    (0..matrix[0].len())
        .map(|column| matrix.iter().map(|row| row[column]).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, random};

    fn square(values: &[f64], side: usize) -> Vec<Vec<f64>> {
        values.chunks(side).map(<[f64]>::to_vec).collect()
    }

    #[test]
    fn the_transforms_compute_a_convolution_at_any_points() {
        for points in [
            WINOGRAD_POINTS,
            [0.0, 1.0, -1.0, 2.0],
            [3.0, 0.25, -2.0, 1.0],
        ] {
            let m = winograd_matrices(points);
            let (d, g) = (square(&random(25, 1), 5), square(&random(4, 2), 2));
            let (v, u) = (
                winograd_transform(&m.input, &d),
                winograd_transform(&m.kernel, &g),
            );
            let multiply = |i: usize| (0..5).map(|j| u[i][j] * v[i][j]).collect();
            let products: Vec<Vec<f64>> = (0..5).map(multiply).collect();
            let y = winograd_transform(&m.output, &products);
            for (row, got) in y.iter().enumerate() {
                let want: Vec<f64> = (0..4)
                    .map(|column| {
                        let taps = [(0, 0), (0, 1), (1, 0), (1, 1)];
                        taps.map(|(i, j)| g[i][j] * d[row + i][column + j])
                            .iter()
                            .sum()
                    })
                    .collect();
                assert_close(got, &want, 1e-11);
            }
        }
    }
}

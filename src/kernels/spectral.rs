//! Spectral normalisation (Miyato et al. 2018): a weight W, as a matrix (out, in · height · width), computes as W/σ with
//! σ = |Wᵀu| / |u|, where u follows W's first left singular vector by the power method.
//!
//! u lies among the parameters and is no function of W within a step, so that ∂σ/∂W = u vᵀ, v = Wᵀu / |Wᵀu|, exactly.

use super::launch::{REDUCTION_TURNS, WIDTH};
use crate::gpu::{Buffer, Kernel, Program, Recording, grid};

/// Where a weight, its bias right behind it and its vector lie in a parameter buffer, and where its place in the
/// scratch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpectralWeight {
    /// Outputs.
    pub rows: usize,
    /// Weights of an output.
    pub columns: usize,
    /// First word of the weight.
    pub weight: usize,
    /// First word of u, of `rows` words.
    pub vector: usize,
    /// First word of [`Self::scratch_words`] in the scratch.
    pub scratch: usize,
}

static COLUMNS: Kernel = kernel!("spectral_columns", 3, [Read, ReadWrite]);
static SIGMA: Kernel = kernel!("spectral_sigma", 3, [Read, ReadWrite]);
static WEIGHTS: Kernel = kernel!("spectral_weights", 2, [Read, Read, ReadWrite]);
static ROWS: Kernel = kernel!("spectral_rows", 3, [Read, Read, ReadWrite]);
static GRADIENT: Kernel = kernel!("spectral_gradient", 5, [Read, Read, ReadWrite]);
static TURN: Kernel = kernel!("spectral_turn", 2, [Read, ReadWrite]);

impl SpectralWeight {
    /// Words of scratch: Wᵀu, σ and 1 / (|u| · |Wᵀu|), and a number for each row.
    pub fn scratch_words(&self) -> usize {
        self.columns + 2 + self.rows
    }

    fn products(&self) -> u32 {
        self.scratch as u32
    }

    fn sigma(&self) -> u32 {
        (self.scratch + self.columns) as u32
    }

    fn row_sums(&self) -> u32 {
        self.sigma() + 2
    }

    fn program(&self, kernel: &'static Kernel) -> Program {
        Program::new(kernel)
            .u32("ROWS", self.rows)
            .u32("COLUMNS", self.columns)
    }

    fn len(&self) -> usize {
        self.rows * self.columns
    }
}

/// Wᵀu.
fn columns(r: &mut Recording, w: &SpectralWeight, parameters: Buffer, scratch: Buffer) {
    w.program(&COLUMNS)
        .turns(w.rows)
        .bind([parameters, scratch])
        .immediates([w.weight as u32, w.vector as u32, w.products()])
        .moving(4 * (w.len() + w.rows + w.columns))
        .over(r, w.columns);
}

/// Σ over each row of `left` × Wᵀu, or × `right`.
fn rows(
    r: &mut Recording,
    w: &SpectralWeight,
    left: Buffer,
    right: Option<Buffer>,
    scratch: Buffer,
) {
    w.program(&ROWS)
        .turns(w.columns.div_ceil(WIDTH) + REDUCTION_TURNS)
        .flag("VECTOR", right.is_none())
        .bind([left, right.unwrap_or(left), scratch])
        .immediates([w.weight as u32, w.products(), w.row_sums()])
        .moving(4 * w.len() * if right.is_some() { 2 } else { 1 })
        .launch(r, grid(w.rows), 2 * w.len() as u64);
}

/// Writes W/σ and the bias to where they are in `parameters`, but in `normalised`.
pub fn spectral_weights(
    recording: &mut Recording,
    weight: &SpectralWeight,
    parameters: Buffer,
    scratch: Buffer,
    normalised: Buffer,
) {
    let (r, w) = (recording, weight);
    columns(r, w, parameters, scratch);
    w.program(&SIGMA)
        .turns((w.rows + w.columns).div_ceil(WIDTH) + 2 + 2 * REDUCTION_TURNS)
        .bind([parameters, scratch])
        .immediates([w.vector as u32, w.products(), w.sigma()])
        .moving(4 * (w.rows + w.columns))
        .launch(r, [1, 1, 1], 2 * (w.rows + w.columns) as u64);
    w.program(&WEIGHTS)
        .bind([parameters, scratch, normalised])
        .immediates([w.weight as u32, w.sigma()])
        .moving(8 * (w.len() + w.rows))
        .over(r, w.len() + w.rows);
}

/// Makes of the gradient in W/σ the gradient in W, after [`spectral_weights`] of the same `parameters`.
pub fn spectral_gradient(
    recording: &mut Recording,
    weight: &SpectralWeight,
    parameters: Buffer,
    scratch: Buffer,
    normalised: Buffer,
    gradient: Buffer,
) {
    let (r, w) = (recording, weight);
    rows(r, w, gradient, Some(normalised), scratch);
    w.program(&GRADIENT)
        .bind([parameters, scratch, gradient])
        .immediates([w.weight as u32, w.vector as u32])
        .immediates([w.products(), w.sigma(), w.row_sums()])
        .moving(8 * w.len())
        .over(r, w.len());
}

/// One iteration of the power method on the u of `parameters`.
pub fn spectral_turn(
    recording: &mut Recording,
    weight: &SpectralWeight,
    parameters: Buffer,
    scratch: Buffer,
) {
    let (r, w) = (recording, weight);
    columns(r, w, parameters, scratch);
    rows(r, w, parameters, None, scratch);
    Program::new(&TURN)
        .u32("ROWS", w.rows)
        .bind([scratch, parameters])
        .immediates([w.vector as u32, w.row_sums()])
        .moving(8 * w.rows)
        .launch(r, [1, 1, 1], 2 * w.rows as u64);
}

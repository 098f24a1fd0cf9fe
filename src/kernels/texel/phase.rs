//! The phases of strided input gradients.

use crate::kernels::geometry::ConvGeometry;

/// The input pixels `stride`·t + `offset` along one axis: they take tap j, the kernel's `first` + `stride`·j, from
/// output pixel t + `reach` − j.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) offset: usize,
    pub(super) first: usize,
    pub(super) taps: usize,
    pub(super) reach: usize,
    /// How many input pixels there are of this phase.
    pub(super) pixels: usize,
}

fn axis_phases(kernel: usize, stride: usize, padding: usize, length: usize) -> Vec<Phase> {
    (0..stride.min(length))
        .map(|offset| {
            let first = (offset + padding) % stride;
            Phase {
                offset,
                first,
                taps: kernel.saturating_sub(first).div_ceil(stride),
                reach: (offset + padding) / stride,
                pixels: (length - offset).div_ceil(stride),
            }
        })
        .collect()
}

/// All (vertical, horizontal) phases of a convolution's input gradient.
pub(super) fn phases(geometry: &ConvGeometry) -> Vec<(Phase, Phase)> {
    let g = geometry;
    let horizontal = axis_phases(g.kernel_width, g.stride, g.padding, g.in_width);
    axis_phases(g.kernel_height, g.stride, g.padding, g.in_height)
        .into_iter()
        .flat_map(|y| horizontal.iter().map(move |&x| (y, x)))
        .collect()
}

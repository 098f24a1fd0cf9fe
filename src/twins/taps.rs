//! The index arithmetic that the three convolution twins share.

use crate::kernels::geometry::ConvGeometry;

/// One multiply-add of a convolution: `output += weight · input`. Indices are into the flat weight
/// and into one sample's flat input and output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub weight: usize,
    pub input: usize,
    pub output: usize,
}

/// Calls `visit` once for each multiply-add of one sample; those that meet the zero padding are left out.
pub(super) fn for_each_tap(geometry: &ConvGeometry, mut visit: impl FnMut(Tap)) {
    let g = geometry;
    for out_channel in 0..g.out_channels {
        for out_row in 0..g.out_height() {
            for out_column in 0..g.out_width() {
                let output = (out_channel * g.out_height() + out_row) * g.out_width() + out_column;
                for in_channel in 0..g.in_channels {
                    for kernel_row in 0..g.kernel_height {
                        for kernel_column in 0..g.kernel_width {
                            let row = in_position(g, out_row, kernel_row, g.in_height);
                            let column = in_position(g, out_column, kernel_column, g.in_width);
                            let (Some(row), Some(column)) = (row, column) else {
                                continue;
                            };
                            let input = (in_channel * g.in_height + row) * g.in_width + column;
                            let plane = out_channel * g.in_channels + in_channel;
                            let weight = (plane * g.kernel_height + kernel_row) * g.kernel_width
                                + kernel_column;
                            visit(Tap {
                                weight,
                                input,
                                output,
                            });
                        }
                    }
                }
            }
        }
    }
}

/// The row (or column) of the input under kernel position `kernel` at output position `out`;
/// `None` in the padding.
fn in_position(geometry: &ConvGeometry, out: usize, kernel: usize, size: usize) -> Option<usize> {
    let position = (out * geometry.stride + kernel).checked_sub(geometry.padding)?;
    (position < size).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_padding_there_is_one_tap_per_multiply_add() {
        let geometry = ConvGeometry::new([3, 6, 5], 2, [2, 3], 3, 0);
        let mut count = 0;
        for_each_tap(&geometry, |_| count += 1);
        assert_eq!(2 * count, geometry.flops());
    }

    #[test]
    fn taps_in_the_padding_are_left_out() {
        // A 1×1 input under a 3×3 kernel padded by 1: only the kernel's centre touches it.
        let geometry = ConvGeometry::new([1, 1, 1], 1, [3, 3], 1, 1);
        let mut taps = Vec::new();
        for_each_tap(&geometry, |tap| taps.push(tap));
        assert_eq!(
            taps,
            [Tap {
                weight: 4,
                input: 0,
                output: 0
            }]
        );
    }
}

//! The cells of strided input gradients.

use crate::gpu::Program;
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;

/// The pixels `stride`·t … `stride`·(t + 1) − 1 along one axis, which meet the outputs t − `before` … t − `before` + `window` − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AxisCells {
    before: usize,
    window: usize,
    /// How many cells there are.
    count: usize,
}

/// The input pixels of a convolution in squares of stride × stride of them. All of them meet the same few outputs, and every tap leads from
/// one of these to one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    height: AxisCells,
    width: AxisCells,
    stride: usize,
}

impl AxisCells {
    fn new(kernel: usize, stride: usize, padding: usize, length: usize) -> Self {
        // Tap k leads from output t + d to pixel stride·t + o, where stride·d = o + padding − k.
        let [step, padding] = [stride, padding].map(|value| value as isize);
        let distances = (0..kernel as isize).map(|tap| {
            let pixel = (tap - padding).rem_euclid(step);
            (pixel + padding - tap) / step
        });
        // The cell's own output is counted in, so that there is always one.
        let (least, most) = distances.fold((0, 0), |(least, most), d| (d.min(least), d.max(most)));
        AxisCells {
            before: -least as usize,
            window: (most - least + 1) as usize,
            count: length.div_ceil(stride),
        }
    }
}

impl Cells {
    pub(super) fn new(geometry: &ConvGeometry) -> Self {
        let g = geometry;
        Cells {
            height: AxisCells::new(g.kernel_height, g.stride, g.padding, g.in_height),
            width: AxisCells::new(g.kernel_width, g.stride, g.padding, g.in_width),
            stride: g.stride,
        }
    }

    /// Cells of a row.
    pub(super) fn in_row(&self) -> usize {
        self.width.count
    }

    /// Pixels of a cell.
    pub(super) fn pixels(&self) -> usize {
        self.stride * self.stride
    }

    /// Outputs that `cells` neighbours of a row meet: how many rows of them, and of how many each.
    pub(super) fn met_by(&self, cells: usize) -> [usize; 2] {
        [self.height.window, cells - 1 + self.width.window]
    }

    /// Runs of `cells` neighbours that cover the map.
    pub(super) fn tiles(&self, cells: usize) -> usize {
        self.height.count * self.width.count.div_ceil(cells)
    }

    /// The border around the gradient in the output of `geometry`, whose cells these are, that runs of `cells` read.
    pub(super) fn border(&self, geometry: &ConvGeometry, cells: usize) -> Border {
        let covered = self.width.count.div_ceil(cells) * cells;
        // What lies between the last output and the last one that is met.
        let after = |axis: &AxisCells, count: usize, outputs: usize| {
            (count + axis.window - 1).saturating_sub(axis.before + outputs)
        };
        Border {
            top: self.height.before,
            left: self.width.before,
            bottom: after(&self.height, self.height.count, geometry.out_height()),
            right: after(&self.width, covered, geometry.out_width()),
        }
    }

    /// Adds the layout of the outputs that runs of `cells` meet.
    pub(super) fn describe(&self, program: Program, cells: usize) -> Program {
        let [rows, row] = self.met_by(cells);
        program
            .u32("WINDOW_ROWS", rows)
            .u32("ROW_TEXELS", row)
            .u32("BEFORE_Y", self.height.before)
            .u32("BEFORE_X", self.width.before)
            .u32("CELL", self.pixels())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_meets_the_outputs_that_its_taps_lead_from() {
        let axis = |kernel, stride, padding, length| {
            let AxisCells {
                before,
                window,
                count,
            } = AxisCells::new(kernel, stride, padding, length);
            (before, window, count)
        };
        // Of 3 taps, padding 1: pixel 2t meets output t, pixel 2t + 1 outputs t and t + 1.
        assert_eq!(axis(3, 2, 1, 8), (0, 2, 4));
        // Of 4: pixel 2t meets t − 1 and t, pixel 2t + 1 meets t and t + 1.
        assert_eq!(axis(4, 2, 1, 7), (1, 3, 4));
        // Without padding pixel 2t meets t − 1 and t, pixel 2t + 1 meets t.
        assert_eq!(axis(3, 2, 0, 7), (1, 2, 4));
        // One tap: pixel 3t + 1 meets t + 2, the others none.
        assert_eq!(axis(1, 3, 5, 6), (0, 3, 2));
        // A stride of 1: a pixel meets as many as there are taps.
        assert_eq!(axis(3, 1, 1, 5), (1, 3, 5));
    }

    #[test]
    fn borders_reach_as_far_as_runs_of_cells_read() {
        let g = ConvGeometry::new([4, 5, 9], 4, [3, 3], 2, 1);
        // Three rows and five columns of outputs, as many of cells; runs of two cover six.
        let expected = Border {
            top: 0,
            left: 0,
            bottom: 1,
            right: 2,
        };
        assert_eq!(Cells::new(&g).border(&g, 2), expected);
    }
}

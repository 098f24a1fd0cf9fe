use crate::gpu::{Buffer, Program};
use crate::kernels::border::Border;
use crate::purpose::MAPS;
use crate::shape::Shape;

/// Samples in a group: those of one workgroup. A whole number of subgroups of 8 and of 16 lanes, as lavapipe's.
pub(super) const GROUP: usize = 16;

/// A batch of feature maps as `shaders/shared/lanes.wgsl` has them: groups of samples, of each `[channel][row][column][sample]`,
/// with a border of zeros around each map.
///
/// Buffers start as zeros and no kernel writes outside a map, so the border stays zero.
#[derive(Clone, Copy, Debug)]
pub struct Maps {
    pub buffer: Buffer,
    pub samples: usize,
    pub shape: Shape,
    pub border: Border,
}

/// The names under which a kernel knows the layout of maps: bordered size, and the place of a first value.
pub(super) struct Names([&'static str; 4]);

macro_rules! names {
    ($prefix:literal) => {
        Names([
            concat!($prefix, "HEIGHT"),
            concat!($prefix, "WIDTH"),
            concat!($prefix, "Y"),
            concat!($prefix, "X"),
        ])
    };
}

pub(super) const ONLY: Names = names!("");
pub(super) const IN: Names = names!("IN_");
pub(super) const OUT: Names = names!("OUT_");
pub(super) const SKIP: Names = names!("SKIP_");
pub(super) const ADD: Names = names!("ADD_");
pub(super) const DERIVATIVE: Names = names!("DERIVATIVE_");

impl Maps {
    pub(super) fn new(label: &'static str, samples: usize, shape: Shape, border: Border) -> Self {
        let area = (shape.height + border.top + border.bottom)
            * (shape.width + border.left + border.right);
        let words = samples.next_multiple_of(GROUP) * shape.channels * area;
        Maps {
            buffer: Buffer::new(label, words).of(MAPS),
            samples,
            shape,
            border,
        }
    }

    /// Groups of samples.
    pub(super) fn groups(&self) -> usize {
        self.samples.div_ceil(GROUP)
    }

    /// Adds the layout to a program, with the first value inside the border.
    pub(super) fn describe(&self, program: Program, names: &Names) -> Program {
        self.describe_from(program, names, [self.border.top, self.border.left])
    }

    /// Adds the layout to a program, with the first value at (row, column) of the bordered map.
    pub(super) fn describe_from(
        &self,
        program: Program,
        names: &Names,
        [y, x]: [usize; 2],
    ) -> Program {
        let Names([height, width, first_y, first_x]) = *names;
        let Border {
            top,
            left,
            bottom,
            right,
        } = self.border;
        program
            .u32(height, self.shape.height + top + bottom)
            .u32(width, self.shape.width + left + right)
            .u32(first_y, y)
            .u32(first_x, x)
    }

    pub(crate) fn for_samples(&self, samples: usize) -> Self {
        Maps { samples, ..*self }
    }

    pub(crate) fn at_end(&self, _: Buffer) -> Self {
        *self
    }

    pub(crate) fn flat(&self, label: &'static str) -> Buffer {
        Buffer::new(label, self.samples * self.shape.len()).of(MAPS)
    }
}

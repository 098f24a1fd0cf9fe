use crate::gpu::{Program, steps_a_turn};
use crate::shape::Shape;

/// Sums over windows that tile every channel of a map, times a factor. Rows and columns that fill no window are left
/// out, as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooling {
    pub input: Shape,
    pub window_height: usize,
    pub window_width: usize,
    pub factor: f32,
}

impl Pooling {
    /// Means over windows of `side` × `side`, which must fit into `input`; of 1 × 1, the map itself.
    pub fn average(input: Shape, side: usize) -> Self {
        Pooling {
            input,
            window_height: side,
            window_width: side,
            factor: 1.0 / (side * side) as f32,
        }
    }

    /// The sum over all pixels of a channel.
    pub fn global_sum(input: Shape) -> Self {
        Pooling {
            input,
            window_height: input.height,
            window_width: input.width,
            factor: 1.0,
        }
    }

    /// Shape of one output sample.
    pub fn output_shape(&self) -> Shape {
        Shape::new(
            self.input.channels,
            self.input.height / self.window_height,
            self.input.width / self.window_width,
        )
    }

    /// Adds what `shared/pooling.wgsl` asks for to a program.
    pub(super) fn describe(&self, program: Program) -> Program {
        let output = self.output_shape();
        program
            .u32("LARGE_MAP_WIDTH", self.input.width)
            .u32("LARGE_MAP_HEIGHT", self.input.height)
            .u32("SMALL_MAP_WIDTH", output.width)
            .u32("SMALL_MAP_HEIGHT", output.height)
            .u32("WINDOW_WIDTH", self.window_width)
            .u32("WINDOW_HEIGHT", self.window_height)
            .f32("FACTOR", self.factor)
    }

    /// Adds the loops over a window.
    pub(super) fn describe_sum(&self, program: Program) -> Program {
        let turns = |steps| self.window_height * (1 + self.window_width.div_ceil(steps));
        let steps = steps_a_turn(turns);
        program.turns(turns(steps)).steps(steps)
    }

    /// Whether every window is one pixel that is taken as it is.
    pub(crate) fn is_identity(&self) -> bool {
        (self.window_height, self.window_width, self.factor) == (1, 1, 1.0)
    }
}

use crate::gpu::{Access, Buffer, Kernel, Program, Recording, Resource};
use crate::kernels::launch::over;
use crate::kernels::pooling::Pooling;

const BINDINGS: [Access; 4] = [Access::Read, Access::ReadWrite, Access::Read, Access::Read];

/// With one other map for each of what is added and the derivative.
static KERNELS: [Kernel; 3] = {
    const fn kernel(bindings: &'static [Access]) -> Kernel {
        kernel!("tiled/pool_input_gradient", 1, bindings)
    }
    [
        kernel(BINDINGS.split_at(2).0),
        kernel(BINDINGS.split_at(3).0),
        kernel(&BINDINGS),
    ]
};

/// [`crate::kernels::pool_input_gradient`] on flat (sample, channel, row, column) maps.
pub fn pool_input_gradient(
    recording: &mut Recording,
    pooling: &Pooling,
    samples: usize,
    output_gradient: Buffer,
    added: Option<Buffer>,
    input_derivative: Option<Buffer>,
    input_gradient: Buffer,
) {
    debug_assert!(output_gradient.words() >= samples * pooling.output_shape().len());
    debug_assert!(input_gradient.words() >= samples * pooling.input.len());
    let others: Vec<Buffer> = added.into_iter().chain(input_derivative).collect();
    let program = pooling
        .describe(Program::new(&KERNELS[others.len()]))
        .u32("CHANNELS", pooling.input.channels)
        .flag("ADD", added.is_some())
        .flag("DERIVATIVE", input_derivative.is_some());
    let values = samples * pooling.input.len();
    let mut resources = vec![output_gradient.into(), input_gradient.into()];
    resources.extend(others.iter().map(|&buffer| Resource::from(buffer)));
    over(recording, program, resources, vec![samples as u32], values);
    let read = samples * pooling.output_shape().len() + values * others.len();
    recording.moves(4 * (read + values));
}

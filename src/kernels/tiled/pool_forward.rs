use crate::gpu::{Access, Buffer, Kernel, Program, Recording, Resource};
use crate::kernels::activations::Activation;
use crate::kernels::launch::over;
use crate::kernels::pooling::Pooling;

const BINDINGS: [Access; 4] = [
    Access::Read,
    Access::ReadWrite,
    Access::Read,
    Access::ReadWrite,
];

const fn kernel(bindings: &'static [Access]) -> Kernel {
    kernel!("tiled/pool_forward", 1, bindings)
}

static KERNEL: Kernel = kernel(BINDINGS.split_at(2).0);
static KERNEL_WITH_SKIP: Kernel = kernel(BINDINGS.split_at(3).0);
static KERNEL_WITH_DERIVATIVE: Kernel = kernel(&BINDINGS);

/// [`crate::kernels::pool_forward`] on flat (sample, channel, row, column) maps. A `derivative` needs a `skip`.
#[allow(clippy::too_many_arguments)]
pub fn pool_forward(
    recording: &mut Recording,
    pooling: &Pooling,
    activation: Activation,
    samples: usize,
    input: Buffer,
    skip: Option<Buffer>,
    output: Buffer,
    derivative: Option<Buffer>,
) {
    debug_assert!(derivative.is_none() || skip.is_some());
    debug_assert!(input.words() >= samples * pooling.input.len());
    debug_assert!(output.words() >= samples * pooling.output_shape().len());
    let kernel = match (skip, derivative) {
        (None, _) => &KERNEL,
        (Some(_), None) => &KERNEL_WITH_SKIP,
        (Some(_), Some(_)) => &KERNEL_WITH_DERIVATIVE,
    };
    let program = activation
        .describe(pooling.describe(Program::new(kernel)))
        .u32("CHANNELS", pooling.input.channels)
        .flag("SKIP", skip.is_some())
        .flag("STORE_DERIVATIVE", derivative.is_some());
    let mut resources = vec![input.into(), output.into()];
    resources.extend(skip.into_iter().chain(derivative).map(Resource::from));
    let values = samples * pooling.output_shape().len();
    over(recording, program, resources, vec![samples as u32], values);
    let read = samples * pooling.input.len() * (1 + usize::from(skip.is_some()));
    recording.moves(4 * (read + values * (1 + usize::from(derivative.is_some()))));
}

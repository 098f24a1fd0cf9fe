use super::maps::Maps;
use crate::gpu::{Access, Kernel, Program, Recording, Resource};
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

impl Maps {
    /// Of these maps as the input. A `derivative` needs a `skip`.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn pool_forward(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        activation: Activation,
        samples: usize,
        skip: Option<&Self>,
        output: &Self,
        derivative: Option<&Self>,
    ) {
        debug_assert!(derivative.is_none() || skip.is_some());
        debug_assert!(self.0.words() >= samples * pooling.input.len());
        debug_assert!(output.0.words() >= samples * pooling.output_shape().len());
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
        let mut resources = vec![self.0.into(), output.0.into()];
        resources.extend(
            skip.into_iter()
                .chain(derivative)
                .map(|maps| Resource::from(maps.0)),
        );
        let values = samples * pooling.output_shape().len();
        over(recording, program, resources, vec![samples as u32], values);
        let read = samples * pooling.input.len() * (1 + usize::from(skip.is_some()));
        recording.moves(4 * (read + values * (1 + usize::from(derivative.is_some()))));
    }
}

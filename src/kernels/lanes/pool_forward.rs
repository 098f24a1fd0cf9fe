use super::maps::{GROUP, IN, Maps, OUT, SKIP};
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::launch::with_optional_last;
use crate::kernels::pooling::Pooling;

/// Without another map, with a skip, and with a derivative beside it.
static KERNELS: [Kernel; 3] = with_optional_last(kernel!(
    "lanes/pool_forward",
    0,
    [Read, ReadWrite, Read, ReadWrite]
));

impl Maps {
    /// Of these maps as the input. A `derivative` needs a `skip`.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn pool_forward(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        activation: Activation,
        _: usize,
        skip: Option<&Self>,
        output: &Self,
        derivative: Option<&Self>,
    ) {
        debug_assert!(derivative.is_none() || skip.is_some());
        debug_assert!(derivative.is_none_or(|maps| maps.border == output.border));
        let others = skip.into_iter().chain(derivative).map(|maps| maps.buffer);
        let program = Program::new(&KERNELS[others.clone().count()]);
        let program = activation
            .describe(pooling.describe_sum(pooling.describe(program)))
            .u32("GROUP", GROUP)
            .u32("GROUPS", self.groups())
            .u32("CHANNELS", pooling.input.channels)
            .flag("SKIP", skip.is_some())
            .flag("STORE_DERIVATIVE", derivative.is_some());
        let program = skip
            .into_iter()
            .fold(program, |program, maps| maps.describe(program, &SKIP));
        let (large, small) = (pooling.input.len(), pooling.output_shape().len());
        let read = large * (1 + usize::from(skip.is_some()));
        let written = small * (1 + usize::from(derivative.is_some()));
        output
            .describe(self.describe(program, &IN), &OUT)
            .bind([self.buffer, output.buffer])
            .bind(others)
            .moving(4 * self.samples * (read + written))
            .over(recording, self.groups() * GROUP * small);
    }
}

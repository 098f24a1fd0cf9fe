use super::maps::Maps;
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::launch::with_optional_last;
use crate::kernels::pooling::Pooling;

/// Without another map, with a skip, and with a derivative beside it.
static KERNELS: [Kernel; 3] = with_optional_last(kernel!(
    "tiled/pool_forward",
    1,
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
        samples: usize,
        skip: Option<&Self>,
        output: &Self,
        derivative: Option<&Self>,
    ) {
        debug_assert!(derivative.is_none() || skip.is_some());
        debug_assert!(self.0.words() >= samples * pooling.input.len());
        debug_assert!(output.0.words() >= samples * pooling.output_shape().len());
        let others = skip.into_iter().chain(derivative).map(|maps| maps.0);
        let values = samples * pooling.output_shape().len();
        let read = samples * pooling.input.len() * (1 + usize::from(skip.is_some()));
        let program = Program::new(&KERNELS[others.clone().count()]);
        activation
            .describe(pooling.describe_sum(pooling.describe(program)))
            .u32("CHANNELS", pooling.input.channels)
            .flag("SKIP", skip.is_some())
            .flag("STORE_DERIVATIVE", derivative.is_some())
            .bind([self.0, output.0])
            .bind(others)
            .immediates([samples as u32])
            .moving(4 * (read + values * (1 + usize::from(derivative.is_some()))))
            .over(recording, values);
    }
}

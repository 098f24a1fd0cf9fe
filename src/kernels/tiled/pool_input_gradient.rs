use super::maps::Maps;
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::launch::with_optional_last;
use crate::kernels::pooling::Pooling;

/// With one other map for each of what is added and the derivative.
static KERNELS: [Kernel; 3] = with_optional_last(kernel!(
    "tiled/pool_input_gradient",
    1,
    [Read, ReadWrite, Read, Read]
));

impl Maps {
    /// Of these maps as the gradient in the output.
    pub(crate) fn pool_input_gradient(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        samples: usize,
        added: Option<&Self>,
        input_derivative: Option<&Self>,
        input_gradient: &Self,
    ) {
        debug_assert!(self.0.words() >= samples * pooling.output_shape().len());
        debug_assert!(input_gradient.0.words() >= samples * pooling.input.len());
        let others = added.into_iter().chain(input_derivative).map(|maps| maps.0);
        let count = others.clone().count();
        let values = samples * pooling.input.len();
        let read = samples * pooling.output_shape().len() + values * count;
        pooling
            .describe(Program::new(&KERNELS[count]))
            .u32("CHANNELS", pooling.input.channels)
            .flag("ADD", added.is_some())
            .flag("DERIVATIVE", input_derivative.is_some())
            .bind([self.0, input_gradient.0])
            .bind(others)
            .immediates([samples as u32])
            .moving(4 * (read + values))
            .over(recording, values);
    }
}

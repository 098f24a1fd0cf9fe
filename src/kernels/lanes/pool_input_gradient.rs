use super::maps::{ADD, DERIVATIVE, GROUP, IN, Maps, OUT};
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::launch::with_optional_last;
use crate::kernels::pooling::Pooling;

/// With one other map for each of what is added and the derivative.
static KERNELS: [Kernel; 3] = with_optional_last(kernel!(
    "lanes/pool_input_gradient",
    0,
    [Read, ReadWrite, Read, Read]
));

impl Maps {
    /// Of these maps as the gradient in the output.
    pub(crate) fn pool_input_gradient(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        _: usize,
        added: Option<&Self>,
        input_derivative: Option<&Self>,
        input_gradient: &Self,
    ) {
        let others = added.into_iter().map(|maps| (maps, &ADD));
        let others = others.chain(input_derivative.map(|maps| (maps, &DERIVATIVE)));
        let count = others.clone().count();
        let program = pooling
            .describe(Program::new(&KERNELS[count]))
            .u32("GROUP", GROUP)
            .u32("GROUPS", self.groups())
            .u32("CHANNELS", pooling.input.channels)
            .flag("ADD", added.is_some())
            .flag("DERIVATIVE", input_derivative.is_some());
        let program = others.clone().fold(program, |program, (maps, names)| {
            maps.describe(program, names)
        });
        let (large, small) = (pooling.input.len(), pooling.output_shape().len());
        input_gradient
            .describe(self.describe(program, &IN), &OUT)
            .bind([self.buffer, input_gradient.buffer])
            .bind(others.map(|(maps, _)| maps.buffer))
            .moving(4 * self.samples * (small + large * (1 + count)))
            .over(recording, self.groups() * GROUP * large);
    }
}

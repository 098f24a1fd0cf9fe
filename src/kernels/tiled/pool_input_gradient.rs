use super::maps::Maps;
use crate::gpu::{Access, Kernel, Program, Recording, Resource};
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
        let others: Vec<&Self> = added.into_iter().chain(input_derivative).collect();
        let program = pooling
            .describe(Program::new(&KERNELS[others.len()]))
            .u32("CHANNELS", pooling.input.channels)
            .flag("ADD", added.is_some())
            .flag("DERIVATIVE", input_derivative.is_some());
        let values = samples * pooling.input.len();
        let mut resources = vec![self.0.into(), input_gradient.0.into()];
        resources.extend(others.iter().map(|maps| Resource::from(maps.0)));
        over(recording, program, resources, vec![samples as u32], values);
        let read = samples * pooling.output_shape().len() + values * others.len();
        recording.moves(4 * (read + values));
    }
}

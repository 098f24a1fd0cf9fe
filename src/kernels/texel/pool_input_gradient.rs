use super::load_maps::texels;
use super::maps::Maps;
use super::plane::{IN, OUT, PlaneNames, describe_derivative, plane_names};
use super::pool_forward::{describe, describe_plane};
use crate::gpu::{Access, Kernel, Program, Recording};
use crate::kernels::pooling::Pooling;

const GRADIENT: Access = Access::FormatRead("IN_FORMAT");
const RESULT: Access = Access::FormatWrite("OUT_FORMAT");
const ADDED: Access = Access::FormatRead("ADD_FORMAT");
const DERIVATIVE: Access = Access::FormatRead("OUT_FORMAT");

const fn kernel(bindings: &'static [Access]) -> Kernel {
    kernel!("texel/pool_input_gradient", 0, bindings)
}

static KERNEL: Kernel = kernel(&[GRADIENT, RESULT]);
static KERNEL_WITH_ADDED: Kernel = kernel(&[GRADIENT, RESULT, ADDED]);
static KERNEL_WITH_DERIVATIVE: Kernel = kernel(&[GRADIENT, RESULT, DERIVATIVE]);
static KERNEL_WITH_BOTH: Kernel = kernel(&[GRADIENT, RESULT, ADDED, DERIVATIVE]);

const ADD: PlaneNames = plane_names!("ADD_");

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
        let (output_gradient, input_gradient) = (self.plane(), input_gradient.plane());
        let (added, input_derivative) = (added.map(Maps::plane), input_derivative.map(Maps::plane));
        let kernel = match (added, input_derivative) {
            (None, None) => &KERNEL,
            (Some(_), None) => &KERNEL_WITH_ADDED,
            (None, Some(_)) => &KERNEL_WITH_DERIVATIVE,
            (Some(_), Some(_)) => &KERNEL_WITH_BOTH,
        };
        let small = (output_gradient, &IN);
        let program = describe(Program::new(kernel), pooling, small, (input_gradient, &OUT))
            .flag("ADD", added.is_some());
        let program = describe_plane(program, added.unwrap_or(input_gradient), &ADD);
        let others = added
            .into_iter()
            .chain(input_derivative)
            .map(|plane| plane.image);
        let texels_read = texels(output_gradient) + texels(input_gradient) * others.clone().count();
        describe_derivative(program, input_derivative)
            .bind([output_gradient.image, input_gradient.image])
            .bind(others)
            .moving(16 * (texels_read + texels(input_gradient)))
            .over(recording, texels(input_gradient));
    }
}

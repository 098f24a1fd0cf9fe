use super::load_maps::texels;
use super::maps::Maps;
use super::plane::{
    IN, OUT, Plane, PlaneNames, by_derivative, describe_derivative, for_derivative, plane_names,
};
use super::pool_forward::{describe, describe_plane};
use crate::gpu::{Access, Kernel, Program, Recording};
use crate::kernels::pooling::Pooling;

const GRADIENT: Access = Access::FormatRead("IN_FORMAT");
const RESULT: Access = Access::FormatWrite("OUT_FORMAT");
const ADDED: Access = Access::FormatRead("ADD_FORMAT");
const DERIVATIVE: Access = Access::FormatRead("OUT_FORMAT");

static KERNELS: [Kernel; 3] = by_derivative!(
    "texel/pool_input_gradient",
    0,
    [GRADIENT, RESULT],
    DERIVATIVE,
    Access::Read
);
static KERNELS_WITH_ADDED: [Kernel; 3] = by_derivative!(
    "texel/pool_input_gradient",
    0,
    [GRADIENT, RESULT, ADDED],
    DERIVATIVE,
    Access::Read
);

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
        let kernels = match added {
            None => &KERNELS,
            Some(_) => &KERNELS_WITH_ADDED,
        };
        let kernel = for_derivative(kernels, input_derivative);
        let small = (output_gradient, &IN);
        let program = describe(Program::new(kernel), pooling, small, (input_gradient, &OUT))
            .flag("ADD", added.is_some());
        let program = describe_plane(program, added.unwrap_or(input_gradient), &ADD);
        let others = added
            .into_iter()
            .chain(input_derivative)
            .map(Plane::resource);
        let texels_read = texels(output_gradient) + texels(input_gradient) * others.clone().count();
        describe_derivative(program, input_derivative, 2 + usize::from(added.is_some()))
            .bind([output_gradient.image, input_gradient.image])
            .bind(others)
            .moving(16 * (texels_read + texels(input_gradient)))
            .over(recording, texels(input_gradient));
    }
}

use super::load_maps::texels;
use super::maps::Maps;
use super::plane::{
    IN, OUT, Plane, PlaneNames, by_derivative, describe_kept, for_derivative, plane_names,
};
use crate::gpu::{Access, Kernel, Program, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::pooling::Pooling;

static KERNEL: Kernel = kernel!(
    "texel/pool_forward",
    0,
    [FormatRead("IN_FORMAT"), FormatWrite("OUT_FORMAT")]
);
static KERNELS_WITH_SKIP: [Kernel; 3] = by_derivative!(
    "texel/pool_forward",
    0,
    [
        Access::FormatRead("IN_FORMAT"),
        Access::FormatWrite("OUT_FORMAT"),
        Access::FormatRead("SKIP_FORMAT")
    ],
    Access::FormatWrite("OUT_FORMAT"),
    Access::ReadWrite
);

const SKIP: PlaneNames = plane_names!("SKIP_");

/// Adds the pooling and the layouts of the maps on both sides to a program.
pub(super) fn describe(
    program: Program,
    pooling: &Pooling,
    (small, small_names): (&Plane, &PlaneNames),
    (large, large_names): (&Plane, &PlaneNames),
) -> Program {
    let program = pooling
        .describe(program)
        .u32("SAMPLES", large.samples)
        .u32("GROUPS", large.groups());
    describe_plane(
        describe_plane(program, large, large_names),
        small,
        small_names,
    )
}

/// Adds the layout and the format of a plane whose channel groups are known.
pub(super) fn describe_plane(program: Program, plane: &Plane, names: &PlaneNames) -> Program {
    plane
        .describe_without_groups(program, names, 0)
        .format(names.format, plane.image.format())
}

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
        let (input, output) = (self.plane(), output.plane());
        let (skip, derivative) = (skip.map(Maps::plane), derivative.map(Maps::plane));
        debug_assert!(derivative.is_none() || skip.is_some());
        debug_assert!(derivative.is_none_or(|plane| plane.has_layout_of(output)));
        let others = skip.into_iter().chain(derivative).map(Plane::resource);
        let kernel = match skip {
            None => &KERNEL,
            Some(_) => for_derivative(&KERNELS_WITH_SKIP, derivative),
        };
        let read = texels(input) * (1 + usize::from(skip.is_some()));
        let program = Program::new(kernel);
        let program = describe(program, pooling, (output, &OUT), (input, &IN));
        let program = pooling.describe_sum(program).flag("SKIP", skip.is_some());
        let program = describe_plane(
            describe_kept(program, derivative),
            skip.unwrap_or(input),
            &SKIP,
        );
        activation
            .describe(program)
            .bind([input.image, output.image])
            .bind(others)
            .moving(16 * (read + texels(output) * (1 + usize::from(derivative.is_some()))))
            .over(recording, texels(output));
    }
}

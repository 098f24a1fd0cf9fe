use super::maps::{DERIVATIVE, GROUP, IN, Maps, OUT};
use super::winograd::{PHASES, POSITIONS, Product, Winograd};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::border::Border;
use crate::kernels::launch::{Bound, with_optional_last};
use crate::kernels::layer_pass::LayerPass;
use crate::kernels::parameters::LayerParameters;

static WEIGHTS: Kernel = kernel!("lanes/winograd_weights", 1, [Read, ReadWrite]);
static INPUT: Kernel = kernel!("lanes/winograd_input", 2, [Read, ReadWrite]);
static PRODUCT: Kernel = kernel!("lanes/winograd_product", 3, [Read, Read, ReadWrite]);
static OUTPUT: [Kernel; 2] = with_optional_last(kernel!(
    "lanes/winograd_output",
    2,
    [Read, Read, ReadWrite, ReadWrite]
));
static OUTPUT_GRADIENT: [Kernel; 2] = with_optional_last(kernel!(
    "lanes/winograd_output_gradient",
    2,
    [Read, ReadWrite, Read]
));
static INPUT_GRADIENT: [Kernel; 2] = with_optional_last(kernel!(
    "lanes/winograd_input_gradient",
    2,
    [Read, ReadWrite, Read]
));
static WEIGHT_GRADIENT: Kernel = kernel!("lanes/winograd_weight_gradient", 1, [Read, ReadWrite]);
static BIAS_GRADIENT: Kernel = kernel!("lanes/bias_gradient", 3, [Read, Read, ReadWrite]);

/// A slice of a batch: its first group of samples, and how many there are.
type Slice = (usize, usize);

/// Transforms a layer's weights: must be recorded whenever the parameters have changed.
pub(super) fn winograd_weights(
    recording: &mut Recording,
    plan: &Winograd,
    parameters: LayerParameters,
) {
    let g = &plan.geometry;
    for (pass, weights) in LayerPass::ALL.into_iter().zip(plan.weights) {
        let product = plan.product(pass);
        let words = product.blocks * product.block * product.summed;
        let biases = match pass {
            LayerPass::Forward => g.out_channels,
            LayerPass::InputGradient => 0,
        };
        g.describe_channels(Program::new(&WEIGHTS))
            .flag("TRANSPOSED", pass == LayerPass::InputGradient)
            .flag("BIAS", biases > 0)
            .u32("SUMMED", product.summed)
            .u32("BLOCK", product.block)
            .u32("BLOCKS", product.blocks)
            .bind([parameters.buffer, weights])
            .immediates([parameters.offset as u32])
            .moving(4 * (POSITIONS * words + g.weight_len()))
            .over(recording, words / 4 + biases);
    }
}

/// What `conv_forward` computes.
pub(super) fn winograd_forward(
    recording: &mut Recording,
    plan: &Winograd,
    activation: Activation,
    input: &Maps,
    output: &Maps,
    derivative: Option<&Maps>,
) {
    debug_assert!(derivative.is_none_or(|maps| maps.border == output.border));
    let g = &plan.geometry;
    let [weights, _] = plan.weights;
    for slice in plan.slices(input.samples) {
        let product = plan.product_of(LayerPass::Forward, slice.1);
        transform_input(recording, plan, &product, slice, input, false);
        multiply(recording, plan, &product, slice, weights);
        let words = POSITIONS * product.blocks * product.block * product.summed;
        let program = Program::new(&OUTPUT[usize::from(derivative.is_some())])
            .u32("GROUP", GROUP)
            .u32("TOGETHER", product.together)
            .u32("OUT_CHANNELS", g.out_channels)
            .u32("OUT_MAP_HEIGHT", g.out_height())
            .u32("OUT_MAP_WIDTH", g.out_width())
            .u32("BIAS_START", words)
            .flag("STORE_DERIVATIVE", derivative.is_some())
            .flag("RAGGED", plan.is_ragged(LayerPass::Forward));
        let program = plan.describe_tiles(activation.describe(program));
        let bound = output
            .describe(program, &OUT)
            .bind([plan.scratch.products, weights, output.buffer])
            .bind(derivative.map(|maps| maps.buffer));
        let items = slice.1 * plan.tiles();
        let moved = POSITIONS + 16 * (1 + usize::from(derivative.is_some()));
        transform(
            recording,
            bound,
            plan,
            slice,
            [product.made.div_ceil(4), items],
            4 * moved,
        );
    }
}

/// What `conv_input_gradient` computes.
pub(super) fn winograd_input_gradient(
    recording: &mut Recording,
    plan: &Winograd,
    output_gradient: &Maps,
    input_derivative: Option<&Maps>,
    input_gradient: &Maps,
) {
    let g = &plan.geometry;
    let [made_y, made_x] = plan.phase_grid();
    let [_, weights] = plan.weights;
    for slice in plan.slices(output_gradient.samples) {
        let product = plan.product_of(LayerPass::InputGradient, slice.1);
        transform_gradient(recording, plan, &product, slice, output_gradient, None);
        multiply(recording, plan, &product, slice, weights);
        let program = Program::new(&INPUT_GRADIENT[usize::from(input_derivative.is_some())])
            .u32("GROUP", GROUP)
            .u32("TOGETHER", product.together)
            .u32("MADE_X", made_x)
            .u32("MADE_Y", made_y)
            .u32("PADDING", g.padding)
            .u32("OUT_CHANNELS", g.in_channels)
            .u32("OUT_MAP_HEIGHT", g.in_height)
            .u32("OUT_MAP_WIDTH", g.in_width)
            .flag("DERIVATIVE", input_derivative.is_some())
            .flag("RAGGED", plan.is_ragged(LayerPass::InputGradient));
        let program = input_derivative
            .into_iter()
            .fold(program, |program, maps| maps.describe(program, &DERIVATIVE));
        let program = plan.describe_tiles(program);
        let bound = input_gradient
            .describe(program, &OUT)
            .bind([plan.scratch.products, input_gradient.buffer])
            .bind(input_derivative.map(|maps| maps.buffer));
        let sides = [
            PHASES * g.in_channels.div_ceil(4),
            slice.1 * made_y * made_x,
        ];
        transform(recording, bound, plan, slice, sides, 4 * (36 + 32));
    }
}

/// What `conv_weight_gradient` computes: a share for every slice.
pub(super) fn winograd_weight_gradient(
    recording: &mut Recording,
    plan: &Winograd,
    input: &Maps,
    output_gradient: &Maps,
    factor: Buffer,
    partials: Buffer,
) {
    let g = &plan.geometry;
    for (share, slice) in plan.slices(input.samples).enumerate() {
        let product = plan.weight_product(slice.1);
        transform_input(recording, plan, &product, slice, input, true);
        let of_samples = Some((factor, input.samples));
        transform_gradient(
            recording,
            plan,
            &product,
            slice,
            output_gradient,
            of_samples,
        );
        multiply(recording, plan, &product, slice, plan.scratch.gradient);
        let items = (PHASES * g.in_channels).div_ceil(GROUP);
        let quads = g.out_channels.div_ceil(4);
        g.describe_channels(Program::new(&WEIGHT_GRADIENT))
            .u32("GROUP", GROUP)
            .u32("TOGETHER", product.together)
            .bind([plan.scratch.products, partials])
            .immediates([share as u32])
            .moving(4 * (4 * POSITIONS + 16) * items * quads * GROUP)
            .launch(recording, [items as u32, quads as u32, 1], 0);
        let weights = g.weight_len();
        let to = share * (weights + g.out_channels) + weights;
        let program = Program::new(&BIAS_GRADIENT)
            .u32("GROUP", GROUP)
            .u32("SAMPLES", input.samples)
            .u32("IN_CHANNELS", g.out_channels)
            .u32("IN_MAP_HEIGHT", g.out_height())
            .u32("IN_MAP_WIDTH", g.out_width())
            .turns(slice.1 * g.out_height() * g.out_width());
        output_gradient
            .describe(program, &IN)
            .bind([output_gradient.buffer, factor, partials])
            .immediates([slice.0, slice.1, to].map(|word| word as u32))
            .moving(4 * slice.1 * GROUP * g.out_len())
            .launch(recording, [g.out_channels.div_ceil(GROUP) as u32, 1, 1], 0);
    }
}

/// Bᵀ d B of a slice of the input, laid out for `product`, whose lanes run over samples or `over_channels`.
fn transform_input(
    recording: &mut Recording,
    plan: &Winograd,
    product: &Product,
    slice: Slice,
    input: &Maps,
    over_channels: bool,
) {
    let g = &plan.geometry;
    let program = Program::new(&INPUT)
        .u32("GROUP", GROUP)
        .u32("TOGETHER", product.together)
        .u32("IN_CHANNELS", g.in_channels)
        .flag("OVER_CHANNELS", over_channels);
    let program = plan.describe_tiles(program);
    let Border { top, left, .. } = input.border;
    let bound = input
        .describe_from(program, &IN, [top - g.padding, left - g.padding])
        .bind([input.buffer, plan.scratch.transformed]);
    let sides = [g.in_channels, slice.1 * plan.tiles()];
    transform(recording, bound, plan, slice, sides, 2 * PHASES * POSITIONS);
}

/// A g Aᵀ of a slice of the output gradient, laid out as what `product` sums over or, with a factor for each of so many samples, as its
/// weights.
fn transform_gradient(
    recording: &mut Recording,
    plan: &Winograd,
    product: &Product,
    slice: Slice,
    output_gradient: &Maps,
    of_samples: Option<(Buffer, usize)>,
) {
    let g = &plan.geometry;
    let program = Program::new(&OUTPUT_GRADIENT[usize::from(of_samples.is_some())])
        .u32("GROUP", GROUP)
        .u32("TOGETHER", product.together)
        .u32("IN_CHANNELS", g.out_channels)
        .flag("FOR_WEIGHTS", of_samples.is_some())
        .flag("RAGGED", !g.out_channels.is_multiple_of(4));
    let program = match of_samples {
        Some((_, samples)) => program
            .u32("SAMPLES", samples)
            .u32("BLOCK", product.block)
            .u32("BLOCKS", product.blocks),
        None => program,
    };
    let to = match of_samples {
        Some(_) => plan.scratch.gradient,
        None => plan.scratch.transformed,
    };
    let bound = output_gradient
        .describe(plan.describe_tiles(program), &IN)
        .bind([output_gradient.buffer, to])
        .bind(of_samples.map(|(factor, _)| factor));
    let sides = [g.out_channels.div_ceil(4), slice.1 * plan.tiles()];
    transform(recording, bound, plan, slice, sides, 4 * (16 + POSITIONS));
}

/// A launch of a transform over a slice, whose workgroups move so many words in each lane.
fn transform(
    recording: &mut Recording,
    bound: Bound,
    plan: &Winograd,
    (first, groups): Slice,
    [channels, items]: [usize; 2],
    words: usize,
) {
    bound
        .immediates([first, groups * plan.tiles()].map(|word| word as u32))
        .moving(4 * words * channels * items * GROUP)
        .launch(
            recording,
            [channels as u32, items as u32, 1],
            (16 * words * channels * items) as u64,
        );
}

/// The products of a slice. They are credited with the operations of the direct convolution, so that figures of either algorithm can be
/// compared.
fn multiply(
    recording: &mut Recording,
    plan: &Winograd,
    product: &Product,
    (_, groups): Slice,
    weights: Buffer,
) {
    let turn = product.turn();
    let workgroups = [product.blocks, POSITIONS, product.chunks];
    let sizes = [product.summed, product.made, product.blocks];
    Program::new(&PRODUCT)
        .u32("GROUP", GROUP)
        .u32("TOGETHER", product.together)
        .u32("BLOCK", product.block)
        .u32("TURN", turn)
        .u32("SUMS", product.together * product.block)
        .turns(product.summed / turn)
        .bind([plan.scratch.transformed, weights, plan.scratch.products])
        .immediates(sizes.map(|word| word as u32))
        .launch(
            recording,
            workgroups.map(|count| count as u32),
            plan.geometry.flops() * (groups * GROUP) as u64,
        );
}

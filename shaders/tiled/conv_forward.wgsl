// y = act(W * x + b), the shape for GPUs: rows are output channels, columns the output pixels of all samples, and the
// depth is (input channel, kernel row, kernel column), the order in which the weight lies.
#import "shared/activation.wgsl"
#import "shared/index.wgsl"
#import "shared/tile.wgsl"

#const STORE_DERIVATIVE: bool

struct Launch {
    // The first word of the weight; the bias follows it.
    offset: u32,
    samples: u32,
}

var<immediate> launch: Launch;
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
#if STORE_DERIVATIVE
@group(0) @binding(3) var<storage, read_write> derivative: array<f32>;
#endif

const ROWS: u32 = OUT_CHANNELS;
const LEFT_ROW_STRIDE: u32 = IN_CHANNELS * TAPS;
const MAP_HEIGHT: u32 = IN_HEIGHT;
const MAP_WIDTH: u32 = IN_WIDTH;

fn column_count(slice: u32) -> u32 {
    return launch.samples * OUT_PLANE;
}

fn depth_range(slice: u32) -> vec2<u32> {
    return vec2<u32>(0u, IN_CHANNELS * TAPS);
}

fn step_of(depth: u32, end: u32) -> Step {
    let kx = depth % KERNEL_WIDTH;
    let ky = depth / KERNEL_WIDTH % KERNEL_HEIGHT;
    let channel = depth / TAPS;
    let valid = depth < end;
    let place = channel * IN_PLANE + ky * IN_WIDTH + kx;
    return Step(valid, depth, Part(place, select(OUTSIDE, ky, valid), kx));
}

fn column_of(column: u32) -> Part {
    let sample = column / OUT_PLANE;
    let y = column % OUT_PLANE / OUT_WIDTH * STRIDE - PADDING;
    let x = column % OUT_WIDTH * STRIDE - PADDING;
    let place = sample * IN_CHANNELS * IN_PLANE + y * IN_WIDTH + x;
    return Part(place, select(OUTSIDE, y, sample < launch.samples), x);
}

fn left_value(index: u32) -> f32 {
    return parameters[launch.offset + index];
}

fn right_value(column: Part, step: Part) -> f32 {
    let valid = meets(column, step);
    return select(0.0, input[select(0u, column.index + step.index, valid)], valid);
}

fn place_of(column: u32) -> u32 {
    let sample = column / OUT_PLANE;
    return select(NOWHERE, sample * OUT_CHANNELS * OUT_PLANE + column % OUT_PLANE, sample < launch.samples);
}

fn store(row: u32, places: vec4<u32>, sums: vec4<f32>) {
    let z = sums + parameters[launch.offset + OUT_CHANNELS * LEFT_ROW_STRIDE + row];
    let values = activation_value(z);
#if STORE_DERIVATIVE
    let slopes = activation_derivative(z);
#endif
#repeat i 4
    if places[$i] != NOWHERE {
        output[places[$i] + row * OUT_PLANE] = values[$i];
#if STORE_DERIVATIVE
        derivative[places[$i] + row * OUT_PLANE] = slopes[$i];
#endif
    }
#end
}

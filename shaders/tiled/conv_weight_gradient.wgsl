// Σₙ factor[n] · ∂Eₙ/∂(W, b), the shape for GPUs: rows are output channels, columns (input channel, kernel row, kernel
// column), the order in which the weight lies, and the depth is the output pixels of all samples. One more column, all
// ones, makes the bias. The depth is split into chunks, one to a slice, each of which sums into its own part of
// `partials`: the order of summation is fixed and needs no atomics.
#import "shared/index.wgsl"
#import "shared/tile.wgsl"

struct Launch {
    // Depths of a chunk.
    chunk: u32,
    samples: u32,
}

var<immediate> launch: Launch;
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

const ROWS: u32 = OUT_CHANNELS;
const LEFT_ROW_STRIDE: u32 = OUT_PLANE;
const MAP_HEIGHT: u32 = IN_HEIGHT;
const MAP_WIDTH: u32 = IN_WIDTH;
const WEIGHTS: u32 = IN_CHANNELS * TAPS;
// The index of the column that belongs to the bias; no place in the maps comes near it.
const ONES: u32 = 0x80000000u;

fn column_count(slice: u32) -> u32 {
    return WEIGHTS + 1u;
}

fn depth_range(slice: u32) -> vec2<u32> {
    let start = slice * launch.chunk;
    return vec2<u32>(start, min(start + launch.chunk, launch.samples * OUT_PLANE));
}

fn step_of(depth: u32, end: u32) -> Step {
    let sample = depth / OUT_PLANE;
    let pixel = depth % OUT_PLANE;
    let y = pixel / OUT_WIDTH * STRIDE - PADDING;
    let x = pixel % OUT_WIDTH * STRIDE - PADDING;
    let valid = depth < end;
    let place = sample * IN_CHANNELS * IN_PLANE + y * IN_WIDTH + x;
    let left = sample * OUT_CHANNELS * OUT_PLANE + pixel;
    return Step(valid, left, Part(place, select(OUTSIDE, y, valid), x));
}

fn column_of(column: u32) -> Part {
    let kx = column % KERNEL_WIDTH;
    let ky = column / KERNEL_WIDTH % KERNEL_HEIGHT;
    let place = column / TAPS * IN_PLANE + ky * IN_WIDTH + kx;
    let valid = column < WEIGHTS;
    return Part(select(ONES, place, valid), select(OUTSIDE, ky, valid), kx);
}

fn left_value(index: u32) -> f32 {
    return factor[index / (OUT_CHANNELS * OUT_PLANE)] * output_gradient[index];
}

fn right_value(column: Part, step: Part) -> f32 {
    let valid = meets(column, step);
    let value = input[select(0u, column.index + step.index, valid)];
    // Beyond the last depth the left matrix is zero, beyond the last column nothing is stored: ones do no harm there.
    return select(select(0.0, 1.0, column.index == ONES), value, valid);
}

fn place_of(column: u32) -> u32 {
    let part = slice * OUT_CHANNELS * (WEIGHTS + 1u);
    return select(select(NOWHERE, part + OUT_CHANNELS * WEIGHTS, column == WEIGHTS), part + column, column < WEIGHTS);
}

fn store(row: u32, places: vec4<u32>, sums: vec4<f32>) {
    let bias = slice * OUT_CHANNELS * (WEIGHTS + 1u) + OUT_CHANNELS * WEIGHTS;
#repeat i 4
    if places[$i] != NOWHERE {
        partials[places[$i] + select(row * WEIGHTS, row, places[$i] == bias)] = sums[$i];
    }
#end
}

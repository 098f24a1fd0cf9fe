// ∂/∂x = Wᵀ * g, times act′ of the layer before if given, the shape for GPUs: rows are input channels, columns the input
// pixels of all samples, and the depth is (output channel, kernel row, kernel column).
//
// Under a stride s, an input pixel meets only every s-th row and column of the kernel, which ones depending on its
// position modulo s. So there are s × s phases, one to a slice, each a product of its own over just those taps.
#import "shared/index.wgsl"
#import "shared/tile.wgsl"

#const TIMES_DERIVATIVE: bool

struct Launch {
    // The first word of the weight.
    offset: u32,
    samples: u32,
}

var<immediate> launch: Launch;
@group(0) @binding(0) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> input_gradient: array<f32>;
#if TIMES_DERIVATIVE
@group(0) @binding(3) var<storage, read> input_derivative: array<f32>;
#endif

const ROWS: u32 = IN_CHANNELS;
const LEFT_ROW_STRIDE: u32 = TAPS;
const MAP_HEIGHT: u32 = OUT_HEIGHT;
const MAP_WIDTH: u32 = OUT_WIDTH;

// One direction of a phase: it holds the pixels start, start + s, start + 2s, …, and the kernel's taps tap, tap + s, ….
struct Axis {
    start: u32,
    tap: u32,
    more_pixels: bool,
    more_taps: bool,
}

fn axis(phase: u32, size: u32, kernel: u32) -> Axis {
    let start = (phase + STRIDE - PADDING % STRIDE) % STRIDE;
    return Axis(start, phase, start < size % STRIDE, phase < kernel % STRIDE);
}

fn vertical(slice: u32) -> Axis {
    return axis(slice / STRIDE, IN_HEIGHT, KERNEL_HEIGHT);
}

fn horizontal(slice: u32) -> Axis {
    return axis(slice % STRIDE, IN_WIDTH, KERNEL_WIDTH);
}

// How many there are in a phase: ⌊total / s⌋ or one more.
fn count(total: u32, more: bool) -> u32 {
    return total / STRIDE + u32(more);
}

// value / count(total, more), by constants only.
fn divide(value: u32, total: u32, more: bool) -> u32 {
    return select(value / max(total / STRIDE, 1u), value / (total / STRIDE + 1u), more);
}

fn column_count(slice: u32) -> u32 {
    return launch.samples * count(IN_HEIGHT, vertical(slice).more_pixels) * count(IN_WIDTH, horizontal(slice).more_pixels);
}

fn depth_range(slice: u32) -> vec2<u32> {
    let taps = count(KERNEL_HEIGHT, vertical(slice).more_taps) * count(KERNEL_WIDTH, horizontal(slice).more_taps);
    return vec2<u32>(0u, OUT_CHANNELS * taps);
}

fn step_of(depth: u32, end: u32) -> Step {
    let v = vertical(slice);
    let h = horizontal(slice);
    let rest = divide(depth, KERNEL_WIDTH, h.more_taps);
    let tx = depth - rest * count(KERNEL_WIDTH, h.more_taps);
    let channel = divide(rest, KERNEL_HEIGHT, v.more_taps);
    let ty = rest - channel * count(KERNEL_HEIGHT, v.more_taps);
    let valid = depth < end;
    let tap = (v.tap + ty * STRIDE) * KERNEL_WIDTH + h.tap + tx * STRIDE;
    // The further along the kernel, the further back in the output.
    let place = channel * OUT_PLANE - ty * OUT_WIDTH - tx;
    return Step(valid, channel * IN_CHANNELS * TAPS + tap, Part(place, select(OUTSIDE, 0u - ty, valid), 0u - tx));
}

// Sample, row and column of the input pixel.
fn pixel_of(column: u32) -> vec3<u32> {
    let v = vertical(slice);
    let h = horizontal(slice);
    let rest = divide(column, IN_WIDTH, h.more_pixels);
    let sample = divide(rest, IN_HEIGHT, v.more_pixels);
    let y = rest - sample * count(IN_HEIGHT, v.more_pixels);
    let x = column - rest * count(IN_WIDTH, h.more_pixels);
    return vec3<u32>(sample, v.start + y * STRIDE, h.start + x * STRIDE);
}

fn column_of(column: u32) -> Part {
    let pixel = pixel_of(column);
    // The output that the phase's first tap connects with this pixel; by the definition of the phase this divides exactly.
    let y = (pixel.y + PADDING - vertical(slice).tap) / STRIDE;
    let x = (pixel.z + PADDING - horizontal(slice).tap) / STRIDE;
    let place = pixel.x * OUT_CHANNELS * OUT_PLANE + y * OUT_WIDTH + x;
    return Part(place, select(OUTSIDE, y, pixel.x < launch.samples), x);
}

fn left_value(index: u32) -> f32 {
    return parameters[launch.offset + index];
}

fn right_value(column: Part, step: Part) -> f32 {
    let valid = meets(column, step);
    return select(0.0, output_gradient[select(0u, column.index + step.index, valid)], valid);
}

fn place_of(column: u32) -> u32 {
    let pixel = pixel_of(column);
    let place = pixel.x * IN_CHANNELS * IN_PLANE + pixel.y * IN_WIDTH + pixel.z;
    return select(NOWHERE, place, pixel.x < launch.samples);
}

fn store(row: u32, places: vec4<u32>, sums: vec4<f32>) {
#repeat i 4
    if places[$i] != NOWHERE {
        let place = places[$i] + row * IN_PLANE;
#if TIMES_DERIVATIVE
        input_gradient[place] = sums[$i] * input_derivative[place];
#else
        input_gradient[place] = sums[$i];
#endif
    }
#end
}

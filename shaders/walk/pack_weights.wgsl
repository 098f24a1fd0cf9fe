// Copies a layer's parameters from the flat parameter buffer (PyTorch's order) into the order in which
// walk/langevin_chain.wgsl reads them, once for both directions: a vec4 holds the weights of a tap from one input
// channel to four output channels; neighbours are groups of output channels, then input channels, then taps. The bias
// lies behind. Channels that fill up a group have weight zero.
//
// Of the last layer, HEAD, remains the gradient of the sum of its outputs in the map that it reads, which is the same
// for every sample, laid out like that map: four channels a vec4; behind it the sum of its biases.
#import "shared/index.wgsl"

#const HEAD: bool
// Whether the layer reads a whole map as one pixel: its channels are then the groups of four channels of all pixels.
#const FLAT: bool
#const IN_CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const OUT_CHANNELS: u32
#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
#const STRIDE: u32
#const PADDING: u32
#const ROWS: u32

struct Place {
    // First word of the layer's weight.
    parameters: u32,
    // First vec4 to write.
    packed: u32,
}

var<immediate> place: Place;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec4<f32>>;

const OUT_HEIGHT: u32 = (IN_HEIGHT + 2u * PADDING - KERNEL_HEIGHT) / STRIDE + 1u;
const OUT_WIDTH: u32 = (IN_WIDTH + 2u * PADDING - KERNEL_WIDTH) / STRIDE + 1u;
const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const PLANE: u32 = IN_HEIGHT * IN_WIDTH;
const OUT_GROUPS: u32 = (OUT_CHANNELS + 3u) / 4u;
const IN_GROUPS: u32 = (IN_CHANNELS + 3u) / 4u;

fn weight(out_channel: u32, in_channel: u32, tap: u32) -> f32 {
    if out_channel >= OUT_CHANNELS || in_channel >= IN_CHANNELS {
        return 0.0;
    }
    return parameters[place.parameters + (out_channel * IN_CHANNELS + in_channel) * TAPS + tap];
}

fn bias(out_channel: u32) -> f32 {
    if out_channel >= OUT_CHANNELS {
        return 0.0;
    }
    return parameters[place.parameters + OUT_CHANNELS * IN_CHANNELS * TAPS + out_channel];
}

#if HEAD
const LENGTH: u32 = IN_GROUPS * PLANE + 1u;

fn packed_value(i: u32, k: u32) -> f32 {
    var sum = 0.0;
    if i + 1u == LENGTH {
        for (var out_channel = 0u; out_channel < OUT_CHANNELS; out_channel++) {
            sum += bias(out_channel);
        }
        return sum * f32(OUT_HEIGHT * OUT_WIDTH);
    }
    // A tap meets the pixel where the output position that this puts it at exists.
    let y = i % PLANE / IN_WIDTH + PADDING;
    let x = i % PLANE % IN_WIDTH + PADDING;
    for (var tap = 0u; tap < TAPS; tap++) {
        let ky = tap / KERNEL_WIDTH;
        let kx = tap % KERNEL_WIDTH;
        let meets_y = ky <= y && (y - ky) % STRIDE == 0u && (y - ky) / STRIDE < OUT_HEIGHT;
        let meets_x = kx <= x && (x - kx) % STRIDE == 0u && (x - kx) / STRIDE < OUT_WIDTH;
        if meets_y && meets_x {
            for (var out_channel = 0u; out_channel < OUT_CHANNELS; out_channel++) {
                sum += weight(out_channel, i / PLANE * 4u + k, tap);
            }
        }
    }
    return sum;
}
#else
// A flat layer has one tap, whose rows are those of all pixels.
const WEIGHTS: u32 = select(TAPS, 1u, FLAT) * ROWS * OUT_GROUPS;
const LENGTH: u32 = WEIGHTS + OUT_GROUPS;

fn packed_value(i: u32, k: u32) -> f32 {
    if i >= WEIGHTS {
        return bias((i - WEIGHTS) * 4u + k);
    }
    let out_channel = i % OUT_GROUPS * 4u + k;
    let row = i / OUT_GROUPS;
#if FLAT
    return weight(out_channel, row / 4u / TAPS * 4u + row % 4u, row / 4u % TAPS);
#else
    return weight(out_channel, row % ROWS, row / ROWS);
#endif
}
#endif

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < LENGTH {
        var value: vec4<f32>;
        for (var k = 0u; k < 4u; k++) {
            value[k] = packed_value(i, k);
        }
        packed[place.packed + i] = value;
    }
}

// Copies a layer's parameters from the flat parameter buffer (PyTorch's order) into the order in which the texel
// kernels read them: texel (block, group, tap, column) holds the weights from one input channel to four outputs.
#import "shared/index.wgsl"

#const IN_CHANNELS: u32
#const OUT_CHANNELS: u32
#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
// 0: forward, with the bias behind the weights; 1: input gradient of a convolution, whose outputs are the input's channels;
// 2: input gradient of a dense layer, whose outputs are the texels of the KERNEL_HEIGHT × KERNEL_WIDTH input map;
// 3: as 1, but texel (group, tap, channel) holds the weights from four outputs to one input channel.
#const MODE: u32
#const BLOCK: u32
#const GROUPS: u32

struct Place {
    // First word of the layer's weight.
    parameters: u32,
    // How many texels there are.
    texels: u32,
    // Texels that hold weights; the rest hold the bias.
    weight_texels: u32,
}

var<immediate> place: Place;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var packed: texture_storage_2d<rgba32float, write>;

const WEIGHT_ROW: u32 = 1024u;
const COLUMNS: u32 = BLOCK * 4u;
const AREA: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
// A dense layer's input gradient is a product of channels alone.
const TAPS: u32 = select(AREA, 1u, MODE == 2u);

fn weight(out_channel: u32, in_channel: u32, tap: u32) -> f32 {
    if out_channel >= OUT_CHANNELS || in_channel >= IN_CHANNELS {
        return 0.0;
    }
    return parameters[place.parameters + (out_channel * IN_CHANNELS + in_channel) * AREA + tap];
}

fn bias(out_channel: u32) -> f32 {
    if out_channel >= OUT_CHANNELS {
        return 0.0;
    }
    return parameters[place.parameters + OUT_CHANNELS * IN_CHANNELS * AREA + out_channel];
}

fn texel_value(i: u32) -> vec4<f32> {
    var value: vec4<f32>;
    if i >= place.weight_texels {
        for (var k = 0u; k < 4u; k++) {
            value[k] = bias((i - place.weight_texels) * 4u + k);
        }
        return value;
    }
    if MODE == 3u {
        for (var k = 0u; k < 4u; k++) {
            value[k] = weight(i / (IN_CHANNELS * AREA) * 4u + k, i % IN_CHANNELS, i / IN_CHANNELS % AREA);
        }
        return value;
    }
    let column = i % COLUMNS;
    let tap = i / COLUMNS % TAPS;
    let group = i / (COLUMNS * TAPS) % GROUPS;
    let output = i / (COLUMNS * TAPS * GROUPS) * BLOCK + column / 4u;
    let channel = group * 4u + column % 4u;
    for (var k = 0u; k < 4u; k++) {
        switch MODE {
            case 0u: { value[k] = weight(output * 4u + k, channel, tap); }
            case 1u: { value[k] = weight(channel, output * 4u + k, tap); }
            default: { value[k] = weight(channel, output / AREA * 4u + k, output % AREA); }
        }
    }
    return value;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < place.texels {
        textureStore(packed, vec2<u32>(i % WEIGHT_ROW, i / WEIGHT_ROW), texel_value(i));
    }
}

// G g Gᵀ of the 2×2 kernels g of a convolution's four phases, in the order in which winograd_product.wgsl reads them:
// texel (position, block, group summed, column) holds what one summed channel gives to four made ones. Behind the
// weights lies the bias.
#import "shared/index.wgsl"
#import "shared/winograd.wgsl"

#const IN_CHANNELS: u32
#const OUT_CHANNELS: u32
// Whether outputs are summed and inputs made, as in the input gradient, and not the other way round.
#const TRANSPOSED: bool
#const SUMMED: u32
#const BLOCK: u32
#const BLOCKS: u32

struct Place {
    // First word of the layer's weight.
    parameters: u32,
}

var<immediate> place: Place;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var packed: texture_storage_2d<rgba32float, write>;

const COLUMNS: u32 = BLOCK * 4u;
const TEXELS: u32 = BLOCKS * SUMMED * COLUMNS;
const OUT_GROUPS: u32 = (OUT_CHANNELS + 3u) / 4u;

// The channel `c` of the `group`th group of a phase-split input (see shared/winograd.wgsl).
fn weight(out_channel: u32, group: u32, c: u32, y: u32, x: u32) -> f32 {
    let in_channel = group / 4u * 4u + c;
    if out_channel >= OUT_CHANNELS || in_channel >= IN_CHANNELS {
        return 0.0;
    }
    let row = 2u * y + group % 4u / 2u;
    let column = 2u * x + group % 2u;
    return parameters[place.parameters + (out_channel * IN_CHANNELS + in_channel) * 16u + row * 4u + column];
}

// One tap from summed channel `column` % 4 of group `summed` to the four channels of group `made`.
fn tap(made: u32, summed: u32, c: u32, y: u32, x: u32) -> vec4<f32> {
    var value: vec4<f32>;
    for (var k = 0u; k < 4u; k++) {
#if TRANSPOSED
        value[k] = weight(summed * 4u + c, made, k, y, x);
#else
        value[k] = weight(made * 4u + k, summed, c, y, x);
#endif
    }
    return value;
}

fn bias(group: u32) -> vec4<f32> {
    var value: vec4<f32>;
    for (var k = 0u; k < 4u; k++) {
        if group * 4u + k < OUT_CHANNELS {
            value[k] = parameters[place.parameters + OUT_CHANNELS * IN_CHANNELS * 16u + group * 4u + k];
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
    if i >= TEXELS {
        if i < TEXELS + OUT_GROUPS {
            textureStore(packed, linear_texel(POSITIONS * TEXELS + i - TEXELS), bias(i - TEXELS));
        }
        return;
    }
    let column = i % COLUMNS;
    let summed = i / COLUMNS % SUMMED;
    let made = i / (COLUMNS * SUMMED) * BLOCK + column / 4u;
    let left = winograd_kernel(tap(made, summed, column % 4u, 0u, 0u), tap(made, summed, column % 4u, 1u, 0u));
    let right = winograd_kernel(tap(made, summed, column % 4u, 0u, 1u), tap(made, summed, column % 4u, 1u, 1u));
#repeat y 5
    {
        let row = winograd_kernel(left[$y], right[$y]);
#repeat x 5
        textureStore(packed, linear_texel(($y * 5u + $x) * TEXELS + i), row[$x]);
#end
    }
#end
}

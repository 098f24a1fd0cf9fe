// G g Gᵀ of the 2×2 kernels g of a convolution's four phases (see shared/winograd.wgsl), by position, block, channel summed and channel of
// the block, zeros where there is no such channel; behind them the bias. An invocation takes four made channels.
#import "shared/index.wgsl"
#import "shared/winograd.wgsl"

#const IN_CHANNELS: u32
#const OUT_CHANNELS: u32
// Whether outputs are summed and inputs made, as in the input gradient, and not the other way round.
#const TRANSPOSED: bool
// Whether the bias is wanted.
#const BIAS: bool
#const SUMMED: u32
// A multiple of four.
#const BLOCK: u32
#const BLOCKS: u32

struct Place {
    // First word of the layer's weight.
    parameters: u32,
}

var<immediate> place: Place;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

const WORDS: u32 = BLOCKS * SUMMED * BLOCK;

// Channel `phased` of the input is phase `phased` % 4 of channel `phased` / 4.
fn weight(out_channel: u32, phased: u32, y: u32, x: u32) -> f32 {
    let row = 2u * y + phased % 4u / 2u;
    let column = 2u * x + phased % 2u;
    let exists = out_channel < OUT_CHANNELS && phased < IN_CHANNELS * 4u;
    let word = (out_channel * IN_CHANNELS + phased / 4u) * 16u + row * 4u + column;
    return select(0.0, parameters[place.parameters + select(0u, word, exists)], exists);
}

fn tap(made: u32, summed: u32, y: u32, x: u32) -> vec4<f32> {
    return vec4<f32>(
#repeat k 4
#if TRANSPOSED
        weight(summed, made + $k, y, x),
#else
        weight(made + $k, summed, y, x),
#endif
#end
    );
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    let quads = WORDS / 4u;
    if i >= quads {
#if BIAS
        let channel = i - quads;
        if channel < OUT_CHANNELS {
            packed[POSITIONS * WORDS + channel] =
                parameters[place.parameters + OUT_CHANNELS * IN_CHANNELS * 16u + channel];
        }
#endif
        return;
    }
    let in_block = i * 4u % BLOCK;
    let summed = i * 4u / BLOCK % SUMMED;
    let made = i * 4u / (BLOCK * SUMMED) * BLOCK + in_block;
    let left = winograd_kernel(tap(made, summed, 0u, 0u), tap(made, summed, 1u, 0u));
    let right = winograd_kernel(tap(made, summed, 0u, 1u), tap(made, summed, 1u, 1u));
#repeat y 5
    {
        let row = winograd_kernel(left[$y], right[$y]);
#repeat x 5
#repeat k 4
        packed[($y * 5u + $x) * WORDS + i * 4u + $k] = row[$x][$k];
#end
#end
    }
#end
}

// The gradient of Σₙ factor[n]·Eₙ in a convolution's weight and bias, the shape for lavapipe. Each lane owns the
// weights between one input group, one output group and one row of taps, and walks over all tiles of PIXELS pixels of
// its share; the input pixels, the same for all lanes, are loaded one a lane and handed round by shuffles. Each
// sum is updated over PIXELS pixels before the next one is touched. Every share writes its own part of `partials`,
// which sum_partials.wgsl adds up in a fixed order.
#import "shared/plane.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
// Tiles of a share.
#const SHARE: u32
#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
#const STRIDE: u32
#const PIXELS: u32
// Tiles of PIXELS in a row of the output; the lengths of `row` and `held`, which the preprocessor cannot reckon.
#const TILES_X: u32
#const ROW_TEXELS: u32
#const LOADS: u32
// Input channels that are not padding, of each group.
#const CHANNELS: u32
#const IN_CHANNELS: u32
#const OUT_CHANNELS: u32
// Plane of the layer's input.
#const IN_FORMAT: format
#const IN_GROUPS: u32
#const IN_WIDTH: u32
#const IN_HEIGHT: u32
#const IN_PER_ROW: u32
#const IN_X: u32
#const IN_Y: u32
// Plane of the output gradient; its border is zero, so tiles may reach over the edge.
#const OUT_MAP_WIDTH: u32
#const OUT_MAP_HEIGHT: u32
#const OUT_FORMAT: format
#const OUT_GROUPS: u32
#const OUT_WIDTH: u32
#const OUT_HEIGHT: u32
#const OUT_PER_ROW: u32
#const OUT_X: u32
#const OUT_Y: u32

@group(0) @binding(0) var input: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var output_gradient: texture_storage_2d<$OUT_FORMAT, read>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const TILES: u32 = TILES_X * OUT_MAP_HEIGHT;
const WEIGHTS: u32 = OUT_CHANNELS * IN_CHANNELS * TAPS;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) work: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
#if SPREAD
    @builtin(subgroup_invocation_id) lane: u32,
#endif
) {
#if SPREAD
#else
    let lane = 0u;
#endif
    let out_group = work.x * LANES + local;
    let in_group = work.y / KERNEL_HEIGHT;
    let ky = work.y % KERNEL_HEIGHT;
    let share = work.z;
    // Lanes past the last group repeat its work, so that all take part in the shuffles.
    let group = min(out_group, OUT_GROUPS - 1u);

    var sums: array<array<vec4<f32>, CHANNELS>, KERNEL_WIDTH>;
#repeat kx KERNEL_WIDTH
#repeat c CHANNELS
    sums[$kx][$c] = vec4<f32>(0.0);
#end
#end
    var bias = vec4<f32>(0.0);

    // One loop over samples, rows and tiles and not three: every value a loop carries is copied under a mask at its
    // end, once a loop (docs/kernels.md).
    let last = min((share + 1u) * SHARE, SAMPLES * TILES);
    for (var i = share * SHARE; i < last; i++) {
        let sample = i / TILES;
        let y = i % TILES / TILES_X;
        let x = i % TILES_X * PIXELS;
        let input_corner = plane_corner(sample, in_group, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
            + vec2<u32>(IN_X + x * STRIDE, IN_Y + ky + y * STRIDE);
        let gradient_corner = plane_corner(sample, group, OUT_GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW)
            + vec2<u32>(OUT_X + x, OUT_Y + y);
        let scale = factor[sample];
        var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
        held[$l] = textureLoad(input, input_corner + vec2<u32>(min($l * LANES + lane, ROW_TEXELS - 1u), 0u));
#end
        var gradient: array<vec4<f32>, PIXELS>;
#repeat p PIXELS
        gradient[$p] = scale * textureLoad(output_gradient, gradient_corner + vec2<u32>($p, 0u));
        bias += gradient[$p];
#end
        var row: array<vec4<f32>, ROW_TEXELS>;
#repeat t ROW_TEXELS
        row[$t] = spread(held[$t / LANES], $t % LANES);
#end
#repeat kx KERNEL_WIDTH
#repeat c CHANNELS
#repeat p PIXELS
        sums[$kx][$c] += gradient[$p] * row[$p * STRIDE + $kx][$c];
#end
#end
#end
    }

    if out_group >= OUT_GROUPS {
        return;
    }
    let part = share * (WEIGHTS + OUT_CHANNELS);
#repeat o 4
    if out_group * 4u + $o < OUT_CHANNELS {
        let out_channel = out_group * 4u + $o;
#repeat c CHANNELS
        if in_group * 4u + $c < IN_CHANNELS {
            let start = part + (out_channel * IN_CHANNELS + in_group * 4u + $c) * TAPS + ky * KERNEL_WIDTH;
#repeat kx KERNEL_WIDTH
            partials[start + $kx] = sums[$kx][$c][$o];
#end
        }
#end
        if work.y == 0u {
            partials[part + WEIGHTS + out_channel] = bias[$o];
        }
    }
#end
}

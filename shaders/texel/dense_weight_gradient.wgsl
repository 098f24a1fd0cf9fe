// The gradient of Σₙ factor[n]·Eₙ in a dense layer's weight and bias, the shape for lavapipe. Lanes run over output
// groups; each keeps the weights to TEXELS texels of the input map and walks over its share of the samples. The input
// texels, the same for all lanes, are loaded one a lane and handed round by shuffles.
#import "shared/plane.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const SHARE: u32
#const TEXELS: u32
// The length of `held`, which the preprocessor cannot reckon.
#const LOADS: u32
#const IN_FEATURES: u32
#const OUT_FEATURES: u32
#const IN_CHANNELS: u32
#const IN_MAP_WIDTH: u32
#const IN_MAP_HEIGHT: u32
#const IN_FORMAT: format
#const IN_GROUPS: u32
#const IN_WIDTH: u32
#const IN_HEIGHT: u32
#const IN_PER_ROW: u32
#const IN_X: u32
#const IN_Y: u32
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

// Where the planes begin in their images.
struct Rows {
    input: u32,
    output: u32,
}

var<immediate> rows: Rows;

const IN_AREA: u32 = IN_MAP_WIDTH * IN_MAP_HEIGHT;
const IN_TEXELS: u32 = IN_GROUPS * IN_AREA;
const WEIGHTS: u32 = IN_FEATURES * OUT_FEATURES;

fn offset_of(texel: u32) -> vec2<u32> {
    let place = texel % IN_AREA;
    return vec2<u32>(texel / IN_AREA * IN_WIDTH + place % IN_MAP_WIDTH, place / IN_MAP_WIDTH);
}

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
    let first_texel = work.y * TEXELS;
    let share = work.z;
    // Lanes past the last group repeat its work, so that all take part in the shuffles.
    let group = min(out_group, OUT_GROUPS - 1u);

    var offsets: array<vec2<u32>, LOADS>;
#repeat l LOADS
    offsets[$l] = offset_of(min(first_texel + min($l * LANES + lane, TEXELS - 1u), IN_TEXELS - 1u));
#end
    var sums: array<array<vec4<f32>, 4>, TEXELS>;
#repeat t TEXELS
#repeat c 4
    sums[$t][$c] = vec4<f32>(0.0);
#end
#end
    var bias = vec4<f32>(0.0);

    for (var sample = share * SHARE; sample < min((share + 1u) * SHARE, SAMPLES); sample++) {
        let input_corner = plane_corner(sample, 0u, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
            + vec2<u32>(IN_X, IN_Y + rows.input);
        let place = plane_corner(sample, group, OUT_GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW);
        let gradient = factor[sample] * textureLoad(output_gradient, place + vec2<u32>(OUT_X, OUT_Y + rows.output));
        bias += gradient;
        var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
        held[$l] = textureLoad(input, input_corner + offsets[$l]);
#end
#repeat t TEXELS
        {
            let value = spread(held[$t / LANES], $t % LANES);
#repeat c 4
            sums[$t][$c] += gradient * value[$c];
#end
        }
#end
    }

    if out_group >= OUT_GROUPS {
        return;
    }
    let part = share * (WEIGHTS + OUT_FEATURES);
#repeat o 4
    if out_group * 4u + $o < OUT_FEATURES {
        let out_feature = out_group * 4u + $o;
#repeat t TEXELS
        if first_texel + $t < IN_TEXELS {
            let in_group = (first_texel + $t) / IN_AREA;
            let in_place = (first_texel + $t) % IN_AREA;
#repeat c 4
            if in_group * 4u + $c < IN_CHANNELS {
                let in_feature = (in_group * 4u + $c) * IN_AREA + in_place;
                partials[part + out_feature * IN_FEATURES + in_feature] = sums[$t][$c][$o];
            }
#end
        }
#end
        if work.y == 0u {
            partials[part + WEIGHTS + out_feature] = bias[$o];
        }
    }
#end
}

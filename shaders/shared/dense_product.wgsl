// The product at the heart of a dense layer, for lavapipe: lanes run over tiles of PIXELS samples, each invocation
// keeps BLOCK groups of four outputs of each in registers. The inputs of a sample are the texels of its map, group by
// group; `input`, `weights` and the constants below come from the importing file. A turn takes STEPS texels, since drivers
// may bound the turns (`gpu::MOST_TURNS`).

#const STEPS: u32
#const SEVERAL: bool

const TILES: u32 = (SAMPLES + PIXELS - 1u) / PIXELS;
const COLUMNS: u32 = BLOCK * 4u;
const IN_AREA: u32 = IN_MAP_WIDTH * IN_MAP_HEIGHT;
const IN_TEXELS: u32 = IN_GROUPS * IN_AREA;

fn weight(index: u32) -> vec4<f32> {
    return textureLoad(weights, vec2<u32>(index % WEIGHT_ROW, index / WEIGHT_ROW));
}

fn sample_of(tile: u32, p: u32) -> u32 {
    return min(tile * PIXELS + p, SAMPLES - 1u);
}

fn dense_product(
    tile: u32, block: u32, lane: u32, sums: ptr<function, array<array<vec4<f32>, PIXELS>, BLOCK>>,
) {
    var corners: array<vec2<u32>, PIXELS>;
#repeat p PIXELS
    corners[$p] = plane_corner(sample_of(tile, $p), 0u, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(IN_X, IN_Y);
#end
    for (var first = 0u; first < IN_TEXELS; first += STEPS) {
#repeat s STEPS
#if SEVERAL
        if first + $s < IN_TEXELS
#endif
        {
            let texel = first + $s;
            let group = texel / IN_AREA;
            let place = texel % IN_AREA;
            let offset = vec2<u32>(group * IN_WIDTH + place % IN_MAP_WIDTH, place / IN_MAP_WIDTH);
            var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
            held[$l] = weight((block * IN_TEXELS + texel) * COLUMNS + $l * LANES + lane);
#end
            var values: array<vec4<f32>, PIXELS>;
#repeat p PIXELS
            values[$p] = textureLoad(input, corners[$p] + offset);
#end
#repeat b BLOCK
#repeat c CHANNELS
            {
                let w = spread(held[($b * 4u + $c) / LANES], ($b * 4u + $c) % LANES);
#repeat p PIXELS
                (*sums)[$b][$p] += w * values[$p][$c];
#end
            }
#end
#end
        }
#end
    }
}

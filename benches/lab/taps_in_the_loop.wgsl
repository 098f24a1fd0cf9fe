// The taps of a row in the loop: short bodies, but every tap loads its pixels again.
    const TAP_LOADS = (COLUMNS + LANES - 1u) / LANES;
    for (var i = 0u; i < IN_GROUPS * TAPS; i++) {
        let tap = i % TAPS;
        let start = corner + vec2<u32>(i / TAPS * IN_WIDTH + tap % KERNEL_WIDTH, tap / KERNEL_WIDTH);
        let weight_start = (block * IN_GROUPS * TAPS + i) * COLUMNS + lane;
        var pixel: array<vec4<f32>, PIXELS>;
#repeat p PIXELS
        pixel[$p] = textureLoad(input, start + vec2<u32>($p * STRIDE, 0u));
#end
        var held: array<vec4<f32>, TAP_LOADS>;
        for (var l = 0u; l < TAP_LOADS; l++) {
            held[l] = weight(weight_start + l * LANES);
        }
#repeat b BLOCK
#repeat c CHANNELS
        {
            const column = $b * 4u + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$b][$p] += w * pixel[$p][$c];
#end
        }
#end
#end
    }

// The loop over groups and rows as two nested loops.
    for (var group = 0u; group < IN_GROUPS; group++) {
    for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
        let start = corner + vec2<u32>(group * IN_WIDTH, ky);
        let weight_start = ((block * IN_GROUPS + group) * KERNEL_HEIGHT + ky) * KERNEL_WIDTH * COLUMNS + lane;
        var row: array<vec4<f32>, ROW_TEXELS>;
#repeat t ROW_TEXELS
        row[$t] = textureLoad(input, start + vec2<u32>($t, 0u));
#end
        var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
        held[$l] = weight(weight_start + $l * LANES);
#end
#repeat b BLOCK
#repeat kx KERNEL_WIDTH
#repeat c CHANNELS
        {
            const column = $kx * COLUMNS + $b * 4u + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$b][$p] += w * row[$p * STRIDE + $kx][$c];
#end
        }
#end
#end
#end
    }
    }

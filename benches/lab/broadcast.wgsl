// subgroupBroadcast in place of subgroupShuffle.
    for (var i = 0u; i < IN_GROUPS * KERNEL_HEIGHT; i++) {
        let start = corner + vec2<u32>(i / KERNEL_HEIGHT * IN_WIDTH, i % KERNEL_HEIGHT);
        let weight_start = (block * IN_GROUPS * KERNEL_HEIGHT + i) * KERNEL_WIDTH * COLUMNS + lane;
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
            let w = subgroupBroadcast(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$b][$p] += w * row[$p * STRIDE + $kx][$c];
#end
        }
#end
#end
#end
    }

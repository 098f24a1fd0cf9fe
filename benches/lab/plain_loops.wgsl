// WGSL loops in place of #repeat: Mesa unrolls no body of this size, and arrays that are indexed by a loop variable
// live in memory.
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
        for (var b = 0u; b < BLOCK; b++) {
            for (var kx = 0u; kx < KERNEL_WIDTH; kx++) {
                for (var c = 0u; c < CHANNELS; c++) {
                    let column = kx * COLUMNS + b * 4u + c;
                    let w = spread(held[column / LANES], column % LANES);
                    for (var p = 0u; p < PIXELS; p++) {
                        sums[b][p] += w * row[p * STRIDE + kx][c];
                    }
                }
            }
        }
    }

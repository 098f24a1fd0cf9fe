// The forward passes of walk/langevin_chain.wgsl: out = act(W ∗ in + b).
//
// An invocation sums a tile: four output channels of TILE positions, which lie TILES apart so that neighbouring lanes
// read neighbouring positions and the same weights. Where a map has fewer tiles than there are invocations, PARTS of
// them share the input channels of a tile, and the sums are added up through the pool.

#repeat p PASSES
#if FORWARD_${p}
// What replaces the activation in the pool once every invocation has read it.
var<private> kept_${p}: array<vec4<f32>, SLOTS_${p}>;

fn finish_${p}(element: u32, slot: u32, z: vec4<f32>, is_last: bool) {
#if LAST_${p}
    kept_${p}[slot] = weights[HEAD_AT + element / GROUP_SAMPLES] * activation_derivative(z);
    pool[OUT_AT_${p} + element] = kept_${p}[slot];
    // The activation of the last hidden map is only needed for the energy.
    if is_last {
        pool[OUT_AT_${p} + element] = activation_value(z);
    }
#else
    kept_${p}[slot] = activation_derivative(z);
    pool[OUT_AT_${p} + element] = activation_value(z);
#endif
}

fn sum_tile_${p}(tile: u32, group: u32, part: u32) -> array<vec4<f32>, TILE_${p}> {
    var sums: array<vec4<f32>, TILE_${p}>;
    let bias = select(vec4<f32>(0.0), weights[BIAS_AT_${p} + group], part == 0u);
#repeat i TILE_${p}
    sums[$i] = bias;
    let position_${i} = tile + $i * TILES_${p};
    let sample_${i} = position_${i} % GROUP_SAMPLES;
    // Wraps around in the padding before the map, and so comes out too large, like after it.
    let y_${i} = position_${i} / GROUP_SAMPLES / OUT_WIDTH_${p} * STRIDE_${p} - PADDING_${p};
    let x_${i} = position_${i} / GROUP_SAMPLES % OUT_WIDTH_${p} * STRIDE_${p} - PADDING_${p};
#end
    for (var ky = 0u; ky < KERNEL_HEIGHT_${p}; ky++) {
        for (var kx = 0u; kx < KERNEL_WIDTH_${p}; kx++) {
#repeat i TILE_${p}
            let valid_${i} = (position_${i} < POSITIONS_${p})
                & (y_${i} + ky < IN_HEIGHT_${p}) & (x_${i} + kx < IN_WIDTH_${p});
            let pixel_${i} = (y_${i} + ky) * IN_WIDTH_${p} + x_${i} + kx;
#if FIRST_${p}
            let at_${i} = select(X_LENGTH, pixel_${i} * GROUP_SAMPLES + sample_${i}, valid_${i});
#else
            let at_${i} = select(ZERO, IN_AT_${p} + pixel_${i} * GROUP_SAMPLES + sample_${i}, valid_${i});
#endif
            let pitch_${i} = select(0u, IN_POSITIONS_${p}, valid_${i});
#end
            let tap = (ky * KERNEL_WIDTH_${p} + kx) * ROWS_${p};
            for (var unit = part; unit < IN_UNITS_${p}; unit += PARTS_${p}) {
#if FIRST_${p}
                let w = weights[WEIGHT_AT_${p} + (tap + unit) * PITCH_${p} + group];
#repeat i TILE_${p}
                sums[$i] += w * x[at_${i} + unit * pitch_${i}];
#end
#else
                let row = WEIGHT_AT_${p} + (tap + unit * 4u) * PITCH_${p} + group;
                let w0 = weights[row];
                let w1 = weights[row + PITCH_${p}];
                let w2 = weights[row + 2u * PITCH_${p}];
                let w3 = weights[row + 3u * PITCH_${p}];
#repeat i TILE_${p}
                {
                    let v = pool[at_${i} + unit * pitch_${i}];
                    // From left to right, so that every term is one multiply-add.
                    sums[$i] = sums[$i] + w0 * v.x + w1 * v.y + w2 * v.z + w3 * v.w;
                }
#end
#endif
            }
        }
    }
    return sums;
}

fn pass_${p}(local: u32, is_last: bool) {
    for (var round = 0u; round < ROUNDS_${p}; round++) {
        let task = round * THREADS + local;
        let tile = task % TILES_${p};
        let group = task / TILES_${p} % OUT_GROUPS_${p};
        let part = task / TILES_${p} / OUT_GROUPS_${p};
        if task < TASKS_${p} {
            let sums = sum_tile_${p}(tile, group, part);
#repeat i TILE_${p}
            if tile + $i * TILES_${p} < POSITIONS_${p} {
                let element = group * POSITIONS_${p} + tile + $i * TILES_${p};
#if SPLIT_${p}
                pool[SCRATCH_AT + part * ELEMENTS_${p} + element] = sums[$i];
#else
                finish_${p}(element, round * TILE_${p} + $i, sums[$i], is_last);
#endif
            }
#end
        }
    }
#if SPLIT_${p}
    workgroupBarrier();
    for (var slot = 0u; slot < SLOTS_${p}; slot++) {
        let element = slot * THREADS + local;
        if element < ELEMENTS_${p} {
            var z = pool[SCRATCH_AT + element];
            for (var part = 1u; part < PARTS_${p}; part++) {
                z += pool[SCRATCH_AT + part * ELEMENTS_${p} + element];
            }
            finish_${p}(element, slot, z, is_last);
        }
    }
#endif
}

fn write_back_${p}(local: u32) {
#if SPLIT_${p}
    for (var slot = 0u; slot < SLOTS_${p}; slot++) {
        let element = slot * THREADS + local;
        if element < ELEMENTS_${p} {
            pool[OUT_AT_${p} + element] = kept_${p}[slot];
        }
    }
#else
    for (var round = 0u; round < ROUNDS_${p}; round++) {
        let task = round * THREADS + local;
        let tile = task % TILES_${p};
#repeat i TILE_${p}
        if (task < TASKS_${p}) & (tile + $i * TILES_${p} < POSITIONS_${p}) {
            let element = task / TILES_${p} * POSITIONS_${p} + tile + $i * TILES_${p};
            pool[OUT_AT_${p} + element] = kept_${p}[round * TILE_${p} + $i];
        }
#end
    }
#endif
}
#endif
#end

// The backward passes of walk/langevin_chain.wgsl: out = (Wᵀ ∗ in) × act′, in place of act′; into the samples, the
// Langevin step that their gradient leads to.
//
// An invocation sums a tile: four input channels of TILE cells. A cell is a square of STRIDE × STRIDE positions, one of
// each phase, so that every tap of the kernel meets exactly one position of it: no tap is tried in vain, and all
// invocations do the same. The gradients that a cell needs come from NEIGHBOURS_Y × NEIGHBOURS_X output positions.

#repeat p PASSES
#if FORWARD_${p}
#else
const CELL_COLUMNS_${p}: u32 = (OUT_WIDTH_${p} + STRIDE_${p} - 1u) / STRIDE_${p};
const CELLS_${p}: u32 = (OUT_HEIGHT_${p} + STRIDE_${p} - 1u) / STRIDE_${p} * CELL_COLUMNS_${p} * GROUP_SAMPLES;
// The farthest output position that a cell meets lies REACH after it; the tap between them and the cell's corner is
// −SKIPPED, which is outside the kernel or its first.
const REACH_${p}: u32 = (PADDING_${p} + STRIDE_${p} - 1u) / STRIDE_${p};
const SKIPPED_${p}: u32 = STRIDE_${p} * REACH_${p} - PADDING_${p};
const NEIGHBOURS_Y_${p}: u32 = (KERNEL_HEIGHT_${p} + SKIPPED_${p} + STRIDE_${p} - 1u) / STRIDE_${p};
const NEIGHBOURS_X_${p}: u32 = (KERNEL_WIDTH_${p} + SKIPPED_${p} + STRIDE_${p} - 1u) / STRIDE_${p};
const SUMS_${p}: u32 = TILE_${p} * STRIDE_${p} * STRIDE_${p};

fn finish_${p}(group: u32, position: u32, sum: vec4<f32>) {
#if FIRST_${p}
#repeat c CHANNELS_${p}
    if group * 4u + $c < LENGTH / (OUT_HEIGHT_${p} * OUT_WIDTH_${p}) {
        let i = (group * 4u + $c) * POSITIONS_${p} + position;
        var gradient = sum[$c];
#if BASE
        gradient += BASE_PRECISION * (x[i] - BASE_MEAN);
#endif
        x[i] = moved(walk.rule, x[i], gradient, noise[i]);
    }
#end
#else
    pool[OUT_AT_${p} + group * POSITIONS_${p} + position] *= sum;
#endif
}

fn sum_tile_${p}(tile: u32, group: u32, part: u32) -> array<vec4<f32>, SUMS_${p}> {
    var sums: array<vec4<f32>, SUMS_${p}>;
#repeat j TILE_${p}
    let cell_${j} = tile + $j * TILES_${p};
    let sample_${j} = cell_${j} % GROUP_SAMPLES;
    let y_${j} = cell_${j} / GROUP_SAMPLES / CELL_COLUMNS_${p} + REACH_${p};
    let x_${j} = cell_${j} / GROUP_SAMPLES % CELL_COLUMNS_${p} + REACH_${p};
#end
    for (var ny = 0u; ny < NEIGHBOURS_Y_${p}; ny++) {
        for (var nx = 0u; nx < NEIGHBOURS_X_${p}; nx++) {
#repeat j TILE_${p}
            // Wraps around before the map, and so comes out too large, like after it.
            let valid_${j} = (cell_${j} < CELLS_${p})
                & (y_${j} - ny < IN_HEIGHT_${p}) & (x_${j} - nx < IN_WIDTH_${p});
            let pixel_${j} = (y_${j} - ny) * IN_WIDTH_${p} + x_${j} - nx;
            let at_${j} = select(ZERO, IN_AT_${p} + pixel_${j} * GROUP_SAMPLES + sample_${j}, valid_${j});
            let pitch_${j} = select(0u, IN_POSITIONS_${p}, valid_${j});
#end
            for (var unit = part; unit < IN_UNITS_${p}; unit += PARTS_${p}) {
#repeat j TILE_${p}
                let v_${j} = pool[at_${j} + unit * pitch_${j}];
#end
#repeat ry STRIDE_${p}
#repeat rx STRIDE_${p}
                {
                    let ky = ny * STRIDE_${p} + $ry - SKIPPED_${p};
                    let kx = nx * STRIDE_${p} + $rx - SKIPPED_${p};
                    if (ky < KERNEL_HEIGHT_${p}) & (kx < KERNEL_WIDTH_${p}) {
                        let tap = (ky * KERNEL_WIDTH_${p} + kx) * ROWS_${p};
                        let row = WEIGHT_AT_${p} + (tap + group * 4u) * PITCH_${p} + unit;
#repeat c CHANNELS_${p}
                        {
                            let w = weights[row + $c * PITCH_${p}];
#repeat j TILE_${p}
                            {
                                let i = ($j * STRIDE_${p} + $ry) * STRIDE_${p} + $rx;
                                // From left to right, so that every term is one multiply-add.
                                sums[i][$c] = sums[i][$c] + w.x * v_${j}.x + w.y * v_${j}.y + w.z * v_${j}.z
                                    + w.w * v_${j}.w;
                            }
#end
                        }
#end
                    }
                }
#end
#end
            }
        }
    }
    return sums;
}

fn pass_${p}(local: u32, is_last: bool) {
    for (var round = 0u; round < ROUNDS_${p}; round++) {
        let task = round * THREADS + local;
        // Neighbouring lanes share a tile, and read neighbouring weights.
        let part = task % PARTS_${p};
        let tile = task / PARTS_${p} % TILES_${p};
        let group = task / PARTS_${p} / TILES_${p};
        if task < TASKS_${p} {
            let sums = sum_tile_${p}(tile, group, part);
#repeat j TILE_${p}
#repeat ry STRIDE_${p}
#repeat rx STRIDE_${p}
            {
                let cell = tile + $j * TILES_${p};
                let row = cell / GROUP_SAMPLES / CELL_COLUMNS_${p} * STRIDE_${p} + $ry;
                let column = cell / GROUP_SAMPLES % CELL_COLUMNS_${p} * STRIDE_${p} + $rx;
                let position = (row * OUT_WIDTH_${p} + column) * GROUP_SAMPLES + cell % GROUP_SAMPLES;
                let sum = sums[($j * STRIDE_${p} + $ry) * STRIDE_${p} + $rx];
                if (cell < CELLS_${p}) & (row < OUT_HEIGHT_${p}) & (column < OUT_WIDTH_${p}) {
#if SPLIT_${p}
                    pool[SCRATCH_AT + part * ELEMENTS_${p} + group * POSITIONS_${p} + position] = sum;
#else
                    finish_${p}(group, position, sum);
#endif
                }
            }
#end
#end
#end
        }
    }
#if SPLIT_${p}
    workgroupBarrier();
    for (var element = local; element < ELEMENTS_${p}; element += THREADS) {
        var sum = pool[SCRATCH_AT + element];
        for (var part = 1u; part < PARTS_${p}; part++) {
            sum += pool[SCRATCH_AT + part * ELEMENTS_${p} + element];
        }
        finish_${p}(element / POSITIONS_${p}, element % POSITIONS_${p}, sum);
    }
#endif
}
#endif
#end

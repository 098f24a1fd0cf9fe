// The shape for GPUs: one matrix product, left × right, in tiles that a workgroup keeps in its own memory. A convolution
// becomes one by reading its feature maps through an index map instead of unfolding them in memory (implicit GEMM).
//
// The kernel that imports this file says what the matrices are:
//   ROWS, column_count(), depth_range()   their extent; the depth is what is summed over. They decide about barriers, and are
//                                         handed the slice: of a variable compilers do not know that all have the same
//   LEFT_ROW_STRIDE, left_value()         left, from a row and a decoded depth
//   MAP_HEIGHT, MAP_WIDTH, right_value()  right, from a decoded column and a decoded depth
//   step_of(), column_of()                the decoding, made once per depth or column and not once per value
//   place_of(), store()                   where the results go
//
// Rows and columns are handled four at a time, as vec4s (quads). The four lie a quarter of a tile apart, not side by
// side, so that neighbouring lanes read and write neighbouring words of global memory and yet move whole vec4s through
// workgroup memory. Anything outside the matrices is read as zero and never stored.

#const ROW_THREADS: u32
#const COLUMN_THREADS: u32
#const ROW_QUADS: u32
#const COLUMN_QUADS: u32
#const DEPTH: u32
// Which way each matrix and the result lie in memory: lanes follow it. Otherwise left lies along its rows, right along
// the depth, and the result along its columns.
#const LEFT_ALONG_DEPTH: bool
#const RIGHT_ALONG_COLUMNS: bool
#const RESULT_ALONG_ROWS: bool

#const IN_CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const OUT_CHANNELS: u32
#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
#const STRIDE: u32
#const PADDING: u32

const OUT_HEIGHT: u32 = (IN_HEIGHT + 2u * PADDING - KERNEL_HEIGHT) / STRIDE + 1u;
const OUT_WIDTH: u32 = (IN_WIDTH + 2u * PADDING - KERNEL_WIDTH) / STRIDE + 1u;
const IN_PLANE: u32 = IN_HEIGHT * IN_WIDTH;
const OUT_PLANE: u32 = OUT_HEIGHT * OUT_WIDTH;
const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;

const THREADS: u32 = ROW_THREADS * COLUMN_THREADS;
const LEFT_QUADS: u32 = ROW_THREADS * ROW_QUADS;
const RIGHT_QUADS: u32 = COLUMN_THREADS * COLUMN_QUADS;
// One vec4 of padding, so that lanes that write along the depth do not meet in one memory bank.
const LEFT_PITCH: u32 = LEFT_QUADS + 1u;
const RIGHT_PITCH: u32 = RIGHT_QUADS + 1u;
const TILE_ROWS: u32 = 4u * LEFT_QUADS;
const TILE_COLUMNS: u32 = 4u * RIGHT_QUADS;
const ROW_TILES: u32 = (ROWS + TILE_ROWS - 1u) / TILE_ROWS;

const NOWHERE: u32 = 0xffffffffu;
// A row that no map has, even after the sum of two of them.
const OUTSIDE: u32 = 0x40000000u;

// A part of the place of a value in the maps: a column's and a depth's parts add up to where it lies. Additions wrap
// around, so that a row or column in the zero padding before a map comes out too large, like one after it.
struct Part {
    index: u32,
    y: u32,
    x: u32,
}

// One decoded depth: `left` is its index in the left matrix, at row 0.
struct Step {
    valid: bool,
    left: u32,
    right: Part,
}

var<workgroup> left_tile: array<vec4<f32>, DEPTH * LEFT_PITCH>;
var<workgroup> right_tile: array<vec4<f32>, DEPTH * RIGHT_PITCH>;
// Which of several products of the same shape this workgroup is part of: a phase or a share of the depth.
var<private> slice: u32;

// Whether a column and a depth meet in the maps, and where.
fn meets(column: Part, step: Part) -> bool {
    return (column.y + step.y < MAP_HEIGHT) & (column.x + step.x < MAP_WIDTH);
}

fn left_quad(quad: u32, first_row: u32, step: Step) -> vec4<f32> {
    var values: vec4<f32>;
#repeat i 4
    {
        let row = first_row + quad + $i * LEFT_QUADS;
        let valid = step.valid & (row < ROWS);
        values[$i] = select(0.0, left_value(select(0u, step.left + row * LEFT_ROW_STRIDE, valid)), valid);
    }
#end
    return values;
}

fn right_quad(columns: array<Part, 4>, step: Part) -> vec4<f32> {
    return vec4<f32>(
        right_value(columns[0], step),
        right_value(columns[1], step),
        right_value(columns[2], step),
        right_value(columns[3], step),
    );
}

fn right_columns(quad: u32, first_column: u32) -> array<Part, 4> {
    let column = first_column + quad;
    return array<Part, 4>(
        column_of(column),
        column_of(column + RIGHT_QUADS),
        column_of(column + 2u * RIGHT_QUADS),
        column_of(column + 3u * RIGHT_QUADS),
    );
}

fn fill_left(local: u32, first_row: u32, depth: u32, depth_end: u32) {
    for (var start = 0u; start < DEPTH * LEFT_QUADS; start += THREADS) {
        let task = start + local;
        if task < DEPTH * LEFT_QUADS {
#if LEFT_ALONG_DEPTH
            let quad = task / DEPTH;
            let d = task % DEPTH;
#else
            let quad = task % LEFT_QUADS;
            let d = task / LEFT_QUADS;
#endif
            left_tile[d * LEFT_PITCH + quad] = left_quad(quad, first_row, step_of(depth + d, depth_end));
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    slice = group.z;
    // Row tiles of one column tile run together and share its part of the maps in the cache.
    let tile = flat_group(group, groups);
    let first_row = tile % ROW_TILES * TILE_ROWS;
    let first_column = tile / ROW_TILES * TILE_COLUMNS;
    if first_column >= column_count(group.z) {
        return;
    }
#if RESULT_ALONG_ROWS
    let row_thread = local % ROW_THREADS;
    let column_thread = local / ROW_THREADS;
#else
    let row_thread = local / COLUMN_THREADS;
    let column_thread = local % COLUMN_THREADS;
#endif

    var sums: array<vec4<f32>, 4u * ROW_QUADS * COLUMN_QUADS>;
#repeat i ROW_QUADS
#repeat j COLUMN_QUADS
#repeat a 4
    sums[($i * COLUMN_QUADS + $j) * 4u + $a] = vec4<f32>(0.0);
#end
#end
#end

#if RIGHT_ALONG_COLUMNS
    // THREADS is a multiple of RIGHT_QUADS: a thread fetches the same columns at every depth.
    let columns = right_columns(local % RIGHT_QUADS, first_column);
#endif
    let range = depth_range(group.z);
    for (var depth = range.x; depth < range.y; depth += DEPTH) {
        fill_left(local, first_row, depth, range.y);
        for (var start = 0u; start < DEPTH * RIGHT_QUADS; start += THREADS) {
            let task = start + local;
#if RIGHT_ALONG_COLUMNS
            let quad = local % RIGHT_QUADS;
            let d = task / RIGHT_QUADS;
#else
            let quad = task / DEPTH;
            let d = task % DEPTH;
            let columns = right_columns(quad, first_column);
#endif
            // DEPTH * RIGHT_QUADS is a multiple of THREADS: every task is one.
            right_tile[d * RIGHT_PITCH + quad] = right_quad(columns, step_of(depth + d, range.y).right);
        }
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            var left: array<vec4<f32>, ROW_QUADS>;
            var right: array<vec4<f32>, COLUMN_QUADS>;
#repeat i ROW_QUADS
            left[$i] = left_tile[d * LEFT_PITCH + $i * ROW_THREADS + row_thread];
#end
#repeat j COLUMN_QUADS
            right[$j] = right_tile[d * RIGHT_PITCH + $j * COLUMN_THREADS + column_thread];
#end
#repeat i ROW_QUADS
#repeat j COLUMN_QUADS
#repeat a 4
            sums[($i * COLUMN_QUADS + $j) * 4u + $a] =
                fma(vec4<f32>(left[$i][$a]), right[$j], sums[($i * COLUMN_QUADS + $j) * 4u + $a]);
#end
#end
#end
        }
        workgroupBarrier();
    }

#repeat j COLUMN_QUADS
    {
        let column = first_column + $j * COLUMN_THREADS + column_thread;
        let places = vec4<u32>(
            place_of(column),
            place_of(column + RIGHT_QUADS),
            place_of(column + 2u * RIGHT_QUADS),
            place_of(column + 3u * RIGHT_QUADS),
        );
#repeat i ROW_QUADS
#repeat a 4
        {
            let row = first_row + $i * ROW_THREADS + row_thread + $a * LEFT_QUADS;
            if row < ROWS {
                store(row, places, sums[($i * COLUMN_QUADS + $j) * 4u + $a]);
            }
        }
#end
#end
    }
#end
}

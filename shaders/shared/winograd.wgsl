// Winograd's F(4×4, 2×2): a 2×2 convolution makes 4×4 outputs from 5×5 inputs with 25 multiplications instead of 64,
//   y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A,
// with the matrices of the interpolation points 0, ½, −1, 2 and ∞, whose rounding error is two thirds of that of the
// usual 0, 1, −1, 2, ∞ (docs/kernels.md). S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and
// S. Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016. Here are the one-dimensional transforms, four
// channels at a time; the input gradient is the transpose of the whole and takes the transposed matrices.
//
// A 4×4 convolution of stride 2 is a 2×2 one of stride 1 over the four phases of its input (even and odd rows and
// columns), taken as four times as many channels: group 4·k + phase, where phase = 2·(odd row) + (odd column).

const POSITIONS: u32 = 25u;

// G g.
fn winograd_kernel(g0: vec4<f32>, g1: vec4<f32>) -> array<vec4<f32>, 5> {
    return array<vec4<f32>, 5>(
        g0,
        (-4.0 / 9.0) * (2.0 * g0 + g1),
        (2.0 / 9.0) * (g1 - g0),
        (1.0 / 9.0) * (g0 + 2.0 * g1),
        g1,
    );
}

// Gᵀ m.
fn winograd_kernel_transposed(m: array<vec4<f32>, 5>) -> array<vec4<f32>, 2> {
    return array<vec4<f32>, 2>(
        m[0] - (8.0 / 9.0) * m[1] - (2.0 / 9.0) * m[2] + (1.0 / 9.0) * m[3],
        (2.0 / 9.0) * (m[2] + m[3] - 2.0 * m[1]) + m[4],
    );
}

// Bᵀ d.
fn winograd_input(d: array<vec4<f32>, 5>) -> array<vec4<f32>, 5> {
    return array<vec4<f32>, 5>(
        d[0] - 1.5 * (d[1] + d[2]) + d[3],
        d[3] - d[2] - 2.0 * d[1],
        d[1] - 2.5 * d[2] + d[3],
        0.5 * (d[2] - d[1]) + d[3],
        d[1] - 1.5 * (d[2] + d[3]) + d[4],
    );
}

// Aᵀ m.
fn winograd_output(m: array<vec4<f32>, 5>) -> array<vec4<f32>, 4> {
    return array<vec4<f32>, 4>(
        m[0] + m[1] + m[2] + m[3],
        0.5 * m[1] - m[2] + 2.0 * m[3],
        0.25 * m[1] + m[2] + 4.0 * m[3],
        0.125 * m[1] - m[2] + 8.0 * m[3] + m[4],
    );
}

// A y.
fn winograd_output_transposed(y: array<vec4<f32>, 4>) -> array<vec4<f32>, 5> {
    return array<vec4<f32>, 5>(
        y[0],
        y[0] + 0.5 * y[1] + 0.25 * y[2] + 0.125 * y[3],
        y[0] - y[1] + y[2] - y[3],
        y[0] + 2.0 * y[1] + 4.0 * y[2] + 8.0 * y[3],
        y[3],
    );
}

// Four of the five elements of B m: the first four or, if `late`, the last four. Element 4 of a tile and element 0 of
// the next are the same pixel, so what the neighbour gives to it, `beside`, is added: only m[4] of the tile before, or
// only m[0] of the tile after, reaches it.
fn winograd_input_transposed(m: array<vec4<f32>, 5>, beside: vec4<f32>, late: bool) -> array<vec4<f32>, 4> {
    let d1 = m[2] - 1.5 * m[0] - 2.0 * m[1] - 0.5 * m[3] + m[4];
    let d2 = 0.5 * m[3] - 1.5 * (m[0] + m[4]) - m[1] - 2.5 * m[2];
    let d3 = m[0] + m[1] + m[2] + m[3] - 1.5 * m[4];
    return array<vec4<f32>, 4>(
        select(m[0] + beside, d1, late),
        select(d1, d2, late),
        select(d2, d3, late),
        select(d3, m[4] + beside, late),
    );
}

// Transformed maps, products and transformed weights are rows of texels one after another.
const LINEAR_ROW: u32 = 1024u;

fn linear_texel(index: u32) -> vec2<u32> {
    return vec2<u32>(index % LINEAR_ROW, index / LINEAR_ROW);
}

// The activation derivatives of the layer before, as its forward pass kept them (keep_derivative.wgsl).
#const DERIVATIVE: bool
#const DERIVATIVE_IN_BUFFER: bool
#const DERIVATIVE_BINDING: u32
// Texels of a row of their plane, and its layout.
#const DERIVATIVE_ROW: u32
#const DERIVATIVE_WIDTH: u32
#const DERIVATIVE_HEIGHT: u32
#const DERIVATIVE_PER_ROW: u32
#const DERIVATIVE_X: u32
#const DERIVATIVE_Y: u32

#if DERIVATIVE
#if DERIVATIVE_IN_BUFFER
@group(0) @binding(DERIVATIVE_BINDING) var<storage, read> derivative: array<vec4<f32>>;

fn kept_derivative(place: vec2<u32>) -> vec4<f32> {
    return derivative[place.y * DERIVATIVE_ROW + place.x];
}
#else
@group(0) @binding(DERIVATIVE_BINDING) var derivative: texture_storage_2d<$OUT_FORMAT, read>;

fn kept_derivative(place: vec2<u32>) -> vec4<f32> {
    return textureLoad(derivative, place);
}
#endif

// The texel of the first of a map, inside its border.
fn derivative_corner(sample: u32, group: u32, groups: u32) -> vec2<u32> {
    return plane_corner(sample, group, groups, DERIVATIVE_WIDTH, DERIVATIVE_HEIGHT, DERIVATIVE_PER_ROW)
        + vec2<u32>(DERIVATIVE_X, DERIVATIVE_Y);
}
#endif

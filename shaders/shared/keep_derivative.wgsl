// Where a forward pass keeps its activation derivatives: in an image laid out like its output, or in a buffer of the same texels,
// row by row. They are read once only, texel by texel, and of all that lavapipe does a store to an image is the dearest
// (docs/kernels.md).
#const STORE_DERIVATIVE: bool
#const DERIVATIVE_IN_BUFFER: bool
// Texels of a row.
#const DERIVATIVE_ROW: u32

#if STORE_DERIVATIVE
#if DERIVATIVE_IN_BUFFER
@group(0) @binding(3) var<storage, read_write> derivative: array<vec4<f32>>;

fn keep_derivative(place: vec2<u32>, value: vec4<f32>) {
    derivative[place.y * DERIVATIVE_ROW + place.x] = value;
}
#else
@group(0) @binding(3) var derivative: texture_storage_2d<$OUT_FORMAT, write>;

fn keep_derivative(place: vec2<u32>, value: vec4<f32>) {
    textureStore(derivative, place, to_$OUT_FORMAT(value));
}
#endif
#endif

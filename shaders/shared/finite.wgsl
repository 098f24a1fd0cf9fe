// WGSL has no isnan, and compilers may assume that there are no such numbers: look at the exponent's bits.
fn is_finite(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

// By selection and not by max and min, which turn NaN into a number and so hide a lost chain.
fn activation_value(z: vec4<f32>) -> vec4<f32> {
    return select(SLOPE * z, z, z > vec4<f32>(0.0));
}

fn activation_derivative(z: vec4<f32>) -> vec4<f32> {
    return select(vec4<f32>(SLOPE), vec4<f32>(1.0), z > vec4<f32>(0.0));
}

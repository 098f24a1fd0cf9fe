// ln(1 + eᶻ).
fn activation_value(z: vec4<f32>) -> vec4<f32> {
    return max(z, vec4<f32>(0.0)) + log(1.0 + exp(-abs(z)));
}

fn activation_derivative(z: vec4<f32>) -> vec4<f32> {
    return sigmoid(z);
}

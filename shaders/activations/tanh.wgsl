fn activation_value(z: vec4<f32>) -> vec4<f32> {
    return tanh(z);
}

fn activation_derivative(z: vec4<f32>) -> vec4<f32> {
    let t = tanh(z);
    return 1.0 - t * t;
}

// Pointwise activation functions and their derivatives, four channels at a time.
// 0 identity, 1 SiLU z·σ(z), 2 LeakyReLU, 3 softplus ln(1 + eᶻ), 4 tanh.

#const ACTIVATION: u32
#const SLOPE: f32

fn sigmoid(z: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(-z));
}

fn activation_value(z: vec4<f32>) -> vec4<f32> {
    switch ACTIVATION {
        case 1u: { return z * sigmoid(z); }
        // Not by max and min, which turn NaN into a number and so hide a lost chain.
        case 2u: { return select(SLOPE * z, z, z > vec4<f32>(0.0)); }
        case 3u: { return max(z, vec4<f32>(0.0)) + log(1.0 + exp(-abs(z))); }
        case 4u: { return tanh(z); }
        default: { return z; }
    }
}

fn activation_derivative(z: vec4<f32>) -> vec4<f32> {
    switch ACTIVATION {
        case 1u: {
            let s = sigmoid(z);
            return s * (1.0 + z * (1.0 - s));
        }
        case 2u: { return select(vec4<f32>(SLOPE), vec4<f32>(1.0), z > vec4<f32>(0.0)); }
        case 3u: { return sigmoid(z); }
        case 4u: {
            let t = tanh(z);
            return 1.0 - t * t;
        }
        default: { return vec4<f32>(1.0); }
    }
}

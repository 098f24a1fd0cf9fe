// A pointwise activation function and its derivative, four channels at a time: ACTIVATION writes them.

#const SLOPE: f32

fn sigmoid(z: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(-z));
}

#import ACTIVATION

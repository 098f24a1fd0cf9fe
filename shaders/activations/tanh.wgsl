// Some drivers compute it by exponentials, which overflow: NaN from 89 on. In f32 it is 1 to the last bit from 9.02 on. By
// selection and not by clamp, which turns NaN into a number and so hides a lost chain.
const FLAT: f32 = 10.0;

fn bounded_tanh(z: vec4<f32>) -> vec4<f32> {
    return tanh(select(z, FLAT * sign(z), abs(z) > vec4<f32>(FLAT)));
}

fn activation_value(z: vec4<f32>) -> vec4<f32> {
    return bounded_tanh(z);
}

fn activation_derivative(z: vec4<f32>) -> vec4<f32> {
    let t = bounded_tanh(z);
    return 1.0 - t * t;
}

// f(t) = −2√t
fn data_weight(u: f32) -> f32 {
    return 0.5 * exp(-0.5 * u);
}

fn noise_weight(u: f32) -> f32 {
    return 0.5 * exp(0.5 * u);
}

fn data_loss(u: f32) -> f32 {
    return exp(-0.5 * u);
}

fn noise_loss(u: f32) -> f32 {
    return exp(0.5 * u);
}

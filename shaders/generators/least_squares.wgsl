// f(t) = (t − 1)²/2
fn data_weight(u: f32) -> f32 {
    return exp(u);
}

fn noise_weight(u: f32) -> f32 {
    return exp(2.0 * u);
}

fn data_loss(u: f32) -> f32 {
    return 1.0 - exp(u);
}

fn noise_loss(u: f32) -> f32 {
    return 0.5 * (exp(2.0 * u) - 1.0);
}

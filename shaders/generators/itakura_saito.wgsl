// f(t) = −ln t
fn data_weight(u: f32) -> f32 {
    return exp(-u);
}

fn noise_weight(u: f32) -> f32 {
    return 1.0;
}

fn data_loss(u: f32) -> f32 {
    return exp(-u);
}

fn noise_loss(u: f32) -> f32 {
    return u;
}

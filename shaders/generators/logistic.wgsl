// f(t) = t ln t − (ν + t) ln(ν + t), with h = u − ln ν.
fn softplus(z: f32) -> f32 {
    return max(z, 0.0) + log(1.0 + exp(-abs(z)));
}

fn logistic(z: f32) -> f32 {
    return 1.0 / (1.0 + exp(-z));
}

fn data_weight(u: f32) -> f32 {
    return logistic(log(NU) - u);
}

fn noise_weight(u: f32) -> f32 {
    return NU * logistic(u - log(NU));
}

fn data_loss(u: f32) -> f32 {
    return softplus(log(NU) - u);
}

fn noise_loss(u: f32) -> f32 {
    return NU * softplus(u - log(NU));
}

// f(t) = (t¹⁺ᵃ − t)/a, where EXPONENT is a.
fn data_weight(u: f32) -> f32 {
    return (1.0 + EXPONENT) * exp(EXPONENT * u);
}

fn noise_weight(u: f32) -> f32 {
    return (1.0 + EXPONENT) * exp((1.0 + EXPONENT) * u);
}

fn data_loss(u: f32) -> f32 {
    return (1.0 - (1.0 + EXPONENT) * exp(EXPONENT * u)) / EXPONENT;
}

fn noise_loss(u: f32) -> f32 {
    return exp((1.0 + EXPONENT) * u);
}

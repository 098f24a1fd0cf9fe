// The rule of one Langevin step: x ← bounds(x − step_size · clip(∇E) + noise · ξ), ξ standard normal.
#import "shared/finite.wgsl"

// 0: none, 1: clamp to [low, high], 2: reflect at low and high
#const BOUNDS: u32
#const CLIP: bool

struct Step {
    seed: vec2<u32>,
    step: u32,
    // The element of the random stream that the first value takes.
    first_element: u32,
    step_size: f32,
    noise: f32,
    clip: f32,
    low: f32,
    high: f32,
}

fn bounded(rule: Step, value: f32) -> f32 {
    // A chain that is lost must stay visible: clamping would turn NaN into a number.
    if !is_finite(value) {
        return value;
    }
    switch BOUNDS {
        case 1u: { return clamp(value, rule.low, rule.high); }
        case 2u: {
            if value >= rule.low && value <= rule.high {
                return value;
            }
            // A triangle wave of period 2 · (high − low) brings even a far overshoot back inside.
            let width = rule.high - rule.low;
            let turns = (value - rule.low) / (2.0 * width);
            let place = (turns - floor(turns)) * 2.0 * width;
            return clamp(rule.low + min(place, 2.0 * width - place), rule.low, rule.high);
        }
        default: { return value; }
    }
}

fn clipped(rule: Step, gradient: f32) -> f32 {
#if CLIP
    return select(gradient, clamp(gradient, -rule.clip, rule.clip), is_finite(gradient));
#else
    return gradient;
#endif
}

fn moved(rule: Step, x: f32, gradient: f32, xi: f32) -> f32 {
    return bounded(rule, x - rule.step_size * clipped(rule, gradient) + rule.noise * xi);
}

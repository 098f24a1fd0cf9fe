// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011): random words as a pure function of a counter and a key.
// The counter is (element, 0, step, stream) and the key the seed, as in src/random/philox.rs.

const PHILOX_MULTIPLIER_0: u32 = 0xD2511F53u;
const PHILOX_MULTIPLIER_1: u32 = 0xCD9E8D57u;
const PHILOX_WEYL: vec2<u32> = vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
const TAU: f32 = 6.2831853071795864;

// The high word of a 32 × 32 bit product, from 16-bit halves.
fn multiply_high(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let middle_1 = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let middle_2 = (a & 0xffffu) * (b >> 16u) + (middle_1 & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (middle_1 >> 16u) + (middle_2 >> 16u);
}

fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var key = seed;
    for (var round = 0u; round < 10u; round++) {
        let high = vec2<u32>(multiply_high(PHILOX_MULTIPLIER_0, c.x), multiply_high(PHILOX_MULTIPLIER_1, c.z));
        let low = vec2<u32>(PHILOX_MULTIPLIER_0 * c.x, PHILOX_MULTIPLIER_1 * c.z);
        c = vec4<u32>(high.y ^ c.y ^ key.x, low.y, high.x ^ c.w ^ key.y, low.x);
        key += PHILOX_WEYL;
    }
    return c;
}

// A uniform number on the open interval (0, 1).
fn uniform01(bits: u32) -> f32 {
    return (f32(bits >> 9u) + 0.5) * (1.0 / 8388608.0);
}

// Four standard normals (Box & Muller 1958): those of elements 4·block … 4·block + 3.
fn normals(seed: vec2<u32>, stream: u32, step: u32, block: u32) -> vec4<f32> {
    return normals_at(vec4<u32>(block, 0u, step, stream), seed);
}

// The four of one counter.
fn normals_at(counter: vec4<u32>, seed: vec2<u32>) -> vec4<f32> {
    let words = philox(counter, seed);
    let radius = sqrt(-2.0 * log(vec2<f32>(uniform01(words.x), uniform01(words.z))));
    let angle = TAU * vec2<f32>(uniform01(words.y), uniform01(words.w));
    return vec4<f32>(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));
}

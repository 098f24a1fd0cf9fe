// What a step of the samplers is told apart from the values themselves.
struct Moment {
    seed: vec2<u32>,
    step: u32,
    // The number of the first chain, so that a large set of chains can be run in batches.
    first_chain: u32,
    temperature: f32,
}

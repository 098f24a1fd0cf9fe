// Copies the parameters of a network of dense layers from the flat buffer to where texel/stack reads them: word by word as a table says,
// which takes less than to reckon the places out.

#const TEXELS: u32

@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<vec4<u32>>;
@group(0) @binding(2) var packed: texture_storage_2d<rgba32float, write>;

const NOTHING: u32 = 0xffffffffu;
// Texels in a row of a weight image.
const WEIGHT_ROW: u32 = 1024u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= TEXELS {
        return;
    }
    let words = table[id.x];
    // There is a first word; branches would cost more.
    let chosen = select(words, vec4<u32>(), words == vec4<u32>(NOTHING));
    let held = vec4<f32>(
        parameters[chosen.x], parameters[chosen.y], parameters[chosen.z], parameters[chosen.w],
    );
    let value = select(held, vec4<f32>(), words == vec4<u32>(NOTHING));
    textureStore(packed, vec2<u32>(id.x % WEIGHT_ROW, id.x / WEIGHT_ROW), value);
}

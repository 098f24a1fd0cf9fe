// Where transformed maps and products hold a tile: chunks of CHUNK tiles, which winograd_product.wgsl reads together,
// lie together. There are CHUNKS of them in a slice of the samples.

#const CHUNK: u32
#const CHUNKS: u32

// The texel of a tile of a slice at position 0, in maps of `groups` channel groups. The next position's is
// CHUNKS · `groups` · CHUNK texels on.
fn tile_texel(tile: u32, group: u32, groups: u32) -> u32 {
    return ((tile / CHUNK) * groups + group) * CHUNK + tile % CHUNK;
}

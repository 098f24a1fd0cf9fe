// Where Winograd's method keeps what it has transformed, in the family `lanes`. A tile of a group of samples is an item: a value in each
// of GROUP lanes. Transformed maps and products lie by chunk of TOGETHER items, position, channel and item, so that a product reads one
// piece of memory.
#import "shared/winograd.wgsl"
#import "shared/lanes.wgsl"

#const TOGETHER: u32

// Words of a chunk's items in one channel.
const SPAN: u32 = TOGETHER * GROUP;

// Words from one position to the next. A power of two would have all positions meet in the same few lines of a cache.
fn apart(channels: u32) -> u32 {
    return channels * SPAN + GROUP;
}

// The first lane's word of an item at position 0; the next channel's is SPAN on.
fn item_place(item: u32, channel: u32, channels: u32) -> u32 {
    return item / TOGETHER * POSITIONS * apart(channels) + channel * SPAN + item % TOGETHER * GROUP;
}

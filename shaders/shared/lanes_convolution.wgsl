// What the convolutions of the family `lanes` are told alike: a kernel, the channels of a workgroup, and the maps on both sides.
#import "shared/lanes.wgsl"

#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
#const STRIDE: u32
// Channels that a workgroup computes at a time, and as many blocks of them.
#const BLOCK: u32
#const BLOCKS: u32
// What is read of the input at a time: rows of all channels, and values of each.
#const ROWS: u32
#const ROW: u32
// Bordered size of the maps that are read, and the first value that the first of those at the other end meets.
#const IN_CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const IN_Y: u32
#const IN_X: u32
// Likewise of the maps at the other end, with the first value inside the border, and their height without it.
#const OUT_CHANNELS: u32
#const OUT_HEIGHT: u32
#const OUT_WIDTH: u32
#const OUT_Y: u32
#const OUT_X: u32
#const OUT_MAP_HEIGHT: u32

const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const IN_AREA: u32 = IN_HEIGHT * IN_WIDTH;

// What the poolings share: windows that tile the large map and make one value each of the small one.
#import "shared/index.wgsl"

#const LARGE_MAP_WIDTH: u32
#const LARGE_MAP_HEIGHT: u32
#const SMALL_MAP_WIDTH: u32
#const SMALL_MAP_HEIGHT: u32
#const WINDOW_WIDTH: u32
#const WINDOW_HEIGHT: u32
#const FACTOR: f32

const LARGE_AREA: u32 = LARGE_MAP_WIDTH * LARGE_MAP_HEIGHT;
const SMALL_AREA: u32 = SMALL_MAP_WIDTH * SMALL_MAP_HEIGHT;

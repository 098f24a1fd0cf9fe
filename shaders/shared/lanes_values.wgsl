// Maps of the family `lanes` as a list of values in (channel, row, column) order: where each lies in its bordered map.
#import "shared/lanes.wgsl"

// Of a map of size `map` (height, width), in one of size `bordered` whose border is `before` on top and on the left.
fn value_place(value: u32, map: vec2<u32>, bordered: vec2<u32>, before: vec2<u32>) -> u32 {
    let channel = value / (map.x * map.y);
    let y = value / map.y % map.x + before.x;
    let x = value % map.y + before.y;
    return ((channel * bordered.x + y) * bordered.y + x) * GROUP;
}

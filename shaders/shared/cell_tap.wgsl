// Where the taps of an input gradient by cells lead: from which of the outputs that the cell meets, counted from the first of these, to
// which of its pixels. Tap k leads from output t + d to pixel STRIDE·t + o, where STRIDE·d = o + PADDING − k.

// Added before a division so that nothing is below zero: a multiple of STRIDE larger than any tap.
const LIFT: u32 = STRIDE * (KERNEL_HEIGHT + KERNEL_WIDTH);

#repeat ky KERNEL_HEIGHT
const PIXEL_Y_${ky}: u32 = (LIFT + $ky - PADDING % STRIDE) % STRIDE;
const FROM_Y_${ky}: u32 = (LIFT + PIXEL_Y_${ky} + PADDING - $ky) / STRIDE + BEFORE_Y - LIFT / STRIDE;
#end
#repeat kx KERNEL_WIDTH
const PIXEL_X_${kx}: u32 = (LIFT + $kx - PADDING % STRIDE) % STRIDE;
const FROM_X_${kx}: u32 = (LIFT + PIXEL_X_${kx} + PADDING - $kx) / STRIDE + BEFORE_X - LIFT / STRIDE;
#end
#repeat ky KERNEL_HEIGHT
#repeat kx KERNEL_WIDTH
const PIXEL_${ky}_${kx}: u32 = PIXEL_Y_${ky} * STRIDE + PIXEL_X_${kx};
#end
#end

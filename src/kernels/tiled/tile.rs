use crate::gpu::{Program, grid};
use crate::kernels::geometry::ConvGeometry;
use serde::{Deserialize, Serialize};

/// Enough workgroups to keep a large GPU busy.
pub(super) const BUSY: usize = 256;

/// How a workgroup's part of the result is spread over its threads. What `shaders/shared/tile.wgsl` relies on is
/// checked in this file's tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tile {
    pub row_threads: usize,
    pub column_threads: usize,
    /// Groups of four rows, and of four columns, that one thread sums in registers.
    pub row_quads: usize,
    pub column_quads: usize,
    pub depth: usize,
}

/// Each with its multiply-adds per time against those of the largest tile: small tiles load more for each. A guess from
/// the loads per multiply-add, to be replaced by measurements on each family of GPUs.
const TILES: [(Tile, f64); 6] = [
    (Tile::new([16, 16], [2, 2], 8), 1.0),
    (Tile::new([16, 16], [1, 1], 16), 0.75),
    (Tile::new([8, 8], [1, 1], 16), 0.5),
    (Tile::new([4, 16], [1, 1], 16), 0.5),
    (Tile::new([16, 4], [1, 1], 16), 0.5),
    (Tile::new([1, 64], [1, 1], 8), 0.4),
];

impl Tile {
    const fn new(
        [row_threads, column_threads]: [usize; 2],
        [row_quads, column_quads]: [usize; 2],
        depth: usize,
    ) -> Self {
        Tile {
            row_threads,
            column_threads,
            row_quads,
            column_quads,
            depth,
        }
    }

    fn rows(&self) -> usize {
        4 * self.row_threads * self.row_quads
    }

    fn columns(&self) -> usize {
        4 * self.column_threads * self.column_quads
    }

    /// Workgroups for one product of `rows` × `columns`.
    pub(super) fn tiles(&self, rows: usize, columns: usize) -> usize {
        rows.div_ceil(self.rows()) * columns.div_ceil(self.columns())
    }

    /// Turns of an invocation's loops over `depth` (`shaders/shared/tile.wgsl`).
    pub(super) fn turns(&self, depth: usize) -> usize {
        let threads = self.row_threads * self.column_threads;
        let filling = |quads: usize| (self.depth * quads).div_ceil(threads);
        let left = filling(self.row_threads * self.row_quads);
        let right = filling(self.column_threads * self.column_quads);
        depth.div_ceil(self.depth) * (1 + left + right + self.depth)
    }

    /// The depth is walked in steps of this.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The tile that takes the least time, see [`Self::ranked`].
    pub(super) fn choose(rows: usize, columns: usize, slices: impl Fn(&Tile) -> Slices) -> Tile {
        Self::ranked(rows, columns, slices)[0]
    }

    /// All tiles, by the time they take for a product of `rows` × `columns`, when `slices` says for each tile how many
    /// workgroups share its depth or how many such products there are. Workgroups that run beside each other on an idle
    /// GPU cost no more than one.
    pub(super) fn ranked(
        rows: usize,
        columns: usize,
        slices: impl Fn(&Tile) -> Slices,
    ) -> Vec<Tile> {
        let time = |(tile, speed): &(Tile, f64)| {
            let slices = slices(tile);
            let workgroups = (tile.tiles(rows, columns) * slices.count).max(BUSY);
            workgroups as f64 * (tile.rows() * tile.columns()) as f64 * slices.share / speed
        };
        let mut tiles = TILES;
        tiles.sort_by(|a, b| time(a).total_cmp(&time(b)));
        tiles.map(|(tile, _)| tile).to_vec()
    }

    /// Workgroups over `rows` × `columns` × `slices`.
    pub(super) fn workgroups(&self, rows: usize, columns: usize, slices: usize) -> [u32; 3] {
        let [x, y, _] = grid(self.tiles(rows, columns));
        [x, y, slices as u32]
    }

    /// Adds the constants of `shaders/shared/tile.wgsl`.
    pub(super) fn describe(
        &self,
        program: Program,
        geometry: &ConvGeometry,
        order: Order,
    ) -> Program {
        geometry
            .describe(program)
            .u32("ROW_THREADS", self.row_threads)
            .u32("COLUMN_THREADS", self.column_threads)
            .u32("ROW_QUADS", self.row_quads)
            .u32("COLUMN_QUADS", self.column_quads)
            .u32("DEPTH", self.depth)
            .flag("LEFT_ALONG_DEPTH", order.left_along_depth)
            .flag("RIGHT_ALONG_COLUMNS", order.right_along_columns)
            .flag("RESULT_ALONG_ROWS", order.result_along_rows)
    }
}

/// Products of the same shape in one launch, and the share of the depth that each sums over.
pub(super) struct Slices {
    pub(super) count: usize,
    pub(super) share: f64,
}

/// Which way the matrices lie in memory, as `shaders/shared/tile.wgsl` says.
pub(super) struct Order {
    pub(super) left_along_depth: bool,
    pub(super) right_along_columns: bool,
    pub(super) result_along_rows: bool,
}

/// Whether the output maps are one pixel each.
pub(super) fn is_flat(geometry: &ConvGeometry) -> bool {
    geometry.out_height() * geometry.out_width() == 1
}

/// The same layer, but as a dense one (1×1 maps, 1×1 kernel) where the kernel covers the whole unpadded input: memory
/// is laid out alike, and no tap meets the padding any more.
pub(super) fn flattened(geometry: &ConvGeometry) -> ConvGeometry {
    match geometry.covers_input() {
        true => geometry.over_pixel(geometry.in_len()),
        false => *geometry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_meet_the_demands_of_the_shader() {
        for (tile, _) in TILES {
            let threads = tile.row_threads * tile.column_threads;
            let right_quads = tile.column_threads * tile.column_quads;
            let left_quads = tile.row_threads * tile.row_quads;
            assert_eq!(
                threads % right_quads,
                0,
                "{tile:?}: a thread fetches the same columns at every depth"
            );
            assert_eq!(
                tile.depth * right_quads % threads,
                0,
                "{tile:?}: every task of filling right is one"
            );
            let bytes = 16 * tile.depth * (left_quads + right_quads + 2);
            assert!(
                bytes <= 16_384,
                "{tile:?}: the workgroup memory that every adapter has"
            );
            assert!(
                threads <= 256,
                "{tile:?}: the threads that every adapter has"
            );
        }
    }

    #[test]
    fn tiles_follow_the_shape_of_the_product() {
        let shape = |rows, columns| {
            let tile = Tile::choose(rows, columns, |_| Slices {
                count: 1,
                share: 1.0,
            });
            (tile.rows(), tile.columns())
        };
        assert_eq!(shape(512, 1 << 20), (128, 128));
        assert_eq!(shape(64, 1 << 16), (64, 64));
        assert_eq!(shape(16, 1 << 16), (16, 64));
        assert_eq!(shape(1 << 16, 10), (64, 16));
        assert_eq!(shape(3, 1 << 20), (4, 256));
        assert_eq!(shape(64, 128), (32, 32));
    }
}

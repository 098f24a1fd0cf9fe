use super::THREADS;
use super::hidden::Hidden;
use crate::gpu::Program;
use crate::shape::Shape;

/// What a load of four values costs against a multiply-add of as many: a guess from the public figures of GPUs (a vec4
/// from workgroup memory or the cache takes a warp two to four of the cycles that all four schedulers share), to be
/// replaced by measurements.
const LOAD_COST: usize = 2;
/// What sharing sums costs beside its loads: a barrier.
const BARRIER_COST: usize = 30;
/// Sums of four values that an invocation keeps in registers.
const MOST_SUMS: usize = 16;

/// A map between two layers, and where it lies in the pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    groups: usize,
    pixels: usize,
    at: usize,
}

impl Map {
    pub(super) fn new(shape: Shape, at: usize) -> Self {
        Map {
            groups: shape.channels.div_ceil(4),
            pixels: shape.height * shape.width,
            at,
        }
    }

    pub(super) fn quads(&self, samples: usize) -> usize {
        self.groups * self.pixels * samples
    }
}

/// One pass through a hidden layer. The names are those of the constants in `shaders/walk/langevin_chain.wgsl`.
#[derive(Clone, Debug)]
pub(super) struct WalkPass {
    forward: bool,
    first: bool,
    last: bool,
    in_at: usize,
    in_units: usize,
    in_size: [usize; 2],
    out_at: usize,
    out_groups: usize,
    out_size: [usize; 2],
    hidden: Hidden,
    split: Split,
}

/// How a pass is spread over the invocations of a workgroup.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Split {
    tile: usize,
    tiles: usize,
    parts: usize,
}

/// What a pass has to sum.
struct PassSums {
    /// Groups of four channels to make.
    groups: usize,
    /// Positions, or cells, of a group.
    places: usize,
    /// Sums that one of them keeps.
    sums: usize,
    /// Groups of channels to read; the parts share these.
    units: usize,
    /// Loads and multiply-adds of four values for each unit: those that a tile makes once, and those of every place.
    loads_once: usize,
    loads: usize,
    products: usize,
}

impl WalkPass {
    /// The passes of one step. `scratch` is how many quads shared sums may take up.
    pub(super) fn all(
        hidden: &[Hidden],
        maps: &[Map],
        samples: usize,
        scratch: usize,
    ) -> Vec<Self> {
        let forward = (0..hidden.len()).map(|l| Self::forward(hidden, maps, l, samples, scratch));
        let backward = (0..hidden.len())
            .rev()
            .map(|l| Self::backward(hidden, maps, l, samples, scratch));
        forward.chain(backward).collect()
    }

    fn forward(
        hidden: &[Hidden],
        maps: &[Map],
        layer: usize,
        samples: usize,
        scratch: usize,
    ) -> Self {
        let g = hidden[layer].geometry;
        let first = layer == 0;
        let out_size = [g.out_height(), g.out_width()];
        // The samples are read value by value, maps four channels at a time.
        let (in_at, in_units) = match first {
            true => (0, g.in_channels),
            false => (maps[layer - 1].at, g.in_channels.div_ceil(4)),
        };
        let width = if first { 1 } else { 4 };
        let taps = g.kernel_height * g.kernel_width;
        let work = PassSums {
            groups: maps[layer].groups,
            places: out_size[0] * out_size[1] * samples,
            sums: 1,
            units: in_units,
            loads_once: taps * width,
            loads: taps,
            products: taps * width,
        };
        WalkPass {
            forward: true,
            first,
            last: layer + 1 == hidden.len(),
            in_at,
            in_units,
            in_size: [g.in_height, g.in_width],
            out_at: maps[layer].at,
            out_groups: work.groups,
            out_size,
            split: Split::choose(&work, maps[layer].quads(samples), scratch),
            hidden: hidden[layer].clone(),
        }
    }

    fn backward(
        hidden: &[Hidden],
        maps: &[Map],
        layer: usize,
        samples: usize,
        scratch: usize,
    ) -> Self {
        let g = hidden[layer].geometry;
        let first = layer == 0;
        let channels = g.in_channels.min(4);
        let out_groups = g.in_channels.div_ceil(4);
        let out_size = [g.in_height, g.in_width];
        let cells = |side: usize| side.div_ceil(g.stride);
        let taps = g.kernel_height * g.kernel_width;
        let neighbours = g.kernel_height.div_ceil(g.stride) * g.kernel_width.div_ceil(g.stride);
        let work = PassSums {
            groups: out_groups,
            places: cells(g.in_height) * cells(g.in_width) * samples,
            sums: g.stride * g.stride,
            units: maps[layer].groups,
            loads_once: taps * channels,
            loads: neighbours,
            products: taps * channels,
        };
        let quads = out_groups * out_size[0] * out_size[1] * samples;
        WalkPass {
            forward: false,
            first,
            last: false,
            in_at: maps[layer].at,
            in_units: maps[layer].groups,
            in_size: [g.out_height(), g.out_width()],
            out_at: if first { 0 } else { maps[layer - 1].at },
            out_groups,
            out_size,
            split: Split::choose(&work, quads, scratch),
            hidden: hidden[layer].clone(),
        }
    }

    /// First quad of the map that it makes.
    pub(super) fn out_at(&self) -> usize {
        self.out_at
    }

    fn elements(&self, samples: usize) -> usize {
        self.out_groups * self.out_size[0] * self.out_size[1] * samples
    }

    /// Quads of the sums that invocations share.
    pub(super) fn scratch_quads(&self, samples: usize) -> usize {
        match self.split.parts {
            1 => 0,
            parts => parts * self.elements(samples),
        }
    }

    /// Adds the constants of pass `p`.
    pub(super) fn describe(&self, mut program: Program, p: usize, samples: usize) -> Program {
        let Split { tile, tiles, parts } = self.split;
        let (hidden, g) = (&self.hidden, self.hidden.geometry);
        let rounds = self.split.rounds(self.out_groups);
        let slots = match parts {
            1 => rounds * tile,
            _ => self.elements(samples).div_ceil(THREADS),
        };
        let flags = [
            ("FORWARD", self.forward),
            ("FIRST", self.first),
            ("LAST", self.last),
            ("WRITES_BACK", self.forward && !self.first),
            ("SPLIT", parts > 1),
        ];
        for (name, value) in flags {
            program = program.flag(format!("{name}_{p}"), value);
        }
        let numbers = [
            ("IN_AT", self.in_at),
            ("IN_UNITS", self.in_units),
            ("IN_HEIGHT", self.in_size[0]),
            ("IN_WIDTH", self.in_size[1]),
            ("OUT_AT", self.out_at),
            ("OUT_GROUPS", self.out_groups),
            ("OUT_HEIGHT", self.out_size[0]),
            ("OUT_WIDTH", self.out_size[1]),
            ("KERNEL_HEIGHT", g.kernel_height),
            ("KERNEL_WIDTH", g.kernel_width),
            ("STRIDE", g.stride),
            ("PADDING", g.padding),
            ("WEIGHT_AT", hidden.weight_at),
            ("BIAS_AT", hidden.weight_at + hidden.weight_quads()),
            ("ROWS", hidden.rows()),
            ("PITCH", hidden.pitch()),
            ("CHANNELS", g.in_channels.min(4)),
            ("TILE", tile),
            ("TILES", tiles),
            ("PARTS", parts),
            ("ROUNDS", rounds),
            ("SLOTS", slots),
        ];
        for (name, value) in numbers {
            program = program.u32(format!("{name}_{p}"), value);
        }
        program
    }
}

impl Split {
    /// The split that takes the least time, of those whose shared sums of `elements` fit into `scratch` quads.
    fn choose(work: &PassSums, elements: usize, scratch: usize) -> Self {
        let tiles = [1, 2, 4, 8]
            .into_iter()
            .filter(|tile| *tile == 1 || (tile * work.sums <= MOST_SUMS && *tile <= work.places));
        let splits = tiles.flat_map(|tile| {
            let tiles = work.places.div_ceil(tile);
            let fits = move |parts: &usize| {
                *parts == 1
                    || (tiles * work.groups * parts <= THREADS
                        && *parts <= work.units
                        && parts * elements <= scratch)
            };
            (0..=THREADS.ilog2())
                .map(|power| 1 << power)
                .filter(fits)
                .map(move |parts| Split { tile, tiles, parts })
        });
        splits
            .min_by_key(|split| split.time(work, elements))
            .unwrap_or(Split {
                tile: 1,
                tiles: work.places,
                parts: 1,
            })
    }

    /// Rounds over all invocations.
    fn rounds(&self, groups: usize) -> usize {
        (self.tiles * groups * self.parts).div_ceil(THREADS)
    }

    /// Time of one invocation, in multiply-adds of four values; they all take the same.
    fn time(&self, work: &PassSums, elements: usize) -> usize {
        let products = self.tile * work.products;
        let loads = work.loads_once + self.tile * work.loads;
        let sums = work.units.div_ceil(self.parts) * (products + LOAD_COST * loads);
        let sharing = match self.parts {
            1 => 0,
            parts => {
                let moved = self.tile * work.sums + elements.div_ceil(THREADS) * parts;
                BARRIER_COST + LOAD_COST * moved
            }
        };
        self.rounds(work.groups) * sums + sharing
    }
}

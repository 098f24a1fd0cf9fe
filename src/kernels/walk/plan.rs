use super::hidden::Hidden;
use super::pass::{Map, WalkPass};
use super::{QUAD, THREADS};
use crate::kernels::activations::Activation;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::quadratic_base::QuadraticBase;

/// What sums that several invocations share may take up, in bytes: the first that fits is taken.
const SCRATCH_BYTES: [usize; 4] = [8192, 4096, 2048, 0];
/// The largest stride: an invocation keeps the sums of stride² positions in registers.
const LARGEST_STRIDE: usize = 4;

/// How one workgroup walks Langevin chains on a network: what it keeps in its memory, and who computes what.
#[derive(Clone, Debug)]
pub struct WalkPlan {
    pub(super) samples_per_group: usize,
    /// Values in a sample.
    pub(super) length: usize,
    pub(super) activation: Activation,
    pub(super) base: Option<QuadraticBase>,
    pub(super) hidden: Vec<Hidden>,
    /// The last layer, in the geometry of its parameters, and the first quad of its gradient.
    pub(super) head: ConvGeometry,
    pub(super) head_at: usize,
    /// In the order in which they run: forward, then backward.
    pub(super) passes: Vec<WalkPass>,
    /// First quad of scratch in the pool, behind the maps.
    pub(super) scratch_at: usize,
    /// Quads of the pool.
    pub(super) pool: usize,
    /// Floating-point operations of a step of one sample.
    pub(super) flops: u64,
}

impl WalkPlan {
    /// Plans workgroups of `samples_per_group` chains on the network of `layers`, with `activation` after all but the
    /// last, that keep within `limit` bytes of workgroup memory.
    ///
    /// None when the samples do not fit, when the network has no hidden layer or a stride above 4, or when
    /// `samples_per_group` is no power of two up to 256.
    pub(crate) fn new(
        layers: &[LayerKind],
        activation: Activation,
        base: Option<QuadraticBase>,
        samples_per_group: usize,
        limit: usize,
    ) -> Option<Self> {
        SCRATCH_BYTES.into_iter().find_map(|scratch| {
            let plan = Self::with_scratch(layers, activation, base, samples_per_group, scratch)?;
            (plan.workgroup_bytes() <= limit).then_some(plan)
        })
    }

    fn with_scratch(
        layers: &[LayerKind],
        activation: Activation,
        base: Option<QuadraticBase>,
        samples: usize,
        scratch_bytes: usize,
    ) -> Option<Self> {
        let (last, rest) = layers.split_last()?;
        let first = rest.first()?;
        if !samples.is_power_of_two() || samples > THREADS {
            return None;
        }
        let mut hidden: Vec<Hidden> = Vec::new();
        let mut packed = 0;
        for (index, kind) in rest.iter().enumerate() {
            let layer = Hidden::new(kind, index == 0, packed);
            if layer.geometry.stride > LARGEST_STRIDE {
                return None;
            }
            packed += layer.weight_quads() + layer.pitch();
            hidden.push(layer);
        }
        let mut pool = 0;
        let maps: Vec<Map> = rest
            .iter()
            .map(|kind| {
                let map = Map::new(kind.output_shape(), pool);
                pool += map.quads(samples);
                map
            })
            .collect();
        // Far above any workgroup's memory, and far below what would not fit 32 bits.
        if pool > 1 << 24 || first.input_shape().len() > 1 << 24 {
            return None;
        }
        let passes = WalkPass::all(&hidden, &maps, samples, scratch_bytes / QUAD);
        let scratch = passes
            .iter()
            .map(|pass| pass.scratch_quads(samples))
            .max()
            .unwrap_or(0);
        let flops = layers.iter().map(|kind| 2 * kind.flops()).sum();
        Some(WalkPlan {
            samples_per_group: samples,
            length: first.input_shape().len(),
            activation,
            base,
            hidden,
            head: last.as_convolution(),
            head_at: packed,
            passes,
            scratch_at: pool,
            // One quad of zeros.
            pool: pool + scratch + 1,
            flops,
        })
    }

    /// Chains that a workgroup walks.
    #[cfg(test)]
    pub(crate) fn samples_per_group(&self) -> usize {
        self.samples_per_group
    }

    /// Bytes of workgroup memory: the pool of maps, the samples and a zero, their noise, and the shares of an energy.
    pub fn workgroup_bytes(&self) -> usize {
        let values = self.length * self.samples_per_group;
        let array = |words: usize| (4 * words).next_multiple_of(QUAD);
        QUAD * self.pool + array(values + 1) + array(values) + array(THREADS)
    }

    /// Words of the weights in the order in which they are read.
    pub fn packed_words(&self) -> usize {
        4 * (self.head_at + self.head_length() + 1)
    }

    /// Quads of the map that the last layer reads, for one sample.
    pub(super) fn head_length(&self) -> usize {
        self.head.in_channels.div_ceil(4) * self.head.in_height * self.head.in_width
    }
}

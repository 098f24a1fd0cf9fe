use crate::kernels::geometry::ConvGeometry;
use crate::kernels::layer_kind::LayerKind;

/// A hidden layer, as it is walked through.
#[derive(Clone, Debug)]
pub(super) struct Hidden {
    /// One that covers its whole input is turned into one over a single pixel; see [`Self::flat`].
    pub(super) geometry: ConvGeometry,
    /// The geometry in which its parameters lie.
    pub(super) original: ConvGeometry,
    /// Whether its input channels are the groups of four channels of all pixels of the map before.
    pub(super) flat: bool,
    /// First quad of its weights among the packed weights.
    pub(super) weight_at: usize,
}

impl Hidden {
    /// A layer whose kernel covers its whole input is a layer over one pixel: then no tap is tried in vain backward.
    pub(super) fn new(kind: &LayerKind, first: bool, weight_at: usize) -> Self {
        let original = kind.as_convolution();
        let g = original;
        let covers = g.covers_input() && g.in_height * g.in_width > 1;
        // Samples are kept value by value, in the order of the parameters; maps in groups of four channels.
        let (geometry, original) = match (covers, first) {
            (true, true) => (g.over_pixel(g.in_len()), g.over_pixel(g.in_len())),
            (true, false) => {
                let channels = g.in_channels.next_multiple_of(4);
                (g.over_pixel(channels * g.in_height * g.in_width), original)
            }
            (false, _) => (g, original),
        };
        Hidden {
            geometry,
            original,
            flat: covers && !first,
            weight_at,
        }
    }

    /// Rows of weights a tap: one for each input channel, and for those that fill up a group of four.
    pub(super) fn rows(&self) -> usize {
        match self.geometry.in_channels {
            few @ 1..4 => few,
            many => many.next_multiple_of(4),
        }
    }

    /// Groups of four output channels.
    pub(super) fn pitch(&self) -> usize {
        self.geometry.out_channels.div_ceil(4)
    }

    pub(super) fn weight_quads(&self) -> usize {
        self.geometry.kernel_height * self.geometry.kernel_width * self.rows() * self.pitch()
    }
}

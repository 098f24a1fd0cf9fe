use super::maps::Maps;
use super::plane::Plane;
use super::tile::{WIDTH, describe_lanes};
use crate::gpu::{Buffer, Image, Kernel, Program, Recording, Resource, grid};
use crate::kernels::activations::Activation;
use crate::kernels::border::Border;
use crate::kernels::layer_kind::LayerKind;
use crate::purpose::{MAPS, PACKED_WEIGHTS};
use crate::shape::Shape;

static OUTPUT: Kernel = kernel!("texel/stack", 1, [Read, ImageRead, ReadWrite]);
static GRADIENT: Kernel = kernel!("texel/stack", 1, [Read, ImageRead, ReadWrite, ReadWrite]);
static KEPT: Kernel = kernel!("texel/stack", 2, [Read, ImageRead, ReadWrite, ImageWrite]);
static PACK: Kernel = kernel!("texel/pack_stack", 0, [Read, Read, ImageWrite]);

/// Layers at most: compiling takes as long as there are products.
const MOST_LAYERS: usize = 7;
/// Texels in a row of a weight image: WEIGHT_ROW in the shaders.
const WEIGHT_ROW: usize = 1024;
/// Groups of four channels that a layer may have: what an invocation keeps of a sample has to stay in the first cache.
const MOST_GROUPS: usize = 16;
/// Texels of weights. The kernel writes out one block of each product, and compiling takes as long as the text.
const MOST_TEXELS: usize = 10_000;
/// In the table of what texels hold: nothing.
const NOTHING: u32 = u32::MAX;

/// The product of a layer with what it reads, or of its transpose, going back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Product {
    /// First texel of its weights.
    first: usize,
    /// Groups of four outputs of a block, and how many blocks.
    block: usize,
    blocks: usize,
    /// Loads for each block, each of the weights from so many inputs.
    loads: usize,
    per_load: usize,
}

impl Product {
    fn new(inputs: usize, outputs: usize, lanes: usize) -> Self {
        let groups = outputs.div_ceil(4);
        // A load holds at least one group of inputs.
        let block = (lanes / 4).min(groups.next_power_of_two());
        let per_load = lanes / block;
        Product {
            first: 0,
            block,
            blocks: groups.div_ceil(block),
            loads: inputs.div_ceil(per_load),
            per_load,
        }
    }

    fn texels(&self) -> usize {
        self.blocks * self.loads * self.block * self.per_load
    }

    /// The input and the group of outputs that texel `place` of its weights stands for.
    fn at(&self, place: usize) -> (usize, usize) {
        let lanes = self.block * self.per_load;
        let (column, load) = (place % lanes, place / lanes);
        let input = load % self.loads * self.per_load + column / self.block;
        let group = load / self.loads * self.block + column % self.block;
        (input, group)
    }
}

#[derive(Clone, Debug, PartialEq)]
struct StackLayer {
    inputs: usize,
    outputs: usize,
    /// Forward and back.
    products: [Product; 2],
    /// First texel of its biases.
    bias: usize,
    /// First word of its parameters.
    parameters: usize,
}

/// What weight gradients are made of, but for the samples and the gradient in the output: all in one image, a map below the other.
#[derive(Clone, Debug)]
struct Kept {
    image: Image,
    /// Of a map.
    rows: usize,
    /// Of every layer but the last its values, and the gradient in them before their activation.
    layers: Vec<[Plane; 2]>,
}

impl Kept {
    /// Of `samples` of layers of so many `outputs` each. None where no image of at most `longest_side` texels a side holds them.
    fn new(outputs: &[usize], samples: usize, longest_side: usize) -> Option<Self> {
        /// Texels of a row at least. The fewer, the less is left empty where samples end.
        const ROW: usize = 256;
        let widest = outputs.iter().max()?.div_ceil(4);
        let maps = 2 * outputs.len();
        let rows_of = |row: usize| samples.div_ceil(row / widest);
        let widths = std::iter::successors(Some(ROW), |row| Some(2 * row));
        let mut widths = widths.take_while(|&row| row <= longest_side);
        let row = widths.find(|&row| maps * rows_of(row) <= longest_side)?;
        let rows = rows_of(row);
        let image = Image::new("kept by the stack", row as u32, (maps * rows) as u32).of(MAPS);
        let plane = |outputs: usize, map: usize| Plane {
            image,
            buffer: None,
            samples,
            shape: Shape::new(outputs, 1, 1),
            border: Border::default(),
            per_row: row / outputs.div_ceil(4),
            first_row: map * rows,
        };
        let layers = outputs.iter().enumerate();
        let layers = layers.map(|(l, &outputs)| [plane(outputs, 2 * l), plane(outputs, 2 * l + 1)]);
        Some(Kept {
            image,
            rows,
            layers: layers.collect(),
        })
    }
}

/// What is wanted beside the output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Back {
    Nothing,
    /// The gradient in the samples, in their layout.
    Samples(Buffer),
    /// What weight gradients are made of: [`Stack::values`] and [`Stack::gradients`].
    Weights,
}

/// A whole network of dense layers with one output in one launch, each invocation with a sample of its own, and what holds its weights
/// meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    lanes: usize,
    activation: Activation,
    layers: Vec<StackLayer>,
    /// First texel of the weights of the last layer as what it gives back.
    turn: usize,
    texels: usize,
    weights: Image,
    /// Which parameter each word of the texels is.
    table: Buffer,
    kept: Kept,
}

impl Stack {
    /// For `layers` with `activation` between them, whose parameters lie one after the other, on at most so many `samples` and subgroups of
    /// `lanes`. None where a layer is no dense one or too wide, where they or their weights are too many or there is one layer alone, where
    /// there is more than one output, where subgroups cannot hand round what they load, or where an image of `longest_side` does not hold what
    /// is kept of as many samples.
    pub(crate) fn new(
        layers: &[LayerKind],
        activation: Activation,
        samples: usize,
        lanes: usize,
        longest_side: usize,
    ) -> Option<Self> {
        let hidden = layers.len() - 1;
        let is_short = (1..MOST_LAYERS).contains(&hidden) && layers[hidden].outputs() == 1;
        if !is_short || lanes < 4 || !lanes.is_power_of_two() || lanes > WIDTH {
            return None;
        }
        let (mut texels, mut parameters) = (0, 0);
        let mut next = |count: usize| {
            let first = texels;
            texels += count;
            first
        };
        let mut stack = Vec::new();
        for kind in layers {
            let LayerKind::Dense { input, outputs } = *kind else {
                return None;
            };
            let inputs = input.len();
            if inputs.max(outputs).div_ceil(4) > MOST_GROUPS {
                return None;
            }
            let products = [(inputs, outputs), (outputs, inputs)].map(|(from, to)| {
                let product = Product::new(from, to, lanes);
                let first = next(product.texels());
                Product { first, ..product }
            });
            stack.push(StackLayer {
                inputs,
                outputs,
                products,
                bias: next(outputs.div_ceil(4).next_multiple_of(lanes)),
                parameters,
            });
            parameters += kind.weight_len() + kind.outputs();
        }
        let outputs: Vec<_> = stack[..hidden].iter().map(|layer| layer.outputs).collect();
        let kept = Kept::new(&outputs, samples, longest_side)?;
        let turn = next(stack[hidden].inputs.div_ceil(4).next_multiple_of(lanes));
        let rows = texels.div_ceil(WEIGHT_ROW);
        let weights = Image::new("packed weights, stack", WEIGHT_ROW as u32, rows as u32);
        (texels <= MOST_TEXELS).then(|| Stack {
            lanes,
            activation,
            layers: stack,
            turn,
            texels,
            weights: weights.of(PACKED_WEIGHTS),
            table: Buffer::new("table of weights, stack", 4 * texels).of(PACKED_WEIGHTS),
            kept,
        })
    }

    /// To be recorded once before anything else.
    pub(crate) fn setup(&self, recording: &mut Recording) {
        recording.upload(self.table, 0, self.table_words());
    }

    /// Packs `parameters`, in the order of the layers: again whenever their values have changed.
    pub(crate) fn prepare(&self, recording: &mut Recording, parameters: Buffer) {
        Program::new(&PACK)
            .u32("TEXELS", self.texels)
            .bind([Resource::from(parameters), self.table.into()])
            .bind([self.weights])
            .over(recording, self.texels);
    }

    /// The values of layer `index`, which is not the last, as they were last kept.
    pub(crate) fn values(&self, index: usize) -> Maps {
        Maps::Plane(self.kept.layers[index][0])
    }

    /// The gradient in the values of layer `index`, which is not the last, before their activation, as it was last kept.
    pub(crate) fn gradients(&self, index: usize) -> Maps {
        Maps::Plane(self.kept.layers[index][1])
    }

    /// `output` = that of the last layer for each of `samples` in `x`, (sample, value), and what else is wanted.
    pub(crate) fn compute(
        &self,
        recording: &mut Recording,
        samples: usize,
        x: Buffer,
        output: Buffer,
        back: Back,
    ) {
        let keeps = back == Back::Weights;
        let (kernel, ways, written): (_, _, Option<Resource>) = match back {
            Back::Nothing => (&OUTPUT, 1, None),
            Back::Samples(gradient) => (&GRADIENT, 2, Some(gradient.into())),
            Back::Weights => (&KEPT, 2, Some(self.kept.image.into())),
        };
        let rows = keeps.then_some(self.kept.rows as u32);
        let (mut turns, mut multiply_adds) = (0, 0);
        for (l, layer) in self.layers.iter().enumerate() {
            // Nobody asks for the gradient in the samples where values are kept.
            let computed = if keeps && l == 0 { 1 } else { ways };
            let products = layer.products[..computed].iter();
            turns += products.map(|product| product.blocks).sum::<usize>();
            multiply_adds += computed * layer.inputs * layer.outputs;
        }
        let program = self
            .describe(Program::new(kernel), ways, keeps)
            .turns(turns)
            .flag("GRADIENT", matches!(back, Back::Samples(_)))
            .flag("KEEP", keeps)
            .flag("BACK", back != Back::Nothing);
        self.activation
            .describe(program)
            .bind([Resource::from(x), self.weights.into(), output.into()])
            .bind(written)
            .immediates(std::iter::once(samples as u32).chain(rows))
            .launch(
                recording,
                grid(samples.div_ceil(WIDTH)),
                (2 * samples * multiply_adds) as u64,
            );
    }

    /// For each word of the texels the word of the parameters that it holds, or [`NOTHING`].
    fn table_words(&self) -> Vec<u32> {
        let mut table = vec![NOTHING; 4 * self.texels];
        let mut fill =
            |first: usize, texels: usize, word: &dyn Fn(usize, usize) -> Option<usize>| {
                for place in 0..texels {
                    for k in 0..4 {
                        if let Some(word) = word(place, k) {
                            table[4 * (first + place) + k] = word as u32;
                        }
                    }
                }
            };
        for layer in &self.layers {
            let weight = |output: usize, input: usize| {
                let is_one = output < layer.outputs && input < layer.inputs;
                is_one.then_some(layer.parameters + output * layer.inputs + input)
            };
            let [forward, back] = layer.products;
            fill(forward.first, forward.texels(), &|place, k| {
                let (input, group) = forward.at(place);
                weight(4 * group + k, input)
            });
            fill(back.first, back.texels(), &|place, k| {
                let (output, group) = back.at(place);
                weight(output, 4 * group + k)
            });
            let biases = layer.parameters + layer.outputs * layer.inputs;
            fill(layer.bias, layer.outputs.div_ceil(4), &|place, k| {
                let output = 4 * place + k;
                (output < layer.outputs).then_some(biases + output)
            });
        }
        let last = &self.layers[self.layers.len() - 1];
        fill(self.turn, last.inputs.div_ceil(4), &|place, k| {
            let input = 4 * place + k;
            (input < last.inputs).then_some(last.parameters + input)
        });
        table
    }

    fn describe(&self, program: Program, ways: usize, keeps: bool) -> Program {
        let last = self.layers.len() - 1;
        let loads = |values: usize| values.div_ceil(4).div_ceil(self.lanes);
        let mut program = describe_lanes(program, self.lanes)
            .u32("LAYERS", self.layers.len())
            .u32("HIDDEN", last)
            .u32("WAYS", ways)
            .u32("INPUTS", self.layers[0].inputs)
            .u32("TURN", self.turn)
            .u32("TURN_LOADS", loads(self.layers[last].inputs));
        for (l, layer) in self.layers.iter().enumerate() {
            for (w, product) in layer.products[..ways].iter().enumerate() {
                program = program
                    .u32(format!("FIRST_{l}_{w}"), product.first)
                    .u32(
                        format!("FROM_{l}_{w}"),
                        product.loads * product.per_load / 4,
                    )
                    .u32(format!("BLOCK_{l}_{w}"), product.block)
                    .u32(format!("BLOCKS_{l}_{w}"), product.blocks)
                    .u32(format!("LOADS_{l}_{w}"), product.loads)
                    .u32(format!("PER_LOAD_{l}_{w}"), product.per_load);
            }
            program = program
                .flag(format!("LAST_{l}"), l == last)
                .flag(format!("READS_SAMPLES_{l}"), l == 0)
                .u32(format!("GROUPS_{l}"), layer.outputs.div_ceil(4))
                .u32(format!("BIAS_{l}"), layer.bias)
                .u32(format!("BIAS_LOADS_{l}"), loads(layer.outputs));
            // Only with KEEP, so that else it is one program whatever it keeps.
            let values = self.kept.layers.get(l).filter(|_| keeps);
            let per_row = values.map_or(1, |[values, _]| values.per_row);
            program = program.u32(format!("PER_ROW_{l}"), per_row);
        }
        program
    }
}

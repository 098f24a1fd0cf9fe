use super::activations::Activation;
use super::families::{Choice, Layer, Maps, Part, Variant, each};
use super::layer_kind::LayerKind;
use super::layer_pass::LayerPass;
use super::map_reader::MapReader;
use super::parameters::LayerParameters;
use super::precision::Precision;
use super::sum_partials::sum_partials;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::shape::Shape;

/// How a layer computes its passes: by the cost model's choice where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    pub forward: Option<Choice>,
    pub input_gradient: Option<Choice>,
}

impl Layer {
    /// Plans a layer over batches of exactly `samples`, by the choices of the cost model.
    pub fn new(kind: LayerKind, activation: Activation, samples: usize, variant: Variant) -> Self {
        Self::with_choices(kind, activation, samples, variant, Choices::default())
    }

    /// The ways to compute a pass of such a layer: first the cost model's choice, then those it thinks slower. None where
    /// there is nothing to choose.
    pub fn candidates(
        kind: LayerKind,
        samples: usize,
        variant: Variant,
        pass: LayerPass,
    ) -> Vec<Choice> {
        each!(Variant, variant, variant => {
            let candidates = variant.candidates(kind, samples, pass).into_iter();
            candidates.map(Choice::from).collect()
        })
    }

    /// As [`Self::new`], but by `choices`. One that is not among [`Self::candidates`] counts as none.
    pub fn with_choices(
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        variant: Variant,
        choices: Choices,
    ) -> Self {
        fn part<C: Part<Choice> + Copy>(possible: &[Choice], chosen: Option<Choice>) -> Option<C> {
            let chosen = chosen.filter(|chosen| possible.contains(chosen))?;
            C::of(&chosen).copied()
        }
        let possible = |pass| Self::candidates(kind, samples, variant, pass);
        each!(Variant, variant, variant => {
            let forward = part(&possible(LayerPass::Forward), choices.forward);
            let input_gradient = part(&possible(LayerPass::InputGradient), choices.input_gradient);
            variant.layer(kind, activation, samples, forward, input_gradient).into()
        })
    }

    /// What it computes.
    pub fn kind(&self) -> LayerKind {
        each!(Layer, self, layer => layer.kind())
    }

    /// Samples in a batch.
    pub fn samples(&self) -> usize {
        each!(Layer, self, layer => layer.samples())
    }

    /// The same layer as the first of a network, which writes the gradient in its input where [`Self::sample_gradient`]
    /// says. To be called before anything else is asked of it.
    pub fn reading_samples(self) -> Self {
        each!(Layer, self, layer => layer.reading_samples().into())
    }

    /// Where the first layer of a network writes the gradient in the samples: into the flat buffer `gradient`, or into
    /// `maps` to be unloaded from there.
    pub fn sample_gradient(&self, maps: &Maps, gradient: Buffer) -> Maps {
        each!(Layer, self, layer => layer.sample_gradient(maps.part(), gradient).into())
    }

    /// The same layer for a batch of fewer samples. It shares the packed weights, so that [`Self::prepare`] of one
    /// prepares both.
    pub(crate) fn for_samples(&self, samples: usize) -> Layer {
        each!(Layer, self, layer => layer.for_samples(samples).into())
    }

    /// Names maps that this layer can read as its input, of f32 in every precision.
    ///
    /// # Errors
    /// When they exceed the adapter's image size.
    pub fn new_input(&self, label: &'static str) -> Result<Maps, GpuError> {
        self.new_ends(label, self.kind().input_shape(), &[MapReader::Input(self)])
    }

    /// Names maps between this layer and the one after it, which can hold the output of this one, its derivative, or
    /// the gradient of the energy in it, in the variant's precision.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_between(&self, next: &Layer, label: &'static str) -> Result<Maps, GpuError> {
        let readers = [MapReader::OutputGradient(self), MapReader::Input(next)];
        self.new_maps(label, self.kind().output_shape(), &readers)
    }

    /// Names maps for the gradient of the energy in this layer's output before the activation, in the variant's
    /// precision.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_output_gradient(&self, label: &'static str) -> Result<Maps, GpuError> {
        let readers = [MapReader::OutputGradient(self)];
        self.new_maps(label, self.kind().output_shape(), &readers)
    }

    /// Names maps that nothing reads with a border, of f32 in every precision: the last output, the gradient in the
    /// samples.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_plain(&self, label: &'static str, shape: Shape) -> Result<Maps, GpuError> {
        self.new_ends(label, shape, &[])
    }

    /// Names maps of any `shape` inside the network, which `readers` can read, in the variant's precision.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub(crate) fn new_maps(
        &self,
        label: &'static str,
        shape: Shape,
        readers: &[MapReader<'_, Layer>],
    ) -> Result<Maps, GpuError> {
        each!(Layer, self, layer => {
            layer.new_maps(label, shape, &parts(readers), layer.precision()).map(Maps::from)
        })
    }

    /// Names maps of any `shape` at an end of the network, which `readers` can read, of f32 in every precision.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub(crate) fn new_ends(
        &self,
        label: &'static str,
        shape: Shape,
        readers: &[MapReader<'_, Layer>],
    ) -> Result<Maps, GpuError> {
        each!(Layer, self, layer => {
            layer.new_maps(label, shape, &parts(readers), Precision::Full).map(Maps::from)
        })
    }

    /// `maps` that were named by this layer or another of its network, for activation derivatives alone: those are written once and
    /// read once, and a family may keep them otherwise.
    pub fn for_derivatives(&self, maps: &Maps) -> Maps {
        each!(Layer, self, layer => layer.for_derivatives(maps.part()).into())
    }

    /// Words of scratch that the weight gradient needs.
    pub fn partial_words(&self) -> usize {
        self.shares() * self.parameter_count()
    }

    fn shares(&self) -> usize {
        each!(Layer, self, layer => layer.shares())
    }

    fn parameter_count(&self) -> usize {
        self.kind().weight_len() + self.kind().outputs()
    }

    /// Makes the layer compute with `parameters`: must be recorded whenever they have changed or others are wanted.
    pub fn prepare(&self, recording: &mut Recording, parameters: LayerParameters) {
        each!(Layer, self, layer => layer.prepare(recording, parameters));
    }

    /// `output` = act(W ∗ `input` + b) and, if asked for, `derivative` = act′; both made alike.
    pub fn forward(
        &self,
        recording: &mut Recording,
        parameters: LayerParameters,
        input: &Maps,
        output: &Maps,
        derivative: Option<&Maps>,
    ) {
        each!(Layer, self, layer => {
            let derivative = derivative.map(Maps::part);
            layer.forward(recording, parameters, input.part(), output.part(), derivative);
        });
    }

    /// `input_gradient` = Wᵀ ∗ `output_gradient` (× `input_derivative`, the activation derivative of the layer before).
    pub fn input_gradient(
        &self,
        recording: &mut Recording,
        parameters: LayerParameters,
        output_gradient: &Maps,
        input_derivative: Option<&Maps>,
        input_gradient: &Maps,
    ) {
        each!(Layer, self, layer => layer.input_gradient(
            recording,
            parameters,
            output_gradient.part(),
            input_derivative.map(Maps::part),
            input_gradient.part(),
        ));
    }

    /// Writes Σₙ `factor`ₙ · ∂Eₙ/∂(weight, bias) into `gradient` at word `offset`, or with `accumulate` adds it to what
    /// is there, through `partials` of [`Self::partial_words`] words.
    #[allow(clippy::too_many_arguments)]
    pub fn weight_gradient(
        &self,
        recording: &mut Recording,
        input: &Maps,
        output_gradient: &Maps,
        factor: Buffer,
        partials: Buffer,
        gradient: Buffer,
        offset: usize,
        accumulate: bool,
    ) {
        each!(Layer, self, layer => {
            let (input, output_gradient) = (input.part(), output_gradient.part());
            layer.weight_partials(recording, input, output_gradient, factor, partials);
        });
        sum_partials(
            recording,
            self.shares(),
            self.parameter_count(),
            offset,
            accumulate,
            partials,
            gradient,
        );
    }
}

/// Readers of one family, which they are of.
fn parts<'a, L: Part<Layer>>(readers: &[MapReader<'a, Layer>]) -> Vec<MapReader<'a, L>> {
    let part = |layer: &'a Layer| {
        L::of(layer).unwrap_or_else(|| unreachable!("a layer was given another family's"))
    };
    let readers = readers.iter().map(|reader| match reader {
        MapReader::Input(layer) => MapReader::Input(part(layer)),
        MapReader::OutputGradient(layer) => MapReader::OutputGradient(part(layer)),
    });
    readers.collect()
}

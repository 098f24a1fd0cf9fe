use crate::words::words;

words! {
    /// How the maps between layers are stored. All arithmetic is f32, and so are samples, gradients in the samples,
    /// parameters, their gradients, energies and optimiser.
    #[derive(Default, Hash)]
    pub enum Precision {
        /// As f32.
        #[default]
        Full = "full",
        /// As f16: outputs and activation derivatives of all layers but the last, and the gradients in those outputs,
        /// are rounded to 11 bits; beyond 65504 they become infinite, and the energy not finite.
        Mixed = "mixed",
    }
}

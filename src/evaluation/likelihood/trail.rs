//! What the telescoped estimate needs of the way that training took, so that it runs on networks and on densities in closed
//! form alike.

/// Laws p_t ∝ exp(−base(x) − f_t(x)) for all t from 0, where f is 0 and the normaliser known, past those that training
/// kept and that are chosen, at 1, 2 and so on, to the model, which is the last of them; between two of them f_t changes continuously. And a
/// batch of chains that know nothing of one another, and are moved by transitions that leave p_t as it is.
pub trait Trail {
    /// Why chains could not be moved.
    type Error;
    /// The places of all chains.
    type States;

    /// How many chains there are.
    fn chains(&self) -> usize;

    /// ln Z at t = 0.
    fn log_z_base(&self) -> f64;

    /// A step size to begin with at t = 0.
    fn first_step_size(&self) -> f64;

    /// How many laws training kept.
    fn kept(&self) -> usize;

    /// Chooses which of these the way leads past, in their order; at first it is all of them.
    fn lead_past(&mut self, kept: &[usize]);

    /// The t of the model.
    fn knots(&self) -> usize;

    /// Energy-gradient evaluations that [`Self::advance`] takes for `steps` steps of one chain.
    fn evaluations(&self, steps: usize) -> usize;

    /// Puts every chain at a fresh, exact draw from t = 0.
    ///
    /// # Errors
    /// When the device fails.
    fn start_at_base(&mut self) -> Result<(), Self::Error>;

    /// Puts every chain at a place of its own that is as likely as can be had under the model.
    ///
    /// # Errors
    /// When the device fails.
    fn start_at_model(&mut self) -> Result<(), Self::Error>;

    /// Moves every chain by `steps` transitions that leave p_t at `place` as it is, and begin with this step size, and adapt
    /// it if `adapt` says so. Returns the step size in the end.
    ///
    /// # Errors
    /// When the device fails.
    fn advance(
        &mut self,
        place: f64,
        step_size: f64,
        steps: usize,
        adapt: bool,
    ) -> Result<f64, Self::Error>;

    /// Where the chains are.
    ///
    /// # Errors
    /// When the device fails.
    fn states(&mut self) -> Result<Self::States, Self::Error>;

    /// f_t at `place`, of every chain in each of `states`: an evaluation of the energy for each of them.
    ///
    /// # Errors
    /// When the device fails.
    fn potentials(
        &mut self,
        states: &[Self::States],
        place: f64,
    ) -> Result<Vec<Vec<f64>>, Self::Error>;
}

//! What the estimators need of a model, so that they run on networks and on densities in closed form alike.

/// A path of laws p_β ∝ exp(−base(x) − β·f(x)) from one with a known normaliser, at β = 0, to the model, at β = 1; and a
/// batch of chains that know nothing of one another, and are moved by transitions that leave p_β as it is.
pub trait Path {
    /// Why chains could not be moved.
    type Error;

    /// How many chains there are.
    fn chains(&self) -> usize;

    /// Values of a state.
    fn dimensions(&self) -> usize;

    /// ln Z at β = 0.
    fn log_z_base(&self) -> f64;

    /// A step size to begin with at β = 0.
    fn first_step_size(&self) -> f64;

    /// Energy-gradient evaluations that [`Self::advance`] takes for `steps` steps of one chain, with those of f.
    fn evaluations(&self, steps: usize) -> usize;

    /// Puts every chain at a fresh, exact draw from β = 0. Returns f of each.
    ///
    /// # Errors
    /// When the device fails.
    fn start_at_base(&mut self) -> Result<Vec<f64>, Self::Error>;

    /// Puts every chain at a place of its own that is as likely as can be had under β = 1: data. Returns f of each.
    ///
    /// # Errors
    /// When the device fails.
    fn start_at_model(&mut self) -> Result<Vec<f64>, Self::Error>;

    /// Moves every chain by `steps` transitions that are reversible with respect to p_β, and begin with this step size, and adapt it if `adapt` says so.
    ///
    /// # Errors
    /// When the device fails.
    fn advance(
        &mut self,
        beta: f64,
        step_size: f64,
        steps: usize,
        adapt: bool,
    ) -> Result<Advanced, Self::Error>;

    /// Moves every chain towards the law of β = 1 by at least `steps` transitions that leave that law as it is, and need not be
    /// reversible. Returns f of each.
    ///
    /// # Errors
    /// When the device fails.
    fn settle(&mut self, step_size: f64, steps: usize) -> Result<Vec<f64>, Self::Error> {
        self.advance(1.0, step_size, steps, false)
            .map(|advanced| advanced.potentials)
    }
}

/// What [`Path::advance`] leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Advanced {
    /// f of each chain.
    pub potentials: Vec<f64>,
    /// The step size in the end.
    pub step_size: f64,
}

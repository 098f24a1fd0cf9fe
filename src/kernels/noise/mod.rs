//! Where the noise of a step comes from beside a plain copy of the weights.

mod box_energy;
mod effective_sample_size;
mod follow;
mod gaussian;
mod judge_snapshot;
mod mixture_energy;
mod pool;
mod refresh_if_due;
mod scale;

pub use box_energy::OUTSIDE;
pub(crate) use box_energy::box_energy;
pub use effective_sample_size::effective_sample_size;
pub use follow::follow;
pub(crate) use gaussian::{gaussian_energy, gaussian_noise};
pub use judge_snapshot::judge_snapshot;
pub use mixture_energy::mixture_energy;
pub use pool::{NoisePool, POOL_WORDS, judge_pool, keep_noise, pick_noise, take_turn};
pub use refresh_if_due::refresh_if_due;
pub use scale::{MOST_SCALED, noise_scale};

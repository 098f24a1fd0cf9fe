//! A mixture of Gaussians over samples, as numbers.

/// Directions in which a component differs from a round one: as many as there are values, and at most so many. 20 Gaussians of
/// digits of 64 values have as good a chance to be jumped to with 24 as with all of them, within a seventh (docs/recipes.md).
const MOST_DIRECTIONS: usize = 24;

/// The largest samples that are jumped to a mixture: beyond, hardly a jump would be taken.
pub const MOST_MIXTURE_VALUES: usize = 128;

/// A mixture of Gaussians over samples of `length` values, component k with the covariance D E Dᵀ + ρ I, where D are a few
/// orthonormal directions (a mixture of probabilistic principal component analysers; Tipping & Bishop 1999).
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianMixture {
    size: MixtureSize,
    /// As `shaders/shared/mixture.wgsl` says, but for the standard deviation in front.
    law: Vec<f32>,
    /// (component, value, direction)
    directions: Vec<f32>,
}

/// One component of a [`GaussianMixture`].
#[derive(Clone, Debug, PartialEq)]
pub struct MixtureComponent {
    pub weight: f64,
    pub mean: Vec<f64>,
    /// Variance in all directions but those below.
    pub residual: f64,
    /// Orthonormal, at most [`MixtureSize::rank`] of them, and how much more the variance is along each.
    pub directions: Vec<(f64, Vec<f64>)>,
}

/// How large a mixture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MixtureSize {
    pub components: usize,
    /// Values of a sample.
    pub length: usize,
}

impl MixtureSize {
    /// Directions that are kept of each component; a multiple of four, so that some may be none.
    pub fn rank(self) -> usize {
        self.length.min(MOST_DIRECTIONS).next_multiple_of(4)
    }

    pub(super) fn component_words(self) -> usize {
        3 + self.rank() + self.length
    }

    pub(super) fn direction_words(self) -> usize {
        self.components * self.length * self.rank()
    }
}

impl GaussianMixture {
    /// Of these components over samples of `length` values; none where a number of them is not finite, a weight or a
    /// variance is not above 0, or their shapes are not alike.
    pub fn new(length: usize, components: &[MixtureComponent]) -> Option<Self> {
        let size = MixtureSize {
            components: components.len(),
            length,
        };
        let rank = size.rank();
        let total: f64 = components.iter().map(|component| component.weight).sum();
        let (mut law, mut directions) = (Vec::new(), vec![0.0; size.direction_words()]);
        let mut up_to = 0.0;
        for (k, component) in components.iter().enumerate() {
            if component.mean.len() != length || component.directions.len() > rank {
                return None;
            }
            up_to += component.weight / total;
            let mut extra = vec![0.0; rank];
            for (j, (more, direction)) in component.directions.iter().enumerate() {
                extra[j] = *more as f32;
                for (i, value) in direction.iter().enumerate() {
                    directions[(k * length + i) * rank + j] = *value as f32;
                }
            }
            let log_weight = (component.weight / total).ln();
            law.extend([up_to as f32, log_weight as f32, component.residual as f32]);
            law.extend(extra);
            law.extend(component.mean.iter().map(|&value| value as f32));
        }
        Self::from_parts(size, law, directions)
    }

    /// From what [`Self::parts`] gives; none where that is not what it can be.
    pub fn from_parts(size: MixtureSize, law: Vec<f32>, directions: Vec<f32>) -> Option<Self> {
        let words = size.component_words();
        let is_whole = size.components > 0
            && (1..=MOST_MIXTURE_VALUES).contains(&size.length)
            && law.len() == size.components * words
            && directions.len() == size.direction_words();
        let is_finite = law.iter().chain(&directions).all(|value| value.is_finite());
        let has_variances = |component: &[f32]| {
            let extra = &component[3..3 + size.rank()];
            component[2] > 0.0 && extra.iter().all(|&more| more >= 0.0)
        };
        let is_fine = is_whole && is_finite && law.chunks(words).all(has_variances);
        is_fine.then_some(GaussianMixture {
            size,
            law,
            directions,
        })
    }

    /// How large it is.
    pub fn size(&self) -> MixtureSize {
        self.size
    }

    /// Its numbers as they are stored: (component, number), and (component, value, direction).
    pub fn parts(&self) -> (&[f32], &[f32]) {
        (&self.law, &self.directions)
    }

    /// From the values of both parts, one after the other; none where they are not those of a mixture of this size.
    pub fn from_values(size: MixtureSize, values: &[f32]) -> Option<Self> {
        let (law, directions) =
            values.split_at_checked(size.components * size.component_words())?;
        Self::from_parts(size, law.to_vec(), directions.to_vec())
    }
}

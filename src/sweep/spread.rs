//! What several seeds say together.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Seeds from which on there is an interval by Student's t: of two its quantile is 12.7 standard errors, which says nothing.
pub(super) const FEWEST_FOR_T: usize = 3;

/// The mean of a figure over seeds, and an interval around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) count: usize,
    pub(super) mean: f64,
    /// Of 95 % by Student's t; of fewer than [`FEWEST_FOR_T`] values from the least to the most.
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Spread {
    /// Of `values`; none of none.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        if count < FEWEST_FOR_T {
            return Some(Spread {
                count,
                mean,
                low: values.iter().copied().fold(f64::INFINITY, f64::min),
                high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            });
        }
        let freedom = (count - 1) as f64;
        let squares = values.iter().map(|value| (value - mean).powi(2));
        let error = (squares.sum::<f64>() / freedom / count as f64).sqrt();
        let quantile =
            StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975));
        Some(Spread {
            count,
            mean,
            low: mean - quantile * error,
            high: mean + quantile * error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_students_from_three_values_on() {
        assert_eq!(Spread::of(&[]), None);
        let two = Spread::of(&[1.0, 2.0]).unwrap();
        assert_eq!((two.mean, two.low, two.high), (1.5, 1.0, 2.0));
        // The quantile with two degrees of freedom is 4.303, and the standard error 1/√3.
        let three = Spread::of(&[1.0, 2.0, 3.0]).unwrap();
        assert!(
            (three.high - 2.0 - 4.3027 / 3f64.sqrt()).abs() < 1e-3,
            "{three:?}"
        );
        assert_eq!(three.high - 2.0, 2.0 - three.low);
        assert_eq!(three.count, 3);
    }
}

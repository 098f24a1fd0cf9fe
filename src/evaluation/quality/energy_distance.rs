//! The energy distance of two sets: nothing is chosen for it, neither features nor a width, so that it is one figure for any
//! data.

use super::error::QualityError;
use super::pairs::squared_distance;
use super::points::{Points, check_count, shuffled};

/// Which random orders the draws of [`EnergyDistance::floor`] have.
const FLOOR_ORDER: u32 = 3000;
/// Draws of a floor.
const FLOOR_DRAWS: u32 = 10;
const WHAT: &str = "an energy distance";

/// Energy distances from the same points, whose own part of them is computed once.
///
/// 2 E|X − Y| − E|X − X′| − E|Y − Y′| with Euclidean norms, of two laws with finite means: 0 where they are the same and above it
/// otherwise, in any dimension (G. Székely, M. Rizzo, *Energy statistics: a class of statistics based on distances*, 2013,
/// proposition 1). By the estimate without bias, in which no point is paired with itself; around 0 for equal laws, hence at times
/// below. In the unit of the values.
#[derive(Clone, Debug)]
pub struct EnergyDistance {
    from: Points,
    /// The mean distance of two different ones of them.
    within: f64,
}

impl EnergyDistance {
    /// Distances from `points`.
    ///
    /// # Errors
    /// When there are fewer than two.
    pub fn from(points: Points) -> Result<Self, QualityError> {
        let within = mean_within(&points)?;
        Ok(EnergyDistance {
            from: points,
            within,
        })
    }

    /// Points that distances are from.
    pub fn count(&self) -> usize {
        self.from.count()
    }

    /// How far `points` are.
    ///
    /// # Errors
    /// When they are of other dimensions, or fewer than two.
    pub fn to(&self, points: &Points) -> Result<f64, QualityError> {
        self.from.check_like(points)?;
        let within = mean_within(points)?;
        let across: f64 = self
            .from
            .iter()
            .map(|left| {
                points
                    .iter()
                    .map(|right| distance(left, right))
                    .sum::<f64>()
            })
            .sum();
        let across = across / (self.from.count() * points.count()) as f64;
        Ok(2.0 * across - self.within - within)
    }

    /// What distances `count` points of the very law have: mean and standard deviation of those to ten random draws of `count` of
    /// `others`, or of all but one where these are no more, by `seed`. Draws share points where there are fewer than ten times as
    /// many, and then vary by less than independent ones would.
    ///
    /// # Errors
    /// As those of [`EnergyDistance::to`].
    pub fn floor(
        &self,
        others: &Points,
        count: usize,
        seed: u64,
    ) -> Result<(f64, f64), QualityError> {
        let count = count.min(others.count().saturating_sub(1));
        let draws: Result<Vec<f64>, QualityError> = (0..FLOOR_DRAWS)
            .map(|draw| {
                let order = shuffled(others.count(), seed, FLOOR_ORDER + draw);
                self.to(&others.select(&order[..count]))
            })
            .collect();
        let draws = draws?;
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let squares: f64 = draws.iter().map(|draw| (draw - mean).powi(2)).sum();
        Ok((mean, (squares / (draws.len() - 1) as f64).sqrt()))
    }
}

fn distance(left: &[f64], right: &[f64]) -> f64 {
    squared_distance(left, right).sqrt()
}

/// The mean distance of two different points.
fn mean_within(points: &Points) -> Result<f64, QualityError> {
    let count = points.count();
    check_count(WHAT, count, 2)?;
    let pairs = (0..count).flat_map(|place| (0..place).map(move |other| (place, other)));
    let sum: f64 = pairs
        .map(|(left, right)| distance(points.point(left), points.point(right)))
        .sum();
    Ok(2.0 * sum / (count * (count - 1)) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Philox, Stream};

    /// `count` points of normal values of mean `mean`.
    fn normal(count: usize, dimensions: usize, mean: f64, step: u32) -> Points {
        let mut random = Philox::new(5, Stream::Data, step);
        let values = (0..count * dimensions).map(|_| mean + f64::from(random.normal()));
        Points::new(values.collect(), dimensions).expect("are points")
    }

    fn between(left: &Points, right: &Points) -> f64 {
        let from = EnergyDistance::from(left.clone()).expect("are enough");
        from.to(right).expect("are alike")
    }

    /// Every pair by itself, in the order of the formula.
    #[test]
    fn it_is_the_sum_over_all_pairs() {
        let (left, right) = (normal(7, 11, 0.0, 1), normal(5, 11, 0.7, 2));
        let mean = |a: &Points, b: &Points, is_same: bool| {
            let mut of = Vec::new();
            for i in 0..a.count() {
                for j in (0..b.count()).filter(|j| !is_same || i != *j) {
                    let squares = a
                        .point(i)
                        .iter()
                        .zip(b.point(j))
                        .map(|(x, y)| (x - y) * (x - y));
                    of.push(squares.sum::<f64>().sqrt());
                }
            }
            of.iter().sum::<f64>() / of.len() as f64
        };
        let wanted = 2.0 * mean(&left, &right, false)
            - mean(&left, &left, true)
            - mean(&right, &right, true);
        assert!((between(&left, &right) - wanted).abs() < 1e-12);
        assert!((between(&right, &left) - wanted).abs() < 1e-12);
    }

    /// On a line it is 2 ∫ (F − G)² of the distribution functions, of which the sum over all pairs, each point with itself among
    /// them, is the value for the points at hand (G. Székely, 2002).
    #[test]
    fn on_a_line_it_is_what_distribution_functions_say() {
        let (left, right) = (normal(9, 1, 0.0, 3), normal(6, 1, 1.0, 4));
        let sorted = |points: &Points| {
            let mut values: Vec<f64> = points.iter().map(|point| point[0]).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let (a, b) = (sorted(&left), sorted(&right));
        let mut all = [a.clone(), b.clone()].concat();
        all.sort_by(f64::total_cmp);
        let below = |values: &[f64], x: f64| {
            let count = values.iter().filter(|value| **value <= x).count();
            count as f64 / values.len() as f64
        };
        let steps = all.windows(2);
        let integral: f64 = steps
            .map(|pair| (pair[1] - pair[0]) * (below(&a, pair[0]) - below(&b, pair[0])).powi(2))
            .sum();
        // Without bias, the means within sets are over fewer pairs.
        let within = |points: &Points| mean_within(points).expect("are enough");
        let bias = within(&left) / left.count() as f64 + within(&right) / right.count() as f64;
        assert!((between(&left, &right) + bias - 2.0 * integral).abs() < 1e-12);
    }

    #[test]
    fn it_is_about_0_for_one_law_and_grows_with_what_lies_between() {
        let data = normal(400, 4, 0.0, 5);
        let same = between(&data, &normal(200, 4, 0.0, 6));
        let near = between(&data, &normal(200, 4, 0.2, 7));
        let far = between(&data, &normal(200, 4, 2.0, 8));
        let from = EnergyDistance::from(data).expect("are enough");
        let (mean, deviation) = from
            .floor(&normal(2000, 4, 0.0, 9), 200, 1)
            .expect("are enough");
        assert!(
            deviation < 0.05 && mean.abs() < 0.05,
            "{mean} ± {deviation}"
        );
        assert!((same - mean).abs() < 5.0 * deviation, "{same}");
        assert!(
            near > mean + 5.0 * deviation && far > 10.0 * near,
            "{near}, {far}"
        );
    }

    #[test]
    fn single_points_and_points_of_other_dimensions_are_refused() {
        let pair = normal(2, 3, 0.0, 1);
        let from = EnergyDistance::from(pair.clone()).expect("are enough");
        EnergyDistance::from(normal(1, 3, 0.0, 1)).expect_err("is alone");
        from.to(&normal(1, 3, 0.0, 1)).expect_err("is alone");
        from.to(&normal(2, 4, 0.0, 1)).expect_err("are others");
        from.floor(&pair, 2, 1).expect_err("leaves one");
    }
}

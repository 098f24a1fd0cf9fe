//! Whether errors are as large as intervals say: no larger, and no smaller.

use afterimage::low_level::evaluation::Estimate;
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

/// Estimates less the truth of independent repetitions, in units of the standard errors that are stated.
#[derive(Default)]
pub struct Scores {
    /// Each with the degrees of freedom of the t law that its interval was made by.
    errors: Vec<(f64, f64)>,
}

fn student(freedom: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom).expect("a law")
}

impl Scores {
    /// Adds an error by the half width of its interval of 95 %, which is what is printed, over so many chains.
    pub fn add(&mut self, estimate: &Estimate, truth: f64, chains: usize) {
        let freedom = chains as f64 - 1.0;
        let unit = estimate.half_width / student(freedom).inverse_cdf(0.975);
        self.errors.push(((estimate.value - truth) / unit, freedom));
    }

    /// The chances of a sum of squares as small as that of these errors times `factor`, and of one as large.
    ///
    /// An error of the t law that its interval was made by is taken to the normal score of the same rank, whose square is of
    /// the χ² law for one degree of freedom: then the sum is of the χ² law for as many as there are errors, exactly, whatever
    /// the degrees of freedom of t. By ranks no far outlier decides alone.
    pub fn tails(&self, factor: f64) -> [f64; 2] {
        let normal = Normal::standard();
        let square = |(error, freedom): &(f64, f64)| {
            let tail = student(*freedom).cdf(-(factor * error).abs());
            let tail = tail.max(f64::MIN_POSITIVE);
            normal.inverse_cdf(tail).powi(2)
        };
        let sum: f64 = self.errors.iter().map(square).sum();
        let squares = ChiSquared::new(self.errors.len() as f64).expect("a law");
        [squares.cdf(sum), squares.sf(sum)]
    }

    /// Asserts that the errors are of the size that is stated, at 1e-3 a side, and that the test is one: intervals of twice
    /// the width or half of it would fail it. The former takes some forty errors.
    #[track_caller]
    pub fn assert_calibrated(&self, what: &str) {
        let (count, [small, large]) = (self.errors.len(), self.tails(1.0));
        let squares = self.errors.iter().map(|(error, _)| error * error);
        let mean = squares.sum::<f64>() / count as f64;
        println!(
            "{what}: mean square {mean:.2} of {count} errors, as small with {small:.4}, as large with {large:.4}"
        );
        assert!(
            small > 1e-3 && large > 1e-3,
            "{what}: {count} errors have a mean square of {mean:.2} in units of those stated"
        );
        assert!(
            self.tails(0.5)[0] < 1e-3,
            "{what}: too few errors to find twice the width"
        );
        assert!(
            self.tails(2.0)[1] < 1e-3,
            "{what}: too few errors to find half the width"
        );
    }
}

/// Of 1000 sums of 40 errors of the t law itself about one is refused on either side: seven or more once in 10,000 times
/// (Poisson). Twice and half the width are nearly always found out.
#[test]
fn errors_of_the_stated_size_pass_and_others_do_not() {
    use afterimage::low_level::random::{Philox, Stream};
    let mut random = Philox::new(1, Stream::Sampling, 0);
    let law = student(23.0);
    let mut refused = [[0; 2]; 3];
    for _ in 0..1000 {
        let errors = (0..40).map(|_| {
            let rank = f64::from(random.uniform());
            (law.inverse_cdf(rank), 23.0)
        });
        let scores = Scores {
            errors: errors.collect(),
        };
        for (refused, factor) in refused.iter_mut().zip([1.0, 0.5, 2.0]) {
            for (refused, tail) in refused.iter_mut().zip(scores.tails(factor)) {
                *refused += usize::from(tail < 1e-3);
            }
        }
    }
    println!("{refused:?}");
    assert!(refused[0][0] < 7 && refused[0][1] < 7, "{refused:?}");
    assert!(refused[1][0] > 990 && refused[2][1] > 990, "{refused:?}");
}

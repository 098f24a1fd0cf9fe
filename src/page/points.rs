//! Long series, thinned to as many points as a chart can show.

/// Points of a chart's line, at most.
pub(super) const MOST: usize = 240;

/// A series for a chart. Where it has more points than a chart can show, neighbours share one: nothing is dropped.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Thinned {
    /// (place, mean): NaN where no value of those that it stands for is finite.
    pub(super) means: Vec<(f64, f64)>,
    /// (place, lowest, highest) of the same values, NaN in the same places; none where every value has a point of its own.
    pub(super) ranges: Vec<(f64, f64, f64)>,
    /// Values that a point stands for, at most.
    pub(super) each: usize,
    /// Values that are not finite, or refused by the chart.
    pub(super) skipped: usize,
}

/// Thins the values `ys` at `xs`, of which those that `is_drawable` refuses are left out.
pub(super) fn thin(xs: &[f64], ys: &[f64], is_drawable: impl Fn(f64) -> bool) -> Thinned {
    let count = xs.len().min(ys.len());
    let each = count.div_ceil(MOST).max(1);
    let mut thinned = Thinned {
        each,
        ..Thinned::default()
    };
    for (xs, ys) in xs[..count].chunks(each).zip(ys[..count].chunks(each)) {
        let place = (xs[0] + xs[xs.len() - 1]) / 2.0;
        let kept = || ys.iter().copied().filter(|&y| is_drawable(y));
        let found = kept().count();
        thinned.skipped += ys.len() - found;
        let mean = kept().map(|y| y / found as f64).sum::<f64>();
        let mean = if found == 0 { f64::NAN } else { mean };
        thinned.means.push((place, mean));
        if each > 1 {
            let low = kept().fold(f64::NAN, f64::min);
            let high = kept().fold(f64::NAN, f64::max);
            thinned.ranges.push((place, low, high));
        }
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_series_stays_as_it_is() {
        let thinned = thin(&[0.0, 1.0, 2.0], &[5.0, f64::NAN, 7.0], f64::is_finite);
        assert_eq!(thinned.means[0], (0.0, 5.0));
        assert!(thinned.means[1].1.is_nan());
        assert_eq!((thinned.skipped, thinned.each), (1, 1));
        assert!(thinned.ranges.is_empty());
    }

    /// The mean of the means, the lowest and the highest survive any thinning: an outlier of one step is still seen.
    #[test]
    fn a_long_series_keeps_its_extremes_and_its_mean() {
        for count in [MOST + 1, 10 * MOST, 100_000] {
            let xs: Vec<f64> = (0..count).map(|x| x as f64).collect();
            let mut ys: Vec<f64> = xs.iter().map(|x| (x / 50.0).sin()).collect();
            ys[count / 3] = 40.0;
            ys[count / 2] = -30.0;
            let thinned = thin(&xs, &ys, f64::is_finite);
            assert!(thinned.means.len() <= MOST && thinned.ranges.len() <= MOST);
            assert!(thinned.means.len() * thinned.each >= count);
            let high = thinned
                .ranges
                .iter()
                .map(|range| range.2)
                .fold(0.0, f64::max);
            let low = thinned
                .ranges
                .iter()
                .map(|range| range.1)
                .fold(0.0, f64::min);
            assert_eq!((low, high), (-30.0, 40.0));
            for ((_, mean), (_, low, high)) in thinned.means.iter().zip(&thinned.ranges) {
                assert!(low <= mean && mean <= high);
            }
        }
    }
}

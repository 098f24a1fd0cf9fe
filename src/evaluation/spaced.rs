//! Which of many data are taken where a few stand for all.

use crate::data::Dataset;

/// The places of `count` of `all` data, evenly spaced from the first on, or of all where they are no more: data may lie in the
/// order of their classes, so that the first of them would be of some classes only.
pub(crate) fn spaced(all: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(all);
    // In u128, since a product of two numbers of data may be any.
    (0..count).map(move |index| (index as u128 * all as u128 / count as u128) as usize)
}

/// `count` samples of `data`, evenly spaced where there is an end to them.
pub(crate) fn spaced_samples(data: &Dataset, count: usize) -> Vec<f32> {
    let Some(all) = data.len() else {
        return data.first(count);
    };
    spaced(all, count)
        .flat_map(|place| data.samples(place..place + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_sorted_data_is_there_as_often() {
        // Ten classes of 22, one after the other: more than 128 data, and fewer than twice as many.
        let mut classes = [0; 10];
        for place in spaced(220, 128) {
            classes[place / 22] += 1;
        }
        assert_eq!(classes.iter().sum::<i32>(), 128);
        assert!(
            classes.iter().all(|count| [12, 13].contains(count)),
            "{classes:?}"
        );
    }

    #[test]
    fn places_are_different_ones_of_those_that_there_are() {
        for (all, count) in [
            (0, 128),
            (1, 128),
            (128, 128),
            (129, 128),
            (255, 128),
            (256, 128),
            (1000, 7),
        ] {
            let places: Vec<usize> = spaced(all, count).collect();
            assert_eq!(places.len(), all.min(count));
            assert!(
                places.windows(2).all(|pair| pair[0] < pair[1]),
                "{places:?}"
            );
            assert!(places.last().is_none_or(|last| *last < all));
        }
        assert_eq!(spaced(256, 128).nth(127), Some(254));
        assert!(spaced(usize::MAX, 2).nth(1).is_some());
    }
}

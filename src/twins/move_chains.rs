//! Twin of `move_chains.wgsl`: a batch of chains out of the replay buffer, and back into it.

/// Copies chain i from slot `order[(first + i) mod slots]` of `replay` into row i of `x`; a row has `sample_length`
/// values, and `order` one entry per slot.
pub fn gather_chains(
    sample_length: usize,
    first: usize,
    replay: &[f64],
    order: &[u32],
    x: &mut [f64],
) {
    for (i, row) in x.chunks_exact_mut(sample_length).enumerate() {
        let slot = order[(first + i) % order.len()] as usize;
        row.copy_from_slice(&replay[slot * sample_length..(slot + 1) * sample_length]);
    }
}

/// Copies row i of `x` into slot `order[(first + i) mod slots]` of `replay`.
pub fn scatter_chains(
    sample_length: usize,
    first: usize,
    replay: &mut [f64],
    order: &[u32],
    x: &[f64],
) {
    for (i, row) in x.chunks_exact(sample_length).enumerate() {
        let slot = order[(first + i) % order.len()] as usize;
        replay[slot * sample_length..(slot + 1) * sample_length].copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_given_order_and_wrap_around() {
        let replay = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5];
        let mut x = [f64::NAN; 4];
        gather_chains(2, 2, &replay, &[1, 2, 0], &mut x);
        assert_eq!(x, [0.0, 0.5, 1.0, 1.5]);
    }

    #[test]
    fn what_is_put_back_is_found_again_and_the_rest_is_left() {
        let order = [1, 2, 0, 3];
        let x = [5.0, 6.0, 7.0, 8.0];
        let mut replay = [0.0; 8];
        scatter_chains(2, 3, &mut replay, &order, &x);
        assert_eq!(replay, [0.0, 0.0, 7.0, 8.0, 0.0, 0.0, 5.0, 6.0]);
        let mut again = [f64::NAN; 4];
        gather_chains(2, 3, &replay, &order, &mut again);
        assert_eq!(again, x);
    }
}

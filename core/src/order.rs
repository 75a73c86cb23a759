//! Order of few values.
//!
//! The standard library's sorts are made for many: each type that is sorted brought 5 KB along
//! into the WebAssembly module.

/// Sorts by insertion; those with the same key stay in their order. Its time grows with the square
/// of the count, so that the caller must know of a bound.
pub(crate) fn sort_few<T, K: Ord>(values: &mut [T], key: impl Fn(&T) -> K) {
    for end in 1..values.len() {
        for place in (1..=end).rev() {
            let before = place.saturating_sub(1);
            let [Some(first), Some(second)] = [values.get(before), values.get(place)] else {
                break;
            };
            if key(first) <= key(second) {
                break;
            }
            values.swap(before, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        for seed in 0..200_u32 {
            let random = |index: u32| (seed ^ index).wrapping_mul(0x9E37_79B9) >> 27;
            let mut few: Vec<_> = (0..seed % 20).map(|index| (random(index), index)).collect();
            let mut expected = few.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_few(&mut few, |(key, _)| *key);
            assert_eq!(few, expected);
        }
    }
}

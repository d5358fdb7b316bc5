//! How many objects there are of which size, as far as a minimum size needs it.

/// Objects counted by the power of two at or below their size: exact for every minimum that is a power of two, and of one size
/// whatever the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    /// How many, and their bytes together.
    classes: [(u64, u64); 65],
}

impl Default for Objects {
    fn default() -> Self {
        Objects { classes: [(0, 0); 65] }
    }
}

impl Objects {
    /// One more, of so many bytes.
    pub fn add(&mut self, size: u64) {
        let (count, bytes) = &mut self.classes[class(size)];
        *count += 1;
        *bytes = bytes.saturating_add(size);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.classes.iter().map(|(count, _)| count).sum()
    }

    /// What they weigh together.
    pub fn bytes(&self) -> u64 {
        self.classes
            .iter()
            .fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// How many are smaller than `minimum` (a power of two), and by how many bytes together.
    pub fn short_of(&self, minimum: u64) -> (u64, u64) {
        let smaller = self.classes[..class(minimum)].iter();
        smaller.fold((0, 0), |(objects, short), (count, bytes)| {
            let missing = count.saturating_mul(minimum).saturating_sub(*bytes);
            (objects + count, short.saturating_add(missing))
        })
    }
}

impl FromIterator<u64> for Objects {
    fn from_iter<T: IntoIterator<Item = u64>>(sizes: T) -> Self {
        let mut objects = Objects::default();
        sizes.into_iter().for_each(|size| objects.add(size));
        objects
    }
}

/// Bits that the size needs: 0 for nothing, 1 for 1, 17 for 65,536 to 131,071.
fn class(size: u64) -> usize {
    (u64::BITS - size.leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_short_is_what_each_one_lacks(sizes in prop::collection::vec(0u64..1 << 20, 0..50), shift in 0u32..20) {
            let minimum = 1u64 << shift;
            let objects: Objects = sizes.iter().copied().collect();
            let small: Vec<u64> = sizes.iter().copied().filter(|size| *size < minimum).collect();
            let lacking: u64 = small.iter().map(|size| minimum - size).sum();
            prop_assert_eq!(objects.short_of(minimum), (small.len() as u64, lacking));
            prop_assert_eq!((objects.count(), objects.bytes()), (sizes.len() as u64, sizes.iter().sum()));
        }
    }
}

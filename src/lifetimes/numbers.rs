//! Numbers for what has none: the first that comes is 0, the next new one 1.

/// The first half of an id. Among twenty million of them two that are equal are not to be expected in the life of the sun.
pub(super) type Key = [u8; 16];

/// The key of an id.
pub(super) fn key_of(id: &crate::vault::Id) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&id.0[..16]);
    key
}

/// What can be numbered.
pub(super) trait Spread: Copy + Eq {
    /// A number that differs mostly when the value does.
    fn spread(&self) -> u64;
}

/// Half of what makes multiplying a good way to spread.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Spread for Key {
    fn spread(&self) -> u64 {
        let half = |from: usize| self[from..from + 8].try_into().map_or(0, u64::from_le_bytes);
        (half(0) ^ half(8).rotate_left(32)).wrapping_mul(FACTOR)
    }
}

impl Spread for u64 {
    fn spread(&self) -> u64 {
        (self ^ (self >> 29)).wrapping_mul(FACTOR)
    }
}

/// Values by number, and numbers by value: about 24 bytes for each of twenty million keys.
#[derive(Debug, Clone)]
pub(super) struct Numbers<T> {
    values: Vec<T>,
    /// 0 where nothing is, else a number and one; a power of two of them, at most four in five taken.
    slots: Vec<u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Numbers {
            values: Vec::new(),
            slots: Vec::new(),
        }
    }
}

impl<T: Spread> Numbers<T> {
    /// The slot that has a value, or the one where it belongs.
    fn slot(&self, value: &T) -> usize {
        let mask = self.slots.len() - 1;
        let bits = self.slots.len().trailing_zeros();
        let mut at = (value.spread() >> (64 - bits.max(1))) as usize & mask;
        loop {
            match self.slots[at] {
                0 => return at,
                number if self.values[number as usize - 1] == *value => return at,
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// The number of a value that has one.
    pub fn get(&self, value: &T) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[self.slot(value)].checked_sub(1)
    }

    /// The number of a value, and whether it is new. There can be no more than `u32::MAX - 1`: see [`Numbers::len`].
    pub fn number(&mut self, value: T) -> (u32, bool) {
        if (self.values.len() + 1) * 5 > self.slots.len() * 4 {
            self.grow();
        }
        let at = self.slot(&value);
        if let Some(number) = self.slots[at].checked_sub(1) {
            return (number, false);
        }
        self.values.push(value);
        self.slots[at] = self.values.len() as u32;
        (self.values.len() as u32 - 1, true)
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(64);
        // The old ones go before the new ones come.
        self.slots = Vec::new();
        self.slots = vec![0; size];
        for n in 0..self.values.len() {
            let at = self.slot(&self.values[n]);
            self.slots[at] = n as u32 + 1;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// All, by number.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// All, by number.
    pub fn into_values(self) -> Vec<T> {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_one_number() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.get(&7_u64), None);
        let values: Vec<u64> = (0..10_000).map(|n| n * n * 4096).collect();
        for (n, value) in values.iter().enumerate() {
            assert_eq!(numbers.number(*value), (n as u32, true));
        }
        for (n, value) in values.iter().enumerate() {
            assert_eq!(numbers.number(*value), (n as u32, false));
            assert_eq!(numbers.get(value), Some(n as u32));
        }
        assert_eq!(numbers.get(&1), None);
        assert_eq!(numbers.into_values(), values);
    }
}

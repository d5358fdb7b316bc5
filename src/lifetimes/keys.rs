//! Keys in their order, from wherever they are.

use super::Result;
use super::numbers::Key;
use super::part::{Item, Section};
use super::read::Facts;
use super::state::ENTRY;

/// The order of keys by their first two bytes, then each group's by all of them: groups fit into the processor's cache.
pub(super) fn sorted(keys: &[Key]) -> Vec<u32> {
    let group = |key: &Key| usize::from(u16::from_be_bytes([key[0], key[1]]));
    let mut starts = vec![0_u32; (1 << 16) + 1];
    keys.iter().for_each(|key| starts[group(key) + 1] += 1);
    for n in 1..starts.len() {
        starts[n] += starts[n - 1];
    }
    let mut order = vec![0_u32; keys.len()];
    let mut next = starts.clone();
    for (n, key) in keys.iter().enumerate() {
        let at = &mut next[group(key)];
        order[*at as usize] = n as u32;
        *at += 1;
    }
    drop(next);
    let mut near: Vec<(Key, u32)> = Vec::new();
    for range in starts.windows(2) {
        let order = &mut order[range[0] as usize..range[1] as usize];
        near.clear();
        near.extend(order.iter().map(|n| (keys[*n as usize], *n)));
        near.sort_unstable();
        order.iter_mut().zip(&near).for_each(|(to, (_, n))| *to = *n);
    }
    order
}

/// A key with its number, from the local file.
fn entry(raw: &[u8; ENTRY]) -> (Key, u32) {
    let mut key = Key::default();
    key.copy_from_slice(&raw[..16]);
    (key, super::bytes::number32(raw, 16))
}

/// All keys of a kind, sorted, with their numbers.
pub(super) struct Keys<'a> {
    /// Those of the first part of the file, which has most.
    base: &'a [[u8; ENTRY]],
    /// Those of the other parts.
    rest: Vec<(Key, u32)>,
    rest_at: usize,
    /// Those that are new, and their order.
    new: &'a [Key],
    order: Vec<u32>,
    order_at: usize,
    first: u32,
}

impl<'a> Keys<'a> {
    pub fn new(facts: &'a Facts, item: Item) -> Result<Keys<'a>> {
        let mut parts = facts.state.iter().flat_map(|state| &state.parts);
        let section = Section::Keys(item);
        let base = parts.next().map_or(Ok(&[][..]), |part| part.all(section))?;
        let mut rest = Vec::new();
        for part in parts {
            rest.extend(part.all(section)?.as_chunks().0.iter().map(entry));
        }
        rest.sort_unstable();
        let new = &facts.keys[item as usize][..];
        Ok(Keys {
            base: base.as_chunks().0,
            rest,
            rest_at: 0,
            new,
            order: sorted(new),
            order_at: 0,
            first: facts.first[item as usize],
        })
    }

    /// The next one, not taken.
    pub fn peek(&self) -> Option<(Key, u32)> {
        let rest = self.rest.get(self.rest_at).copied();
        let new = self.order.get(self.order_at);
        let new = new.map(|n| (self.new[*n as usize], self.first + *n));
        [self.base.first().map(entry), rest, new].into_iter().flatten().min()
    }

    /// Takes the next one.
    pub fn take(&mut self) -> Option<(Key, u32)> {
        let next = self.peek()?;
        if self.base.first().is_some_and(|raw| raw[..16] == next.0) {
            self.base = &self.base[1..];
        } else if self.rest.get(self.rest_at) == Some(&next) {
            self.rest_at += 1;
        } else {
            self.order_at += 1;
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted() {
        let keys: Vec<Key> = (0..1000_u64)
            .map(|n| {
                let mut key = Key::default();
                key[..8].copy_from_slice(&(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 977).to_be_bytes());
                key[8..].copy_from_slice(&n.to_le_bytes());
                key.rotate_left(n as usize % 3);
                key
            })
            .collect();
        let order = sorted(&keys);
        let mut want: Vec<u32> = (0..1000).collect();
        want.sort_by_key(|n| keys[*n as usize]);
        assert_eq!(order, want);
    }
}

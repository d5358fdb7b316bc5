//! Numbers in few bytes: seven bits a byte, the least first; differences folded so that small ones of either sign are short.

/// Adds a number.
pub(super) fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Takes a number; `None` when the bytes end within it or it is too large.
pub(super) fn take(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(n);
        }
    }
    None
}

/// A signed number as an unsigned one that is small when it is near zero.
pub(super) fn fold(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

/// What [`fold`] was given.
pub(super) fn unfold(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

/// The little-endian number at a place; 0 beyond the end, where nobody looks.
pub(super) fn number32(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_le_bytes)
}

/// The same for eight bytes.
pub(super) fn number64(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
    eight.map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let mut out = Vec::new();
        numbers.iter().for_each(|n| put(&mut out, *n));
        let mut at = 0;
        for n in numbers {
            assert_eq!(take(&out, &mut at), Some(n));
        }
        assert_eq!((at, take(&out, &mut at)), (out.len(), None));
        assert_eq!(take(&[0x80; 12], &mut 0), None);
        for n in [0, 1, -1, 63, -64, i64::MAX, i64::MIN] {
            assert_eq!(unfold(fold(n)), n);
        }
        assert_eq!((fold(-1), fold(1)), (1, 2));
    }
}

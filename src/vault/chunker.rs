//! Content-defined chunking: Rabin fingerprints with the vault's polynomial, cut points equal to restic's.
//!
//! A chunk ends after the first byte at which it is at least [`MIN_SIZE`] long and the low 20 bits of the fingerprint of
//! its last 64 bytes are zero, or at [`MAX_SIZE`]. The fingerprint is the remainder of those 64 bytes, read as one
//! polynomial over GF(2), modulo the vault's irreducible polynomial. Because it depends on 64 bytes only, the minimum is
//! skipped unread, and several stretches of one buffer are searched at the same time: one stretch alone waits for a table
//! look-up at every byte, four of them fill those waits.

/// Smallest chunk but the last, bytes.
pub const MIN_SIZE: usize = 512 * 1024;
/// Largest chunk, bytes.
pub const MAX_SIZE: usize = 8 * 1024 * 1024;

/// Bytes the fingerprint looks at.
const WINDOW: usize = 64;
/// The fingerprint's bits that are zero at a cut: one position in 2^20 on average.
const MASK: u64 = (1 << 20) - 1;
/// The degree of every vault's polynomial.
const DEGREE: u32 = 53;
/// How many stretches are searched at the same time.
const LANES: usize = 4;
/// Bytes of one stretch. Long enough that warming up costs nothing, short enough that little is searched in vain behind
/// a cut.
const STRETCH: usize = 16 * 1024;

/// The tables of one polynomial: built once, shared.
#[derive(Debug)]
pub struct Chunker {
    /// What the eight bits that a shift pushes above the degree are worth below it, those bits included, so that one
    /// exclusive or both clears and reduces.
    reduce: [u64; 256],
    /// The fingerprint of a byte followed by 64 zeros: what leaves the window when one more byte has come in.
    leave: [u64; 256],
}

impl Chunker {
    /// Builds the tables. The polynomial has degree 53 (see [`is_irreducible`]).
    pub fn new(polynomial: u64) -> Chunker {
        let mut reduce = [0; 256];
        for (bits, entry) in (0u64..).zip(&mut reduce) {
            let high = bits << DEGREE;
            *entry = remainder(u128::from(high), polynomial) | high;
        }
        let mut chunker = Chunker {
            reduce,
            leave: [0; 256],
        };
        for byte in 0..=255u8 {
            let mut digest = u64::from(byte);
            for _ in 0..WINDOW {
                digest = chunker.shift(digest);
            }
            chunker.leave[usize::from(byte)] = digest;
        }
        chunker
    }

    /// The length of the first chunk of `data`: at most [`MAX_SIZE`]; all of `data` when no cut point is in it
    /// (the caller then brings at least `MAX_SIZE` bytes, or knows that `data` is the end of the file).
    pub fn cut(&self, data: &[u8]) -> usize {
        self.next_cut(data, 0).unwrap_or(data.len())
    }

    /// The length of the first chunk of `data`, or `None` when it does not end within `data`: bring more and ask again,
    /// or take all of it at the end of the file. The first `searched` bytes are known to hold no end.
    pub fn next_cut(&self, data: &[u8], searched: usize) -> Option<usize> {
        self.cut_within(data, searched, MIN_SIZE, MAX_SIZE, MASK)
    }

    /// [`Chunker::next_cut`] with sizes and mask of choice, so that tests see many cuts in little data.
    fn cut_within(&self, data: &[u8], searched: usize, min: usize, max: usize, mask: u64) -> Option<usize> {
        let data = &data[..data.len().min(max)];
        // The lengths from `next` to the end, both included, may be the chunk's.
        let mut next = min.max(WINDOW).max(searched + 1);
        if next == WINDOW {
            // The only length without a byte before its window.
            if self.fingerprint(data.get(..WINDOW)?) & mask == 0 {
                return Some(WINDOW);
            }
            next += 1;
        }
        while next <= data.len() {
            let stretch = ((data.len() + 1 - next) / LANES).min(STRETCH);
            if stretch == 0 {
                if let Some(at) = self.search_one(&data[next - 1 - WINDOW..], mask) {
                    return Some(next + at);
                }
                break;
            }
            let lane = |n: usize| &data[next + n * stretch - 1 - WINDOW..][..stretch + WINDOW];
            if let Some(at) = self.search([lane(0), lane(1), lane(2), lane(3)], mask) {
                return Some(next + at);
            }
            next += LANES * stretch;
        }
        (data.len() == max).then_some(max)
    }

    /// Searches four adjacent stretches of equal length, each given with the 64 bytes before its first candidate's last
    /// byte. Returns the earliest hit, counted from the start of the first stretch.
    fn search(&self, lanes: [&[u8]; LANES], mask: u64) -> Option<usize> {
        let stretch = lanes[0].len().checked_sub(WINDOW)?;
        let [(old0, new0), (old1, new1), (old2, new2), (old3, new3)] =
            lanes.map(|lane| (&lane[..stretch], &lane[WINDOW..][..stretch]));
        let [mut d0, mut d1, mut d2, mut d3] = lanes.map(|lane| self.fingerprint(&lane[..WINDOW]));
        // The earliest hits of the later lanes: they count only if no earlier lane hits before its stretch ends.
        let mut later = [None; LANES];
        for at in 0..stretch {
            d0 = self.slide(d0, old0[at], new0[at]);
            d1 = self.slide(d1, old1[at], new1[at]);
            d2 = self.slide(d2, old2[at], new2[at]);
            d3 = self.slide(d3, old3[at], new3[at]);
            let hit = (d0 & mask == 0) | (d1 & mask == 0) | (d2 & mask == 0) | (d3 & mask == 0);
            if hit {
                if d0 & mask == 0 {
                    return Some(at);
                }
                for (lane, digest) in [d0, d1, d2, d3].into_iter().enumerate() {
                    if digest & mask == 0 {
                        later[lane].get_or_insert(lane * stretch + at);
                    }
                }
            }
        }
        later.into_iter().flatten().next()
    }

    /// The end of the data, too short to share: one stretch.
    fn search_one(&self, bytes: &[u8], mask: u64) -> Option<usize> {
        let mut digest = self.fingerprint(bytes.get(..WINDOW)?);
        bytes.iter().zip(&bytes[WINDOW..]).position(|(old, new)| {
            digest = self.slide(digest, *old, *new);
            digest & mask == 0
        })
    }

    /// The fingerprint of a whole window.
    fn fingerprint(&self, window: &[u8]) -> u64 {
        window
            .iter()
            .fold(0, |digest, byte| self.shift(digest) ^ u64::from(*byte))
    }

    /// One byte enters the window and one leaves it. The leaving byte's share is taken off after the shift, not before:
    /// that keeps its look-up out of the chain in which each byte waits for the one before.
    #[inline(always)]
    fn slide(&self, digest: u64, old: u8, new: u8) -> u64 {
        self.shift(digest) ^ (self.leave[usize::from(old)] ^ u64::from(new))
    }

    /// Multiplies by x^8.
    #[inline(always)]
    fn shift(&self, digest: u64) -> u64 {
        (digest << 8) ^ self.reduce[usize::from((digest >> (DEGREE - 8)) as u8)]
    }
}

/// Whether this is an irreducible polynomial of degree 53, the only kind vaults use (Ben-Or's test: it has no factor in
/// common with x^(2^i) − x for any i up to half its degree, and these hold all smaller irreducible ones).
pub fn is_irreducible(polynomial: u64) -> bool {
    const X: u64 = 2;
    if degree(polynomial.into()) != Some(DEGREE) {
        return false;
    }
    let mut power = X;
    (1..=DEGREE / 2).all(|_| {
        power = remainder(multiply(power, power), polynomial);
        common_factor(polynomial, power ^ X) == 1
    })
}

/// A random irreducible polynomial from a source of random numbers.
pub fn random_polynomial(random: &mut dyn FnMut() -> u64) -> u64 {
    loop {
        // The highest bit fixes the degree; without the lowest it would be divisible by x.
        let candidate = (random() & ((1 << (DEGREE + 1)) - 1)) | (1 << DEGREE) | 1;
        if is_irreducible(candidate) {
            return candidate;
        }
    }
}

fn degree(polynomial: u128) -> Option<u32> {
    polynomial.checked_ilog2()
}

/// The product over GF(2).
fn multiply(a: u64, b: u64) -> u128 {
    (0..64)
        .filter(|bit| b >> bit & 1 == 1)
        .fold(0, |sum, bit| sum ^ (u128::from(a) << bit))
}

/// `a` modulo `b` over GF(2); `b` is not zero.
fn remainder(mut a: u128, b: u64) -> u64 {
    let low = degree(b.into()).unwrap_or(0);
    while let Some(high) = degree(a).filter(|high| *high >= low) {
        a ^= u128::from(b) << (high - low);
        if a == 0 {
            break;
        }
    }
    a as u64
}

/// The greatest common divisor over GF(2).
fn common_factor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, remainder(a.into(), b));
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The polynomial of the format's own documentation.
    const POLYNOMIAL: u64 = 0x25b468838dcb75;

    /// The definition, one byte at a time, with no tables: start with a window of zeros, slide in a one, then the bytes.
    fn naive(polynomial: u64, data: &[u8], min: usize, max: usize, mask: u64) -> usize {
        let append = |digest: u64, byte: u8| remainder((u128::from(digest) << 8) ^ u128::from(byte), polynomial);
        let mut leaving = [0; 256];
        for byte in 0..=255u8 {
            leaving[usize::from(byte)] = (1..WINDOW).fold(u64::from(byte), |digest, _| append(digest, 0));
        }
        let mut window = [0u8; WINDOW];
        let mut digest = 0;
        let mut slide = |at: usize, byte: u8| {
            let old = std::mem::replace(&mut window[at % WINDOW], byte);
            digest = append(digest ^ leaving[usize::from(old)], byte);
            digest
        };
        slide(0, 1);
        for (at, byte) in data.iter().enumerate() {
            let digest = slide(at + 1, *byte);
            let length = at + 1;
            if (length >= min && digest & mask == 0) || length >= max {
                return length;
            }
        }
        data.len()
    }

    /// Bytes that anyone can make again, for vectors taken from real vaults.
    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        (0..length.div_ceil(8))
            .flat_map(|_| next().to_le_bytes())
            .take(length)
            .collect()
    }

    fn cuts(chunker: &Chunker, mut data: &[u8]) -> Vec<usize> {
        let mut all = Vec::new();
        while !data.is_empty() {
            let length = chunker.cut(data);
            all.push(length);
            data = &data[length..];
        }
        all
    }

    #[test]
    fn equals_the_definition_at_full_size() {
        let chunker = Chunker::new(POLYNOMIAL);
        let data = noise(7, 6 << 20);
        let mut rest = data.as_slice();
        while !rest.is_empty() {
            let length = chunker.cut(rest);
            assert_eq!(length, naive(POLYNOMIAL, rest, MIN_SIZE, MAX_SIZE, MASK));
            rest = &rest[length..];
        }
        // A run of zeros has the fingerprint zero: it is cut as soon as the minimum allows.
        assert_eq!(chunker.cut(&vec![0; MIN_SIZE * 3]), MIN_SIZE);
        assert_eq!(chunker.cut(&vec![0; MIN_SIZE - 1]), MIN_SIZE - 1);
        assert_eq!(chunker.cut(&[]), 0);
        // A run of ones never is: it is cut at the maximum.
        assert_eq!(
            naive(POLYNOMIAL, &vec![1; MAX_SIZE + 9], MIN_SIZE, MAX_SIZE, MASK),
            MAX_SIZE
        );
        assert_eq!(chunker.cut(&vec![1; MAX_SIZE + 9]), MAX_SIZE);
    }

    /// Chunk sizes as restic 0.18 stored them for the same bytes, in a vault with this polynomial.
    #[test]
    fn cuts_as_restic_does() {
        let chunker = Chunker::new(0x384b8fab5ade8d);
        assert_eq!(
            cuts(&chunker, &noise(42, 25_000_000)),
            [
                947311, 715134, 1305553, 2732304, 1429565, 1159322, 633220, 1483835, 797943, 1371509, 660116, 1286339,
                2205328, 1342978, 762393, 1209151, 1507711, 1703405, 567334, 1139170, 40379
            ]
        );
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            seed in 1u64..,
            length in 0usize..6_000,
            min in WINDOW..700,
            more in 0usize..5_000,
            bits in 3u32..12,
            piece in 1usize..1_500,
            random in prop::collection::vec(any::<u64>(), 400),
        ) {
            // One candidate in about 27 is irreducible.
            let polynomial = random.into_iter().map(|n| (n & ((1 << 54) - 1)) | (1 << 53) | 1)
                .find(|candidate| is_irreducible(*candidate)).unwrap_or(POLYNOMIAL);
            let chunker = Chunker::new(polynomial);
            let data = noise(seed, length);
            let (max, mask) = (min + more, (1u64 << bits) - 1);
            let mut rest = data.as_slice();
            while !rest.is_empty() {
                // Once at a stretch, once bit by bit.
                let cut = chunker.cut_within(rest, 0, min, max, mask).unwrap_or(rest.len());
                prop_assert_eq!(cut, naive(polynomial, rest, min, max, mask));
                let mut brought = 0;
                let piecewise = loop {
                    let more = (brought + piece).min(rest.len());
                    match chunker.cut_within(&rest[..more], brought, min, max, mask) {
                        Some(cut) => break cut,
                        None if more == rest.len() => break more,
                        None => brought = more,
                    }
                };
                prop_assert_eq!(piecewise, cut);
                rest = &rest[cut..];
            }
        }

        #[test]
        fn a_product_is_reducible(a in 2u64..1 << 27, low in 0u64..) {
            // Any factor of degree d times one of degree 53 − d.
            let d = degree(a.into()).unwrap_or(0);
            let b = (1 << (DEGREE - d)) | (low & ((1 << (DEGREE - d)) - 1));
            prop_assert!(!is_irreducible(multiply(a, b) as u64));
        }
    }

    #[test]
    fn knows_irreducible_polynomials() {
        // Polynomials that real vaults were made with.
        for polynomial in [POLYNOMIAL, 0x3DA3358B4DC173] {
            assert!(is_irreducible(polynomial), "{polynomial:x}");
        }
        for wrong in [
            0,
            1,
            2,
            3,
            1 << 53,
            POLYNOMIAL >> 1,
            POLYNOMIAL << 1,
            POLYNOMIAL ^ 1,
            u64::MAX,
        ] {
            assert!(!is_irreducible(wrong), "{wrong:x}");
        }
    }

    #[test]
    fn makes_polynomials() {
        let mut seed = 1u64;
        let mut random = || {
            seed = seed
                .wrapping_mul(0x5851_F42D_4C95_7F2D)
                .wrapping_add(0x1405_7B7E_F767_814F);
            seed ^ seed >> 29
        };
        let (a, b) = (random_polynomial(&mut random), random_polynomial(&mut random));
        assert!(is_irreducible(a) && is_irreducible(b));
        assert_ne!(a, b);
    }
}

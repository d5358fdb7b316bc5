//! Content-defined chunking: Rabin fingerprints with the vault's polynomial, cut points equal to restic's.

/// Smallest chunk but the last, bytes.
pub const MIN_SIZE: usize = 512 * 1024;
/// Largest chunk, bytes.
pub const MAX_SIZE: usize = 8 * 1024 * 1024;

/// The tables of one polynomial: built once, shared.
#[derive(Debug)]
pub struct Chunker {}

impl Chunker {
    /// Builds the tables.
    pub fn new(polynomial: u64) -> Chunker {
        todo!()
    }
    /// The length of the first chunk of `data`: at most [`MAX_SIZE`]; all of `data` when no cut point is in it
    /// (the caller then brings at least `MAX_SIZE` bytes, or knows that `data` is the end of the file).
    pub fn cut(&self, data: &[u8]) -> usize {
        todo!()
    }
}

/// Whether a polynomial of degree 53 is irreducible.
pub fn is_irreducible(polynomial: u64) -> bool {
    todo!()
}
/// A random irreducible polynomial from a source of random numbers.
pub fn random_polynomial(random: &mut dyn FnMut() -> u64) -> u64 {
    todo!()
}

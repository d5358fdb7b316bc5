//! Key files: the master key, sealed under a password.

/// scrypt's cost: `N`, `r`, `p`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScryptParameters {
    /// CPU and memory cost, a power of two.
    pub n: u64,
    /// Block size.
    pub r: u32,
    /// Parallelisation.
    pub p: u32,
}

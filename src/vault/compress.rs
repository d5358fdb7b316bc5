//! zstd with reused state.

/// Per-thread reusable state for compression and decompression: contexts and buffers.
pub struct Scratch {}

impl Default for Scratch {
    fn default() -> Scratch {
        todo!()
    }
}
